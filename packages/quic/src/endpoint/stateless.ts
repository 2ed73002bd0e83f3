// What a server answers without a connection: Version Negotiation (RFC 9000 §6.1) and stateless resets (§10.3). Answers
// wait in a bounded queue and are always smaller than what provoked them, or limited by it.

import { Ring } from '../base/ring.ts'
import type { RandomSource } from '../base/random.ts'
import type { Transmit } from '../connection/send/transmit-buffer.ts'
import type { PathAddress } from '../path/path-address.ts'
import { MIN_INITIAL_DATAGRAM, VERSION_1 } from '../wire/constants.ts'
import type { HeaderView } from '../wire/header.ts'
import { MIN_STATELESS_RESET, encodeStatelessReset } from '../wire/stateless-reset.ts'
import { encodeVersionNegotiation } from '../wire/version-negotiation.ts'

/** Answers waiting to be sent; more are dropped. */
const MAX_WAITING = 64

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

  /** A long header of a version we do not speak. */
  onUnknownVersion(header: HeaderView, datagramSize: number, path: PathAddress): void {
    // RFC 9000 §6.1: only datagrams big enough to start a connection deserve an answer; §5.2.2 the same.
    if (datagramSize < MIN_INITIAL_DATAGRAM) return
    const draw = new Uint8Array(5)
    this.random.fill(draw)
    // RFC 9000 §6.3: a reserved version keeps clients honest about the list.
    const reserved = (((draw[1]! << 24) | (draw[2]! << 16) | (draw[3]! << 8) | draw[4]!) & 0xf0f0f0f0) >>> 0
    const versions = [VERSION_1, (reserved | 0x0a0a0a0a) >>> 0]
    this.push(encodeVersionNegotiation(header.source(), header.destination(), versions, draw[0]!), path)
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

  private push(datagram: Uint8Array, path: PathAddress): void {
    if (this.waiting.length < MAX_WAITING) this.waiting.push({ datagram, path })
  }
}
