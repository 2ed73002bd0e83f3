// The PATH_CHALLENGE / PATH_RESPONSE exchange of one path (RFC 9000 §8.2): fresh data for every challenge, answered by
// any of the outstanding ones, given up after three times the PTO.

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

  /** `pto` in milliseconds: RFC 9000 §8.2.4 recommends three times the larger of the current PTO and the new path's. */
  start(now: number, pto: number): void {
    this.state = PathValidationState.validating
    this.deadline = now + 3 * pto
    this.interval = pto
    this.retryAt = Infinity
    this.challengeDue = true
    this.outstanding.length = 0
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
    return true
  }

  /** True when the response answers one of our challenges and the path is valid from now on. */
  onResponse(data: Uint8Array): boolean {
    if (this.state !== PathValidationState.validating) return false
    for (const sent of this.outstanding) {
      if (equalBytes(sent, data)) {
        this.state = PathValidationState.valid
        this.finish()
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
