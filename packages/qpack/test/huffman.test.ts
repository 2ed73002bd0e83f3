import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FieldCharacterError } from '../src/errors.ts'
import { huffmanDecode, huffmanDecodedBound } from '../src/huffman-decode.ts'
import { HUFFMAN_OVERRUN, huffmanEncode, huffmanSize } from '../src/huffman-encode.ts'
import { EOS, HUFFMAN } from '../src/huffman-table.ts'
import { bytes, hex, vectors } from './vectors.ts'

const strings = vectors<{ section: string; text: string; hex: string }[]>('rfc7541-huffman/strings.json')

function encode(text: string): Uint8Array {
  const out = new Uint8Array(huffmanSize(text))
  expect(huffmanEncode(text, out, 0)).toBe(out.length)
  return out
}

function decode(data: Uint8Array): string | null {
  const out = new Uint8Array(huffmanDecodedBound(data.length))
  const length = huffmanDecode(data, 0, data.length, out)
  return length < 0 ? null : String.fromCharCode(...out.subarray(0, length))
}

/** The plain twin: bit by bit, straight from the code table. */
function plainDecode(data: Uint8Array): string | null {
  const bits = Array.from(data, (byte) => byte.toString(2).padStart(8, '0')).join('')
  const symbols = new Map<string, number>()
  for (let s = 0; s <= EOS; s++) symbols.set(HUFFMAN.codes[s]!.toString(2).padStart(HUFFMAN.lengths[s]!, '0'), s)
  let text = ''
  let rest = ''
  for (const bit of bits) {
    rest += bit
    const symbol = symbols.get(rest)
    if (symbol === undefined) continue
    if (symbol === EOS) return null
    text += String.fromCharCode(symbol)
    rest = ''
  }
  return rest.length < 8 && !rest.includes('0') ? text : null
}

describe('Huffman code (RFC 7541 Appendix B)', () => {
  it('is a complete prefix code of 257 symbols', () => {
    let kraft = 0
    const codes = new Set<string>()
    for (let s = 0; s <= EOS; s++) {
      expect(HUFFMAN.lengths[s]).toBeGreaterThanOrEqual(5)
      kraft += 2 ** -HUFFMAN.lengths[s]!
      codes.add(HUFFMAN.codes[s]!.toString(2).padStart(HUFFMAN.lengths[s]!, '0'))
    }
    expect(kraft).toBe(1)
    expect(codes.size).toBe(257)
  })

  it.each([
    [0, 0x1ff8, 13],
    [9, 0xffffea, 24],
    [32, 0x14, 6],
    [48, 0x0, 5],
    [92, 0x7fff0, 19],
    [127, 0xffffffc, 28],
    [199, 0x1ffffec, 25],
    [255, 0x3ffffee, 26],
    [EOS, 0x3fffffff, 30],
  ])('symbol %i', (symbol, code, length) => {
    expect([HUFFMAN.codes[symbol], HUFFMAN.lengths[symbol]]).toEqual([code, length])
  })
})

describe('Huffman strings (RFC 7541 Appendix C)', () => {
  it.each(strings)('$section $text', ({ text, hex: coded }) => {
    expect(hex(encode(text))).toBe(coded)
    expect(decode(bytes(coded))).toBe(text)
  })
})

/** The plain twin: the codes one after another, as text. */
function plainEncode(text: string): Uint8Array {
  const bits = Array.from(text, (c) => HUFFMAN.codes[c.charCodeAt(0)]!.toString(2).padStart(HUFFMAN.lengths[c.charCodeAt(0)]!, '0')).join('')
  const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1')
  return Uint8Array.from(padded.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2))
}

describe('Huffman encoding (RFC 7541 §5.2)', () => {
  it('agrees with the plain twin on all octets, and on text with few long codes', () => {
    const octet = fc.oneof(fc.nat(255), fc.constantFrom(...Array.from('aeiost 0129/.-=', (c) => c.charCodeAt(0))))
    fc.assert(
      fc.property(fc.array(octet, { maxLength: 60 }), (octets) => {
        const text = String.fromCharCode(...octets)
        expect(hex(encode(text))).toBe(hex(plainEncode(text)))
      }),
      { numRuns: 2000 },
    )
  })
  it('agrees with the plain twin on all pairs of octets', () => {
    for (let first = 0; first < 256; first += 1) {
      let text = ''
      for (let second = 0; second < 256; second += 1) text += String.fromCharCode(first, second)
      expect(hex(encode(text))).toBe(hex(plainEncode(text)))
    }
  })
  it('writes no further than the overrun behind the coded string', () => {
    const text = 'text/html; charset=utf-8'
    const out = new Uint8Array(64)
    const end = huffmanEncode(text, out, 7)
    expect(end).toBe(7 + huffmanSize(text))
    expect([...out.subarray(0, 7), ...out.subarray(end + HUFFMAN_OVERRUN)].every((octet) => octet === 0)).toBe(true)
  })
  it.each(['\u0100', 'abc\u0161def', '\ud83d\ude00'])('refuses %j, which is not latin1', (text) => {
    expect(() => huffmanSize(text)).toThrow(FieldCharacterError)
    expect(() => huffmanEncode(text, new Uint8Array(64), 0)).toThrow(FieldCharacterError)
  })
})

describe('Huffman decoding (RFC 7541 §5.2)', () => {
  it('refuses padding of more than 7 bits', () => {
    expect(decode(bytes('6402ff'))).toBeNull()
    expect(decode(bytes('ff'))).toBeNull()
  })
  it('refuses padding that is not the start of EOS', () => {
    expect(decode(bytes('640e00'))).toBeNull()
    expect(decode(Uint8Array.of(0b00000_000))).toBeNull()
  })
  it('refuses EOS', () => {
    expect(decode(bytes('ffffffff'))).toBeNull()
    expect(decode(bytes('fffffffc'))).toBeNull()
  })
  it('decodes the empty string', () => {
    expect(decode(new Uint8Array(0))).toBe('')
  })
  it('agrees with the plain twin on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (data) => {
        expect(decode(data)).toBe(plainDecode(data))
      }),
      { numRuns: 2000 },
    )
  })
  it('agrees with the plain twin on codes of every length, cut and flipped', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), fc.nat(), fc.nat(7), (raw, at, bit) => {
        const data = encode(String.fromCharCode(...raw))
        data[at % data.length]! ^= 1 << bit
        expect(decode(data)).toBe(plainDecode(data))
      }),
      { numRuns: 2000 },
    )
  })
  it('is the inverse of encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (raw) => {
        const text = String.fromCharCode(...raw)
        expect(decode(encode(text))).toBe(text)
      }),
    )
  })
})
