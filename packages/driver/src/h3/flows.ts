// Datagram flows of a connection: one bounded inbound channel per flow, one outbound channel shared by all. Datagrams are lossy: what
// finds a full channel is dropped. Flows the peer starts by itself, without a request, are limited.

import type { H3Connection } from '@quicwire/h3'
import { bounded, type BoundedChannel, type BoundedSender } from '../channel/bounded.ts'
import type { Waker } from '../channel/waker.ts'
import type { InboundDatagram, InboundDatagramStream, OutboundDatagram, OutboundDatagramSender } from './frames.ts'

interface FlowContext {
  readonly inbound: BoundedSender<InboundDatagram>
  readonly autonomous: boolean
}

/** A flow's ends for the application. */
export interface FlowHandles {
  readonly flowId: number
  readonly send: OutboundDatagramSender
  readonly recv: InboundDatagramStream
}

export class Flows {
  private readonly capacity: number
  private readonly maxAutonomous: number
  private readonly flows: Map<number, FlowContext>
  /** Made with the first flow: most connections never have one. */
  private outbound: BoundedChannel<OutboundDatagram> | null
  private readonly waker: Waker
  private readonly token: number
  private autonomous: number

  constructor(capacity: number, maxAutonomous: number, waker: Waker, token: number) {
    this.capacity = capacity
    this.maxAutonomous = maxAutonomous
    this.flows = new Map()
    this.outbound = null
    this.waker = waker
    this.token = token
    this.autonomous = 0
  }

  get size(): number {
    return this.flows.size
  }

  has(flowId: number): boolean {
    return this.flows.has(flowId)
  }

  /** Null when the flow exists already, or the peer has started as many as it may. */
  open(flowId: number, autonomous: boolean): FlowHandles | null {
    if (this.flows.has(flowId) || (autonomous && this.autonomous >= this.maxAutonomous)) return null
    const { sender, receiver } = bounded<InboundDatagram>(this.capacity)
    this.flows.set(flowId, { inbound: sender, autonomous })
    if (autonomous) this.autonomous++
    if (this.outbound === null) {
      this.outbound = bounded<OutboundDatagram>(this.capacity)
      this.outbound.receiver.setWaker(this.waker, this.token)
    }
    return { flowId, send: this.outbound.sender.clone(), recv: receiver }
  }

  close(flowId: number): void {
    const flow = this.flows.get(flowId)
    if (flow === undefined) return
    this.flows.delete(flowId)
    if (flow.autonomous) this.autonomous--
    flow.inbound.close()
  }

  /** Best effort. */
  deliver(flowId: number, data: Uint8Array): void {
    this.flows.get(flowId)?.inbound.trySend({ kind: 'Datagram', data })
  }

  /** Sends what is queued; returns at a FlowShutdown, which is the caller's business, or null when nothing is left. */
  pump(h3: H3Connection): Extract<OutboundDatagram, { kind: 'FlowShutdown' }> | null {
    if (this.outbound === null) return null
    for (;;) {
      const next = this.outbound.receiver.tryRecv()
      if (next === 'empty' || next === 'disconnected') return null
      if (next.kind === 'FlowShutdown') return next
      // Past the types: a frame of a stream is none of a flow.
      if (next.kind === 'Datagram') h3.sendDatagram(next.flowId * 4, next.data)
    }
  }

  closeAll(): void {
    for (const flow of this.flows.values()) flow.inbound.close()
    this.flows.clear()
    this.autonomous = 0
    this.outbound?.receiver.close()
  }
}
