import type { WireValue } from '@quicwire/quic/varint'
import type { H3Config } from '../config.ts'
import { encodeDatagram, quarterStreamIdSize } from '../datagram/quarter-stream-id.ts'
import type { HttpDatagram } from '../datagram/quarter-stream-id.ts'
import { H3ErrorCode, H3StateError } from '../errors.ts'
import type { H3Event, Header } from '../events.ts'
import { encodeOrigins } from '../origin/origin-frame.ts'
import { priorityFieldValue } from '../priority/priority.ts'
import { encodePriorityUpdate } from '../priority/update.ts'
import { ourSettings } from '../streams/local-streams.ts'
import type { H3StreamEvent, H3Transport } from '../transport.ts'
import { encodeGoaway } from '../wire/frame-writer.ts'
import { SettingId } from '../wire/settings.ts'
import type { Setting } from '../wire/settings.ts'
import { controlFrames } from './control-frames.ts'
import { H3Core } from './core.ts'
import { abortRequest, raised } from './failure.ts'
import type { QpackCounters } from './field-compression.ts'
import { mayCarryDatagrams, takeDatagram } from './datagram-association.ts'
import { checkUsable, sendRequestSection, sendResponseSection, sendTrailerSection } from './sections.ts'
import type { SendHeadersOptions } from './sections.ts'
import { onRequestHead, onStreamEvent } from './stream-events.ts'

/**
 * One HTTP/3 connection (RFC 9114) over a transport, either role. Hand in the transport's events, then `poll` until null. Peer input
 * never raises: it becomes 'stream-error' or 'connection-error'. A wrong call raises H3StateError and changes nothing.
 */
export class H3Connection {
  readonly role: 'client' | 'server'
  private readonly core: H3Core
  private ownSettings: readonly Setting[]

  constructor(transport: H3Transport, role: 'client' | 'server', config: H3Config = {}) {
    this.role = role
    this.core = new H3Core(transport, role, config, { control: controlFrames, requestHead: onRequestHead })
    this.ownSettings = []
  }

  /** Opens the control stream with SETTINGS, the QPACK streams and the reserved one. Once, when requests may be sent or answered. */
  start(): void {
    const { core } = this
    if (core.started) return
    core.started = true
    this.ownSettings = ourSettings(core.config, core.isServer, core.grease)
    core.local.start(this.ownSettings)
    core.trace?.parametersSet('local', this.ownSettings)
  }

  // ---- what the transport tells

  /** Hand in every stream event of the transport; then `poll` until null. Never throws on peer input. */
  onStreamEvent(event: H3StreamEvent): void {
    if (this.core.failed) return
    try {
      onStreamEvent(this.core, event)
    } catch (error) {
      raised(this.core, error, event.streamId)
    }
  }

  /** A DATAGRAM frame has arrived in the transport. */
  onDatagram(): void {
    // RFC 9297 §2.1.1: without our SETTINGS_H3_DATAGRAM the peer sends none that we would have to read.
    if (!this.core.failed && this.core.config.enableDatagrams) this.core.datagrams.announce()
  }

  /** The next event. With null, what the QPACK decoder has to say goes out. */
  poll(): H3Event | null {
    const { core } = this
    const event = core.events.next()
    if (event !== null || core.failed) return event
    try {
      core.compression.acknowledge()
      return null
    } catch (error) {
      raised(core, error, -1)
      return core.events.next()
    }
  }

  // ---- messages

  /**
   * Opens a request stream and sends its headers. Its id, or -1 when the peer's stream limit forbids it ('requests-available' follows). A
   * `priority` field also orders our own sending; `neverIndexed` as in SendHeadersOptions. Throws H3StateError after a GOAWAY and for a
   * malformed section.
   */
  sendRequest(headers: readonly Header[], fin: boolean, neverIndexed: readonly Header[] = []): number {
    const { core } = this
    if (core.isServer) throw new H3StateError('H3_WRONG_ROLE', 'a server sends no requests')
    checkUsable(core)
    if (core.goaway.received !== null) {
      throw new H3StateError('H3_GOAWAY_RECEIVED', 'the server takes no more requests on this connection (RFC 9114 §5.2)')
    }
    return sendRequestSection(core, headers, fin, neverIndexed)
  }

  /**
   * Response headers, interim responses, or trailers. False: an earlier section is still waiting (again after 'writable'), or the stream
   * is stopped or gone (`isSendable` tells). A `priority` field in a final response changes the order of our sending (RFC 9218 §8).
   * Throws H3StateError when the section is malformed or does not fit here.
   */
  sendHeaders(streamId: number, headers: readonly Header[], options: SendHeadersOptions): boolean {
    const { core } = this
    const request = core.requests.find(streamId)
    if (request === undefined) return false
    if (!(options.trailers ?? false) && !core.isServer) {
      throw new H3StateError('H3_MESSAGE_STATE', 'a client sends headers with sendRequest, then trailers only')
    }
    const send = options.trailers === true ? sendTrailerSection : sendResponseSection
    const sent = send(core, request, headers, options)
    core.settle(request)
    return sent
  }

  /**
   * Accepted body bytes, fewer than given when blocked ('writable' follows); -1 when the stream is stopped or gone. Takes ownership
   * of `data`; `fin` counts only if all of it was accepted. Empty `data` with `fin` is always accepted.
   */
  sendBody(streamId: number, data: Uint8Array, fin: boolean): number {
    const request = this.core.requests.find(streamId)
    if (request === undefined) return -1
    const accepted = request.send.body(data, fin)
    this.core.settle(request)
    return accepted
  }

  /** Body bytes `sendBody` would accept in one go now; -1 when the stream is stopped, ended or gone. */
  sendCapacity(streamId: number): number {
    return this.core.requests.find(streamId)?.send.capacity() ?? -1
  }

  /** Our half of the stream is open: neither ended, reset nor stopped. */
  isSendable(streamId: number): boolean {
    return this.core.requests.find(streamId)?.send.open ?? false
  }

  /** The next body bytes, at most `maxLength`, a view nobody will overwrite; null: nothing now (a 'data' event follows when there is). */
  readBody(streamId: number, maxLength: number): Uint8Array | null {
    const request = this.core.requests.find(streamId)
    if (request === undefined) return null
    const { receive } = request
    let bytes: Uint8Array | null = null
    try {
      bytes = receive.readBody(maxLength)
      if (receive.readOn) receive.advance()
      this.core.settle(request)
    } catch (error) {
      // What was read before the error stands.
      raised(this.core, error, streamId)
    }
    return bytes
  }

  /** RESET_STREAM: gives our half up. */
  reset(streamId: number, code: WireValue): void {
    const request = this.core.requests.find(streamId)
    if (request === undefined || request.send.done) return
    request.send.abandon()
    this.core.transport.streamReset(streamId, code)
    this.core.settle(request)
  }

  /** STOP_SENDING: gives the peer's half up; nothing more is reported of it. */
  stop(streamId: number, code: WireValue): void {
    const request = this.core.requests.find(streamId)
    if (request === undefined || request.receive.done) return
    request.receive.abandon()
    this.core.transport.streamStop(streamId, code)
    this.core.settle(request)
  }

  /**
   * Gives up whichever half is still open (RFC 9114 §4.1.1), as a wrong capsule demands (RFC 9297 §3.3) or the end of a tunnel (§4.4:
   * H3_CONNECT_ERROR).
   */
  abort(streamId: number, code: WireValue): void {
    const request = this.core.requests.find(streamId)
    if (request !== undefined) abortRequest(this.core, request, code)
  }

  /** What QPACK's dynamic tables have been used for so far. */
  qpackCounters(): QpackCounters {
    return this.core.compression.counters()
  }

  /** Requests of which a half is still open. */
  openRequests(): number {
    return this.core.requests.size
  }

  // ---- the connection

  /**
   * No more requests (RFC 9114 §5.2); may be repeated with ids that do not go up. Server: requests from `id` on are refused; the default
   * is the first one not seen yet. To begin a graceful shutdown send MAX_GOAWAY_ID, and the default a round trip later. Client: a push
   * id, by default 0. Throws H3StateError when the id is above one sent before, or at or below a request that has been handed over
   * already.
   */
  sendGoaway(id?: WireValue): void {
    const { core } = this
    if (core.failed) return
    checkUsable(core)
    const refused = core.goaway.onSend(id, core.requests)
    core.local.send(encodeGoaway(core.goaway.sent!), false)
    core.trace?.frameCreated(core.local.controlStream, { type: 'goaway', id: core.goaway.sent! })
    for (const request of refused) abortRequest(core, request, H3ErrorCode.requestRejected)
  }

  /**
   * Server (RFC 9412): origins the client may use this connection for, such as `https://example.com`; may be repeated, each adds. Throws
   * H3StateError.
   */
  sendOrigin(origins: readonly string[]): void {
    const { core } = this
    if (!core.isServer) throw new H3StateError('H3_WRONG_ROLE', 'only a server sends ORIGIN (RFC 9412 §2)')
    if (core.failed) return
    checkUsable(core)
    core.local.send(encodeOrigins(origins), false)
    core.trace?.frameCreated(core.local.controlStream, { type: 'origin', origins })
  }

  /** Client: the Origin Set (RFC 8336 §2.3); null while the server has sent no ORIGIN. */
  originSet(): readonly string[] | null {
    return this.core.origins.list()
  }

  /** Client: after a 421 (Misdirected Request) the request's origin leaves the Origin Set (RFC 8336 §2.3). */
  forgetOrigin(origin: string): void {
    this.core.origins.remove(origin)
  }

  /** The peer's SETTINGS in its order; null before they have arrived. */
  peerSettings(): readonly Setting[] | null {
    return this.core.peer.received
  }

  /** Value of one of the peer's settings, before they have arrived of those remembered for 0-RTT; -1 when it has not sent it (yet). */
  peerSetting(id: WireValue): WireValue {
    return this.core.peer.value(id)
  }

  /**
   * Client: the server has rejected 0-RTT and the transport sends again what was written to its streams. What was remembered of the
   * server's settings no longer holds. A transport that gives the streams up instead needs a new H3Connection.
   */
  onEarlyDataRejected(): void {
    this.core.peer.forget()
  }

  /** The SETTINGS we have sent, empty before `start`: what a server puts into its session tickets (`encodeRememberedSettings`). */
  localSettings(): readonly Setting[] {
    return this.ownSettings
  }

  // ---- priorities

  /**
   * RFC 9218: urgency 0..7 (lower goes first). Orders our own sending; a client also tells the server with PRIORITY_UPDATE. On a server it
   * goes before what the client says.
   */
  setPriority(streamId: number, urgency: number, incremental: boolean): void {
    const { core } = this
    const request = core.requests.find(streamId) ?? core.priorities.findLeaving(streamId)
    if (request === undefined) return
    const clamped = Math.min(7, Math.max(0, Math.trunc(urgency)))
    core.priorities.prefer(request, clamped, incremental)
    if (core.isServer) return
    const value = priorityFieldValue(clamped, incremental)
    core.local.send(encodePriorityUpdate(streamId, value), true)
    core.trace?.frameCreated(core.local.controlStream, { type: 'priority_update', streamId, value })
  }

  /** Server: the last PRIORITY_UPDATE value of a request, also when it came before the request; null when there was none. */
  priorityUpdate(streamId: number): string | null {
    const request = this.core.requests.find(streamId)
    return request === undefined ? this.core.priorities.earlyUpdate(streamId) : request.priority.update
  }

  // ---- HTTP Datagrams

  /**
   * False when datagrams are not negotiated, our half of the stream is not open, the request is no extended CONNECT (but see
   * `anyDatagrams`), the payload too large or the queue full.
   */
  sendDatagram(streamId: number, payload: Uint8Array): boolean {
    // RFC 9297 §2.1: not before the stream is opened for sending, not after it is closed.
    if (!mayCarryDatagrams(this.core, streamId) || payload.length > this.datagramMaxSize(streamId)) return false
    if (!this.core.transport.datagramSend(encodeDatagram(streamId, payload))) return false
    this.core.trace?.datagramCreated(streamId, payload.length)
    return true
  }

  /** Largest payload `sendDatagram` takes for this stream; 0 when datagrams are not negotiated. */
  datagramMaxSize(streamId: number): number {
    const { core } = this
    if (core.failed || !core.config.enableDatagrams || core.peer.value(SettingId.h3Datagram) !== 1) return 0
    return Math.max(0, core.transport.datagramMaxSize() - quarterStreamIdSize(streamId))
  }

  /** The next HTTP Datagram; those of streams that are over are dropped. Null: none now (a 'datagram' event follows when there is). */
  receiveDatagram(): HttpDatagram | null {
    if (this.core.failed || !this.core.config.enableDatagrams) return null
    try {
      return takeDatagram(this.core)
    } catch (error) {
      raised(this.core, error, -1)
      return null
    }
  }
}
