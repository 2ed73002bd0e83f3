// One HTTP stream in the driver: two half-stream machines and the channel ends that belong to them.
//   receive: open -> finWaiting -> finDelivered | peerReset | stoppedByUs       (finWaiting: end seen, channel full)
//   send:    open -> finQueued -> finSent | stoppedByPeer | resetByUs           (finQueued: final body accepted from the application)
// Frames wait in `queued` while the transport has no room, in the channel behind it, and then with the application: that is the backpressure.

import type { Header } from '@quicwire/h3'
import type { BoundedSender } from '../channel/bounded.ts'
import type { Receiver } from '../channel/receiver.ts'
import type { Waker } from '../channel/waker.ts'
import { H3AuditStats } from './audit-stats.ts'
import type { InboundFrame, InboundFrameStream, OutboundFrame, OutboundFrameSender } from './frames.ts'

export const ReceiveHalf = { open: 0, finWaiting: 1, finDelivered: 2, peerReset: 3, stoppedByUs: 4 } as const
export type ReceiveHalf = (typeof ReceiveHalf)[keyof typeof ReceiveHalf]

export const SendHalf = { open: 0, finQueued: 1, finSent: 2, stoppedByPeer: 3, resetByUs: 4 } as const
export type SendHalf = (typeof SendHalf)[keyof typeof SendHalf]

/** Tokens of a context's wakers. */
export const WAKE_INBOUND = 1
export const WAKE_OUTBOUND = 2

/** Where a woken context reports. */
export interface ReadyList {
  ready(context: StreamContext): void
}

/** The application's ends of a stream's channels. */
export interface ApplicationEnds {
  readonly send: OutboundFrameSender
  readonly recv: InboundFrameStream
}

export class StreamContext implements Waker {
  readonly id: number
  /** Towards the application. */
  readonly inbound: BoundedSender<InboundFrame>
  /** From the application. */
  readonly outbound: Receiver<OutboundFrame>
  readonly audit: H3AuditStats
  receive: ReceiveHalf
  send: SendHalf
  /** Taken from the channel, not yet wholly written. */
  queued: OutboundFrame | null
  /** Of a queued Body, what is still to be written. */
  remainder: Uint8Array | null
  /** Received trailers the channel had no room for yet. */
  trailers: readonly Header[] | null
  initialHeadersSent: boolean
  /** When the queued headers were first refused; -1 when they were not. */
  headersBlockedAt: number
  /** The datagram flow of an extended CONNECT; -1 for none. */
  flowId: number
  /** Client, until the final response headers: what the application gets with them. */
  pendingResponse: ApplicationEnds | null
  /** Client: a response has begun, an interim one included. */
  answered: boolean
  /** The transport has finished with the stream. */
  transportClosed: boolean
  /** Tokens woken since the driver last looked. */
  wakes: number
  private readonly list: ReadyList

  constructor(id: number, inbound: BoundedSender<InboundFrame>, outbound: Receiver<OutboundFrame>, list: ReadyList) {
    this.id = id
    this.inbound = inbound
    this.outbound = outbound
    this.audit = new H3AuditStats(id)
    this.receive = ReceiveHalf.open
    this.send = SendHalf.open
    this.queued = null
    this.remainder = null
    this.trailers = null
    this.initialHeadersSent = false
    this.headersBlockedAt = -1
    this.flowId = -1
    this.pendingResponse = null
    this.answered = false
    this.transportClosed = false
    this.wakes = 0
    this.list = list
  }

  /** Begins to listen to the application's ends of both channels. */
  watch(): void {
    this.inbound.setWaker(this, WAKE_INBOUND)
    this.outbound.setWaker(this, WAKE_OUTBOUND)
  }

  wake(token: number): void {
    const first = this.wakes === 0
    this.wakes |= token
    if (first) this.list.ready(this)
  }

  get isReceiveDone(): boolean {
    return this.receive >= ReceiveHalf.finDelivered
  }

  get isSendDone(): boolean {
    return this.send >= SendHalf.finSent
  }

  get isDone(): boolean {
    return this.isReceiveDone && this.isSendDone
  }

  /** Ends the receive half; what is buffered for the application stays readable. */
  endReceive(state: ReceiveHalf): void {
    this.receive = state
    this.trailers = null
    this.inbound.close()
  }

  /** Ends the send half; frames not yet written are lost and the application's senders see the channel closed. */
  endSend(state: SendHalf): void {
    this.send = state
    this.queued = null
    this.remainder = null
    this.outbound.close()
  }

  /** Lets go of both channels when the context is removed. */
  release(): void {
    this.inbound.setWaker(null, 0)
    this.outbound.setWaker(null, 0)
    this.inbound.close()
    this.outbound.close()
    this.queued = null
    this.remainder = null
    this.pendingResponse = null
  }
}
