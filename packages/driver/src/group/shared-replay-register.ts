// The replay register of several threads (RFC 9846 §8.2): a table in shared memory. A claim is one 64-bit word, put in place with one
// compare-and-exchange, so that nobody waits and a thread that dies holds nothing up. The table never grows: where a bucket is full, early
// data is refused, which costs the client a round trip.

import type { ReplayRegister } from '@quicwire/quic'

/** Claims of one bucket. */
const WAYS = 16
const DEFAULT_CAPACITY = 65_536
const MIN_CAPACITY = WAYS
/** Seconds a claim lives on: clocks of threads differ a little, and words count whole seconds. */
const MARGIN = 2
const END_BITS = 32n
const END_MASK = 0xffff_ffffn

export class SharedReplayRegister implements ReplayRegister {
  private readonly slots: BigUint64Array
  private readonly buckets: number

  /** Over memory that other threads may have a register over, too. */
  constructor(memory: SharedArrayBuffer) {
    this.slots = new BigUint64Array(memory)
    this.buckets = Math.floor(this.slots.length / WAYS)
  }

  /** Memory for at least `capacity` claims at once: eight bytes each. Default 65 536. Throws RangeError. */
  static memory(capacity: number = DEFAULT_CAPACITY): SharedArrayBuffer {
    if (!Number.isInteger(capacity) || capacity < MIN_CAPACITY) throw new RangeError(`a replay register holds ${MIN_CAPACITY} claims or more`)
    return new SharedArrayBuffer(Math.ceil(capacity / WAYS) * WAYS * BigUint64Array.BYTES_PER_ELEMENT)
  }

  claim(id: Uint8Array, now: number, until: number): boolean {
    const view = new DataView(id.buffer, id.byteOffset, id.byteLength)
    // An id is a MAC: each of its bytes is as good as random. Who shares all these bits with another is refused for nothing.
    const first = (view.getUint32(0) % this.buckets) * WAYS
    const mark = view.getUint32(4)
    const nowSeconds = Math.floor(now / 1000)
    const word = (BigInt(mark) << END_BITS) | BigInt(Math.ceil(until / 1000) + MARGIN)
    for (let i = first; i < first + WAYS; i++) {
      const found = Atomics.load(this.slots, i)
      if (endOf(found) >= nowSeconds) {
        if (markOf(found) === mark) return false
        continue
      }
      const before = Atomics.compareExchange(this.slots, i, found, word)
      if (before === found) return this.isAlone(first, i, mark, nowSeconds)
      // Somebody was quicker, perhaps with this very id.
      if (markOf(before) === mark) return false
    }
    return false
  }

  /** Two that claim at once may take two slots of the bucket. One of them at least sees the other, and both may give way. */
  private isAlone(first: number, own: number, mark: number, nowSeconds: number): boolean {
    for (let i = first; i < first + WAYS; i++) {
      if (i === own) continue
      const other = Atomics.load(this.slots, i)
      if (markOf(other) === mark && endOf(other) >= nowSeconds) return false
    }
    return true
  }
}

/** Unix seconds; 0 in an empty slot. */
function endOf(word: bigint): number {
  return Number(word & END_MASK)
}

function markOf(word: bigint): number {
  return Number(word >> END_BITS)
}
