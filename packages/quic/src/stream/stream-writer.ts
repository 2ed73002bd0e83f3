// The delivery triad of all streams: what is due goes into packets, what was lost becomes due again, what was acknowledged is done
// (RFC 9000 §13.3). Nothing here walks over all streams: those with control frames wait in a ring, those with data in two
// schedules. `fresh` is consulted only while the connection has credit, so that blocked streams cost nothing.

import { Ring } from '../base/ring.ts'
import type { FrameSink } from '../delivery/frame-sink.ts'
import { LatestValue } from '../delivery/latest-value.ts'
import { finOfToken, lengthOfToken, packLengthAndFin, TokenKind } from '../delivery/token.ts'
import {
  limitFrameSize,
  streamLimitFrameSize,
  writeDataBlockedFrame,
  writeMaxDataFrame,
  writeMaxStreamDataFrame,
  writeMaxStreamsFrame,
  writeStreamDataBlockedFrame,
  writeStreamsBlockedFrame,
} from '../wire/frames/flow-control.ts'
import { resetStreamFrameSize, writeResetStreamFrame } from '../wire/frames/reset-stream.ts'
import { resetStreamAtFrameSize, writeResetStreamAtFrame } from '../wire/frames/reset-stream-at.ts'
import { stopSendingFrameSize, writeStopSendingFrame } from '../wire/frames/stop-sending.ts'
import { streamFrameHeaderSize, writeStreamFrameHeader } from '../wire/frames/stream.ts'
import { varintSize } from '../wire/varint.ts'
import type { FlowReceiver } from './flow-receiver.ts'
import type { FlowSender } from './flow-sender.ts'
import { RecvState } from './recv-state.ts'
import { StreamSchedule } from './scheduler.ts'
import type { SendStream } from './send-stream.ts'
import { SendState } from './send-state.ts'
import type { Stream } from './stream.ts'
import { StreamControl } from './stream.ts'
import type { IncomingLimit, OutgoingLimit } from './stream-limits.ts'
import type { StreamMap } from './stream-map.ts'

export class StreamWriter {
  /** Stream bytes sent that had been sent before. */
  bytesRetransmitted: number
  private readonly map: StreamMap
  private readonly sendFlow: FlowSender
  private readonly receiveFlow: FlowReceiver
  private readonly dataBlocked: LatestValue
  private readonly fresh: StreamSchedule<Stream>
  private readonly resend: StreamSchedule<Stream>
  private readonly controlQueue: Ring<Stream>
  /** Streams with control bits set. */
  private controlCount: number
  /** The stream that ran out of its credit last; it may have got some since. */
  private lastBlocked: Stream | null
  private readonly onProgress: (stream: Stream) => void

  /** onProgress: the sending half sent or finished something. */
  constructor(map: StreamMap, sendFlow: FlowSender, receiveFlow: FlowReceiver, onProgress: (stream: Stream) => void) {
    this.bytesRetransmitted = 0
    this.map = map
    this.sendFlow = sendFlow
    this.receiveFlow = receiveFlow
    this.dataBlocked = new LatestValue()
    this.fresh = new StreamSchedule<Stream>()
    this.resend = new StreamSchedule<Stream>()
    this.controlQueue = new Ring<Stream>()
    this.controlCount = 0
    this.lastBlocked = null
    this.onProgress = onProgress
  }

  wants(): boolean {
    return this.wantsControl() || this.resend.size > 0 || (this.fresh.size > 0 && this.sendFlow.credit() > 0)
  }

  /** The sending half changed: its places in the schedules follow. */
  update(stream: Stream): void {
    const send = stream.send
    if (send === null || stream.held) return
    if (send.hasResend()) this.resend.add(send.resend)
    else this.resend.remove(send.resend)
    if (send.wantsResetAt()) this.want(stream, StreamControl.resetStreamAt)
    if (send.hasFresh()) {
      this.fresh.add(send.fresh)
      this.noteBlocked()
      return
    }
    this.fresh.remove(send.fresh)
    if (send.isBlocked() && send.flow.becameBlocked()) {
      this.lastBlocked = stream
      this.want(stream, StreamControl.streamDataBlocked)
    }
  }

  /** Flow control may hold back data of the application. */
  mayBeBlocked(): boolean {
    return this.lastBlocked !== null || this.isConnectionBlocked()
  }

  /** RFC 9000 §4.1: what holds data back is said again, once: for the connection, or for one of the streams. */
  repeatBlocked(): void {
    if (this.isConnectionBlocked()) {
      this.dataBlocked.repeat()
      return
    }
    const blocked = this.lastBlocked?.send?.isBlocked() === true ? this.lastBlocked : this.anyBlocked()
    this.lastBlocked = blocked
    if (blocked !== null) this.want(blocked, StreamControl.streamDataBlocked)
  }

  setPriority(send: SendStream<Stream>, urgency: number, incremental: boolean): void {
    this.fresh.setPriority(send.fresh, urgency, incremental)
    this.resend.setPriority(send.resend, urgency, incremental)
  }

  /** The connection's credit rose. */
  onCredit(): void {
    this.dataBlocked.withdraw()
    this.noteBlocked()
  }

  /** A control frame of the stream is due. */
  want(stream: Stream, control: number): void {
    if (stream.held) {
      stream.heldControl |= control
      return
    }
    if (stream.control === 0) this.controlCount += 1
    stream.control |= control
    if (stream.inControlQueue) return
    stream.inControlQueue = true
    this.controlQueue.push(stream)
  }

  /** Control frames of the stream are due no more. */
  withdraw(stream: Stream, control: number): void {
    stream.heldControl &= ~control
    if ((stream.control & control) === 0) return
    stream.control &= ~control
    if (stream.control === 0) this.controlCount -= 1
  }

  /** The connection's credit is `limit`, none of it used. */
  startOver(limit: number): void {
    this.lastBlocked = null
    this.dataBlocked.startOver()
    this.sendFlow.startOver(limit)
  }

  /** Takes the stream out of every schedule until release(). */
  hold(stream: Stream): void {
    const { control } = stream
    this.forget(stream)
    stream.held = true
    stream.heldControl = control
  }

  release(stream: Stream): void {
    const control = stream.heldControl
    stream.held = false
    stream.heldControl = 0
    if (control !== 0) this.want(stream, control)
    this.update(stream)
  }

  /** The stream is gone. */
  forget(stream: Stream): void {
    this.withdraw(stream, stream.control)
    if (this.lastBlocked === stream) this.lastBlocked = null
    if (stream.send === null) return
    this.fresh.remove(stream.send.fresh)
    this.resend.remove(stream.send.resend)
  }

  writeControl(sink: FrameSink): boolean {
    if (!this.wantsControl()) return true
    return this.writeLimits(sink) && this.writeStreamControls(sink)
  }

  /** STREAM frames by priority. False: the packet is full and more is due. */
  writeData(sink: FrameSink): boolean {
    for (;;) {
      const resend = this.resend.peek()
      const fresh = this.sendFlow.credit() > 0 ? this.fresh.peek() : null
      if (resend !== null && (fresh === null || resend.urgency <= fresh.urgency)) {
        if (!this.writeStreamFrame(resend.owner, true, sink)) return false
        this.resend.rotate(resend)
      } else if (fresh !== null) {
        if (!this.writeStreamFrame(fresh.owner, false, sink)) return false
        this.fresh.rotate(fresh)
      } else {
        return true
      }
    }
  }

  acked(kind: number, a: number, b: number, c: number): void {
    if (kind !== TokenKind.stream && kind !== TokenKind.resetStream && kind !== TokenKind.resetStreamAt) return
    const stream = this.map.get(a)
    if (stream === undefined || stream.send === null) return
    if (kind === TokenKind.stream) {
      stream.send.onAcked(b, lengthOfToken(c), finOfToken(c))
      if (this.resend.size > 0) this.update(stream)
    } else if (kind === TokenKind.resetStream) {
      stream.send.onResetAcked()
    } else {
      stream.send.onResetAtAcked(b)
      if (!stream.send.wantsResetAt()) this.withdraw(stream, StreamControl.resetStreamAt)
    }
    this.onProgress(stream)
  }

  lost(kind: number, a: number, b: number, c: number): void {
    switch (kind) {
      case TokenKind.maxData:
        return this.receiveFlow.lost(a)
      case TokenKind.dataBlocked:
        if (a === this.sendFlow.limit && this.isConnectionBlocked()) this.dataBlocked.lost(a)
        return
      case TokenKind.maxStreams:
        return this.map.incoming(a === 1).update.lost(b)
      case TokenKind.streamsBlocked: {
        const outgoing = this.map.outgoing(a === 1)
        if (outgoing.refused) outgoing.blocked.lost(b)
        return
      }
    }
    const stream = this.map.get(a)
    if (stream !== undefined) this.lostOfStream(stream, kind, b, c)
  }

  private lostOfStream(stream: Stream, kind: number, b: number, c: number): void {
    const { send, recv } = stream
    if (send !== null) {
      if (kind === TokenKind.stream) {
        send.onLost(b, lengthOfToken(c), finOfToken(c))
        this.update(stream)
      } else if (kind === TokenKind.resetStream && send.state === SendState.resetSent) {
        this.want(stream, StreamControl.resetStream)
      } else if (kind === TokenKind.resetStreamAt) {
        send.onResetAtLost(b)
        this.update(stream)
      } else if (kind === TokenKind.streamDataBlocked && send.isBlocked() && send.flow.limit === b) {
        this.want(stream, StreamControl.streamDataBlocked)
      }
    }
    if (recv !== null) {
      if (kind === TokenKind.stopSending && recv.isOpen()) {
        this.want(stream, StreamControl.stopSending)
      } else if (kind === TokenKind.maxStreamData && recv.state === RecvState.recv && !recv.stopped) {
        recv.flow.lost(b)
        if (recv.flow.due) this.want(stream, StreamControl.maxStreamData)
      }
    }
  }

  private wantsControl(): boolean {
    const map = this.map
    return (
      this.controlCount > 0 ||
      this.receiveFlow.due ||
      this.dataBlocked.wants() ||
      map.incomingBidi.update.wants() ||
      map.incomingUni.update.wants() ||
      map.outgoingBidi.blocked.wants() ||
      map.outgoingUni.blocked.wants()
    )
  }

  private anyBlocked(): Stream | null {
    for (const stream of this.map.values()) if (!stream.held && stream.send !== null && stream.send.isBlocked()) return stream
    return null
  }

  private isConnectionBlocked(): boolean {
    return this.fresh.size > 0 && this.sendFlow.credit() <= 0
  }

  private noteBlocked(): void {
    if (this.isConnectionBlocked() && this.sendFlow.becameBlocked()) this.dataBlocked.set(this.sendFlow.limit)
  }

  private writeLimits(sink: FrameSink): boolean {
    const map = this.map
    if (this.receiveFlow.due) {
      const limit = this.receiveFlow.nextLimit()
      if (sink.room() < limitFrameSize(limit)) return false
      writeMaxDataFrame(sink.writer, limit)
      this.receiveFlow.written(limit)
      sink.token(TokenKind.maxData, limit, 0, 0)
    }
    if (this.dataBlocked.wants()) {
      const limit = this.dataBlocked.value
      if (sink.room() < limitFrameSize(limit)) return false
      writeDataBlockedFrame(sink.writer, limit)
      this.dataBlocked.written()
      sink.token(TokenKind.dataBlocked, limit, 0, 0)
    }
    return (
      writeMaxStreams(map.incomingBidi, true, sink) &&
      writeMaxStreams(map.incomingUni, false, sink) &&
      writeStreamsBlocked(map.outgoingBidi, true, sink) &&
      writeStreamsBlocked(map.outgoingUni, false, sink)
    )
  }

  private writeStreamControls(sink: FrameSink): boolean {
    for (;;) {
      const stream = this.controlQueue.peek()
      if (stream === undefined) return true
      if (stream.control !== 0 && !this.writeControlsOf(stream, sink)) return false
      this.controlQueue.shift()
      stream.inControlQueue = false
    }
  }

  private writeControlsOf(stream: Stream, sink: FrameSink): boolean {
    const { id, send, recv } = stream
    const writer = sink.writer
    if (send !== null && (stream.control & StreamControl.resetStream) !== 0) {
      if (sink.room() < resetStreamFrameSize(id, send.resetCode, send.finalSize())) return false
      writeResetStreamFrame(writer, id, send.resetCode, send.finalSize())
      sink.token(TokenKind.resetStream, id, 0, 0)
      this.withdraw(stream, StreamControl.resetStream)
    }
    if (send !== null && (stream.control & StreamControl.resetStreamAt) !== 0) {
      const finalSize = send.finalSize()
      if (sink.room() < resetStreamAtFrameSize(id, send.resetCode, finalSize, send.reliableSize)) return false
      writeResetStreamAtFrame(writer, id, send.resetCode, finalSize, send.reliableSize)
      sink.token(TokenKind.resetStreamAt, id, send.reliableSize, 0)
      send.onResetAtSent()
      this.withdraw(stream, StreamControl.resetStreamAt)
    }
    if (recv !== null && (stream.control & StreamControl.stopSending) !== 0) {
      if (sink.room() < stopSendingFrameSize(id, recv.stopCode)) return false
      writeStopSendingFrame(writer, id, recv.stopCode)
      sink.token(TokenKind.stopSending, id, 0, 0)
      this.withdraw(stream, StreamControl.stopSending)
    }
    if (recv !== null && (stream.control & StreamControl.maxStreamData) !== 0) {
      const limit = recv.flow.nextLimit()
      if (sink.room() < streamLimitFrameSize(id, limit)) return false
      writeMaxStreamDataFrame(writer, id, limit)
      recv.flow.written(limit)
      // One stream alone must not be held back by the connection's window.
      this.receiveFlow.growTo(recv.flow.window * 1.5)
      sink.token(TokenKind.maxStreamData, id, limit, 0)
      this.withdraw(stream, StreamControl.maxStreamData)
    }
    if (send !== null && (stream.control & StreamControl.streamDataBlocked) !== 0) {
      const limit = send.flow.limit
      if (sink.room() < streamLimitFrameSize(id, limit)) return false
      writeStreamDataBlockedFrame(writer, id, limit)
      send.onSent(false)
      sink.token(TokenKind.streamDataBlocked, id, limit, 0)
      this.withdraw(stream, StreamControl.streamDataBlocked)
    }
    return true
  }

  /** One STREAM frame as long as fits. False: not even a byte fits. */
  private writeStreamFrame(stream: Stream, resend: boolean, sink: FrameSink): boolean {
    const send = stream.send!
    const buffer = send.buffer
    let offset = buffer.sent
    let available = 0
    if (!resend) {
      available = Math.min(buffer.unsent(), send.flow.credit(), this.sendFlow.credit())
    } else if (buffer.hasLost()) {
      offset = buffer.lostStart()
      available = buffer.lostEnd() - offset
    }
    const room = sink.room() - streamFrameHeaderSize(stream.id, offset, -1)
    const length = Math.min(available, room - varintSize(room < available ? (room > 0 ? room : 0) : available))
    if (length < 0 || (length === 0 && available > 0)) return false
    const end = offset + length
    const fin = send.finWritten && end === buffer.end && !send.finAcked
    writeStreamFrameHeader(sink.writer, stream.id, offset, length, fin, true)
    if (length > 0) buffer.copyOut(sink.writer, offset, length)
    if (!resend) {
      send.flow.spend(length)
      this.sendFlow.spend(length)
    } else {
      this.bytesRetransmitted += length
    }
    sink.token(TokenKind.stream, stream.id, offset, packLengthAndFin(length, fin))
    send.onSent(fin)
    this.update(stream)
    if (!resend) {
      this.noteBlocked()
      if (send.wantsRoom) this.onProgress(stream)
    }
    return true
  }
}

function writeMaxStreams(limit: IncomingLimit, bidirectional: boolean, sink: FrameSink): boolean {
  if (!limit.update.wants()) return true
  const value = limit.update.value
  if (sink.room() < limitFrameSize(value)) return false
  writeMaxStreamsFrame(sink.writer, bidirectional, value)
  limit.onWritten()
  sink.token(TokenKind.maxStreams, bidirectional ? 1 : 0, value, 0)
  return true
}

function writeStreamsBlocked(limit: OutgoingLimit, bidirectional: boolean, sink: FrameSink): boolean {
  if (!limit.blocked.wants()) return true
  const value = limit.blocked.value
  if (sink.room() < limitFrameSize(value)) return false
  writeStreamsBlockedFrame(sink.writer, bidirectional, value)
  limit.blocked.written()
  sink.token(TokenKind.streamsBlocked, bidirectional ? 1 : 0, value, 0)
  return true
}
