import type { H3TraceSink } from '../trace/sink.ts'
import type { H3Transport } from '../transport.ts'
import { PendingUpdates } from './pending-updates.ts'
import { PriorityParameters, parsePriority, priorityFieldValue } from './priority.ts'
import type { RequestPriority } from './request-priority.ts'

/** Turns priorities of requests (RFC 9218) into the transport's order of streams. */

/** Urgencies 0..7 stand in the middle of the transport's 0..255: control streams go before all of them. */
const URGENCY_BASE = 124

/** Of a request stream, as far as this room sees it. */
export interface PrioritizedStream {
  readonly id: number
  readonly priority: RequestPriority
}

export class Priorities {
  private readonly transport: H3Transport
  private readonly trace: H3TraceSink | null
  private readonly pending: PendingUpdates
  /** Of responses that are wholly in the transport and not yet acknowledged: what is still to be sent of them can be put in another order. */
  private readonly leaving: Map<number, RequestPriority>
  private readonly scratch: PriorityParameters

  constructor(transport: H3Transport, trace: H3TraceSink | null) {
    this.transport = transport
    this.trace = trace
    this.pending = new PendingUpdates()
    this.leaving = new Map()
    this.scratch = new PriorityParameters()
  }

  /** A request stream has been opened, by either side. An update that came before it counts now. */
  opened(stream: PrioritizedStream): void {
    const update = this.pending.take(stream.id)
    if (update !== null) stream.priority.onUpdate(update, this.scratch)
    this.schedule(stream)
  }

  /** The `priority` field of a request, lines joined; null without one. */
  onRequestField(stream: PrioritizedStream, value: string | null): void {
    if (value !== null && stream.priority.onRequestField(value, this.scratch)) this.schedule(stream)
  }

  /** The `priority` field of a response we send (RFC 9218 §8). */
  onResponseField(stream: PrioritizedStream, value: string | null): void {
    if (value === null) return
    parsePriority(value, this.scratch)
    stream.priority.prefer(this.scratch)
    this.schedule(stream)
  }

  /** PRIORITY_UPDATE for a request that is open. */
  onUpdate(stream: PrioritizedStream, value: string): void {
    stream.priority.onUpdate(value, this.scratch)
    this.schedule(stream)
  }

  /** The request is over here, its stream is not: `closed` follows. */
  leave(stream: PrioritizedStream): void {
    this.leaving.set(stream.id, stream.priority)
  }

  /** The transport has closed the stream. */
  closed(streamId: number): void {
    this.leaving.delete(streamId)
  }

  /** A request that is over, while something of its response may still be sent. */
  findLeaving(streamId: number): PrioritizedStream | undefined {
    const priority = this.leaving.get(streamId)
    return priority === undefined ? undefined : { id: streamId, priority }
  }

  /** PRIORITY_UPDATE for a request not seen yet. */
  onEarlyUpdate(streamId: number, value: string): void {
    this.pending.set(streamId, value)
  }

  earlyUpdate(streamId: number): string | null {
    return this.pending.get(streamId)
  }

  /** The application's choice. */
  prefer(stream: PrioritizedStream, urgency: number, incremental: boolean): void {
    this.scratch.urgency = urgency
    this.scratch.incremental = incremental ? 1 : 0
    stream.priority.prefer(this.scratch)
    this.schedule(stream)
  }

  private schedule(stream: PrioritizedStream): void {
    const { urgency, incremental } = stream.priority
    this.transport.streamSetPriority(stream.id, URGENCY_BASE + urgency, incremental)
    this.trace?.priorityUpdated(stream.id, priorityFieldValue(urgency, incremental))
  }
}
