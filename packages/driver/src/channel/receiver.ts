// The receiving handle of a channel, bounded or not. Closing it is what "dropping the receiver" means: buffered items are gone and
// senders see the channel closed. tryRecv and recv agree about the end at all times.

import type { ChannelCore, Waiter } from './core.ts'
import type { Waker } from './waker.ts'

/** What tryRecv found: an item, nothing at the moment, or the end (all senders closed and drained, or closed by ourselves). */
export type TryReceived<T> = T | 'empty' | 'disconnected'

export class Receiver<T extends object> implements AsyncIterableIterator<T, undefined, undefined> {
  private readonly core: ChannelCore<T>

  constructor(core: ChannelCore<T>) {
    this.core = core
  }

  /** Items that can be taken without waiting. */
  get length(): number {
    return this.core.queued
  }

  /** True once nothing can ever be received again. */
  get isClosed(): boolean {
    return !this.core.isReceiverOpen || (!this.core.hasSenders && this.core.queued === 0)
  }

  tryRecv(): TryReceived<T> {
    if (!this.core.isReceiverOpen) return 'disconnected'
    const value = this.core.take()
    if (value !== undefined) return value
    return this.core.hasSenders ? 'empty' : 'disconnected'
  }

  /**
   * The next item, or null at the end. Waiting calls are served in order. With an aborted `signal` the promise rejects with the
   * signal's reason and no item is lost.
   */
  recv(signal?: AbortSignal): Promise<T | null> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    const next = this.tryRecv()
    if (next === 'disconnected') return Promise.resolve(null)
    if (next !== 'empty') return Promise.resolve(next)
    return new Promise<T | null>((resolve, reject) => {
      if (signal === undefined) {
        this.core.waitForItem({ resolve, done: false })
        return
      }
      const waiter: Waiter<T | null> = {
        done: false,
        resolve(value) {
          signal.removeEventListener('abort', onAbort)
          resolve(value)
        },
      }
      const onAbort = (): void => {
        if (waiter.done) return
        waiter.done = true
        reject(signal.reason as Error)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.core.waitForItem(waiter)
    })
  }

  /** Stops receiving. Buffered items are discarded, waiting recv() calls resolve to null. */
  close(): void {
    this.core.closeReceiver()
  }

  /** Poll form: `waker` is woken when an item arrives after tryRecv said 'empty', and when the last sender closes. */
  setWaker(waker: Waker | null, token: number): void {
    this.core.setReceiverWaker(waker, token)
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    const value = await this.recv()
    return value === null ? { done: true, value: undefined } : { done: false, value }
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.close()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }
}
