// 0-RTT of one connection (RFC 9001 §4.6, §5.6): whether early data was offered and taken, what the client may assume of the server
// until it answers, and what the server must know of data that may be a replay. Rules that touch other rooms are in early-packets.ts.

import type { LifecycleState } from '../lifecycle.ts'
import type { TransportParameters } from '../../wire/transport-parameters/table.ts'

/** none: not offered, or on a server not yet; offered: the server has not answered. */
export const EarlyState = { none: 0, offered: 1, accepted: 2, rejected: 3 } as const
export type EarlyState = (typeof EarlyState)[keyof typeof EarlyState]

/** Streams with early bytes that are told apart; when there are more, all count as early. */
const MAX_EARLY_STREAMS = 4096

export class EarlyData {
  state: EarlyState
  /** Client: the server's limits that 0-RTT packets keep to, from the session; null when there are none. */
  remembered: TransportParameters | null
  /** Client: the protocol that early data was written for. */
  alpn: string
  /** Client: packets up to this number were rejected and can never be acknowledged; -1 for none. */
  rejectedUpTo: number
  /** Server: when the read key is forgotten (RFC 9001 §4.9.3), Infinity until a 1-RTT packet has come. Milliseconds. */
  discardAt: number
  /** Server: the smallest packet number of a 1-RTT packet, Infinity before the first. */
  firstOneRtt: number
  /** Server: streams of which a byte came in a 0-RTT packet before the handshake was complete. */
  private readonly streams: Set<number>

  constructor() {
    this.state = EarlyState.none
    this.remembered = null
    this.alpn = ''
    this.rejectedUpTo = -1
    this.discardAt = Infinity
    this.firstOneRtt = Infinity
    this.streams = new Set()
  }

  /** Early data was offered, and the server has not refused it. */
  isLive(): boolean {
    return this.state === EarlyState.offered || this.state === EarlyState.accepted
  }

  noteStream(streamId: number): void {
    if (this.streams.size < MAX_EARLY_STREAMS) this.streams.add(streamId)
  }

  isEarlyStream(streamId: number): boolean {
    return this.streams.has(streamId) || this.streams.size >= MAX_EARLY_STREAMS
  }
}

/** A client's early data is open or accepted, a server's is accepted; and the handshake is not complete. */
export function isInEarlyData(early: EarlyData, state: LifecycleState): boolean {
  return state === 'handshaking' && early.isLive()
}
