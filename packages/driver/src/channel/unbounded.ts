// Unbounded multi-producer channel for events and commands: sending never waits.

import { ChannelCore } from './core.ts'
import { Receiver } from './receiver.ts'
import type { Waker } from './waker.ts'

export interface UnboundedChannel<T extends object> {
  readonly sender: UnboundedSender<T>
  readonly receiver: Receiver<T>
}

export function unbounded<T extends object>(): UnboundedChannel<T> {
  const core = new ChannelCore<T>(Infinity)
  return { sender: new UnboundedSender(core), receiver: new Receiver(core) }
}

export class UnboundedSender<T extends object> {
  private readonly core: ChannelCore<T>
  private open: boolean

  constructor(core: ChannelCore<T>) {
    this.core = core
    this.open = true
  }

  get isClosed(): boolean {
    return !this.open || !this.core.isReceiverOpen
  }

  /** False when the receiver has gone or this handle was closed. */
  send(value: T): boolean {
    if (this.isClosed) return false
    this.core.enqueue(value)
    return true
  }

  /** The newest item not yet received, for producers that merge. */
  last(): T | undefined {
    return this.core.last()
  }

  clone(): UnboundedSender<T> {
    const twin = new UnboundedSender(this.core)
    if (this.open) this.core.addSender()
    else twin.open = false
    return twin
  }

  close(): void {
    if (!this.open) return
    this.open = false
    this.core.removeSender(this)
  }

  /** Poll form: `waker` is woken when the receiver closes. One per channel. */
  setWaker(waker: Waker | null, token: number): void {
    this.core.setSenderWaker(waker, token)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
