// The sending half of one stream: state, buffered bytes, FIN, the peer's credit (RFC 9000 §2.2, §3.1, §4.1). It has a place in two
// schedules: `resend` for what needs no new credit (lost bytes, a FIN alone), `fresh` for bytes never sent.

import type { WireValue } from '../wire/varint.ts'
import { FlowSender } from './flow-sender.ts'
import { ScheduleNode } from './scheduler.ts'
import { SendBuffer } from './send-buffer.ts'
import { isTerminalSendState, nextSendState, NO_TRANSITION, SendEvent, SendState } from './send-state.ts'

export class SendStream<Owner> {
  state: SendState
  readonly buffer: SendBuffer
  readonly flow: FlowSender
  readonly fresh: ScheduleNode<Owner>
  readonly resend: ScheduleNode<Owner>
  /** The application has written the end: buffer.end is the final size. */
  finWritten: boolean
  /** A FIN is to be sent (again). */
  finPending: boolean
  finAcked: boolean
  /** Of our RESET_STREAM or RESET_STREAM_AT. */
  resetCode: WireValue
  /** Bytes that arrive although the stream is reset (RESET_STREAM_AT); -1: no such reset. */
  reliableSize: number
  /** A RESET_STREAM_AT frame is to be sent (again), once the bytes it promises have been sent. */
  private resetAtPending: boolean
  private resetAtAcked: boolean
  /** Of the peer's STOP_SENDING, -1 when none. */
  stopCode: WireValue
  /** A write was cut short: tell when there is room. */
  wantsRoom: boolean

  constructor(owner: Owner, streamId: number, limit: number) {
    this.state = SendState.ready
    this.buffer = new SendBuffer()
    this.flow = new FlowSender(limit)
    this.fresh = new ScheduleNode(owner, streamId)
    this.resend = new ScheduleNode(owner, streamId)
    this.finWritten = false
    this.finPending = false
    this.finAcked = false
    this.resetCode = 0
    this.reliableSize = -1
    this.resetAtPending = false
    this.resetAtAcked = false
    this.stopCode = -1
    this.wantsRoom = false
  }

  isTerminal(): boolean {
    return isTerminalSendState(this.state)
  }

  /** The application may write. */
  isWritable(): boolean {
    return this.state <= SendState.send && !this.finWritten && this.reliableSize < 0
  }

  /** Something can be sent without new credit. */
  hasResend(): boolean {
    return this.buffer.hasLost() || (this.finPending && this.buffer.unsent() === 0)
  }

  /** Unsent bytes and credit of the stream for them. */
  hasFresh(): boolean {
    return this.buffer.unsent() > 0 && this.flow.credit() > 0
  }

  /** Unsent bytes and no credit of the stream. */
  isBlocked(): boolean {
    return this.state <= SendState.send && this.buffer.unsent() > 0 && this.flow.credit() <= 0
  }

  finish(): void {
    this.finWritten = true
    this.finPending = true
  }

  /** Early data was rejected: nothing of this half has reached the peer, and `limit` is what the peer allows. */
  startOver(limit: number): void {
    this.flow.startOver(limit)
    this.buffer.startOver()
    if (this.state > SendState.dataSent) return
    this.state = SendState.ready
    if (this.reliableSize >= 0) {
      this.finWritten = false
      this.resetAtPending = true
    }
    this.finPending = this.finWritten
  }

  /** A STREAM frame has been written. */
  onSent(fin: boolean): void {
    if (fin) this.finPending = false
    this.step(fin ? SendEvent.fin : SendEvent.stream)
  }

  /** A STREAM frame has been acknowledged. */
  onAcked(offset: number, length: number, fin: boolean): void {
    if (this.state > SendState.dataSent) return
    this.buffer.acked(offset, length)
    if (fin) {
      this.finAcked = true
      this.finPending = false
    }
    this.checkAllAcked()
  }

  /** A STREAM frame is lost. RFC 9000 §3.3: after RESET_STREAM nothing is repeated. */
  onLost(offset: number, length: number, fin: boolean): void {
    if (this.state > SendState.dataSent) return
    this.buffer.lost(offset, length)
    if (fin && !this.finAcked && this.reliableSize < 0) this.finPending = true
  }

  /** Gives up the rest; the final size is what has been sent. False when the half is past that. */
  reset(code: WireValue): boolean {
    if (this.state > SendState.dataSent) return false
    this.step(SendEvent.reset)
    // RESET_STREAM_AT §5.2: a later reset "MUST NOT change the Application Error Code".
    if (this.reliableSize < 0) this.resetCode = code
    this.resetAtPending = false
    this.buffer.clear()
    this.finPending = false
    this.wantsRoom = false
    return true
  }

  /** Gives up what is beyond the first `reliableSize` bytes, of those written. False: no such reset is possible (any more). */
  resetAt(code: WireValue, reliableSize: number): boolean {
    if (this.state > SendState.dataSent || reliableSize > this.buffer.end) return false
    // RESET_STREAM_AT §5.2: the initiator "MUST NOT increase the Reliable Size", nor change the code.
    if (this.reliableSize >= 0 && (code !== this.resetCode || reliableSize > this.reliableSize)) return false
    if (reliableSize === this.reliableSize) return true
    this.resetCode = code
    this.reliableSize = reliableSize
    this.buffer.oweOnly(reliableSize)
    // A FIN that was not sent must not follow: the peer would take what is left for the whole.
    if (this.state !== SendState.dataSent) this.finWritten = false
    this.finPending = false
    this.wantsRoom = false
    this.resetAtPending = true
    this.resetAtAcked = false
    return true
  }

  /** RESET_STREAM_AT §4: its Final Size is subject to flow control, so the promised bytes are sent, and charged, first. */
  wantsResetAt(): boolean {
    return this.resetAtPending && this.buffer.unsent() === 0
  }

  onResetAtSent(): void {
    this.resetAtPending = false
    this.step(SendEvent.fin)
  }

  /** A frame with another Reliable Size than the smallest said does not settle anything. */
  onResetAtAcked(reliableSize: number): void {
    if (this.state > SendState.dataSent || reliableSize !== this.reliableSize) return
    this.resetAtAcked = true
    this.resetAtPending = false
    this.checkAllAcked()
  }

  onResetAtLost(reliableSize: number): void {
    if (this.state <= SendState.dataSent && reliableSize === this.reliableSize && !this.resetAtAcked) this.resetAtPending = true
  }

  onResetAcked(): void {
    this.step(SendEvent.resetAcked)
  }

  /** Final size for RESET_STREAM and RESET_STREAM_AT. */
  finalSize(): number {
    return this.buffer.sent
  }

  // A FIN says the final size as well, but then all bytes have to be there.
  private checkAllAcked(): void {
    const all = this.finAcked && this.buffer.base === this.buffer.end
    if (all || (this.resetAtAcked && this.buffer.isAllAcked())) this.step(SendEvent.allAcked)
  }

  private step(event: SendEvent): void {
    const next = nextSendState(this.state, event)
    if (next !== NO_TRANSITION) this.state = next
  }
}
