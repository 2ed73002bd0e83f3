// One direction of the simulator's link: a first-in first-out queue, a device that holds one packet more, a line, a delay.

import { Ring } from '@quicwire/quic/ring'

/** Point-to-point framing on the line. */
const PPP_BYTES = 2
/** One packet in the device's own queue, one in transmission. */
const WITH_DEVICE = 2

export class Line {
  private readonly delayMs: number
  private readonly bitsPerSecond: number
  private readonly capacity: number
  private freeAt: number
  /** When each packet that is not yet wholly sent will be. */
  private readonly sentAt: Ring<number>

  constructor(options: { readonly delayMs: number; readonly bitsPerSecond: number; readonly queue: number }) {
    this.delayMs = options.delayMs
    this.bitsPerSecond = options.bitsPerSecond
    this.capacity = options.queue + WITH_DEVICE
    this.freeAt = 0
    this.sentAt = new Ring()
  }

  /** Packets in the queue at `now`, those with the device not counted. */
  waiting(now: number): number {
    while (this.sentAt.length > 0 && this.sentAt.peek()! <= now) this.sentAt.shift()
    return Math.max(0, this.sentAt.length - WITH_DEVICE)
  }

  /** When a packet of `length` bytes that comes at `now` arrives at the other end; null when it finds the queue full. */
  offer(length: number, now: number): number | null {
    this.waiting(now)
    if (this.sentAt.length >= this.capacity) return null
    this.freeAt = Math.max(now, this.freeAt) + ((length + PPP_BYTES) * 8000) / this.bitsPerSecond
    this.sentAt.push(this.freeAt)
    return this.freeAt + this.delayMs
  }
}
