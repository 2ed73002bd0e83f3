import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FieldCharacterError, QpackDecoder, QpackEncoder, QpackError, QpackErrorCode, QpackLimitError } from '../src/index.ts'
import { STATIC_TABLE, fieldSectionSize } from '../src/index.ts'
import type { FieldLine, FieldSection } from '../src/index.ts'
import { bytes, hex, vectors } from './vectors.ts'

interface Step {
  stream: number | 'encoder' | 'decoder'
  hex: string
  fields?: FieldLine[]
}

const examples = vectors<{ section: string; steps: Step[] }[]>('rfc9204-b/examples.json')

function decoder(limit = 65536): QpackDecoder {
  return new QpackDecoder({ maxFieldSectionSize: limit })
}

function decodeSection(block: Uint8Array, limit?: number): FieldSection {
  const section = decoder(limit).decode(0, block, 0, block.length)
  if (section === null) throw new Error('blocked')
  return section
}

function decode(block: Uint8Array, limit?: number): FieldLine[] {
  return decodeSection(block, limit).fields
}

function failure(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (error instanceof QpackError) return error.code
    throw error
  }
  return 'nothing raised'
}

describe('examples (RFC 9204 Appendix B)', () => {
  const b1 = examples[0]!.steps[0]!
  it('B.1 literal field line with name reference, decoded', () => {
    expect(decode(bytes(b1.hex))).toEqual(b1.fields)
  })
  it('B.1 is what we encode, but for Huffman coding', () => {
    // 5 0 → name reference to the static table, index 1; then the value.
    const block = new QpackEncoder().encode(0, b1.fields!)
    expect(hex(block.subarray(0, 3))).toBe('000051')
    expect(decode(block)).toEqual(b1.fields)
  })
  it.each(examples.slice(1).flatMap((e) => e.steps.filter((s) => typeof s.stream === 'number').map((s) => ({ ...s, section: e.section }))))(
    '$section: a section with dynamic references is refused at capacity 0',
    ({ hex: block }) => {
      expect(failure(() => decode(bytes(block)))).toBe('QPACK_DECOMPRESSION_FAILED')
    },
  )
  it.each(examples.flatMap((e) => e.steps.filter((s) => s.stream === 'encoder').map((s) => ({ ...s, section: e.section }))))(
    '$section: encoder instructions that need a dynamic table are refused at capacity 0',
    ({ hex: instructions }) => {
      expect(failure(() => decoder().onEncoderStream(bytes(instructions)))).toBe('QPACK_ENCODER_STREAM_ERROR')
    },
  )
})

describe('static table (RFC 9204 Appendix A)', () => {
  it('has 99 entries; every one is encoded in a byte or two and comes back', () => {
    expect(STATIC_TABLE.length).toBe(99)
    expect(STATIC_TABLE[0]).toEqual([':authority', ''])
    expect(STATIC_TABLE[25]).toEqual([':status', '200'])
    expect(STATIC_TABLE[98]).toEqual(['x-frame-options', 'sameorigin'])
    STATIC_TABLE.forEach((field, index) => {
      const block = new QpackEncoder().encode(0, [field])
      expect(block.length).toBe(index < 63 ? 3 : 4)
      expect(decode(block)).toEqual([field])
    })
  })
})

describe('encoding', () => {
  it('never indexes credentials (RFC 9204 §7.1.3)', () => {
    const block = new QpackEncoder().encode(0, [['authorization', 'Bearer x']])
    expect(block[2]! & 0xf0).toBe(0x70) // 0 1 N=1 T=1
    const cookie = new QpackEncoder().encode(0, [['proxy-authorization', 'x']])
    expect(cookie[2]! & 0xf0).toBe(0x30) // 0 0 1 N=1
  })
  it('refuses characters that are no octets', () => {
    expect(() => new QpackEncoder().encode(0, [['x-evil', 'a\u010ab']])).toThrow(FieldCharacterError)
    expect(() => new QpackEncoder().encode(0, [['x\u0141', '']])).toThrow(FieldCharacterError)
  })
  it('round trips any latin1 fields, and sizes agree (RFC 9114 §4.2.2)', () => {
    const text = fc.uint8Array({ maxLength: 60 }).map((raw) => String.fromCharCode(...raw))
    const known = fc.constantFrom(...STATIC_TABLE)
    const field = fc.oneof(fc.tuple(text, text), known, fc.tuple(known.map((f) => f[0]), text))
    const encoder = new QpackEncoder()
    fc.assert(
      fc.property(fc.array(field, { maxLength: 20 }), (fields) => {
        const block = encoder.encode(0, fields)
        const section = decodeSection(block)
        expect(section.fields).toEqual(fields)
        expect(section.size).toBe(fieldSectionSize(fields))
      }),
    )
  })
  it('grows for long values', () => {
    const value = 'a1'.repeat(40_000)
    expect(decode(new QpackEncoder().encode(0, [['x-long', value]]), 1_000_000)).toEqual([['x-long', value]])
  })
})

describe('decoding is strict', () => {
  it.each([
    ['empty section', '', '§4.5.1'],
    ['one byte of prefix', '00', '§4.5.1'],
    ['Required Insert Count at capacity 0', '0100', '§4.5.1.1'],
    ['Delta Base with sign and Required Insert Count 0', '0080', '§4.5.1.2'],
    ['Delta Base cut short', '00ff', '§4.5.1.2'],
    ['static index 99', '0000ff24', '§3.1'],
    ['static name index 99', '00005f5400', '§3.1'],
    ['indexed, dynamic', '000080', '§2.2.3'],
    ['indexed, post-base', '000010', '§2.2.3'],
    ['literal with dynamic name reference', '00004000', '§2.2.3'],
    ['literal with post-base name reference', '00000000', '§2.2.3'],
    ['value missing', '000051', '§4.5.4'],
    ['value cut short', '00005105616263', '§4.5.4'],
    ['name cut short', '000027ff', '§4.5.6'],
    ['name length beyond the section', '000027ffffff7f', '§4.5.6'],
    ['Huffman padding with zeros', '0000518100', '§4.1.2'],
    ['Huffman EOS', '00005184ffffffff', '§4.1.2'],
  ])('%s', (_, block) => {
    expect(failure(() => decode(bytes(block)))).toBe('QPACK_DECOMPRESSION_FAILED')
  })
  it('accepts a Delta Base without meaning (§4.5.1.2)', () => {
    expect(decode(bytes('0005d1'))).toEqual([[':method', 'GET']])
  })
  it('reads octets above 0x7f as latin1, not as windows-1252', () => {
    expect(decode(bytes('000021788280e9'.replace('8280', '0280')))).toEqual([['x', '\u0080\u00e9']])
  })
  it('refuses a section beyond the size limit (RFC 9114 §4.2.2)', () => {
    const block = new QpackEncoder().encode(0, [
      ['a', '1'],
      ['b', '2'.repeat(100)],
      ['c', '3'],
    ])
    expect(failure(() => decode(block, 100))).toBe('QPACK_FIELD_SECTION_TOO_LARGE')
    expect(failure(() => decode(block, 34 + 133 + 34))).toBe('nothing raised')
    expect(failure(() => decode(block, 34 + 133 + 33))).toBe('QPACK_FIELD_SECTION_TOO_LARGE')
  })
  it('raises nothing but QPACK_DECOMPRESSION_FAILED, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (raw, prefixed) => {
        const block = prefixed ? Uint8Array.of(0, 0, ...raw) : raw
        try {
          decode(block)
        } catch (error) {
          if (error instanceof QpackLimitError) expect(error.code).toMatch(/^QPACK_(INTEGER|STRING)_TOO_LONG$/)
          expect(error).toBeInstanceOf(QpackError)
          expect((error as QpackError).wireCode).toBe(QpackErrorCode.decompressionFailed)
        }
      }),
      { numRuns: 3000 },
    )
  })
})
