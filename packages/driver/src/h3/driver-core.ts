// The role-independent part of the driver: streams, flows, the pumps, closing. It holds the HTTP/3 connection and the event sender;
// client and server hooks work on it. A stream context is removed in one place, settle(), when both of its halves are done.

import { H3Connection, H3ErrorCode, ReceiveState, type H3StateError, type Setting } from '@quicwire/h3'
import type { WireValue } from '@quicwire/quic'
import { Ring } from '@quicwire/quic/ring'
import type { ApplicationContext } from '../app/application.ts'
import { bounded } from '../channel/bounded.ts'
import type { UnboundedSender } from '../channel/unbounded.ts'
import type { Waker } from '../channel/waker.ts'
import type { ResolvedHttp3Settings } from '../settings/http3-settings.ts'
import { BodyChunks } from './body-chunks.ts'
import type { StreamShutdown } from './commands.ts'
import type { ClientH3Event, H3Event, ServerH3Event } from './events.ts'
import { flowIdOf } from './flow-id.ts'
import { Flows } from './flows.ts'
import type { InboundFrame, OutboundFrame } from './frames.ts'
import type { HeadersEvent } from './layer-events.ts'
import { layerTrace } from './layer-trace.ts'
import { pumpReads, type ReadSink } from './read-pump.ts'
import { ReceiveHalf, SendHalf, StreamContext, WAKE_INBOUND, WAKE_OUTBOUND, type ApplicationEnds, type ReadyList } from './stream-context.ts'
import { pumpWrites, type WriteSink } from './write-pump.ts'

/** Tokens of the driver's own wakers. */
export const WAKE_COMMAND = 1
export const WAKE_DATAGRAM = 2
export const WAKE_EVENTS_CLOSED = 3

/** Bytes of SETTINGS kept with a session. */
const MAX_REMEMBERED = 4096

type AnyEvent = ClientH3Event | ServerH3Event

/** What the core asks of its role. */
export interface CoreOwner {
  onStreamRemoved(context: StreamContext): void
  isIdle(): boolean
  takesFlows(): boolean
}

export class H3DriverCore implements ReadSink, WriteSink, ReadyList, Waker {
  readonly settings: ResolvedHttp3Settings
  readonly streams: Map<number, StreamContext>
  readonly flows: Flows
  /** Highest request stream id ever seen here, -1 before the first. */
  maxStreamSeen: number
  /** The connection has ended; what it received is still being handed over. */
  isEnding: boolean
  /** GOAWAY has been sent, or the connection has to end once idle. */
  isShuttingDown: boolean
  private readonly owner: CoreOwner
  private readonly events: UnboundedSender<AnyEvent>
  private readonly chunks: BodyChunks
  private readonly woken: Ring<StreamContext>
  /** Streams whose FIN the transport has accepted and the peer has not wholly acknowledged: closing now would lose data. */
  private readonly unacknowledged: Set<number>
  private context: ApplicationContext | null
  private layer: H3Connection | null
  private closing: boolean

  constructor(settings: ResolvedHttp3Settings, events: UnboundedSender<AnyEvent>, owner: CoreOwner) {
    this.settings = settings
    this.owner = owner
    this.events = events
    this.streams = new Map()
    this.flows = new Flows(settings.flowCapacity, settings.maxAutonomousFlows, this, WAKE_DATAGRAM)
    this.maxStreamSeen = -1
    this.isEnding = false
    this.isShuttingDown = false
    this.chunks = new BodyChunks(settings.maxRecvBodyBufSize)
    this.woken = new Ring()
    this.unacknowledged = new Set()
    this.context = null
    this.layer = null
    this.closing = false
    events.setWaker(this, WAKE_EVENTS_CLOSED)
  }

  /** `remembered`: a client's knowledge of the server's settings, for early data. */
  start(context: ApplicationContext, role: 'client' | 'server', remembered: readonly Setting[] | null): void {
    this.context = context
    const config = { ...this.settings.h3, trace: layerTrace(context) }
    this.layer = new H3Connection(context.connection, role, remembered === null ? config : { ...config, rememberedSettings: remembered })
    this.layer.start()
  }

  /** The server took another protocol than early data was written for: all streams are gone (RFC 9001 §4.6.2), and may be opened anew. */
  startOver(context: ApplicationContext, role: 'client' | 'server'): void {
    for (const lost of this.streams.values()) {
      this.streams.delete(lost.id)
      if (!lost.isReceiveDone) lost.endReceive(ReceiveHalf.peerReset)
      if (!lost.isSendDone) lost.endSend(SendHalf.stoppedByPeer)
      lost.release()
      if (lost.flowId >= 0) this.flows.close(lost.flowId)
      this.emit({ kind: 'ResetStream', streamId: lost.id, errorCode: H3ErrorCode.requestRejected, retryable: true })
    }
    this.unacknowledged.clear()
    this.start(context, role, null)
  }

  /** Clients: what early data of later connections goes by. */
  rememberSettings(settings: Uint8Array): void {
    // RFC 9114 §7.2.4.2: a client may choose not to store them.
    if (settings.length > 0 && settings.length <= MAX_REMEMBERED) this.context?.setEarlyDataContext(settings)
  }

  get isStarted(): boolean {
    return this.layer !== null
  }

  get h3(): H3Connection {
    if (this.layer === null) throw new Error('the driver has no connection yet')
    return this.layer
  }

  get connection(): ApplicationContext['connection'] {
    if (this.context === null) throw new Error('the driver has no connection yet')
    return this.context.connection
  }

  get now(): number {
    return this.context === null ? 0 : this.context.now
  }

  /** False once the application has dropped its event receiver; nothing depends on that but the end of an idle connection. */
  emit(event: AnyEvent): boolean {
    return this.events.send(event)
  }

  get hasListener(): boolean {
    return !this.events.isClosed
  }

  // -- wake-ups

  wake(_token: number): void {
    this.context?.wake()
  }

  ready(context: StreamContext): void {
    this.woken.push(context)
    this.context?.wake()
  }

  /** Serves the streams whose channels have moved. True when there were any. */
  serveWoken(): boolean {
    const any = this.woken.length > 0
    for (let context = this.woken.shift(); context !== undefined; context = this.woken.shift()) {
      const wakes = context.wakes
      context.wakes = 0
      if (this.streams.get(context.id) !== context) continue
      if ((wakes & WAKE_INBOUND) !== 0) this.read(context)
      if ((wakes & WAKE_OUTBOUND) !== 0 && this.streams.has(context.id)) this.write(context)
    }
    return any
  }

  // -- streams

  /** A context with its two channels; the application's ends come back to be handed out. */
  addStream(id: number): { readonly context: StreamContext; readonly ends: ApplicationEnds } {
    const inbound = bounded<InboundFrame>(this.settings.streamCapacity)
    const outbound = bounded<OutboundFrame>(this.settings.streamCapacity)
    const context = new StreamContext(id, inbound.sender, outbound.receiver, this)
    context.watch()
    this.streams.set(id, context)
    if (id > this.maxStreamSeen) this.maxStreamSeen = id
    return { context, ends: { send: outbound.sender, recv: inbound.receiver } }
  }

  read(context: StreamContext): void {
    pumpReads(context, this.h3, this.chunks, this)
    this.settle(context)
  }

  write(context: StreamContext): void {
    pumpWrites(context, this.h3, this)
    this.settle(context)
  }

  onHeadersOfKnown(context: StreamContext, event: HeadersEvent): void {
    if (!event.trailers || context.isReceiveDone) return
    context.trailers = event.headers
    this.read(context)
  }

  onFinished(streamId: number): void {
    const context = this.streams.get(streamId)
    if (context === undefined || context.receive !== ReceiveHalf.open) return
    context.receive = ReceiveHalf.finWaiting
    context.audit.recvdStreamFin = 'Explicit'
    // Announced before the frame, so that it comes before anything that the frame sets off.
    this.onBodyBytes(context, 0, true)
    this.read(context)
  }

  onPeerReset(streamId: number, code: WireValue, retryable: boolean): void {
    const context = this.streams.get(streamId)
    if (context === undefined || context.isReceiveDone) return
    context.audit.recvdResetStreamErrorCode = code
    context.endReceive(ReceiveHalf.peerReset)
    this.emit({ kind: 'ResetStream', streamId, errorCode: code, retryable })
    this.settle(context)
  }

  onPeerStopped(streamId: number, code: WireValue): void {
    const context = this.streams.get(streamId)
    if (context === undefined) return
    context.audit.recvdStopSendingErrorCode = code
    if (context.isSendDone) return
    context.endSend(SendHalf.stoppedByPeer)
    this.emit({ kind: 'StreamStopped', streamId, errorCode: code })
    this.settle(context)
  }

  /** The layer has aborted the stream already. */
  onStreamError(streamId: number, code: WireValue, message: string): void {
    const context = this.streams.get(streamId)
    if (context === undefined) return
    this.endBoth(context, code, code)
    this.emit({ kind: 'StreamError', streamId, errorCode: code, message })
    this.settle(context)
  }

  onPeerStreamError(context: StreamContext): void {
    this.abort(context, H3ErrorCode.messageError, H3ErrorCode.messageError)
  }

  onMisuse(context: StreamContext, error: H3StateError): void {
    const code = H3ErrorCode.internalError
    this.abort(context, code, code)
    this.emit({ kind: 'StreamError', streamId: context.id, errorCode: code, message: `${error.code}: ${error.message}` })
  }

  shutdownStream(streamId: number, shutdown: StreamShutdown): void {
    const context = this.streams.get(streamId)
    if (context === undefined) return
    if (shutdown.kind === 'Both') this.abort(context, shutdown.readErrorCode, shutdown.writeErrorCode)
    else if (shutdown.kind === 'Read') this.stopReceiving(context, shutdown.errorCode)
    else this.resetSending(context, shutdown.errorCode)
    this.settle(context)
  }

  abort(context: StreamContext, readCode: WireValue, writeCode: WireValue): void {
    this.stopReceiving(context, readCode)
    this.resetSending(context, writeCode)
  }

  stopReceiving(context: StreamContext, code: WireValue): void {
    if (context.receive !== ReceiveHalf.open) return
    this.h3.stop(context.id, code)
    // RFC 9000 §3.5: where everything has arrived the transport asks the peer for nothing.
    if (this.connection.streamReceiveState(context.id) === ReceiveState.open) context.audit.sentStopSendingErrorCode = code
    context.endReceive(ReceiveHalf.stoppedByUs)
  }

  private resetSending(context: StreamContext, code: WireValue): void {
    if (context.isSendDone) return
    this.h3.reset(context.id, code)
    context.audit.sentResetStreamErrorCode = code
    context.endSend(SendHalf.resetByUs)
  }

  private endBoth(context: StreamContext, readCode: WireValue, writeCode: WireValue): void {
    if (!context.isReceiveDone) {
      context.audit.sentStopSendingErrorCode = readCode
      context.endReceive(ReceiveHalf.stoppedByUs)
    }
    if (!context.isSendDone) {
      context.audit.sentResetStreamErrorCode = writeCode
      context.endSend(SendHalf.resetByUs)
    }
  }

  /** The only remover of a stream: when both halves are done. */
  settle(context: StreamContext): void {
    if (!context.isDone || !this.streams.delete(context.id)) return
    if (context.send === SendHalf.finSent && !context.transportClosed) this.unacknowledged.add(context.id)
    context.release()
    if (context.flowId >= 0) this.flows.close(context.flowId)
    this.owner.onStreamRemoved(context)
    this.closeIfIdle()
  }

  /** The transport is through with a stream: everything we sent is acknowledged. */
  onTransportClosed(streamId: number): void {
    const context = this.streams.get(streamId)
    if (context !== undefined) context.transportClosed = true
    if (this.unacknowledged.delete(streamId)) this.closeIfIdle()
  }

  onBodyBytes(context: StreamContext, bytes: number, fin: boolean): void {
    // An application that reads only the frames must not gather events without bound.
    const last = this.events.last()
    if (!fin && last !== undefined && last.kind === 'BodyBytesReceived' && last.streamId === context.id && !last.fin) {
      last.numBytes += bytes
      return
    }
    this.emit({ kind: 'BodyBytesReceived', streamId: context.id, numBytes: bytes, fin })
  }

  // -- flows

  /** Makes the flow a request asks for, if it asks for one. */
  associateFlow(context: StreamContext, event: Pick<HeadersEvent, 'headers'>): void {
    const flowId = flowIdOf(event.headers, context.id)
    if (flowId < 0) return
    this.openFlow(flowId, false)
    context.flowId = flowId
  }

  private openFlow(flowId: number, autonomous: boolean): boolean {
    const handles = this.flows.open(flowId, autonomous)
    if (handles === null) return this.flows.has(flowId)
    this.emit({ kind: 'NewFlow', ...handles, maxDatagramSize: () => this.layer?.datagramMaxSize(flowId * 4) ?? 0 })
    return true
  }

  receiveDatagrams(): void {
    for (let datagram = this.h3.receiveDatagram(); datagram !== null; datagram = this.h3.receiveDatagram()) {
      if (!this.owner.takesFlows()) continue
      const flowId = datagram.streamId / 4
      if (this.flows.has(flowId) || this.openFlow(flowId, true)) this.flows.deliver(flowId, datagram.payload)
    }
  }

  sendDatagrams(): void {
    for (let end = this.flows.pump(this.h3); end !== null; end = this.flows.pump(this.h3)) {
      this.shutdownStream(end.streamId, { kind: 'Both', readErrorCode: H3ErrorCode.noError, writeErrorCode: H3ErrorCode.noError })
      this.flows.close(end.flowId)
      this.closeIfIdle()
    }
  }

  // -- ending

  sendGoAway(): void {
    if (this.layer === null || this.closing) return
    this.isShuttingDown = this.isShuttingDown || this.layer.role === 'server'
    this.layer.sendGoaway()
  }

  /** Closes the connection with H3_NO_ERROR when nobody needs it any more and nothing would be lost. */
  closeIfIdle(): void {
    if (this.closing || this.context === null || this.streams.size > 0 || this.flows.size > 0) return
    if (this.hasListener && !this.isShuttingDown) return
    if (this.unacknowledged.size > 0 || !this.owner.isIdle()) return
    this.close(H3ErrorCode.noError, '')
  }

  close(code: WireValue, reason: string): void {
    if (this.closing || this.context === null) return
    this.closing = true
    this.context.connection.close(code, reason, this.context.now)
    this.context.wake()
  }

  onConnectionError(code: WireValue, message: string): void {
    this.emit({ kind: 'ConnectionError', errorCode: code, message })
    this.close(code, message)
  }

  /** The peer or time has ended the connection: what was received before stays readable. */
  deliverRest(): void {
    this.closing = true
    this.isEnding = true
    for (const context of this.streams.values()) this.read(context)
  }

  /** The connection has ended: every channel ends, `last` is the last event. */
  end(last: Extract<H3Event, { kind: 'ConnectionShutdown' }>): void {
    this.closing = true
    for (const context of this.streams.values()) {
      if (context.audit.recvdStreamFin === 'None') context.audit.recvdStreamFin = 'Implicit'
      context.release()
    }
    this.streams.clear()
    this.flows.closeAll()
    this.unacknowledged.clear()
    this.emit(last)
    this.events.setWaker(null, 0)
    this.events.close()
  }
}
