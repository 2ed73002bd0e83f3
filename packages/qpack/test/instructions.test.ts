import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QpackDecoder, QpackEncoder, QpackError } from '../src/index.ts'
import type { BlockReader } from '../src/block-reader.ts'
import { huffmanEncode } from '../src/huffman-encode.ts'
import { EncoderInstructionReader } from '../src/encoder-instructions.ts'
import type { EncoderInstructions } from '../src/encoder-instructions.ts'
import { bytes, vectors } from './vectors.ts'

function failure(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (error instanceof QpackError) return error.code
    throw error
  }
  return 'nothing raised'
}

describe('encoder stream at capacity 0', () => {
  it.each([
    ['Set Dynamic Table Capacity 0 (§4.3.1)', '20', 'nothing raised'],
    ['the same, over and over', '202020', 'nothing raised'],
    ['Set Dynamic Table Capacity 1 (§4.3.1)', '21', 'QPACK_ENCODER_STREAM_ERROR'],
    ['Set Dynamic Table Capacity 220 (§4.3.1)', '3fbd01', 'QPACK_ENCODER_STREAM_ERROR'],
    ['capacity of more than 62 bits (§4.1.1, §7.4)', '3fffffffffffffffffffff01', 'QPACK_INTEGER_TOO_LONG'],
    ['Insert with Name Reference (§3.2.3)', 'c0', 'QPACK_ENCODER_STREAM_ERROR'],
    ['Insert with Literal Name (§3.2.3)', '4a', 'QPACK_ENCODER_STREAM_ERROR'],
    ['Duplicate (§3.2.3)', '00', 'QPACK_ENCODER_STREAM_ERROR'],
  ])('%s', (_, instructions, outcome) => {
    expect(failure(() => new QpackDecoder({ maxFieldSectionSize: 100 }).onEncoderStream(bytes(instructions)))).toBe(outcome)
  })
})

describe('decoder stream while nothing has been inserted', () => {
  it.each([
    ['Stream Cancellation (§4.4.2)', '48', 'nothing raised'],
    ['Stream Cancellation of a large stream id', '7fffffffffffffff7f', 'nothing raised'],
    ['Section Acknowledgment (§4.4.1)', '84', 'QPACK_DECODER_STREAM_ERROR'],
    ['Insert Count Increment 0 (§4.4.3)', '00', 'QPACK_DECODER_STREAM_ERROR'],
    ['Insert Count Increment 1 (§4.4.3)', '01', 'QPACK_DECODER_STREAM_ERROR'],
    ['integer of more than 62 bits (§7.4)', '7fffffffffffffffffffff01', 'QPACK_INTEGER_TOO_LONG'],
  ])('%s', (_, instructions, outcome) => {
    expect(failure(() => new QpackEncoder().onDecoderStream(bytes(instructions)))).toBe(outcome)
    // Byte by byte the outcome is the same.
    const encoder = new QpackEncoder()
    expect(failure(() => bytes(instructions).forEach((byte) => encoder.onDecoderStream(Uint8Array.of(byte))))).toBe(outcome)
  })
})

class Recorder implements EncoderInstructions {
  readonly seen: string[] = []
  longestString(): number {
    return 64
  }
  setCapacity(_: BlockReader, capacity: number): void {
    this.seen.push(`capacity ${capacity}`)
  }
  insertWithNameReference(_: BlockReader, isStatic: boolean, index: number, value: string): void {
    this.seen.push(`insert ${isStatic ? 'static' : 'dynamic'} ${index} ${value}`)
  }
  insertWithLiteralName(_: BlockReader, name: string, value: string): void {
    this.seen.push(`insert ${name} ${value}`)
  }
  duplicate(_: BlockReader, index: number): void {
    this.seen.push(`duplicate ${index}`)
  }
}

describe('instruction reader (RFC 9204 §4.3)', () => {
  const stream = vectors<{ steps: { stream: number | string; hex: string }[] }[]>('rfc9204-b/examples.json')
    .flatMap((example) => example.steps)
    .filter((step) => step.stream === 'encoder')
    .map((step) => step.hex)
    .join('')
  const expected = [
    'capacity 220',
    'insert static 0 www.example.com',
    'insert static 1 /sample/path',
    'insert custom-key custom-value',
    'duplicate 2',
    'insert dynamic 1 custom-value2',
  ]

  it('reads the encoder stream of Appendix B, cut anywhere', () => {
    const all = bytes(stream)
    for (let cut = 0; cut <= all.length; cut++) {
      const recorder = new Recorder()
      const reader = new EncoderInstructionReader(recorder)
      reader.receive(all.subarray(0, cut))
      reader.receive(all.subarray(cut))
      expect(recorder.seen).toEqual(expected)
    }
  })
  it('reads it in any pieces', () => {
    const all = bytes(stream)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 40 }), (sizes) => {
        const recorder = new Recorder()
        const reader = new EncoderInstructionReader(recorder)
        let position = 0
        for (let i = 0; position < all.length; i++) {
          const end = Math.min(all.length, position + sizes[i % sizes.length]!)
          reader.receive(all.slice(position, end))
          position = end
        }
        expect(recorder.seen).toEqual(expected)
      }),
    )
  })
  it('refuses a string that cannot fit before its bytes have come', () => {
    expect(failure(() => new EncoderInstructionReader(new Recorder()).receive(bytes('c07f01')))).toBe('QPACK_STRING_TOO_LONG')
  })
  it('takes a string that fits once decoded, however long it was coded', () => {
    // 64 octets of 30 bits each are 240 bytes.
    const recorder = new Recorder()
    const value = '\r'.repeat(64)
    const coded = new Uint8Array(240)
    huffmanEncode(value, coded, 0)
    new EncoderInstructionReader(recorder).receive(Uint8Array.of(0xc0, 0xff, 240 - 127, ...coded))
    expect(recorder.seen).toEqual([`insert static 0 ${value}`])
    const long = new Uint8Array(50).fill(0)
    // 80 zeros of 5 bits: short as sent, too long once decoded.
    expect(failure(() => new EncoderInstructionReader(new Recorder()).receive(Uint8Array.of(0xc0, 0x80 | 50, ...long)))).toBe('QPACK_STRING_TOO_LONG')
  })
})
