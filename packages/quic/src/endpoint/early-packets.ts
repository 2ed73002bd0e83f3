// 0-RTT packets that came before the Initial packet of their connection (RFC 9000 §5.2.2, RFC 9001 §5.7): a few are kept for a moment,
// under the connection ID and the address they came with. Whatever does not fit is dropped, as if the network had lost it.

import { copyBytes, equalBytes } from '../base/bytes.ts'
import type { PathAddress } from '../path/path-address.ts'
import type { HeaderView } from '../wire/header.ts'

/** Default of EndpointConfig.maxEarlyDatagrams. */
export const DEFAULT_MAX_EARLY_DATAGRAMS = 64
/** Of one connection ID; it is about a first flight. */
const MAX_PER_CONNECTION = 8
/** A larger datagram is not kept, so that all of them together hold 128 KiB by default. */
const MAX_DATAGRAM = 2048
/** Milliseconds an Initial may be late. */
const KEPT_FOR = 500

export interface EarlyDatagram {
  readonly bytes: Uint8Array
  readonly ecn: number
}

interface Waiting extends EarlyDatagram {
  readonly destination: Uint8Array
  readonly remote: string
  readonly until: number
}

export class EarlyPackets {
  private readonly capacity: number
  /** In order of arrival. */
  private waiting: Waiting[]

  /** `capacity`: datagrams of all strangers together; 0 keeps none. */
  constructor(capacity: number) {
    this.capacity = capacity
    this.waiting = []
  }

  get length(): number {
    return this.waiting.length
  }

  /** A datagram that begins with a 0-RTT packet of a connection nobody knows. False: it is not kept. */
  add(header: HeaderView, datagram: Uint8Array, path: PathAddress, ecn: number, now: number): boolean {
    if (datagram.length > MAX_DATAGRAM || this.capacity === 0) return false
    if (this.waiting.length >= this.capacity) this.forgetLate(now)
    const destination = copyBytes(header.destination())
    if (this.waiting.length >= this.capacity) return false
    if (this.waiting.filter((other) => equalBytes(other.destination, destination)).length >= MAX_PER_CONNECTION) return false
    this.waiting.push({ bytes: copyBytes(datagram), ecn, destination, remote: path.remote, until: now + KEPT_FOR })
    return true
  }

  /** What came for a connection that begins now, in order; forgotten here. */
  take(destination: Uint8Array, path: PathAddress, now: number): readonly EarlyDatagram[] {
    if (this.waiting.length === 0) return this.waiting
    this.forgetLate(now)
    const belongs = (other: Waiting): boolean => other.remote === path.remote && equalBytes(other.destination, destination)
    const taken = this.waiting.filter(belongs)
    if (taken.length > 0) this.waiting = this.waiting.filter((other) => !belongs(other))
    return taken
  }

  private forgetLate(now: number): void {
    this.waiting = this.waiting.filter((other) => other.until >= now)
  }
}
