import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../src/base/assert.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import type { WireValue } from '../../src/wire/varint.ts'
import {
  readVarint,
  readVarintExact,
  varintLengthAt,
  varintSize,
  varintSizeExact,
  writeVarint,
  writeVarint2,
  writeVarint4,
  writeVarintExact,
} from '../../src/wire/varint.ts'

interface Vector {
  bytes: string
  value: string
  shortest: boolean
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../../test-vectors/rfc9000-a/varint.json', import.meta.url), 'utf8'),
) as Vector[]

const MAX = 2n ** 62n - 1n
const exact = (value: bigint): WireValue => (value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value)
/** Every magnitude equally likely, boundaries included. */
const wide = fc
  .tuple(fc.bigInt({ min: 0n, max: MAX }), fc.integer({ min: 0, max: 62 }))
  .map(([value, shift]) => value >> BigInt(shift))
const values = fc.oneof(wide, fc.constantFrom(0n, 63n, 64n, 16383n, 16384n, 2n ** 30n - 1n, 2n ** 30n, 2n ** 53n - 1n, 2n ** 53n, MAX))

/** RFC 9000 §A.1, letter by letter. */
function plainRead(data: Uint8Array): bigint {
  const length = 1 << (data[0]! >> 6)
  let v = BigInt(data[0]! & 0x3f)
  for (let i = 1; i < length; i++) v = (v << 8n) + BigInt(data[i]!)
  return v
}

describe('varint (RFC 9000 §16)', () => {
  it.each(vectors)('Appendix A.1: $bytes is $value', ({ bytes, value, shortest }) => {
    const encoded = fromHex(bytes)
    const expected = exact(BigInt(value))
    expect(readVarintExact(encoded, 0, encoded.length)).toBe(expected)
    expect(readVarint(encoded, 0, encoded.length)).toBe(Number(BigInt(value)))
    expect(varintLengthAt(encoded[0]!)).toBe(encoded.length)
    if (!shortest) return
    const written = new Uint8Array(8)
    expect(toHex(written.subarray(0, writeVarintExact(written, 0, expected)))).toBe(bytes)
    expect(varintSizeExact(expected)).toBe(encoded.length)
  })

  it('round trips, agrees with the plain decoder, and knows its size', () => {
    fc.assert(
      fc.property(values, fc.nat(5), (value, offset) => {
        const buffer = new Uint8Array(offset + 8).fill(0xee)
        const end = writeVarintExact(buffer, offset, exact(value))
        expect(end - offset).toBe(varintSizeExact(exact(value)))
        expect(end - offset).toBe(varintLengthAt(buffer[offset]!))
        expect(plainRead(buffer.subarray(offset, end))).toBe(value)
        expect(readVarintExact(buffer, offset, end)).toBe(exact(value))
        expect(readVarint(buffer, offset, end)).toBe(Number(value))
        // A bigint below 2^53 encodes like the number it is.
        const again = new Uint8Array(8)
        expect(toHex(again.subarray(0, writeVarintExact(again, 0, value)))).toBe(toHex(buffer.subarray(offset, end)))
        expect(varintSizeExact(value)).toBe(end - offset)
      }),
    )
  })

  it('any bytes decode like the plain decoder', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), (data) => {
        expect(readVarintExact(data, 0, 8)).toBe(exact(plainRead(data)))
      }),
    )
  })

  it('is -1 when cut at any byte', () => {
    fc.assert(
      fc.property(values, (value) => {
        const buffer = new Uint8Array(8).fill(0xff)
        const end = writeVarintExact(buffer, 0, exact(value))
        for (let cut = 0; cut < end; cut++) {
          expect(readVarint(buffer, 0, cut)).toBe(-1)
          expect(readVarintExact(buffer, 0, cut)).toBe(-1)
        }
      }),
    )
  })

  it('above 2^53 − 1 the plain reader still compares as too large', () => {
    expect(readVarint(fromHex('c020000000000000'), 0, 8)).toBeGreaterThan(Number.MAX_SAFE_INTEGER)
    expect(readVarint(fromHex('c020000000000001'), 0, 8)).toBeGreaterThan(Number.MAX_SAFE_INTEGER)
  })

  it('fixed sizes', () => {
    fc.assert(
      fc.property(fc.nat(16383), fc.nat(2 ** 30 - 1), (small, large) => {
        const buffer = new Uint8Array(4)
        expect(writeVarint2(buffer, 0, small)).toBe(2)
        expect(readVarint(buffer, 0, 2)).toBe(small)
        expect(writeVarint4(buffer, 0, large)).toBe(4)
        expect(readVarint(buffer, 0, 4)).toBe(large)
      }),
    )
  })

  it('refuses what is no 62-bit integer as a bug', () => {
    const buffer = new Uint8Array(8)
    for (const bad of [-1, 2 ** 53, Infinity, NaN]) expect(() => writeVarint(buffer, 0, bad)).toThrow(InvariantError)
    for (const bad of [-1n, 2n ** 62n]) expect(() => writeVarintExact(buffer, 0, bad)).toThrow(InvariantError)
    expect(() => writeVarint2(buffer, 0, 16384)).toThrow(InvariantError)
    expect(() => writeVarint4(buffer, 0, 2 ** 30)).toThrow(InvariantError)
    expect([varintSize(63), varintSize(64), varintSize(16384), varintSize(2 ** 30)]).toEqual([1, 2, 4, 8])
  })
})
