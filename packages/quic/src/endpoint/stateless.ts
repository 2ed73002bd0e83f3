// What a server answers without a connection: Version Negotiation (RFC 9000 §6.1), stateless resets (§10.3), and what
// admission says: Retry, refusals. Answers wait in a bounded queue and are always smaller than what provoked them, or limited by it.

import { Ring } from '../base/ring.ts'
import type { RandomSource } from '../base/random.ts'
import type { Transmit } from '../connection/send/transmit-buffer.ts'
import type { PathAddress } from '../path/path-address.ts'
import { MIN_INITIAL_DATAGRAM } from '../wire/constants.ts'
import type { HeaderView } from '../wire/header.ts'
import { MIN_STATELESS_RESET, encodeStatelessReset } from '../wire/stateless-reset.ts'
import { encodeVersionNegotiation } from '../wire/version-negotiation.ts'
import { greasedVersions } from '../wire/version.ts'

/** Answers waiting to be sent; more are dropped. None is much longer than 200 bytes, so a flood holds 50 KB at most. */
export const MAX_WAITING_ANSWERS = 256

/** RFC 9000 §10.3: long enough to look like any short header packet. */
const STATELESS_RESET_SIZE = 43

interface Answer {
  readonly datagram: Uint8Array
  readonly path: PathAddress
}

export class StatelessAnswers {
  private readonly random: RandomSource
  private readonly resetToken: ((connectionId: Uint8Array) => Uint8Array) | null
  private readonly waiting: Ring<Answer>

  constructor(random: RandomSource, resetToken: ((connectionId: Uint8Array) => Uint8Array) | null) {
    this.random = random
    this.resetToken = resetToken
    this.waiting = new Ring()
  }

  /** A long header of a version that is not among those we offer. */
  onUnknownVersion(header: HeaderView, datagramSize: number, path: PathAddress, versions: readonly number[]): void {
    // RFC 9000 §6.1: only datagrams big enough to start a connection deserve an answer; §5.2.2 the same.
    if (datagramSize < MIN_INITIAL_DATAGRAM) return
    const draw = new Uint8Array(6)
    this.random.fill(draw)
    // RFC 9000 §6.3: a reserved version keeps clients honest about the list.
    const offered = greasedVersions(versions, draw)
    this.push(encodeVersionNegotiation(header.source(), header.destination(), offered, draw[5]!), path)
  }

  /** A short header packet for a connection ID nobody knows. */
  onUnknownConnection(header: HeaderView, datagramSize: number, path: PathAddress): void {
    if (this.resetToken === null) return
    // RFC 9000 §10.3.3: always smaller than the packet that provoked it, so that two endpoints cannot loop.
    const size = Math.min(STATELESS_RESET_SIZE, datagramSize - 1)
    if (size < MIN_STATELESS_RESET) return
    this.push(encodeStatelessReset(this.resetToken(header.destination()), size, this.random), path)
  }

  transmit(out: Transmit): boolean {
    const answer = this.waiting.shift()
    if (answer === undefined) return false
    out.buffer.set(answer.datagram)
    out.length = answer.datagram.length
    out.path = answer.path
    out.ecn = 0
    return true
  }

  hasRoom(): boolean {
    return this.waiting.length < MAX_WAITING_ANSWERS
  }

  /** Queues an answer, or drops it when there is no room. */
  push(datagram: Uint8Array, path: PathAddress): void {
    if (this.hasRoom()) this.waiting.push({ datagram, path })
  }
}
