import type { QpackDecoder, QpackEncoder } from '@quicwire/qpack'
import { H3ErrorCode, connectionError } from '../errors.ts'
import type { H3TraceSink } from '../trace/sink.ts'
import { ReceiveState } from '../transport.ts'
import type { H3Transport } from '../transport.ts'
import { StreamType } from '../wire/stream-types.ts'
import { VarintCollector } from '../wire/varint-collector.ts'
import type { RemoteControl } from './remote-control.ts'

/**
 * The peer's unidirectional streams (RFC 9114 §6.2): reads the type, hands the stream to whom it concerns, watches over the
 * critical ones. Streams of unknown types are stopped; they are remembered no longer than their type takes to arrive.
 */
export class UniRouter {
  private readonly transport: H3Transport
  private readonly isServer: boolean
  private readonly control: RemoteControl
  private readonly encoder: QpackEncoder
  private readonly decoder: QpackDecoder
  private readonly trace: H3TraceSink | null
  private readonly untyped: Map<number, VarintCollector>
  private controlId: number
  private encoderId: number
  private decoderId: number

  constructor(
    transport: H3Transport,
    isServer: boolean,
    control: RemoteControl,
    compression: { readonly encoder: QpackEncoder; readonly decoder: QpackDecoder },
    trace: H3TraceSink | null,
  ) {
    this.transport = transport
    this.isServer = isServer
    this.control = control
    this.encoder = compression.encoder
    this.decoder = compression.decoder
    this.trace = trace
    this.untyped = new Map()
    this.controlId = -1
    this.encoderId = -1
    this.decoderId = -1
  }

  /** A stream seen for the first time. */
  open(id: number): void {
    this.untyped.set(id, new VarintCollector())
  }

  /** Bytes or the end of stream `id`. Throws H3Error, QpackError. */
  readable(id: number): void {
    const varint = this.untyped.get(id)
    if (varint !== undefined && !this.readType(id, varint)) return
    if (id === this.controlId) this.control.advance(id)
    else if (id === this.encoderId || id === this.decoderId) this.instructions(id)
    else return
    if (this.transport.streamReceiveState(id) === ReceiveState.finished) this.closed(id)
  }

  /** Stream `id` was reset. RFC 9114 §6.2: tolerated before its type is known. */
  reset(id: number): void {
    this.untyped.delete(id)
    if (id === this.controlId || id === this.encoderId || id === this.decoderId) this.closed(id)
  }

  private closed(id: number): never {
    const name = id === this.controlId ? 'control' : id === this.encoderId ? 'QPACK encoder' : 'QPACK decoder'
    throw connectionError(H3ErrorCode.closedCriticalStream, `the peer closed its ${name} stream (RFC 9114 §6.2.1, RFC 9204 §4.2)`)
  }

  private readType(id: number, varint: VarintCollector): boolean {
    for (;;) {
      const view = this.transport.streamPeek(id)
      if (view === null || view.length === 0) {
        if (this.transport.streamReceiveState(id) !== ReceiveState.open) this.untyped.delete(id)
        return false
      }
      const next = varint.read(view, 0, view.length)
      this.transport.streamConsume(id, next === -1 ? view.length : next)
      if (next === -1) continue
      this.untyped.delete(id)
      this.assign(id, varint.value)
      return true
    }
  }

  private assign(id: number, type: number): void {
    this.trace?.streamTypeSet('remote', id, type)
    switch (type) {
      case StreamType.control:
        this.controlId = this.only(this.controlId, id, 'control')
        return
      case StreamType.qpackEncoder:
        this.encoderId = this.only(this.encoderId, id, 'QPACK encoder')
        return
      case StreamType.qpackDecoder:
        this.decoderId = this.only(this.decoderId, id, 'QPACK decoder')
        return
      case StreamType.push:
        if (this.isServer) throw connectionError(H3ErrorCode.streamCreationError, 'push stream from a client (RFC 9114 §6.2.2)')
        throw connectionError(H3ErrorCode.idError, 'push stream without MAX_PUSH_ID (RFC 9114 §4.6)')
      default:
        // RFC 9114 §6.2: abort reading, H3_STREAM_CREATION_ERROR or a reserved code; never a connection error.
        this.transport.streamStop(id, H3ErrorCode.streamCreationError)
    }
  }

  private only(before: number, id: number, name: string): number {
    if (before !== -1) throw connectionError(H3ErrorCode.streamCreationError, `second ${name} stream (RFC 9114 §6.2.1, RFC 9204 §4.2)`)
    return id
  }

  private instructions(id: number): void {
    for (;;) {
      const view = this.transport.streamPeek(id)
      if (view === null || view.length === 0) return
      if (id === this.encoderId) this.decoder.onEncoderStream(view)
      else this.encoder.onDecoderStream(view)
      this.transport.streamConsume(id, view.length)
    }
  }
}
