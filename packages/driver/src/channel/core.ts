// State shared by the handles of one channel: queue, permits, waiting parties. Handles (bounded.ts, unbounded.ts, receiver.ts) are thin.
// Invariants: queued + reserved <= capacity; a party waits only while it cannot proceed (no queued item, no free permit);
// a permit freed while somebody waits is handed over at once, so that a late tryReserve cannot overtake a waiting reserve.

import { Ring } from '@quicwire/quic/ring'
import type { Waker } from './waker.ts'

export interface Waiter<V> {
  resolve(value: V): void
  done: boolean
}

/** A waiting reserve() (value null) or send() (its value goes in at the moment a slot frees, which keeps concurrent sends in order). */
export interface PermitWaiter<T> extends Waiter<boolean> {
  readonly owner: object
  readonly value: T | null
}

const LEAST_SLOTS = 4

export class ChannelCore<T extends object> {
  readonly capacity: number
  private readonly items: Ring<T>
  // Made by the first party that waits: most channels are one message long, and a stream has two of them.
  private receivers: Ring<Waiter<T | null>> | null
  private reservers: Ring<PermitWaiter<T>> | null
  private reserved: number
  private senders: number
  private receiverOpen: boolean
  private receiverWaker: Waker | null
  private receiverToken: number
  private receiverArmed: boolean
  private senderWaker: Waker | null
  private senderToken: number
  private senderArmed: boolean

  constructor(capacity: number) {
    this.capacity = capacity
    this.items = new Ring(LEAST_SLOTS)
    this.receivers = null
    this.reservers = null
    this.reserved = 0
    this.senders = 1
    this.receiverOpen = true
    this.receiverWaker = null
    this.receiverToken = 0
    this.receiverArmed = false
    this.senderWaker = null
    this.senderToken = 0
    this.senderArmed = false
  }

  get queued(): number {
    return this.items.length
  }

  get isReceiverOpen(): boolean {
    return this.receiverOpen
  }

  get hasSenders(): boolean {
    return this.senders > 0
  }

  /** The newest item nobody has taken yet; lets a producer merge into it instead of queueing another. */
  last(): T | undefined {
    return this.items.last()
  }

  // -- sending side

  hasRoom(): boolean {
    return this.items.length + this.reserved < this.capacity
  }

  tryReserve(): boolean {
    if (!this.hasRoom()) {
      this.senderArmed = true
      return false
    }
    this.reserved++
    return true
  }

  waitForPermit(waiter: PermitWaiter<T>): void {
    this.reservers ??= new Ring(LEAST_SLOTS)
    this.reservers.push(waiter)
  }

  releasePermit(): void {
    this.reserved--
    this.permitFreed()
  }

  /** Queues an item whose permit is held by the caller. */
  commit(value: T): void {
    this.reserved--
    this.enqueue(value)
  }

  /** Queues an item; the caller has checked hasRoom(). */
  enqueue(value: T): void {
    if (!this.receiverOpen) {
      return
    }
    const { receivers } = this
    for (let waiter = receivers?.shift(); waiter !== undefined; waiter = receivers?.shift()) {
      if (waiter.done) continue
      waiter.done = true
      waiter.resolve(value)
      this.permitFreed()
      return
    }
    this.items.push(value)
    this.wakeReceiver()
  }

  addSender(): void {
    this.senders++
  }

  /** A handle goes: its waiting calls see the channel closed. */
  removeSender(owner: object): void {
    if (this.reservers !== null) dismiss(this.reservers, owner)
    this.senders--
    if (this.senders > 0) return
    if (this.items.length === 0) this.endReceivers()
    if (this.receiverWaker !== null && this.receiverOpen) this.receiverWaker.wake(this.receiverToken)
  }

  setSenderWaker(waker: Waker | null, token: number): void {
    this.senderWaker = waker
    this.senderToken = token
  }

  // -- receiving side

  take(): T | undefined {
    const value = this.items.shift()
    if (value !== undefined) {
      this.permitFreed()
      return value
    }
    this.receiverArmed = true
    return undefined
  }

  waitForItem(waiter: Waiter<T | null>): void {
    this.receivers ??= new Ring(LEAST_SLOTS)
    this.receivers.push(waiter)
  }

  closeReceiver(): void {
    if (!this.receiverOpen) return
    this.receiverOpen = false
    this.items.clear()
    this.endReceivers()
    if (this.reservers !== null) dismiss(this.reservers, null)
    if (this.senderWaker !== null && this.senders > 0) this.senderWaker.wake(this.senderToken)
  }

  setReceiverWaker(waker: Waker | null, token: number): void {
    this.receiverWaker = waker
    this.receiverToken = token
    this.receiverArmed = true
    if (waker !== null && (this.items.length > 0 || this.senders === 0)) this.wakeReceiver()
  }

  private wakeReceiver(): void {
    if (!this.receiverArmed || this.receiverWaker === null) return
    this.receiverArmed = false
    this.receiverWaker.wake(this.receiverToken)
  }

  private permitFreed(): void {
    if (!this.hasRoom()) return
    const { reservers } = this
    for (let waiter = reservers?.shift(); waiter !== undefined; waiter = reservers?.shift()) {
      if (waiter.done) continue
      waiter.done = true
      if (waiter.value === null) this.reserved++
      else this.enqueue(waiter.value)
      waiter.resolve(true)
      return
    }
    if (this.senderArmed && this.senderWaker !== null) {
      this.senderArmed = false
      this.senderWaker.wake(this.senderToken)
    }
  }

  private endReceivers(): void {
    const { receivers } = this
    for (let waiter = receivers?.shift(); waiter !== undefined; waiter = receivers?.shift()) {
      if (waiter.done) continue
      waiter.done = true
      waiter.resolve(null)
    }
  }
}

/** Tells those waiting that the channel is closed: those of one sender, or all. */
function dismiss<T>(reservers: Ring<PermitWaiter<T>>, owner: object | null): void {
  for (let left = reservers.length; left > 0; left--) {
    const waiter = reservers.shift()!
    if (waiter.done) continue
    if (owner !== null && waiter.owner !== owner) {
      reservers.push(waiter)
      continue
    }
    waiter.done = true
    waiter.resolve(false)
  }
}
