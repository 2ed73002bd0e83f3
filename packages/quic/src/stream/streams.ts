// All streams of one connection: the façade of the room (RFC 9000 §2–§4). It turns application verbs, received frames and
// delivery reports into calls on the two halves, and keeps the events for the application. Rules live below it: halves in
// send-stream and recv-stream, opening and limits in stream-map, what goes on the wire in stream-writer.

import { Ring } from '../base/ring.ts'
import type { FrameSink } from '../delivery/frame-sink.ts'
import { FrameType, TransportErrorCode } from '../wire/constants.ts'
import { TransportError } from '../wire/transport-error.ts'
import { isWireValue } from '../wire/varint.ts'
import type { WireValue } from '../wire/varint.ts'
import { FlowClock, FlowReceiver } from './flow-receiver.ts'
import { FlowSender } from './flow-sender.ts'
import { RecvState } from './recv-state.ts'
import { SendState } from './send-state.ts'
import type { Stream } from './stream.ts'
import { StreamControl } from './stream.ts'
import type { StreamEvent } from './stream-events.ts'
import { MAX_STREAM_COUNT } from './stream-id.ts'
import type { Role } from './stream-id.ts'
import { StreamMap } from './stream-map.ts'
import type { StreamLimitParameters } from './stream-parameters.ts'
import { StreamWriter } from './stream-writer.ts'

const DEFAULT_SEND_BUFFER_LIMIT = 262_144

export interface StreamsConfig {
  readonly role: Role
  /** What this endpoint declares in its transport parameters. */
  readonly local: StreamLimitParameters
  /** Cap of the auto-tuned connection window in bytes; not below local.initialMaxData. */
  readonly maxConnectionWindow: number
  /** Cap of the auto-tuned stream windows in bytes; not below their initial values. */
  readonly maxStreamWindow: number
  /** Bytes per stream that write() takes ahead of what has been sent. Default 262144. */
  readonly sendBufferLimit?: number
}

export const ReceiveState = { open: 0, finished: 1, reset: 2, unknown: 3 } as const
/** finished: the end has been reached and everything is read. unknown: no such half, or closed for good. */
export type ReceiveState = (typeof ReceiveState)[keyof typeof ReceiveState]

export class Streams {
  /** Stream bytes the application has read. */
  bytesRead: number
  /** Stream bytes accepted from the application. */
  bytesWritten: number
  private readonly clock: FlowClock
  private readonly sendFlow: FlowSender
  private readonly receiveFlow: FlowReceiver
  private readonly map: StreamMap
  private readonly writer: StreamWriter
  private readonly events: Ring<StreamEvent>
  private readonly sendBufferLimit: number
  /** Streams that wait for MAX_STREAMS since early data was rejected. */
  private held: number
  /** Its 'stream-closed' was the last event handed out. */
  private leaving: Stream | null
  /** The peer takes RESET_STREAM_AT frames. */
  private resetAtAllowed: boolean

  constructor(config: StreamsConfig) {
    this.bytesRead = 0
    this.bytesWritten = 0
    this.clock = new FlowClock()
    this.sendFlow = new FlowSender(0)
    this.receiveFlow = new FlowReceiver(config.local.initialMaxData, config.maxConnectionWindow, this.clock)
    this.events = new Ring<StreamEvent>()
    this.map = new StreamMap(config.role, config.local, config.maxStreamWindow, this.clock, this.receiveFlow, (stream) => {
      this.events.push({ kind: 'stream-opened', streamId: stream.id })
    })
    this.writer = new StreamWriter(this.map, this.sendFlow, this.receiveFlow, (stream) => this.onSendProgress(stream))
    this.sendBufferLimit = config.sendBufferLimit ?? DEFAULT_SEND_BUFFER_LIMIT
    this.held = 0
    this.leaving = null
    this.resetAtAllowed = false
  }

  /** Streams not closed yet, both initiators. */
  get openStreams(): number {
    return this.map.size
  }

  /** Stream bytes sent for the first time. */
  get bytesSent(): number {
    return this.sendFlow.used
  }

  /** Stream bytes sent again. */
  get bytesRetransmitted(): number {
    return this.writer.bytesRetransmitted
  }

  /** Stream bytes received, each once, gaps included. */
  get bytesReceived(): number {
    return this.receiveFlow.received
  }

  /** Events not polled yet. */
  get eventsWaiting(): number {
    return this.events.length
  }

  /**
   * The peer's transport parameters. May be called twice (those remembered for 0-RTT, then the real ones): limits only rise
   * (RFC 9000 §7.4.1). After rejected 0-RTT comes startOver() instead.
   */
  setPeerLimits(peer: StreamLimitParameters): void {
    this.map.setPeer(peer)
    this.resetAtAllowed = peer.resetStreamAt === true
    this.onMaxData(peer.initialMaxData)
    this.onMaxStreams(true, peer.initialMaxStreamsBidi)
    this.onMaxStreams(false, peer.initialMaxStreamsUni)
    for (const stream of this.map.values()) {
      if (stream.send !== null && stream.send.flow.raise(this.map.initialSendLimit(stream))) this.writer.update(stream)
    }
  }

  /**
   * Early data was rejected (RFC 9001 §4.6.2): nothing has been sent and no credit is used, the limits are those of `peer`. The bytes of
   * every stream go out again; streams beyond the limit wait for MAX_STREAMS. Call it when all packets in flight are given back as lost.
   */
  startOver(peer: StreamLimitParameters): void {
    this.map.setPeer(peer)
    this.resetAtAllowed = peer.resetStreamAt === true
    this.writer.startOver(peer.initialMaxData)
    this.startCounting(true, peer.initialMaxStreamsBidi)
    this.startCounting(false, peer.initialMaxStreamsUni)
    for (const stream of this.map.values()) {
      this.writer.withdraw(stream, StreamControl.streamDataBlocked | StreamControl.resetStreamAt)
      stream.send?.startOver(this.map.initialSendLimit(stream))
      if (!this.resetAtAllowed && stream.send !== null && stream.send.reliableSize >= 0) this.resetStream(stream, stream.send.resetCode)
      if (this.map.isWithinLimit(stream.id)) {
        this.writer.update(stream)
      } else {
        this.writer.hold(stream)
        this.held += 1
      }
    }
  }

  /** Early data was rejected and is of no use: every stream is gone without an event, and the next is the first. */
  forgetAll(): void {
    for (const stream of this.map.values()) this.writer.forget(stream)
    this.events.clear()
    this.held = 0
    this.leaving = null
    this.map.forgetAll()
    this.writer.startOver(0)
    this.startCounting(true, 0)
    this.startCounting(false, 0)
  }

  /** The smoothed round trip in milliseconds; the windows are tuned by it. */
  setRtt(milliseconds: number): void {
    this.clock.rtt = milliseconds
  }

  // -- application verbs

  /** Opens a stream: its ID, or -1 when the peer's limit does not allow it ('streams-available' follows). */
  open(bidirectional: boolean): number {
    const stream = this.map.open(bidirectional)
    return stream === null ? -1 : stream.id
  }

  /**
   * Queues data[start, end) and takes it over: nobody may change these bytes any more. Returns how many were accepted;
   * when not all, 'stream-writable' follows. `fin` ends the stream and counts only when all were accepted. -1: the sending half
   * is ended, reset, stopped by the peer, or does not exist.
   */
  write(id: number, data: Uint8Array, start: number, end: number, fin: boolean): number {
    const stream = this.map.get(id)
    if (stream === undefined || stream.send === null || !stream.send.isWritable()) return -1
    if (start < 0 || end < start || end > data.length) throw new RangeError('write: no such range of the data')
    const send = stream.send
    const wanted = end - start
    const room = Math.max(0, this.sendBufferLimit - send.buffer.unsent())
    const accepted = wanted < room ? wanted : room
    send.buffer.write(data, start, start + accepted)
    this.bytesWritten += accepted
    send.wantsRoom = accepted < wanted
    if (fin && accepted === wanted) send.finish()
    this.writer.update(stream)
    return accepted
  }

  /** Bytes write() would accept now; -1 when it would refuse. */
  capacity(id: number): number {
    const send = this.map.get(id)?.send
    if (send === undefined || send === null || !send.isWritable()) return -1
    return Math.max(0, this.sendBufferLimit - send.buffer.unsent())
  }

  /** The next bytes in order, a view of at least one byte; null: nothing now. */
  peek(id: number): Uint8Array | null {
    const stream = this.map.get(id)
    if (stream === undefined || stream.recv === null) return null
    const bytes = stream.recv.peek()
    if (bytes === null) stream.readDry = true
    return bytes
  }

  /** The application has read that many of the readable bytes. Throws RangeError when there are not so many. */
  consume(id: number, length: number): void {
    const stream = this.map.get(id)
    const recv = stream?.recv
    if (stream === undefined || recv === null || recv === undefined) return
    const readable = recv.stopped ? 0 : recv.data.readable()
    if (!(length >= 0 && length <= readable)) throw new RangeError('consume: more than is readable')
    const ended = recv.isTerminal()
    recv.consume(length)
    this.bytesRead += length
    if (length === readable) stream.readDry = true
    if (!ended && recv.isTerminal() && recv.endsInReset()) this.pushReset(stream)
    this.afterReceiving(stream, recv.flow.due)
  }

  receiveState(id: number): ReceiveState {
    const recv = this.map.get(id)?.recv
    if (recv === undefined || recv === null) return ReceiveState.unknown
    if (recv.state === RecvState.dataRead) return recv.endsInReset() ? ReceiveState.reset : ReceiveState.finished
    return recv.state === RecvState.resetRecvd || recv.state === RecvState.resetRead ? ReceiveState.reset : ReceiveState.open
  }

  /** A SendState, or -1 when there is no such half or the stream is closed for good. */
  sendState(id: number): SendState | -1 {
    return this.map.get(id)?.send?.state ?? -1
  }

  /** Code of the peer's RESET_STREAM or RESET_STREAM_AT; -1 when there was none. */
  resetCode(id: number): WireValue {
    return this.map.get(id)?.recv?.resetCode ?? -1
  }

  /** Code of the peer's STOP_SENDING; -1 when there was none. */
  stopCode(id: number): WireValue {
    return this.map.get(id)?.send?.stopCode ?? -1
  }

  /** Gives up sending (RESET_STREAM). No effect once everything is acknowledged, or after a reset. */
  reset(id: number, code: WireValue): void {
    checkCode(code)
    const stream = this.map.get(id)
    if (stream !== undefined) this.resetStream(stream, code)
  }

  /**
   * Gives up sending what is beyond the first `reliableSize` bytes, which still arrive (RESET_STREAM_AT). May be repeated with the same
   * code and a smaller size. Throws RangeError for what is no code or no size. False, and nothing changes: the peer does not take such
   * resets, fewer bytes have been written, the code is another or the size larger than before, or the half is reset or done.
   */
  resetAt(id: number, code: WireValue, reliableSize: number): boolean {
    checkCode(code)
    if (!Number.isSafeInteger(reliableSize) || reliableSize < 0) throw new RangeError('reliableSize is a number of bytes')
    const stream = this.map.get(id)
    if (stream === undefined || stream.send === null || !this.resetAtAllowed) return false
    if (!stream.send.resetAt(code, reliableSize)) return false
    this.writer.update(stream)
    if (!stream.send.isBlocked()) this.writer.withdraw(stream, StreamControl.streamDataBlocked)
    return true
  }

  /** Gives up reading (STOP_SENDING). Unread and later bytes are dropped; their credit goes back to the peer. */
  stop(id: number, code: WireValue): void {
    checkCode(code)
    const stream = this.map.get(id)
    if (stream === undefined || stream.recv === null) return
    this.writer.withdraw(stream, StreamControl.maxStreamData)
    if (stream.recv.stop(code)) this.writer.want(stream, StreamControl.stopSending)
    this.closeIfTerminal(stream)
  }

  /** Urgency 0..255, lower first; within one urgency non-incremental streams by ID, then incremental ones in turn. */
  setPriority(id: number, urgency: number, incremental: boolean): void {
    if (!Number.isInteger(urgency) || urgency < 0 || urgency > 255) throw new RangeError('urgency is 0 to 255')
    const send = this.map.get(id)?.send
    if (send !== undefined && send !== null) this.writer.setPriority(send, urgency, incremental)
  }

  /** How many streams may still be opened by us. */
  peerStreamsLeft(bidirectional: boolean): number {
    return Math.max(0, this.map.outgoing(bidirectional).left())
  }

  /** How many streams the peer may have opened altogether, closed ones included. */
  localStreamLimit(bidirectional: boolean): number {
    return this.map.incoming(bidirectional).limit
  }

  // -- received frames; all throw TransportError and nothing else

  /** STREAM. The buffer is the room's from now on. `frameType`: 0x08–0x0f, for errors. */
  onStream(
    streamId: number,
    offset: number,
    buffer: Uint8Array,
    dataStart: number,
    dataLength: number,
    fin: boolean,
    now: number,
    frameType: number = FrameType.stream,
  ): void {
    this.clock.now = now
    const stream = this.map.forReceiving(streamId, frameType)
    if (stream === null) return
    const recv = stream.recv!
    const news = recv.onStream(offset, buffer, dataStart, dataLength, fin, frameType)
    if (recv.state !== RecvState.recv) {
      this.writer.withdraw(stream, StreamControl.maxStreamData | (recv.isOpen() ? 0 : StreamControl.stopSending))
    }
    if (news) this.pushNews(stream)
    if (recv.isTerminal()) this.closeIfTerminal(stream)
  }

  onResetStream(streamId: number, errorCode: WireValue, finalSize: number, now: number): void {
    this.clock.now = now
    const stream = this.map.forReceiving(streamId, FrameType.resetStream)
    if (stream === null) return
    const recv = stream.recv!
    if (recv.onReset(errorCode, finalSize)) this.events.push({ kind: 'stream-reset', streamId, code: errorCode })
    if (!recv.isOpen()) this.writer.withdraw(stream, StreamControl.maxStreamData | StreamControl.stopSending)
    this.closeIfTerminal(stream)
  }

  onResetStreamAt(streamId: number, errorCode: WireValue, finalSize: number, reliableSize: number, now: number): void {
    this.clock.now = now
    const stream = this.map.forReceiving(streamId, FrameType.resetStreamAt)
    if (stream === null) return
    const recv = stream.recv!
    const news = recv.onResetAt(errorCode, finalSize, reliableSize)
    this.writer.withdraw(stream, StreamControl.maxStreamData | (recv.isOpen() ? 0 : StreamControl.stopSending))
    if (news) this.pushNews(stream)
    this.closeIfTerminal(stream)
  }

  /** RFC 9000 §3.5: answered with RESET_STREAM and the same code. */
  onStopSending(streamId: number, errorCode: WireValue): void {
    const stream = this.map.forSending(streamId, FrameType.stopSending)
    if (stream === null) return
    const send = stream.send!
    if (send.state > SendState.dataSent || send.stopCode !== -1) return
    send.stopCode = errorCode
    this.resetStream(stream, errorCode)
    this.events.push({ kind: 'stream-stopped', streamId, code: errorCode })
  }

  onMaxData(limit: number): void {
    if (this.sendFlow.raise(limit)) this.writer.onCredit()
  }

  onMaxStreamData(streamId: number, limit: number): void {
    const stream = this.map.forSending(streamId, FrameType.maxStreamData)
    if (stream === null || !stream.send!.flow.raise(limit)) return
    this.writer.withdraw(stream, StreamControl.streamDataBlocked)
    this.writer.update(stream)
  }

  onMaxStreams(bidirectional: boolean, limit: number): void {
    checkStreamCount(limit, bidirectional ? FrameType.maxStreamsBidi : FrameType.maxStreamsUni)
    const outgoing = this.map.outgoing(bidirectional)
    if (outgoing.raise(limit)) this.events.push({ kind: 'streams-available', streamId: -1, bidirectional })
    if (this.held > 0) this.releaseHeld()
  }

  /** The peer has more to send than MAX_DATA allows. Credit does not wait for this (RFC 9000 §4.2): nothing to do. */
  onDataBlocked(_limit: number): void {}

  /** As onDataBlocked; the frame may open the stream (RFC 9000 §3.2). */
  onStreamDataBlocked(streamId: number, _limit: number): void {
    this.map.forReceiving(streamId, FrameType.streamDataBlocked)
  }

  onStreamsBlocked(bidirectional: boolean, limit: number): void {
    checkStreamCount(limit, bidirectional ? FrameType.streamsBlockedBidi : FrameType.streamsBlockedUni)
  }

  // -- sending and delivery

  wantsToSend(): boolean {
    return this.writer.wants()
  }

  /** MAX_*, *_BLOCKED, RESET_STREAM, STOP_SENDING. False: the packet is full and more is due. */
  writeControl(sink: FrameSink): boolean {
    return this.writer.writeControl(sink)
  }

  /** STREAM frames by priority. False: the packet is full and more is due. May raise 'stream-writable'. */
  writeData(sink: FrameSink): boolean {
    return this.writer.writeData(sink)
  }

  acked(kind: number, a: number, b: number, c: number): void {
    this.writer.acked(kind, a, b, c)
  }

  lost(kind: number, a: number, b: number, c: number): void {
    this.writer.lost(kind, a, b, c)
  }

  /** Flow control may hold back data, and nothing says so at the moment. */
  mayBeBlocked(): boolean {
    return this.writer.mayBeBlocked() && !this.writer.wants()
  }

  /** DATA_BLOCKED or STREAM_DATA_BLOCKED becomes due once more, if data is held back (RFC 9000 §4.1). */
  repeatBlocked(): void {
    this.writer.repeatBlocked()
  }

  // -- events

  /** The next event, null when there is none. A stream reported as closed answers queries until the next call. */
  pollEvent(): StreamEvent | null {
    if (this.leaving !== null) {
      this.writer.forget(this.leaving)
      this.map.remove(this.leaving)
      this.leaving = null
    }
    const event = this.events.shift()
    if (event === undefined) return null
    const stream = event.streamId < 0 ? undefined : this.map.get(event.streamId)
    if (stream === undefined) return event
    switch (event.kind) {
      case 'stream-readable':
        stream.readableQueued = false
        break
      case 'stream-writable':
        stream.writableQueued = false
        break
      case 'stream-reset':
        stream.recv?.onResetRead()
        this.closeIfTerminal(stream)
        break
      case 'stream-closed':
        this.leaving = stream
        break
      default:
    }
    return event
  }

  private startCounting(bidirectional: boolean, limit: number): void {
    if (this.map.outgoing(bidirectional).startOver(limit)) this.events.push({ kind: 'streams-available', streamId: -1, bidirectional })
  }

  private releaseHeld(): void {
    for (const stream of this.map.values()) {
      if (!stream.held || !this.map.isWithinLimit(stream.id)) continue
      this.held -= 1
      this.writer.release(stream)
    }
  }

  /** Readable bytes, the end, or a reset that nothing has to be read before. */
  private pushNews(stream: Stream): void {
    if (stream.recv!.isTerminal() && stream.recv!.endsInReset()) this.pushReset(stream)
    else this.pushReadable(stream)
  }

  private pushReset(stream: Stream): void {
    this.events.push({ kind: 'stream-reset', streamId: stream.id, code: stream.recv!.resetCode })
  }

  private pushReadable(stream: Stream): void {
    if (!stream.readDry || stream.readableQueued) return
    stream.readDry = false
    stream.readableQueued = true
    this.events.push((stream.readableEvent ??= { kind: 'stream-readable', streamId: stream.id }))
  }

  private onSendProgress(stream: Stream): void {
    const send = stream.send!
    // Not for a few bytes: the application would write as many packets as it is woken.
    if (send.wantsRoom && send.isWritable() && send.buffer.unsent() * 2 <= this.sendBufferLimit) {
      send.wantsRoom = false
      if (!stream.writableQueued) {
        stream.writableQueued = true
        this.events.push((stream.writableEvent ??= { kind: 'stream-writable', streamId: stream.id }))
      }
    }
    if (send.isTerminal()) this.closeIfTerminal(stream)
  }

  private resetStream(stream: Stream, code: WireValue): void {
    if (stream.send === null || !stream.send.reset(code)) return
    this.writer.withdraw(stream, StreamControl.streamDataBlocked | StreamControl.resetStreamAt)
    this.writer.want(stream, StreamControl.resetStream)
    this.writer.update(stream)
  }

  private afterReceiving(stream: Stream, due: boolean): void {
    if (due && stream.recv!.state === RecvState.recv) this.writer.want(stream, StreamControl.maxStreamData)
    this.closeIfTerminal(stream)
  }

  private closeIfTerminal(stream: Stream): void {
    if (stream.closing || !stream.isTerminal()) return
    stream.closing = true
    this.writer.withdraw(stream, stream.control)
    this.events.push({ kind: 'stream-closed', streamId: stream.id })
  }
}

function checkCode(code: WireValue): void {
  if (!isWireValue(code)) throw new RangeError('an application error code is an integer of 0 to 2^62 - 1')
}

// RFC 9000 §19.11, §19.14: "This value cannot exceed 2^60".
function checkStreamCount(count: number, frameType: number): void {
  if (count > MAX_STREAM_COUNT) throw new TransportError(TransportErrorCode.frameEncodingError, frameType, 'stream count above 2^60')
}
