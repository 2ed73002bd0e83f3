import { QpackDecoder, QpackEncoder, QpackError } from '@quicwire/qpack'
import type { WireValue } from '@quicwire/quic/varint'
import { resolveConfig } from '../config.ts'
import type { H3Config, ResolvedConfig } from '../config.ts'
import { encodeDatagram, parseDatagram, quarterStreamIdSize } from '../datagram/quarter-stream-id.ts'
import type { HttpDatagram } from '../datagram/quarter-stream-id.ts'
import { H3Error, H3ErrorCode, H3StateError, connectionError } from '../errors.ts'
import { EventQueue } from '../event-queue.ts'
import type { H3Event, Header } from '../events.ts'
import { MessageHead } from '../headers/message-head.ts'
import { checkOutgoingRequest, checkOutgoingResponse, checkOutgoingSize, checkOutgoingTrailers } from '../headers/outgoing.ts'
import { neverHasContent } from '../headers/response-head.ts'
import { PriorityUpdates } from '../priority/pending-updates.ts'
import { encodePriorityUpdate, priorityFieldValue } from '../priority/update.ts'
import { LocalStreams, ourSettings } from '../streams/local-streams.ts'
import type { ReceiveContext } from '../streams/receive-message.ts'
import { RemoteControl } from '../streams/remote-control.ts'
import type { ControlHandler } from '../streams/remote-control.ts'
import { RequestStream } from '../streams/request-stream.ts'
import { UniRouter } from '../streams/uni-router.ts'
import type { H3StreamEvent, H3Transport } from '../transport.ts'
import { DataHeaderSlab, encodeGoaway } from '../wire/frame-writer.ts'
import { Grease } from '../wire/grease.ts'
import { SettingId } from '../wire/settings.ts'
import type { Setting } from '../wire/settings.ts'
import { isClientInitiated, isUnidirectional } from '../wire/stream-types.ts'
import { Goaway } from './goaway.ts'
import { PeerStreamLedger } from './peer-stream-ledger.ts'

export interface SendHeadersOptions {
  /** End our half with this section. */
  readonly fin: boolean
  readonly trailers?: boolean | undefined
  /** A 1xx response; the final one is still to come. Must agree with `:status`. */
  readonly informational?: boolean | undefined
}

/** Request urgencies 0..7 (RFC 9218 §4.1) stand in the middle of the transport's 0..255: control streams go before all of them. */
const URGENCY_BASE = 124
const DEFAULT_URGENCY = 3

/**
 * One HTTP/3 connection (RFC 9114) over a transport, either role. Hand in the transport's events, then `poll` until null. Peer input
 * never raises: it becomes 'stream-error' or 'connection-error'. A wrong call raises H3StateError and changes nothing.
 */
export class H3Connection {
  readonly role: 'client' | 'server'
  private readonly transport: H3Transport
  private readonly config: ResolvedConfig
  private readonly isServer: boolean
  private readonly events: EventQueue
  private readonly encoder: QpackEncoder
  private readonly decoder: QpackDecoder
  private readonly grease: Grease | null
  private readonly local: LocalStreams
  private readonly uni: UniRouter
  private readonly context: ReceiveContext
  private readonly slab: DataHeaderSlab
  private readonly requests: Map<number, RequestStream>
  private readonly bidiLedger: PeerStreamLedger
  private readonly uniLedger: PeerStreamLedger
  private readonly goaway: Goaway
  private readonly priorities: PriorityUpdates
  private settings: readonly Setting[] | null
  private started: boolean
  private failed: boolean
  private requestsBlocked: boolean
  private datagramsArmed: boolean
  private greaseDue: boolean

  constructor(transport: H3Transport, role: 'client' | 'server', config: H3Config = {}) {
    this.role = role
    this.transport = transport
    this.config = resolveConfig(config)
    this.isServer = role === 'server'
    this.events = new EventQueue()
    this.encoder = new QpackEncoder()
    this.decoder = new QpackDecoder({ maxFieldSectionSize: this.config.maxFieldSectionSize })
    this.grease = this.config.grease ? new Grease(this.config.random) : null
    this.local = new LocalStreams(transport, this.grease)
    const control = new RemoteControl(transport, this.isServer, this.controlHandler())
    this.uni = new UniRouter(transport, this.isServer, control, this.encoder, this.decoder)
    this.context = {
      transport,
      events: this.events,
      decoder: this.decoder,
      isServer: this.isServer,
      extendedConnect: this.isServer && this.config.enableConnectProtocol,
      maxFieldSectionSize: this.config.maxFieldSectionSize,
      head: new MessageHead(),
    }
    this.slab = new DataHeaderSlab()
    this.requests = new Map()
    this.bidiLedger = new PeerStreamLedger(0)
    this.uniLedger = new PeerStreamLedger(this.isServer ? 2 : 3)
    this.goaway = new Goaway(this.isServer)
    this.priorities = new PriorityUpdates()
    this.settings = null
    this.started = false
    this.failed = false
    this.requestsBlocked = false
    this.datagramsArmed = true
    this.greaseDue = this.config.grease
  }

  /** Opens the control stream with SETTINGS, the QPACK streams and the reserved one. Once, when requests may be sent or answered. */
  start(): void {
    if (this.started) return
    this.started = true
    this.local.start(ourSettings(this.config, this.isServer, this.decoder, this.grease))
  }

  // ---- what the transport tells

  /** Hand in every stream event of the transport; then `poll` until null. Never throws on peer input. */
  onStreamEvent(event: H3StreamEvent): void {
    if (this.failed) return
    try {
      this.dispatch(event)
    } catch (error) {
      this.raised(error, event.streamId)
    }
  }

  private dispatch(event: H3StreamEvent): void {
    const id = event.streamId
    switch (event.kind) {
      case 'stream-opened':
      case 'stream-readable':
        return this.readable(id)
      case 'stream-writable':
        return this.writable(id)
      case 'stream-reset':
        return this.peerReset(id, event.code ?? this.transport.streamResetCode(id))
      case 'stream-stopped':
        return this.peerStopped(id, event.code ?? this.transport.streamStopCode(id))
      case 'stream-closed':
        // Both halves are over in the transport: whatever is left here has been given up.
        this.priorities.delete(id)
        this.requests.delete(id)
        return
      case 'streams-available':
        return this.streamsAvailable()
      default:
    }
  }

  /** A DATAGRAM frame has arrived in the transport. */
  onDatagram(): void {
    // RFC 9297 §2.1.1: without our SETTINGS_H3_DATAGRAM the peer sends none that we would have to read.
    if (this.failed || !this.config.enableDatagrams || !this.datagramsArmed) return
    this.datagramsArmed = false
    this.events.push({ kind: 'datagram' })
  }

  poll(): H3Event | null {
    return this.events.next()
  }

  private readable(id: number): void {
    if (isUnidirectional(id)) {
      if (isClientInitiated(id) !== this.isServer) return
      if (this.uniLedger.firstSight(id)) this.uni.open(id)
      this.uni.readable(id)
      return
    }
    const request = this.requests.get(id) ?? this.acceptRequest(id)
    if (request === null) return
    request.receive.advance()
    this.settle(request)
  }

  /** The record of a request stream the peer has just opened; null when it is over or refused. */
  private acceptRequest(id: number): RequestStream | null {
    if (!isClientInitiated(id)) {
      // RFC 9114 §6.1: there are no server-initiated bidirectional streams.
      if (this.isServer) return null
      throw connectionError(H3ErrorCode.streamCreationError, 'bidirectional stream from a server (RFC 9114 §6.1)')
    }
    if (!this.isServer || !this.bidiLedger.firstSight(id)) return null
    if (this.goaway.refuses(id)) {
      // RFC 9114 §5.2: not processed, so the client may retry it elsewhere.
      this.transport.streamStop(id, H3ErrorCode.requestRejected)
      this.transport.streamReset(id, H3ErrorCode.requestRejected)
      return null
    }
    return this.addRequest(id, '')
  }

  private addRequest(id: number, method: string): RequestStream {
    const request = new RequestStream(id, this.transport, this.context, this.slab, method)
    this.requests.set(id, request)
    this.transport.streamSetPriority(id, URGENCY_BASE + DEFAULT_URGENCY, false)
    return request
  }

  /** The only place where a request is forgotten: when both halves are done. */
  private settle(request: RequestStream): void {
    if (!request.done) return
    this.requests.delete(request.id)
    this.priorities.delete(request.id)
  }

  private writable(id: number): void {
    const request = this.requests.get(id)
    if (request === undefined) return this.local.writable(id)
    if (request.send.flush()) this.events.push({ kind: 'writable', streamId: id })
    this.settle(request)
  }

  private peerReset(id: number, code: WireValue): void {
    if (isUnidirectional(id)) {
      if (isClientInitiated(id) === this.isServer) {
        if (this.uniLedger.firstSight(id)) return
        this.uni.reset(id)
      }
      return
    }
    const request = this.requests.get(id) ?? this.acceptRequest(id)
    if (request === null || request.receive.done) return
    const unseen = this.isServer && !request.receive.begun
    request.receive.abandon()
    this.events.push({ kind: 'reset', streamId: id, code })
    // The application never heard of this request and cannot end our half (RFC 9114 §4.1.1).
    if (unseen) this.reset(id, H3ErrorCode.requestRejected)
    this.settle(request)
  }

  private peerStopped(id: number, code: WireValue): void {
    if (this.local.isCritical(id)) {
      throw connectionError(H3ErrorCode.closedCriticalStream, `the peer stopped a critical stream (RFC 9114 §6.2.1, RFC 9204 §4.2)`)
    }
    if (isUnidirectional(id)) return
    const request = this.requests.get(id) ?? this.acceptRequest(id)
    if (request === null || request.send.done) return
    request.send.abandon()
    this.events.push({ kind: 'stopped', streamId: id, code })
    this.settle(request)
  }

  private streamsAvailable(): void {
    this.local.open()
    if (!this.requestsBlocked || this.transport.streamsLeft(true) <= 0) return
    this.requestsBlocked = false
    this.events.push({ kind: 'requests-available' })
  }

  private controlHandler(): ControlHandler {
    return {
      onSettings: (settings) => this.onSettings(settings),
      onGoaway: (id) => {
        this.goaway.onReceived(id)
        this.events.push({ kind: 'goaway', id })
      },
      onPriorityUpdate: (streamId, value) => {
        // RFC 9218 §7.2: for a request that is over it means nothing any more.
        if (this.bidiLedger.seen(streamId) && !this.requests.has(streamId)) return
        this.priorities.set(streamId, value)
        this.events.push({ kind: 'priority-update', streamId, value })
      },
    }
  }

  private onSettings(settings: readonly Setting[]): void {
    this.settings = settings
    // RFC 9297 §2.1.1: announcing HTTP Datagrams without max_datagram_frame_size is an error.
    if (this.config.enableDatagrams && this.peerSetting(SettingId.h3Datagram) === 1 && this.transport.datagramMaxSize() === 0) {
      throw connectionError(H3ErrorCode.settingsError, 'SETTINGS_H3_DATAGRAM without max_datagram_frame_size (RFC 9297 §2.1.1)')
    }
    this.events.push({ kind: 'settings', settings })
  }

  /** Turns what peer input raised into an event; anything else is a bug and goes on. */
  private raised(error: unknown, streamId: number): void {
    if (error instanceof H3Error) {
      if (error.scope === 'stream') this.failStream(streamId, error.wireCode, error.message)
      else this.fail(error.wireCode, error.message)
      return
    }
    if (!(error instanceof QpackError)) throw error
    this.fail(error.wireCode, error.message)
  }

  private fail(code: number, message: string): void {
    this.failed = true
    this.requests.clear()
    this.events.push({ kind: 'connection-error', code, message })
  }

  private failStream(streamId: number, code: number, message: string): void {
    const request = this.requests.get(streamId)
    if (request === undefined) return
    if (!request.receive.done) this.transport.streamStop(streamId, code)
    if (!request.send.done) this.transport.streamReset(streamId, code)
    request.receive.abandon()
    request.send.abandon()
    this.settle(request)
    this.events.push({ kind: 'stream-error', streamId, code, message })
  }

  // ---- what the application does

  /**
   * Opens a request stream and sends its headers. Its id, or -1 when the peer's stream limit forbids it ('requests-available' follows).
   * Throws H3StateError after a GOAWAY and for a malformed section.
   */
  sendRequest(headers: readonly Header[], fin: boolean): number {
    if (this.isServer) throw new H3StateError('H3_WRONG_ROLE', 'a server sends no requests')
    this.checkUsable()
    if (this.goaway.received !== null) {
      throw new H3StateError('H3_GOAWAY_RECEIVED', 'the server takes no more requests on this connection (RFC 9114 §5.2)')
    }
    const head = checkOutgoingRequest(headers, this.peerSetting(SettingId.enableConnectProtocol) === 1)
    checkOutgoingSize(headers, this.peerSetting(SettingId.maxFieldSectionSize))
    const id = this.transport.openStream(true)
    if (id === -1) {
      this.requestsBlocked = true
      return -1
    }
    const request = this.addRequest(id, head.method)
    request.send.section(this.encoder.encode(headers), fin, false, false, this.greaseFrame())
    return id
  }

  /**
   * Response headers, interim responses, or trailers. False: an earlier section is still waiting (again after 'writable'), or
   * the stream is stopped or gone (`isSendable` tells). Throws H3StateError when the section is malformed or does not fit here.
   */
  sendHeaders(streamId: number, headers: readonly Header[], options: SendHeadersOptions): boolean {
    const request = this.requests.get(streamId)
    if (request === undefined) return false
    const { fin, trailers = false, informational = false } = options
    if (!trailers && !this.isServer) throw new H3StateError('H3_MESSAGE_STATE', 'a client sends headers with sendRequest, then trailers only')
    request.send.checkSection(trailers)
    let noContent = false
    if (trailers) checkOutgoingTrailers(headers, !this.isServer)
    else noContent = neverHasContent(request.receive.requestMethod, checkOutgoingResponse(headers, informational, fin).status)
    checkOutgoingSize(headers, this.peerSetting(SettingId.maxFieldSectionSize))
    const sent = request.send.section(this.encoder.encode(headers), fin, trailers, informational, this.greaseFrame())
    if (sent && noContent) request.send.noContent = true
    this.settle(request)
    return sent
  }

  /**
   * Accepted body bytes, fewer than given when blocked ('writable' follows); -1 when the stream is stopped or gone. Takes ownership
   * of `data`; `fin` counts only if all of it was accepted. Empty `data` with `fin` is always accepted.
   */
  sendBody(streamId: number, data: Uint8Array, fin: boolean): number {
    const request = this.requests.get(streamId)
    if (request === undefined) return -1
    const accepted = request.send.body(data, fin)
    this.settle(request)
    return accepted
  }

  /** Body bytes `sendBody` would accept in one go now; -1 when the stream is stopped, ended or gone. */
  sendCapacity(streamId: number): number {
    return this.requests.get(streamId)?.send.capacity() ?? -1
  }

  /** Our half of the stream is open: neither ended, reset nor stopped. */
  isSendable(streamId: number): boolean {
    return this.requests.get(streamId)?.send.open ?? false
  }

  /** The next body bytes, at most `maxLength`, a view nobody will overwrite; null: nothing now (a 'data' event follows when there is). */
  readBody(streamId: number, maxLength: number): Uint8Array | null {
    const request = this.requests.get(streamId)
    if (request === undefined) return null
    const { receive } = request
    let bytes: Uint8Array | null = null
    try {
      bytes = receive.readBody(maxLength)
      if (receive.readOn) receive.advance()
      this.settle(request)
    } catch (error) {
      // What was read before the error stands.
      this.raised(error, streamId)
    }
    return bytes
  }

  /**
   * No more requests (RFC 9114 §5.2). Server: requests from `id` on are refused; the default is the first one not seen yet.
   * Client: always push id 0. Throws H3StateError when the id is above one sent before.
   */
  sendGoaway(id?: WireValue): void {
    if (this.failed) return
    this.checkUsable()
    let value: WireValue = 0
    if (this.isServer) {
      const next = this.bidiLedger.next
      value = id ?? (this.goaway.sent !== null && this.goaway.sent < next ? this.goaway.sent : next)
    }
    this.goaway.onSend(value)
    this.local.send(encodeGoaway(value), false)
  }

  /** RESET_STREAM: gives our half up. */
  reset(streamId: number, code: WireValue): void {
    const request = this.requests.get(streamId)
    if (request === undefined || request.send.done) return
    request.send.abandon()
    this.transport.streamReset(streamId, code)
    this.settle(request)
  }

  /** STOP_SENDING: gives the peer's half up; nothing more is reported of it. */
  stop(streamId: number, code: WireValue): void {
    const request = this.requests.get(streamId)
    if (request === undefined || request.receive.done) return
    request.receive.abandon()
    this.transport.streamStop(streamId, code)
    this.settle(request)
  }

  /** RFC 9218: urgency 0..7 (lower goes first). Orders our own sending; a client also tells the server with PRIORITY_UPDATE. */
  setPriority(streamId: number, urgency: number, incremental: boolean): void {
    if (!this.requests.has(streamId)) return
    const clamped = Math.min(7, Math.max(0, Math.trunc(urgency)))
    this.transport.streamSetPriority(streamId, URGENCY_BASE + clamped, incremental)
    if (!this.isServer && !this.failed) this.local.send(encodePriorityUpdate(streamId, priorityFieldValue(clamped, incremental)), true)
  }

  /** Server: the last PRIORITY_UPDATE value of a request, also when it came before the request; null when there was none. */
  priorityUpdate(streamId: number): string | null {
    return this.priorities.get(streamId)
  }

  /** False when datagrams are not negotiated, our half of the stream is not open, the payload too large or the queue full. */
  sendDatagram(streamId: number, payload: Uint8Array): boolean {
    // RFC 9297 §2.1: not before the stream is opened for sending, not after it is closed.
    if (!this.isSendable(streamId) || payload.length > this.datagramMaxSize(streamId)) return false
    return this.transport.datagramSend(encodeDatagram(streamId, payload))
  }

  /** Largest payload `sendDatagram` takes for this stream; 0 when datagrams are not negotiated. */
  datagramMaxSize(streamId: number): number {
    if (this.failed || !this.config.enableDatagrams || this.peerSetting(SettingId.h3Datagram) !== 1) return 0
    return Math.max(0, this.transport.datagramMaxSize() - quarterStreamIdSize(streamId))
  }

  /** The next HTTP Datagram; those of streams that are over are dropped. Null: none now (a 'datagram' event follows when there is). */
  receiveDatagram(): HttpDatagram | null {
    if (this.failed || !this.config.enableDatagrams) return null
    try {
      for (;;) {
        const datagram = this.transport.datagramReceive()
        if (datagram === null) break
        const parsed = parseDatagram(datagram)
        if (this.takesDatagrams(parsed.streamId)) return parsed
      }
    } catch (error) {
      this.raised(error, -1)
    }
    this.datagramsArmed = true
    return null
  }

  // A server cannot know yet whose datagrams overtook the request (RFC 9297 §2.1 lets it keep them); a client opened every stream itself.
  private takesDatagrams(streamId: number): boolean {
    const request = this.requests.get(streamId)
    if (request !== undefined) return !request.receive.done
    return this.isServer && !this.bidiLedger.seen(streamId) && !this.goaway.refuses(streamId)
  }

  /** The peer's SETTINGS in its order; null before they have arrived. */
  peerSettings(): readonly Setting[] | null {
    return this.settings
  }

  /** Value of one of the peer's settings; -1 when it has not sent it (yet). */
  peerSetting(id: WireValue): WireValue {
    if (this.settings !== null) for (const setting of this.settings) if (setting[0] === id) return setting[1]
    return -1
  }

  /** Requests of which a half is still open. */
  openRequests(): number {
    return this.requests.size
  }

  private checkUsable(): void {
    if (!this.started) throw new H3StateError('H3_NOT_STARTED', 'start() comes first')
    if (this.failed) throw new H3StateError('H3_CONNECTION_CLOSED', 'the connection has failed')
  }

  /** A reserved frame before our first section, once (RFC 9114 §7.2.8). */
  private greaseFrame(): Uint8Array | null {
    if (!this.greaseDue || this.grease === null) return null
    this.greaseDue = false
    return this.grease.frame()
  }
}
