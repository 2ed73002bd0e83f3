import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError, invariant } from '../../src/base/assert.ts'
import { concatBytes, copyBytes, EMPTY, equalBytes, equalConstantTime, fromHex, fromUtf8, toHex, utf8 } from '../../src/base/bytes.ts'

const bytes = fc.uint8Array({ maxLength: 64 })

describe('bytes', () => {
  it('hexadecimal round trip agrees with Buffer', () => {
    fc.assert(
      fc.property(bytes, (b) => {
        expect(toHex(b)).toBe(Buffer.from(b).toString('hex'))
        expect(fromHex(toHex(b))).toEqual(b)
        expect(fromHex(toHex(b).toUpperCase())).toEqual(b)
      }),
    )
    expect(fromHex('00 ff\n10')).toEqual(Uint8Array.of(0, 255, 16))
  })

  it.each(['0', 'zz', '0g', '0x00', '-1', '@@'])('refuses %s as hexadecimal', (text) => {
    expect(() => fromHex(text)).toThrow(TypeError)
  })

  it('compares', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const same = Buffer.compare(a, b) === 0
        expect(equalBytes(a, b)).toBe(same)
        expect(equalConstantTime(a, b)).toBe(same)
        expect(equalBytes(a, copyBytes(a))).toBe(true)
        expect(equalConstantTime(a, copyBytes(a))).toBe(true)
      }),
    )
  })

  it('one flipped bit is a difference, wherever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 32 }), fc.nat(), fc.integer({ min: 0, max: 7 }), (a, at, bit) => {
        const b = copyBytes(a)
        b[at % b.length]! ^= 1 << bit
        expect(equalBytes(a, b)).toBe(false)
        expect(equalConstantTime(a, b)).toBe(false)
      }),
    )
  })

  it('concatenates and copies', () => {
    expect(concatBytes(Uint8Array.of(1), EMPTY, Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3))
    expect(concatBytes()).toEqual(EMPTY)
    const source = Buffer.from([1, 2, 3])
    const copy = copyBytes(source)
    source[0] = 9
    expect(copy).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('UTF-8 decoding is lossy and never throws', () => {
    fc.assert(
      fc.property(bytes, (b) => {
        expect(fromUtf8(b)).toBe(Buffer.from(b).toString('utf8'))
      }),
    )
    expect(fromUtf8(utf8('\ufeffgrüße 🦊'))).toBe('\ufeffgrüße 🦊')
    expect(fromUtf8(Uint8Array.of(0x61, 0xff))).toBe('a\ufffd')
  })
})

describe('invariant', () => {
  it('throws only when broken', () => {
    invariant(true, 'holds')
    expect(() => invariant(false, 'sky is up')).toThrow(InvariantError)
    expect(() => invariant(false, 'sky is up')).toThrow(/sky is up/)
  })
})
