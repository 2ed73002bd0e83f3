// Bytes on their way out, by stream offset, for streams and for CRYPTO data alike. The application's chunks are kept as they are
// and copied once, into the packet. Invariants: base <= sent <= end; everything below base is acknowledged and released; acked and
// lost ranges lie in [base, sent) and do not overlap. A stream that is reset with partial delivery owes the peer no byte from `owed` on.

import { invariant } from '../base/assert.ts'
import { RangeSet } from '../base/range-set.ts'
import { Ring } from '../base/ring.ts'
import type { Writer } from '../wire/writer.ts'

/** Stream bytes [offset, end), at data[start…]. */
class Chunk {
  readonly data: Uint8Array
  readonly start: number
  readonly offset: number
  readonly end: number

  constructor(data: Uint8Array, start: number, offset: number, end: number) {
    this.data = data
    this.start = start
    this.offset = offset
    this.end = end
  }
}

export class SendBuffer {
  /** Everything below is acknowledged. */
  base: number
  /** Everything below has been sent at least once. */
  sent: number
  /** One past the last byte written. */
  end: number
  /** Bytes from here on need not arrive; Infinity: all must. */
  private owed: number
  private readonly chunks: Ring<Chunk>
  /** Index of the chunk with the byte at `sent`; chunks.length when there is none. */
  private cursor: number
  // Made by the first gap: most streams never have one.
  private ackedRanges: RangeSet | null
  private lostRanges: RangeSet | null

  constructor() {
    this.base = 0
    this.sent = 0
    this.end = 0
    this.owed = Infinity
    this.chunks = new Ring<Chunk>()
    this.cursor = 0
    this.ackedRanges = null
    this.lostRanges = null
  }

  /** Takes over data[start, end): nobody may change it from now on. */
  write(data: Uint8Array, start: number, end: number): void {
    if (start >= end) return
    const offset = this.end
    this.end = offset + (end - start)
    this.chunks.push(new Chunk(data, start, offset, this.end))
  }

  /** Bytes never sent. */
  unsent(): number {
    return this.end - this.sent
  }

  /** Bytes held: sent and not acknowledged, or not sent. */
  get length(): number {
    return this.end - this.base
  }

  hasLost(): boolean {
    return this.lostRanges !== null && this.lostRanges.length > 0
  }

  /** First lost offset. Only when hasLost(). */
  lostStart(): number {
    return this.lostRanges!.startAt(0)
  }

  /** End of the first lost range. Only when hasLost(). */
  lostEnd(): number {
    return this.lostRanges!.endAt(0)
  }

  isAllAcked(): boolean {
    return this.base >= this.end || this.base >= this.owed
  }

  /** Only the first `size` bytes must still arrive; what is beyond and was never sent is dropped. */
  oweOnly(size: number): void {
    this.owed = size
    if (this.end > size) this.end = this.sent > size ? this.sent : size
    const chunks = this.chunks
    while (chunks.length > 0 && chunks.at(chunks.length - 1)!.offset >= size) chunks.pop()
    if (this.cursor > chunks.length) this.cursor = chunks.length
    if (this.lostRanges !== null) this.lostRanges.remove(size, Infinity)
  }

  /** Copies stream bytes [offset, offset + length) into the packet. They start at lostStart() or at `sent`, and count as sent. */
  copyOut(writer: Writer, offset: number, length: number): void {
    const end = offset + length
    invariant(offset >= this.base && end <= this.end, 'send buffer read outside of its bytes')
    let index = this.chunkAt(offset)
    let position = offset
    while (position < end) {
      const chunk = this.chunks.at(index)!
      const until = chunk.end < end ? chunk.end : end
      writer.bytes(chunk.data, chunk.start + (position - chunk.offset), chunk.start + (until - chunk.offset))
      position = until
      if (chunk.end === until) index++
    }
    if (offset === this.sent) {
      this.sent = end
      this.cursor = index
    } else {
      this.lostRanges!.remove(offset, end)
    }
  }

  acked(offset: number, length: number): void {
    const end = offset + length
    invariant(end <= this.sent, 'bytes acknowledged that were never sent')
    if (end <= this.base) return
    if (offset > this.base) {
      if (this.ackedRanges === null) this.ackedRanges = new RangeSet()
      this.ackedRanges.add(offset, end)
      if (this.lostRanges !== null) this.lostRanges.remove(offset, end)
      return
    }
    this.base = end
    const acked = this.ackedRanges
    if (acked !== null) {
      while (acked.length > 0 && acked.startAt(0) <= this.base) {
        if (acked.endAt(0) > this.base) this.base = acked.endAt(0)
        acked.popFirst()
      }
    }
    if (this.lostRanges !== null) this.lostRanges.remove(0, this.base)
    this.release()
  }

  /** To be sent again: what of it has not been acknowledged meanwhile. */
  lost(offset: number, length: number): void {
    invariant(offset + length <= this.sent, 'bytes lost that were never sent')
    const end = Math.min(offset + length, this.owed)
    let position = offset > this.base ? offset : this.base
    if (position >= end) return
    if (this.lostRanges === null) this.lostRanges = new RangeSet()
    const acked = this.ackedRanges
    if (acked !== null) {
      for (let i = firstEndingAfter(acked, position); i < acked.length && acked.startAt(i) < end; i++) {
        this.lostRanges.add(position, acked.startAt(i))
        position = acked.endAt(i)
      }
    }
    this.lostRanges.add(position, end)
  }

  /** Gives up everything; what was sent stays counted in `sent`. */
  clear(): void {
    this.base = this.sent
    this.end = this.sent
    this.chunks.clear()
    this.cursor = 0
    this.ackedRanges = null
    this.lostRanges = null
  }

  /** Nothing counts as sent any more. Only while nothing was acknowledged. */
  startOver(): void {
    invariant(this.ackedRanges === null && this.base <= this.sent, 'start over after an acknowledgment')
    // After clear() the bytes that are gone still count: the stream ends at 0 then.
    this.end -= this.base
    if (this.end > this.owed) this.end = this.owed
    this.base = 0
    this.sent = 0
    this.cursor = 0
    this.lostRanges = null
  }

  private release(): void {
    const chunks = this.chunks
    for (;;) {
      const head = chunks.peek()
      if (head === undefined || head.end > this.base) return
      chunks.shift()
      this.cursor--
    }
  }

  private chunkAt(offset: number): number {
    const chunks = this.chunks
    if (offset >= this.sent) return this.cursor
    let low = 0
    let high = this.cursor < chunks.length ? this.cursor : chunks.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (chunks.at(middle)!.end <= offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Index of the first range that ends after `value`; length when there is none. */
function firstEndingAfter(ranges: RangeSet, value: number): number {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ranges.endAt(middle) <= value) low = middle + 1
    else high = middle
  }
  return low
}
