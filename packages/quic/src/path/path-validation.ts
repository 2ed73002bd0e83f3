// The PATH_CHALLENGE / PATH_RESPONSE exchange of one path (RFC 9000 §8.2): fresh data for every challenge, answered by
// any of the outstanding ones, repeated ever more rarely, given up in the end.
//
//   none ──start──→ validating ──response to a full datagram──→ valid ──start──→ validating …
//                    ↑      └──deadline──→ failed
//                    └── response to a smaller one: the address is validated, the path is not (§8.2.1)

import { equalBytes } from '../base/bytes.ts'
import type { RandomSource } from '../base/random.ts'
import type { FrameSink } from '../delivery/frame-sink.ts'
import { TokenKind } from '../delivery/token.ts'
import { PATH_DATA_LENGTH, PATH_FRAME_SIZE, writePathChallengeFrame } from '../wire/frames/path.ts'
import { BASE_DATAGRAM } from './pmtud.ts'

/** Challenges kept for matching a late response. */
const MAX_OUTSTANDING = 4

export const PathValidationState = { none: 0, validating: 1, valid: 2, failed: 3 } as const
export type PathValidationState = (typeof PathValidationState)[keyof typeof PathValidationState]

/** What a response proved: nothing, that the peer is at that address, or that the path carries QUIC as well. */
export const PathResponse = { unknown: 0, address: 1, path: 2 } as const
export type PathResponse = (typeof PathResponse)[keyof typeof PathResponse]

interface Challenge {
  readonly data: Uint8Array
  readonly sentAt: number
  /** It went out in a datagram of at least 1200 bytes. */
  full: boolean
}

export class PathValidation {
  state: PathValidationState
  /** The path was valid at some time; stays so while it is validated again. */
  proven: boolean
  /** When validation is given up, Infinity unless validating. */
  deadline: number
  /** When the next challenge is repeated, Infinity unless validating. */
  retryAt: number
  /** Milliseconds from the answered challenge to its answer, -1 before. */
  roundTrip: number
  private readonly outstanding: Challenge[]
  /** The challenge in the datagram at hand, whose size is not known yet. */
  private unsized: Challenge | null
  private challengeDue: boolean
  private pto: number
  private interval: number
  private patience: number

  constructor(alreadyValid: boolean) {
    this.state = alreadyValid ? PathValidationState.valid : PathValidationState.none
    this.proven = alreadyValid
    this.deadline = Infinity
    this.retryAt = Infinity
    this.roundTrip = -1
    this.outstanding = []
    this.unsized = null
    this.challengeDue = false
    this.pto = 0
    this.interval = 0
    this.patience = 0
  }

  /** Milliseconds: `pto` is the wait before the first repetition, which doubles; `giveUpAfter` ends it all (RFC 9000 §8.2.1, §8.2.4). */
  start(now: number, pto: number, giveUpAfter: number): void {
    this.pto = pto
    this.patience = giveUpAfter
    this.outstanding.length = 0
    this.begin(now)
  }

  /** The address was validated by other means: a Handshake packet (RFC 9000 §8.1). */
  confirm(): void {
    this.state = PathValidationState.valid
    this.proven = true
    this.finish()
  }

  /** RFC 9000 §9.3: another address is what counts now. */
  abandon(): void {
    if (this.state !== PathValidationState.validating) return
    this.state = this.proven ? PathValidationState.valid : PathValidationState.none
    this.finish()
  }

  wantsChallenge(): boolean {
    return this.challengeDue
  }

  /** RFC 9000 §8.2.1: one challenge per packet. Call onDatagramSent() with the size of its datagram. */
  write(sink: FrameSink, random: RandomSource, now: number): boolean {
    if (!this.challengeDue) return true
    if (sink.room() < PATH_FRAME_SIZE) return false
    const data = new Uint8Array(PATH_DATA_LENGTH)
    random.fill(data)
    const challenge = { data, sentAt: now, full: false }
    if (this.outstanding.length === MAX_OUTSTANDING) this.outstanding.splice(0, 1)
    this.outstanding.push(challenge)
    this.unsized = challenge
    writePathChallengeFrame(sink.writer, data)
    sink.token(TokenKind.pathChallenge, 0, 0, 0)
    this.challengeDue = false
    this.retryAt = now + this.interval
    this.interval *= 2
    return true
  }

  onDatagramSent(bytes: number): void {
    if (this.unsized === null) return
    this.unsized.full = bytes >= BASE_DATAGRAM
    this.unsized = null
  }

  /** RFC 9000 §8.2.3: whatever path the response came on. After `address` the path has to be validated at full size, and will be. */
  onResponse(data: Uint8Array, now: number): PathResponse {
    if (this.state !== PathValidationState.validating) return PathResponse.unknown
    const index = this.outstanding.findIndex((sent) => equalBytes(sent.data, data))
    if (index < 0) return PathResponse.unknown
    const challenge = this.outstanding[index]!
    this.roundTrip = now - challenge.sentAt
    if (challenge.full) {
      this.confirm()
      return PathResponse.path
    }
    // Once: who repeats the response must not keep the validation going.
    this.outstanding.splice(index, 1)
    this.begin(now)
    return PathResponse.address
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

  private begin(now: number): void {
    this.state = PathValidationState.validating
    this.deadline = now + this.patience
    this.interval = this.pto
    this.retryAt = Infinity
    this.challengeDue = true
  }

  private finish(): void {
    this.deadline = Infinity
    this.retryAt = Infinity
    this.challengeDue = false
    this.outstanding.length = 0
    this.unsized = null
  }
}
