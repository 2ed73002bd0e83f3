// How many datagrams are under way from one thread to another, counted in memory both share: MessagePorts take any number, and a thread that
// does not keep up would let them pile up. What comes beyond the limit is dropped and counted, as by a full kernel buffer.

import { MAX_BATCH } from '../io/receive-queue.ts'

export class Backlog {
  dropped: number
  private readonly waiting: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.dropped = 0
    this.waiting = new Int32Array(memory)
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)
  }

  /** The sender, before each datagram; false: it is dropped. */
  admit(): boolean {
    if (Atomics.load(this.waiting, 0) >= MAX_BATCH) {
      this.dropped++
      return false
    }
    Atomics.add(this.waiting, 0, 1)
    return true
  }

  /** The receiver, when it has read that many. */
  taken(datagrams: number): void {
    Atomics.sub(this.waiting, 0, datagrams)
  }
}
