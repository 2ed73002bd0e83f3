// A reusable, bounds-checked cursor over somebody else's bytes. It never throws: a read that does not fit sets
// `failed`, moves to the end (so every later read fails as well) and returns 0. Check `failed` once, after the last field.

import { EMPTY } from '../base/bytes.ts'
import type { WireValue } from './varint.ts'
import { readVarint, readVarintExact, varintLengthAt } from './varint.ts'

export class Reader {
  buffer: Uint8Array
  position: number
  end: number
  /** True once a read did not fit; sticky until reset. */
  failed: boolean

  constructor(buffer: Uint8Array = EMPTY, start: number = 0, end: number = buffer.length) {
    this.buffer = buffer
    this.position = start
    this.end = end
    this.failed = false
  }

  /** Reads buffer[start, end) from now on. */
  reset(buffer: Uint8Array, start: number, end: number): void {
    this.buffer = buffer
    this.position = start
    this.end = end < buffer.length ? end : buffer.length
    this.failed = false
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.end - this.position
  }

  u8(): number {
    const position = this.position
    if (position >= this.end) return this.fail()
    this.position = position + 1
    return this.buffer[position]!
  }

  u16(): number {
    const position = this.position
    if (position + 2 > this.end) return this.fail()
    this.position = position + 2
    return (this.buffer[position]! << 8) | this.buffer[position + 1]!
  }

  u24(): number {
    const position = this.position
    if (position + 3 > this.end) return this.fail()
    this.position = position + 3
    const buffer = this.buffer
    return (buffer[position]! << 16) | (buffer[position + 1]! << 8) | buffer[position + 2]!
  }

  u32(): number {
    const position = this.position
    if (position + 4 > this.end) return this.fail()
    this.position = position + 4
    const buffer = this.buffer
    return ((buffer[position]! << 24) | (buffer[position + 1]! << 16) | (buffer[position + 2]! << 8) | buffer[position + 3]!) >>> 0
  }

  /** A varint of at most 2^53 − 1; a larger one fails. For offsets, packet numbers, lengths and identifiers. */
  varint(): number {
    const position = this.position
    const value = readVarint(this.buffer, position, this.end)
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) return this.fail()
    this.position = position + varintLengthAt(this.buffer[position]!)
    return value
  }

  /** A varint clamped to 2^53 − 1. For limits. */
  varintSaturating(): number {
    const position = this.position
    const value = readVarint(this.buffer, position, this.end)
    if (value < 0) return this.fail()
    this.position = position + varintLengthAt(this.buffer[position]!)
    return value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : value
  }

  /** A varint, exact: a bigint when above 2^53 − 1. For error codes. */
  varintExact(): WireValue {
    const position = this.position
    const value = readVarintExact(this.buffer, position, this.end)
    if (value === -1) return this.fail()
    this.position = position + varintLengthAt(this.buffer[position]!)
    return value
  }

  /** Passes over `length` bytes. */
  skip(length: number): void {
    if (length > this.end - this.position || length < 0) this.fail()
    else this.position += length
  }

  /** The next `length` bytes as a view of the buffer: valid as long as the buffer is. Empty when they are not there. */
  view(length: number): Uint8Array {
    if (length > this.end - this.position || length < 0) {
      this.fail()
      return EMPTY
    }
    const start = this.position
    this.position = start + length
    return this.buffer.subarray(start, start + length)
  }

  /** Marks the input as malformed; returns 0. */
  fail(): number {
    this.failed = true
    this.position = this.end
    return 0
  }
}
