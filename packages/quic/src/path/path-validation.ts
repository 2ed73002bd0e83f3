// The PATH_CHALLENGE / PATH_RESPONSE exchange of one path (RFC 9000 §8.2): fresh data for every challenge, answered by
// any of the outstanding ones, repeated ever more rarely, given up in the end.

import { equalBytes } from '../base/bytes.ts'
import type { RandomSource } from '../base/random.ts'
import type { FrameSink } from '../delivery/frame-sink.ts'
import { TokenKind } from '../delivery/token.ts'
import { PATH_DATA_LENGTH, PATH_FRAME_SIZE, writePathChallengeFrame } from '../wire/frames/path.ts'

/** Challenges kept for matching a late response. */
const MAX_OUTSTANDING = 4

export const PathValidationState = { none: 0, validating: 1, valid: 2, failed: 3 } as const
export type PathValidationState = (typeof PathValidationState)[keyof typeof PathValidationState]

export class PathValidation {
  state: PathValidationState
  /** When validation is given up, Infinity unless validating. */
  deadline: number
  /** When the next challenge is repeated, Infinity unless validating. */
  retryAt: number
  private readonly outstanding: Uint8Array[]
  private challengeDue: boolean
  private interval: number

  constructor(alreadyValid: boolean) {
    this.state = alreadyValid ? PathValidationState.valid : PathValidationState.none
    this.deadline = Infinity
    this.retryAt = Infinity
    this.outstanding = []
    this.challengeDue = false
    this.interval = 0
  }

  /** Milliseconds: `pto` is the wait before the first repetition, which doubles; `giveUpAfter` ends it all (RFC 9000 §8.2.1, §8.2.4). */
  start(now: number, pto: number, giveUpAfter: number): void {
    this.state = PathValidationState.validating
    this.deadline = now + giveUpAfter
    this.interval = pto
    this.retryAt = Infinity
    this.challengeDue = true
    this.outstanding.length = 0
  }

  /** The address was validated by other means: a Handshake packet (RFC 9000 §8.1). */
  confirm(): void {
    this.state = PathValidationState.valid
    this.finish()
  }

  wantsChallenge(): boolean {
    return this.challengeDue
  }

  write(sink: FrameSink, random: RandomSource, now: number): boolean {
    if (!this.challengeDue) return true
    if (sink.room() < PATH_FRAME_SIZE) return false
    const data = new Uint8Array(PATH_DATA_LENGTH)
    random.fill(data)
    if (this.outstanding.length === MAX_OUTSTANDING) this.outstanding.splice(0, 1)
    this.outstanding.push(data)
    writePathChallengeFrame(sink.writer, data)
    sink.token(TokenKind.pathChallenge, 0, 0, 0)
    this.challengeDue = false
    this.retryAt = now + this.interval
    this.interval *= 2
    return true
  }

  /** True when the response answers one of our challenges and the path is valid from now on. */
  onResponse(data: Uint8Array): boolean {
    if (this.state !== PathValidationState.validating) return false
    for (const sent of this.outstanding) {
      if (equalBytes(sent, data)) {
        this.confirm()
        return true
      }
    }
    return false
  }

  /** Returns true when the path has just failed validation. */
  onTimeout(now: number): boolean {
    if (this.state !== PathValidationState.validating) return false
    if (now >= this.deadline) {
      this.state = PathValidationState.failed
      this.finish()
      return true
    }
    if (now >= this.retryAt) {
      this.retryAt = Infinity
      this.challengeDue = true
    }
    return false
  }

  private finish(): void {
    this.deadline = Infinity
    this.retryAt = Infinity
    this.challengeDue = false
    this.outstanding.length = 0
  }
}
