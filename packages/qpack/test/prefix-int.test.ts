import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BlockReader } from '../src/block-reader.ts'
import { QpackError, QpackErrorCode } from '../src/errors.ts'
import { MAX_PREFIX_INT_SIZE, writePrefixInt } from '../src/prefix-int.ts'
import { bytes } from './vectors.ts'

function reader(data: Uint8Array): BlockReader {
  const r = new BlockReader(QpackErrorCode.decompressionFailed)
  r.reset(data, 0, data.length)
  return r
}

describe('prefixed integers (RFC 9204 §4.1.1, RFC 7541 §5.1)', () => {
  it.each([
    [10, 5, '0a'],
    [1337, 5, '1f9a0a'],
    [42, 8, '2a'],
  ])('RFC 7541 C.1: %i with a %i-bit prefix', (value, prefix, hex) => {
    const out = new Uint8Array(MAX_PREFIX_INT_SIZE)
    expect([...out.subarray(0, writePrefixInt(out, 0, 0, prefix, value))]).toEqual([...bytes(hex)])
    expect(reader(bytes(hex)).prefixInt(prefix)).toBe(value)
  })
  it('round trips, whatever stands above the prefix', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 8 }), fc.maxSafeNat(), fc.nat(255), (prefix, value, high) => {
        const pattern = high & ~((1 << prefix) - 1) & 0xff
        const out = new Uint8Array(MAX_PREFIX_INT_SIZE)
        const end = writePrefixInt(out, 0, pattern, prefix, value)
        const r = reader(out.subarray(0, end))
        expect(r.prefixInt(prefix)).toBe(value)
        expect(r.position).toBe(end)
        expect(out[0]! & ~((1 << prefix) - 1)).toBe(pattern)
        for (let cut = 0; cut < end; cut++) {
          const short = reader(out.subarray(0, cut))
          short.prefixInt(prefix)
          expect(short.starved).toBe(true)
        }
      }),
    )
  })
  it('reads 62 bits and refuses more', () => {
    const encode = (value: bigint): Uint8Array => {
      const groups: number[] = []
      for (let rest = value - 255n; rest > 0n; rest >>= 7n) groups.push(Number(rest & 0x7fn) | 0x80)
      groups[groups.length - 1]! &= 0x7f
      return Uint8Array.of(255, ...groups)
    }
    expect(reader(encode(2n ** 62n - 1n)).prefixInt(8)).toBe(2 ** 62)
    expect(reader(encode(2n ** 53n - 1n)).prefixInt(8)).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => reader(encode(2n ** 62n + 2n ** 20n)).prefixInt(8)).toThrow(QpackError)
    expect(() => reader(encode(2n ** 70n)).prefixInt(8)).toThrow(QpackError)
  })
  it('refuses endless zero continuations', () => {
    expect(() => reader(bytes('ff8080808080808080808080808000')).prefixInt(8)).toThrow(QpackError)
  })
})
