// A reusable cursor over the caller's buffer. It writes in place and never allocates. The caller asks `remaining`
// first; writing past `limit` is a bug (InvariantError), never a truncated packet.

import { InvariantError } from '../base/assert.ts'
import { EMPTY, viewOf } from '../base/bytes.ts'
import type { WireValue } from './varint.ts'
import { varintSize, varintSizeExact, writeVarint, writeVarint2, writeVarint4, writeVarintExact } from './varint.ts'

// Up to here a byte loop beats the subarray() that a partial set() needs.
const LOOP_COPY_LIMIT = 32

export class Writer {
  buffer: Uint8Array
  position: number
  /** One past the last byte that may be written. */
  limit: number

  constructor(buffer: Uint8Array = EMPTY, start: number = 0, limit: number = buffer.length) {
    this.buffer = buffer
    this.position = start
    this.limit = limit
  }

  /** Writes into buffer[start, limit) from now on. */
  reset(buffer: Uint8Array, start: number, limit: number): void {
    this.buffer = buffer
    this.position = start
    this.limit = limit < buffer.length ? limit : buffer.length
  }

  /** Bytes that may still be written. */
  get remaining(): number {
    return this.limit - this.position
  }

  u8(value: number): void {
    this.buffer[this.claim(1)] = value
  }

  u16(value: number): void {
    const position = this.claim(2)
    this.buffer[position] = value >>> 8
    this.buffer[position + 1] = value
  }

  u24(value: number): void {
    const position = this.claim(3)
    this.buffer[position] = value >>> 16
    this.buffer[position + 1] = value >>> 8
    this.buffer[position + 2] = value
  }

  u32(value: number): void {
    const position = this.claim(4)
    this.buffer[position] = value >>> 24
    this.buffer[position + 1] = value >>> 16
    this.buffer[position + 2] = value >>> 8
    this.buffer[position + 3] = value
  }

  /** The shortest varint of `value` (0 to 2^53 − 1). */
  varint(value: number): void {
    writeVarint(this.buffer, this.claim(varintSize(value)), value)
  }

  /** The shortest varint of an exact 62-bit value. */
  varintExact(value: WireValue): void {
    writeVarintExact(this.buffer, this.claim(varintSizeExact(value)), value)
  }

  /** A varint of exactly two bytes (value below 2^14). */
  varint2(value: number): void {
    writeVarint2(this.buffer, this.claim(2), value)
  }

  /** A varint of exactly four bytes (value below 2^30). */
  varint4(value: number): void {
    writeVarint4(this.buffer, this.claim(4), value)
  }

  /** Copies source[start, end). */
  bytes(source: Uint8Array, start: number = 0, end: number = source.length): void {
    const length = end - start
    const position = this.claim(length)
    if (length <= LOOP_COPY_LIMIT) {
      const buffer = this.buffer
      for (let i = 0; i < length; i++) buffer[position + i] = source[start + i]!
    } else if (length === source.length) {
      this.buffer.set(source, position)
    } else {
      this.buffer.set(viewOf(source, start, end), position)
    }
  }

  /** `length` zero bytes: PADDING frames. */
  zeros(length: number): void {
    const position = this.claim(length)
    this.buffer.fill(0, position, position + length)
  }

  private claim(length: number): number {
    const position = this.position
    if (length < 0 || position + length > this.limit) throw new InvariantError('writer has no room')
    this.position = position + length
    return position
  }
}
