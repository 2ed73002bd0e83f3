// The receiving half of one stream: state, reassembly, final size, flow control of the stream and its share of the connection's
// (RFC 9000 §2.2, §3.2, §4.1, §4.5). Invariant: what this half took from the connection's credit is `flow.received`, what it gave
// back is `flow.consumed`; when the half is terminal both are the final size.

import { FrameType, TransportErrorCode } from '../wire/constants.ts'
import { TransportError } from '../wire/transport-error.ts'
import type { WireValue } from '../wire/varint.ts'
import type { FlowClock } from './flow-receiver.ts'
import { FlowReceiver } from './flow-receiver.ts'
import { Reassembler } from './reassembler.ts'
import { isTerminalRecvState, nextRecvState, NO_TRANSITION, RecvEvent, RecvState } from './recv-state.ts'

export class RecvStream {
  state: RecvState
  readonly flow: FlowReceiver
  readonly data: Reassembler
  /** -1 until known. */
  finalSize: number
  /** Of the peer's RESET_STREAM or RESET_STREAM_AT, -1 when none. */
  resetCode: WireValue
  /** The smallest of the peer's RESET_STREAM_AT frames, -1 when none. */
  reliableSize: number
  /** The application does not want the rest: incoming data is dropped on arrival. */
  stopped: boolean
  stopCode: WireValue
  private readonly connection: FlowReceiver

  constructor(window: number, maxWindow: number, clock: FlowClock, connection: FlowReceiver) {
    this.state = RecvState.recv
    this.flow = new FlowReceiver(window, maxWindow, clock)
    this.data = new Reassembler()
    this.finalSize = -1
    this.resetCode = -1
    this.reliableSize = -1
    this.stopped = false
    this.stopCode = 0
    this.connection = connection
  }

  isTerminal(): boolean {
    return isTerminalRecvState(this.state)
  }

  /** STREAM and FIN may still change something; MAX_STREAM_DATA is worth sending only in "Recv". */
  isOpen(): boolean {
    return this.state === RecvState.recv || this.state === RecvState.sizeKnown
  }

  /** A STREAM frame. True when there is something new for the application: readable bytes or the end. */
  onStream(offset: number, buffer: Uint8Array, dataStart: number, length: number, fin: boolean, frameType: number): boolean {
    const end = offset + length
    if (fin) this.checkFinalSize(end, frameType)
    else if (this.finalSize >= 0 && end > this.finalSize) throw finalSizeError(frameType, 'data beyond the final size')
    this.receiveUpTo(end, frameType)
    if (!this.isOpen()) return false
    if (fin && this.finalSize < 0) {
      this.finalSize = end
      this.step(RecvEvent.fin)
    }
    if (this.stopped) {
      this.returnCredit()
      this.finishIfStopped()
      return false
    }
    const before = this.data.contiguousEnd
    if (!this.data.insert(offset, buffer, dataStart, length)) {
      throw new TransportError(TransportErrorCode.protocolViolation, frameType, 'too many gaps in received stream data')
    }
    const complete = this.isComplete()
    if (complete) this.completed()
    return complete || this.data.contiguousEnd > before
  }

  /** A RESET_STREAM frame. True when it reset this half, and the application is to be told. */
  onReset(code: WireValue, finalSize: number): boolean {
    this.checkFinalSize(finalSize, FrameType.resetStream)
    if (this.reliableSize >= 0) this.checkCode(code, FrameType.resetStream)
    this.receiveUpTo(finalSize, FrameType.resetStream)
    if (!this.isOpen()) return false
    this.finalSize = finalSize
    this.resetCode = code
    this.step(RecvEvent.reset)
    this.data.clear()
    this.returnCredit()
    if (!this.stopped) return true
    this.step(RecvEvent.resetRead)
    return false
  }

  /** A RESET_STREAM_AT frame, `reliableSize` at most `finalSize`. True when the application has something new to look at. */
  onResetAt(code: WireValue, finalSize: number, reliableSize: number): boolean {
    this.checkFinalSize(finalSize, FrameType.resetStreamAt)
    this.checkCode(code, FrameType.resetStreamAt)
    this.receiveUpTo(finalSize, FrameType.resetStreamAt)
    if (!this.isOpen()) return false
    this.finalSize = finalSize
    this.resetCode = code
    // RESET_STREAM_AT §5.2: one that increases the Reliable Size was overtaken on the way.
    if (this.reliableSize < 0 || reliableSize < this.reliableSize) this.reliableSize = reliableSize
    this.step(RecvEvent.fin)
    if (this.stopped) {
      this.returnCredit()
      this.finishIfStopped()
      return false
    }
    if (!this.isComplete()) return false
    this.completed()
    return true
  }

  /** The end that has been read, or will be, is that of a stream reset with partial delivery. */
  endsInReset(): boolean {
    return this.reliableSize >= 0
  }

  /** The application knows of the reset. */
  onResetRead(): void {
    if (this.state === RecvState.resetRecvd) this.step(RecvEvent.resetRead)
  }

  peek(): Uint8Array | null {
    return this.stopped ? null : this.data.peek()
  }

  consume(length: number): void {
    this.data.consume(length)
    this.flow.consume(length)
    this.connection.consume(length)
    if (this.state === RecvState.dataRecvd && this.data.readable() === 0) this.allRead()
  }

  /** The application wants no more. True when a STOP_SENDING frame is worth sending. */
  stop(code: WireValue): boolean {
    if (this.stopped || this.isTerminal() || this.state === RecvState.resetRecvd) return false
    this.stopped = true
    this.stopCode = code
    this.data.clear()
    this.returnCredit()
    this.finishIfStopped()
    return this.state === RecvState.recv
  }

  // RESET_STREAM_AT §5.3: "Once all data up to the smallest Reliable Size have been received, it enters the "Data Recvd" state."
  private isComplete(): boolean {
    const end = this.data.contiguousEnd
    return end === this.finalSize || (this.reliableSize >= 0 && end >= this.reliableSize)
  }

  private completed(): void {
    this.step(RecvEvent.allData)
    if (this.data.readable() === 0) this.allRead()
  }

  // What came in order beyond the Reliable Size has been read as well; what is missing, or behind a gap, is given up.
  private allRead(): void {
    this.step(RecvEvent.dataRead)
    if (this.reliableSize < 0) return
    this.data.clear()
    this.returnCredit()
  }

  // Once stopped, the final size is all that is needed from the peer: the credit is settled, the data unwanted.
  private finishIfStopped(): void {
    if (this.state === RecvState.sizeKnown) this.step(RecvEvent.allData)
    if (this.state === RecvState.dataRecvd) this.step(RecvEvent.dataRead)
  }

  // RFC 9000 §4.5: "Once a final size for a stream is known, it cannot change."
  private checkFinalSize(finalSize: number, frameType: number): void {
    if (this.finalSize >= 0 ? finalSize !== this.finalSize : finalSize < this.flow.received) {
      throw finalSizeError(frameType, 'final size changed or below what has been received')
    }
  }

  // RESET_STREAM_AT §5.2: "If the receiver detects a change in those fields, it MUST close the connection".
  private checkCode(code: WireValue, frameType: number): void {
    if (this.resetCode !== -1 && code !== this.resetCode) {
      throw new TransportError(TransportErrorCode.streamStateError, frameType, 'application error code of a reset changed')
    }
  }

  private receiveUpTo(end: number, frameType: number): void {
    const bytes = end - this.flow.received
    if (bytes <= 0) return
    if (bytes > this.flow.credit()) {
      throw new TransportError(TransportErrorCode.flowControlError, frameType, 'more stream data than MAX_STREAM_DATA allows')
    }
    if (bytes > this.connection.credit()) {
      throw new TransportError(TransportErrorCode.flowControlError, frameType, 'more data than MAX_DATA allows')
    }
    this.flow.receive(bytes)
    this.connection.receive(bytes)
  }

  private returnCredit(): void {
    const bytes = this.flow.received - this.flow.consumed
    this.flow.consume(bytes)
    this.connection.consume(bytes)
  }

  private step(event: RecvEvent): void {
    const next = nextRecvState(this.state, event)
    if (next !== NO_TRANSITION) this.state = next
  }
}

function finalSizeError(frameType: number, reason: string): TransportError {
  return new TransportError(TransportErrorCode.finalSizeError, frameType, reason)
}
