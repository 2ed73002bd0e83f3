// A set of non-negative integers as ascending, disjoint, merged, half-open ranges [start, end) over one Float64Array.
// Holds received packet numbers (RFC 9000 §13.2.3) and byte offsets. Adding at the newest end, the common case, is
// constant time; everything else is a binary search and one copyWithin. Memory is bounded by who calls truncateOldest.

import { invariant } from './assert.ts'

const INITIAL_RANGES = 8

/** Values lie in [0, 2^53 − 1]; `end` arguments may be 2^53. */
export class RangeSet {
  private bounds: Float64Array
  private count: number

  constructor() {
    this.bounds = new Float64Array(INITIAL_RANGES * 2)
    this.count = 0
  }

  /** Number of ranges, not of values. */
  get length(): number {
    return this.count
  }

  /** First value of range `index`; ranges ascend from 0. */
  startAt(index: number): number {
    return this.bounds[index * 2]!
  }

  /** One past the last value of range `index`. */
  endAt(index: number): number {
    return this.bounds[index * 2 + 1]!
  }

  /** Smallest value; -1 when empty. */
  min(): number {
    return this.count === 0 ? -1 : this.bounds[0]!
  }

  /** Largest value; -1 when empty. */
  max(): number {
    return this.count === 0 ? -1 : this.bounds[this.count * 2 - 1]! - 1
  }

  /** Adds every value of [start, end); does nothing when the range is empty. */
  add(start: number, end: number): void {
    invariant(start >= 0, 'range starts below zero')
    if (start >= end) return
    const bounds = this.bounds
    const count = this.count
    if (count > 0) {
      const last = count * 2 - 2
      if (start >= bounds[last]! && start <= bounds[last + 1]!) {
        if (end > bounds[last + 1]!) bounds[last + 1] = end
        return
      }
    }
    // Ranges [first, after) touch or overlap [start, end) and become one.
    const first = this.firstEndingAtOrAfter(start)
    let after = first
    while (after < count && bounds[after * 2]! <= end) after++
    if (first === after) {
      this.insert(first, start, end)
      return
    }
    if (start < bounds[first * 2]!) bounds[first * 2] = start
    const lastEnd = bounds[after * 2 - 1]!
    bounds[first * 2 + 1] = end > lastEnd ? end : lastEnd
    this.erase(first + 1, after)
  }

  /** Removes every value of [start, end) that is there. */
  remove(start: number, end: number): void {
    if (start >= end) return
    const bounds = this.bounds
    let first = this.firstEndingAtOrAfter(start)
    // A range that ends where the removed one starts only touches it.
    if (first < this.count && this.endAt(first) === start) first++
    if (first === this.count || bounds[first * 2]! >= end) return
    if (bounds[first * 2]! < start) {
      const oldEnd = bounds[first * 2 + 1]!
      bounds[first * 2 + 1] = start
      if (oldEnd > end) {
        this.insert(first + 1, end, oldEnd)
        return
      }
      first++
    }
    let after = first
    while (after < this.count && bounds[after * 2 + 1]! <= end) after++
    if (after < this.count && bounds[after * 2]! < end) bounds[after * 2] = end
    this.erase(first, after)
  }

  contains(value: number): boolean {
    return this.containsRange(value, value + 1)
  }

  /** The smallest value from `from` on that is not there. */
  firstMissing(from: number): number {
    const index = this.firstEndingAtOrAfter(from + 1)
    return index < this.count && this.bounds[index * 2]! <= from ? this.bounds[index * 2 + 1]! : from
  }

  /** True when every value of [start, end) is there; true for an empty range. */
  containsRange(start: number, end: number): boolean {
    if (start >= end) return true
    const index = this.firstEndingAtOrAfter(end)
    return index < this.count && this.bounds[index * 2]! <= start
  }

  /** Drops the range with the smallest values; nothing when empty. */
  popFirst(): void {
    if (this.count > 0) this.erase(0, 1)
  }

  /** Keeps the `maxRanges` ranges with the largest values. */
  truncateOldest(maxRanges: number): void {
    if (this.count > maxRanges) this.erase(0, this.count - maxRanges)
  }

  clear(): void {
    this.count = 0
  }

  /** Index of the first range whose end is at or after `value`; `count` when there is none. */
  private firstEndingAtOrAfter(value: number): number {
    const bounds = this.bounds
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (bounds[middle * 2 + 1]! < value) low = middle + 1
      else high = middle
    }
    return low
  }

  private insert(index: number, start: number, end: number): void {
    if (this.count * 2 === this.bounds.length) {
      const grown = new Float64Array(this.bounds.length * 2)
      grown.set(this.bounds)
      this.bounds = grown
    }
    this.bounds.copyWithin(index * 2 + 2, index * 2, this.count * 2)
    this.bounds[index * 2] = start
    this.bounds[index * 2 + 1] = end
    this.count++
  }

  private erase(first: number, after: number): void {
    if (first === after) return
    this.bounds.copyWithin(first * 2, after * 2, this.count * 2)
    this.count -= after - first
  }
}
