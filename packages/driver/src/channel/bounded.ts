// Bounded multi-producer channel. Each sender handle owns its own reservations; closing a handle returns them and drops only that
// clone. When all clones are closed the receiver drains what is buffered and then sees the end.

import { ChannelCore, type PermitWaiter } from './core.ts'
import { Receiver } from './receiver.ts'
import type { Waker } from './waker.ts'

export type TryReserved = 'reserved' | 'full' | 'closed'
export type TrySent = 'sent' | 'full' | 'closed'

const SENT: Promise<boolean> = Promise.resolve(true)
const NOT_SENT: Promise<boolean> = Promise.resolve(false)

export interface BoundedChannel<T extends object> {
  readonly sender: BoundedSender<T>
  readonly receiver: Receiver<T>
}

/** `capacity` ≥ 1: items queued plus slots reserved. */
export function bounded<T extends object>(capacity: number): BoundedChannel<T> {
  if (!Number.isSafeInteger(capacity) || capacity < 1) throw new RangeError(`channel capacity must be a positive integer, not ${capacity}`)
  const core = new ChannelCore<T>(capacity)
  return { sender: new BoundedSender(core), receiver: new Receiver(core) }
}

export class BoundedSender<T extends object> {
  private readonly core: ChannelCore<T>
  private open: boolean
  private held: number

  constructor(core: ChannelCore<T>) {
    this.core = core
    this.open = true
    this.held = 0
  }

  get capacity(): number {
    return this.core.capacity
  }

  /** True when nothing sent here can arrive any more: this handle or the receiver was closed. */
  get isClosed(): boolean {
    return !this.open || !this.core.isReceiverOpen
  }

  /** Takes a slot without waiting; use it with commit() or give it back with release(). */
  tryReserve(): TryReserved {
    if (this.isClosed) return 'closed'
    if (!this.core.tryReserve()) return 'full'
    this.held++
    return 'reserved'
  }

  /** Waits for a slot: true when reserved, false when closed. With an aborted `signal` it rejects with the signal's reason and holds no slot. */
  reserve(signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    const now = this.tryReserve()
    if (now === 'reserved') return SENT
    if (now === 'closed') return NOT_SENT
    return this.wait(null, signal)
  }

  /** Sends into a reserved slot; false when the receiver has gone in the meantime. */
  commit(value: T): boolean {
    if (this.held === 0) throw new RangeError('commit() without a reserved slot')
    this.held--
    this.core.commit(value)
    return this.core.isReceiverOpen
  }

  /** Gives a reserved slot back unused. */
  release(): void {
    if (this.held === 0) throw new RangeError('release() without a reserved slot')
    this.held--
    this.core.releasePermit()
  }

  trySend(value: T): TrySent {
    if (this.isClosed) return 'closed'
    if (!this.core.tryReserve()) return 'full'
    this.core.commit(value)
    return 'sent'
  }

  /** Queues beyond the capacity: for what is in memory anyway when its producer ends. False when closed. */
  sendBeyond(value: T): boolean {
    if (this.isClosed) return false
    this.core.enqueue(value)
    return true
  }

  /** Waits for room, then sends; false when the channel is closed. Concurrent sends keep their order. */
  send(value: T, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    const now = this.trySend(value)
    if (now === 'sent') return SENT
    if (now === 'closed') return NOT_SENT
    return this.wait(value, signal)
  }

  private wait(value: T | null, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise<boolean>((resolve, reject) => {
      const onAbort = (): void => {
        if (waiter.done) return
        waiter.done = true
        reject(signal?.reason as Error)
      }
      const waiter: PermitWaiter<T> = {
        done: false,
        owner: this,
        value,
        resolve: (granted) => {
          signal?.removeEventListener('abort', onAbort)
          if (granted && value === null) this.held++
          resolve(granted)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.core.waitForPermit(waiter)
    })
  }

  /** Another independent handle to the same channel. */
  clone(): BoundedSender<T> {
    const twin = new BoundedSender(this.core)
    if (this.open) this.core.addSender()
    else twin.open = false
    return twin
  }

  /** Drops this handle. Reserved slots are given back; waiting reserve() and send() calls of this handle see the channel closed. */
  close(): void {
    if (!this.open) return
    this.open = false
    this.core.removeSender(this)
    for (; this.held > 0; this.held--) this.core.releasePermit()
  }

  /** Poll form: `waker` is woken when room appears after tryReserve said 'full', and when the receiver closes. One per channel. */
  setWaker(waker: Waker | null, token: number): void {
    this.core.setSenderWaker(waker, token)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }
}
