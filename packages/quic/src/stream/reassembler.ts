// Bytes on their way in, for streams and for CRYPTO data alike (RFC 9000 §2.2). Data in order is kept as a view of the datagram
// it came in; data behind a gap is copied once, into slots of 4 KiB at fixed offsets, so that hostile fragments cost no more
// memory than the flow-control window allows. Small in-order pieces are gathered. Gaps are bounded; offsets are the caller's
// to bound (flow control). The first copy of a byte that becomes readable wins.

import { invariant } from '../base/assert.ts'
import { viewOf } from '../base/bytes.ts'
import { RangeSet } from '../base/range-set.ts'
import { Ring } from '../base/ring.ts'

/** More separate ranges than this behind the first gap are refused. */
export const MAX_GAPS = 1000

const SLOT_SIZE = 4096

// A view keeps its whole datagram alive and costs an object: smaller pieces are copied.
const MIN_VIEW = 512

/** Readable bytes buffer[start, end). */
class Segment {
  readonly buffer: Uint8Array
  start: number
  end: number
  /** The room behind `end` is ours to append to. */
  readonly appendable: boolean
  /** What peek() showed, as long as neither end has moved: readers look more than once. */
  view: Uint8Array | null

  constructor(buffer: Uint8Array, start: number, end: number, appendable: boolean) {
    this.buffer = buffer
    this.start = start
    this.end = end
    this.appendable = appendable
    this.view = null
  }
}

export class Reassembler {
  /** Offset of the next byte to read. */
  readOffset: number
  /** Everything below has been received. */
  contiguousEnd: number
  private readonly ready: Ring<Segment>
  // Made by the first gap: most streams never have one.
  private pending: RangeSet | null
  private slots: Map<number, Uint8Array> | null

  constructor() {
    this.readOffset = 0
    this.contiguousEnd = 0
    this.ready = new Ring<Segment>()
    this.pending = null
    this.slots = null
  }

  /** There are bytes behind a gap. */
  hasGap(): boolean {
    return this.pending !== null && this.pending.length > 0
  }

  /** Bytes that can be read now. */
  readable(): number {
    return this.contiguousEnd - this.readOffset
  }

  /** Takes in buffer[start, start + length) as the bytes at `offset`; the buffer is ours from now on. False: too many gaps. */
  insert(offset: number, buffer: Uint8Array, start: number, length: number): boolean {
    if (offset > this.contiguousEnd) return length === 0 || this.insertBehindGap(offset, buffer, start, length)
    const known = this.contiguousEnd - offset
    if (known >= length) return true
    this.append(buffer, start + known, length - known)
    const from = this.contiguousEnd
    this.contiguousEnd = offset + length
    if (this.pending !== null) this.absorb(from)
    return true
  }

  /** The next readable bytes, a view of at least one byte; null when there is nothing to read. */
  peek(): Uint8Array | null {
    const head = this.ready.peek()
    if (head === undefined) return null
    if (head.start === 0 && head.end === head.buffer.length) return head.buffer
    return (head.view ??= viewOf(head.buffer, head.start, head.end))
  }

  /** `length` readable bytes have been read. */
  consume(length: number): void {
    invariant(length <= this.contiguousEnd - this.readOffset, 'more consumed than readable')
    this.readOffset += length
    let left = length
    while (left > 0) {
      const head = this.ready.peek()!
      const here = head.end - head.start
      if (here > left) {
        head.start += left
        if (left > 0) head.view = null
        return
      }
      left -= here
      this.ready.shift()
    }
  }

  /** Drops all bytes. */
  clear(): void {
    this.readOffset = this.contiguousEnd
    this.ready.clear()
    this.pending = null
    this.slots = null
  }

  private append(buffer: Uint8Array, start: number, length: number): void {
    if (length >= MIN_VIEW && length * 2 >= buffer.buffer.byteLength) {
      this.ready.push(new Segment(buffer, start, start + length, false))
    } else {
      this.gather(buffer, start, length)
    }
  }

  private gather(buffer: Uint8Array, start: number, length: number): void {
    const tail = this.ready.at(this.ready.length - 1)
    let capacity = length
    if (tail !== undefined && tail.appendable) {
      if (tail.buffer.length - tail.end >= length) {
        copy(buffer, start, length, tail.buffer, tail.end)
        tail.end += length
        tail.view = null
        return
      }
      // Unread pieces pile up: gather them in ever larger buffers, so that their number stays logarithmic, then 1 per slot size.
      const grown = tail.buffer.length * 2
      capacity = grown > SLOT_SIZE ? SLOT_SIZE : grown
      if (capacity < length) capacity = length
    }
    const gathered = new Uint8Array(capacity)
    copy(buffer, start, length, gathered, 0)
    this.ready.push(new Segment(gathered, 0, length, true))
  }

  private insertBehindGap(offset: number, buffer: Uint8Array, start: number, length: number): boolean {
    if (this.pending === null || this.slots === null) {
      this.pending = new RangeSet()
      this.slots = new Map()
    }
    const end = offset + length
    if (this.pending.containsRange(offset, end)) return true
    this.pending.add(offset, end)
    if (this.pending.length > MAX_GAPS) return false
    let position = offset
    while (position < end) {
      const index = Math.floor(position / SLOT_SIZE)
      const inSlot = position - index * SLOT_SIZE
      const count = Math.min(SLOT_SIZE - inSlot, end - position)
      let slot = this.slots.get(index)
      if (slot === undefined) {
        slot = new Uint8Array(SLOT_SIZE)
        this.slots.set(index, slot)
      }
      copy(buffer, start + (position - offset), count, slot, inSlot)
      position += count
    }
    return true
  }

  /** The in-order end moved on from `from`: what was behind the gap and now follows becomes readable. */
  private absorb(from: number): void {
    const pending = this.pending!
    const slots = this.slots!
    while (pending.length > 0 && pending.startAt(0) <= this.contiguousEnd) {
      const end = pending.endAt(0)
      pending.popFirst()
      while (this.contiguousEnd < end) {
        const position = this.contiguousEnd
        const index = Math.floor(position / SLOT_SIZE)
        const inSlot = position - index * SLOT_SIZE
        const count = Math.min(SLOT_SIZE - inSlot, end - position)
        const slot = slots.get(index)!
        if (count >= MIN_VIEW) this.ready.push(new Segment(slot, inSlot, inSlot + count, false))
        else this.gather(slot, inSlot, count)
        this.contiguousEnd = position + count
      }
    }
    if (pending.length === 0) {
      this.pending = null
      this.slots = null
      return
    }
    const passed = Math.floor(this.contiguousEnd / SLOT_SIZE)
    for (let index = Math.floor(from / SLOT_SIZE); index < passed; index++) slots.delete(index)
  }
}

function copy(source: Uint8Array, start: number, length: number, target: Uint8Array, at: number): void {
  if (length <= 32) {
    for (let i = 0; i < length; i++) target[at + i] = source[start + i]!
  } else {
    target.set(start === 0 && length === source.length ? source : viewOf(source, start, start + length), at)
  }
}
