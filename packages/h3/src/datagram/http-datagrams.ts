import type { EventQueue } from '../event-queue.ts'
import type { H3TraceSink } from '../trace/sink.ts'
import type { H3Transport } from '../transport.ts'
import { parseDatagram } from './quarter-stream-id.ts'
import type { HttpDatagram } from './quarter-stream-id.ts'

/**
 * HTTP Datagrams that have arrived (RFC 9297 §2.1): most stay in the transport until they are asked for; those that have overtaken their
 * request wait here, in bounds. Whose datagrams are welcome is the connection's business.
 */

/** Most datagrams kept for requests that are not known yet, and the most bytes of theirs; the oldest make room for the newest. */
export const MAX_HELD_DATAGRAMS = 64
export const MAX_HELD_DATAGRAM_BYTES = 65536

export class HttpDatagrams {
  private readonly transport: H3Transport
  private readonly events: EventQueue
  private readonly trace: H3TraceSink | null
  /** Oldest first. */
  private held: HttpDatagram[]
  private heldBytes: number
  /** Those of `held` whose requests have become known. */
  private ready: HttpDatagram[]
  private armed: boolean

  constructor(transport: H3Transport, events: EventQueue, trace: H3TraceSink | null) {
    this.transport = transport
    this.events = events
    this.trace = trace
    this.held = []
    this.heldBytes = 0
    this.ready = []
    this.armed = true
  }

  /** There is something to take: one event until it has all been taken. */
  announce(): void {
    if (!this.armed) return
    this.armed = false
    this.events.push({ kind: 'datagram' })
  }

  /** The next datagram; null: none, and the next one is announced again. Throws H3Error. */
  next(): HttpDatagram | null {
    if (this.ready.length > 0) return this.ready.shift()!
    const datagram = this.transport.datagramReceive()
    if (datagram !== null) return this.parse(datagram)
    this.armed = true
    return null
  }

  private parse(bytes: Uint8Array): HttpDatagram {
    const datagram = parseDatagram(bytes)
    this.trace?.datagramParsed(datagram.streamId, datagram.payload.length)
    return datagram
  }

  /** Keeps a datagram whose request is not known yet. */
  hold(datagram: HttpDatagram): void {
    // The view may be of a much larger buffer.
    const payload = datagram.payload.slice()
    if (payload.length > MAX_HELD_DATAGRAM_BYTES) return
    this.held.push({ streamId: datagram.streamId, payload })
    this.heldBytes += payload.length
    while (this.held.length > MAX_HELD_DATAGRAMS || this.heldBytes > MAX_HELD_DATAGRAM_BYTES) {
      this.heldBytes -= this.held.shift()!.payload.length
    }
  }

  /** A request has become known: what waited for it can be taken. */
  release(streamId: number): void {
    if (this.held.length === 0) return
    for (const datagram of this.remove(streamId)) this.ready.push(datagram)
    if (this.ready.length > 0) this.announce()
  }

  /** A request is over: what waited for it is dropped. */
  drop(streamId: number): void {
    if (this.held.length > 0) this.remove(streamId)
  }

  private remove(streamId: number): HttpDatagram[] {
    const removed = this.held.filter((datagram) => datagram.streamId === streamId)
    if (removed.length === 0) return removed
    this.held = this.held.filter((datagram) => datagram.streamId !== streamId)
    for (const datagram of removed) this.heldBytes -= datagram.payload.length
    return removed
  }
}
