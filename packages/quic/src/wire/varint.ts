// Variable-length integers (RFC 9000 §16) on `number`. Values above 2^53 − 1 do not fit a number exactly: the plain
// functions refuse or round them, the *Exact functions keep them as bigint. Nothing here allocates but bigints.
// Byte arithmetic, not DataView: the buffer changes with every datagram and a view per datagram would be garbage.

import { invariant } from '../base/assert.ts'
import { MAX_WIRE_VARINT } from './constants.ts'

/** A 62-bit value: a number up to 2^53 − 1, a bigint only above that. */
export type WireValue = number | bigint

const TWO_30 = 0x4000_0000
const TWO_32 = 0x1_0000_0000

/** Bytes the shortest encoding of `value` (0 to 2^53 − 1) takes. */
export function varintSize(value: number): 1 | 2 | 4 | 8 {
  return value < 64 ? 1 : value < 16384 ? 2 : value < TWO_30 ? 4 : 8
}

/** True for what a varint can carry: an integer of 0 to 2^62 - 1. */
export function isWireValue(value: WireValue): boolean {
  return typeof value === 'number' ? Number.isSafeInteger(value) && value >= 0 : value >= 0n && value <= MAX_WIRE_VARINT
}

/** Bytes the shortest encoding of an exact 62-bit value takes. */
export function varintSizeExact(value: WireValue): 1 | 2 | 4 | 8 {
  return typeof value === 'number' ? varintSize(value) : value < 64n ? 1 : value < 16384n ? 2 : value < 0x4000_0000n ? 4 : 8
}

/** Length in bytes (1, 2, 4 or 8) of the varint whose first byte this is. */
export function varintLengthAt(firstByte: number): number {
  return 1 << (firstByte >> 6)
}

/**
 * Reads the varint at `position`; it must end at or before `end`. Returns -1 when it is cut short. Above 2^53 − 1 the
 * result is the nearest double, so it still compares as too large; use readVarintExact where the value itself matters.
 * The next position is `position + varintLengthAt(buffer[position])`.
 */
export function readVarint(buffer: Uint8Array, position: number, end: number): number {
  if (position >= end) return -1
  const first = buffer[position]!
  if (first < 0x40) return first
  if (first < 0x80) return position + 2 > end ? -1 : ((first & 0x3f) << 8) | buffer[position + 1]!
  if (first < 0xc0) {
    if (position + 4 > end) return -1
    return ((first & 0x3f) << 24) | (buffer[position + 1]! << 16) | (buffer[position + 2]! << 8) | buffer[position + 3]!
  }
  if (position + 8 > end) return -1
  return high30(buffer, position) * TWO_32 + low32(buffer, position)
}

/** Like readVarint, but exact: a bigint when the value is above 2^53 − 1. */
export function readVarintExact(buffer: Uint8Array, position: number, end: number): WireValue {
  const value = readVarint(buffer, position, end)
  if (value <= Number.MAX_SAFE_INTEGER) return value
  return (BigInt(high30(buffer, position)) << 32n) | BigInt(low32(buffer, position))
}

function high30(buffer: Uint8Array, position: number): number {
  return ((buffer[position]! & 0x3f) << 24) | (buffer[position + 1]! << 16) | (buffer[position + 2]! << 8) | buffer[position + 3]!
}

function low32(buffer: Uint8Array, position: number): number {
  return ((buffer[position + 4]! << 24) | (buffer[position + 5]! << 16) | (buffer[position + 6]! << 8) | buffer[position + 7]!) >>> 0
}

/** Writes the shortest encoding and returns the position behind it. The caller has checked the room. */
export function writeVarint(buffer: Uint8Array, position: number, value: number): number {
  if (value < 64) {
    invariant(value >= 0, 'varint is negative')
    buffer[position] = value
    return position + 1
  }
  if (value < 16384) return writeVarint2(buffer, position, value)
  if (value < TWO_30) return writeVarint4(buffer, position, value)
  invariant(value <= Number.MAX_SAFE_INTEGER, 'varint is no safe integer')
  write8(buffer, position, Math.floor(value / TWO_32), value >>> 0)
  return position + 8
}

/** Writes `value` (below 2^14) in two bytes, whatever it is: for a length that is patched later. */
export function writeVarint2(buffer: Uint8Array, position: number, value: number): number {
  invariant(value >= 0 && value < 16384, 'varint does not fit two bytes')
  buffer[position] = 0x40 | (value >> 8)
  buffer[position + 1] = value
  return position + 2
}

/** Writes `value` (below 2^30) in four bytes, whatever it is. */
export function writeVarint4(buffer: Uint8Array, position: number, value: number): number {
  invariant(value >= 0 && value < TWO_30, 'varint does not fit four bytes')
  buffer[position] = 0x80 | (value >>> 24)
  buffer[position + 1] = value >>> 16
  buffer[position + 2] = value >>> 8
  buffer[position + 3] = value
  return position + 4
}

/** Writes the shortest encoding of an exact 62-bit value and returns the position behind it. */
export function writeVarintExact(buffer: Uint8Array, position: number, value: WireValue): number {
  if (typeof value === 'number') return writeVarint(buffer, position, value)
  if (value <= 0x1f_ffff_ffff_ffffn) return writeVarint(buffer, position, Number(value))
  invariant(value < 1n << 62n, 'varint exceeds 62 bits')
  write8(buffer, position, Number(value >> 32n), Number(value & 0xffff_ffffn))
  return position + 8
}

function write8(buffer: Uint8Array, position: number, high: number, low: number): void {
  buffer[position] = 0xc0 | (high >>> 24)
  buffer[position + 1] = high >>> 16
  buffer[position + 2] = high >>> 8
  buffer[position + 3] = high
  buffer[position + 4] = low >>> 24
  buffer[position + 5] = low >>> 16
  buffer[position + 6] = low >>> 8
  buffer[position + 7] = low
}
