import { describe, expect, it } from 'vitest'
import { QpackDecoder, QpackEncoder } from '../src/index.ts'
import type { FieldLine } from '../src/index.ts'
import type { DynamicTable } from '../src/dynamic-table.ts'
import { bytes, hex, vectors } from './vectors.ts'

interface Step {
  stream: number | 'encoder' | 'decoder'
  hex: string
  fields?: FieldLine[]
  table?: [number, string, string][]
  size?: number
  cancelled?: boolean
}

const examples = vectors<{ section: string; steps: Step[] }[]>('rfc9204-b/examples.json')

/** The decoder's table, which nothing but its counters shows to the outside. */
function tableOf(decoder: QpackDecoder): DynamicTable {
  return (decoder as unknown as { table: DynamicTable }).table
}

function contents(table: DynamicTable): [number, string, string][] {
  return Array.from({ length: table.count }, (_, i) => {
    const entry = table.entry(table.dropped + i)
    return [table.dropped + i, entry[0], entry[1]]
  })
}

describe('RFC 9204 Appendix B, byte for byte', () => {
  it.each([1, 2, 1000])('decoder: tables, fields and decoder stream, encoder stream in pieces of %i', (piece) => {
    const decoder = new QpackDecoder({ maxFieldSectionSize: 65536, maxTableCapacity: 220, maxBlockedStreams: 1 })
    for (const { section, steps } of examples) {
      // B.4: the packet with the encoder stream is delayed, and the section is cancelled before it arrives.
      const late = steps.some((step) => step.cancelled === true)
      const order = late ? [...steps.slice(1), steps[0]!] : steps
      for (const step of order) {
        const data = bytes(step.hex)
        if (step.stream === 'encoder') {
          for (let at = 0; at < data.length; at += piece) decoder.onEncoderStream(data.subarray(at, at + piece))
        } else if (step.stream === 'decoder') {
          expect([section, hex(decoder.takeInstructions() ?? new Uint8Array(0))]).toEqual([section, step.hex])
        } else if (step.cancelled === true) {
          expect(decoder.decode(step.stream, data, 0, data.length)).toBeNull()
          decoder.cancelStream(step.stream)
        } else {
          expect(decoder.decode(step.stream, data, 0, data.length)?.fields).toEqual(step.fields)
        }
        if (step.table !== undefined) {
          expect([section, contents(tableOf(decoder)), decoder.tableSize]).toEqual([section, step.table, step.size])
        }
      }
    }
  })
  it('B.2, B.4: the sections block while the encoder stream is late', () => {
    const decoder = new QpackDecoder({ maxFieldSectionSize: 65536, maxTableCapacity: 220, maxBlockedStreams: 2 })
    const encoderStream = examples.map((example) => bytes(example.steps.find((s) => s.stream === 'encoder')?.hex ?? ''))
    const [first, second] = examples.flatMap((e) => e.steps).filter((s) => s.stream === 4 || s.stream === 8)
    const decode = (step: Step): FieldLine[] | undefined => decoder.decode(step.stream as number, bytes(step.hex), 0, bytes(step.hex).length)?.fields
    expect(decode(second!)).toBeUndefined()
    expect(decode(first!)).toBeUndefined()
    expect(decoder.blockedStreams).toBe(2)
    decoder.onEncoderStream(encoderStream[1]!)
    expect([decoder.nextUnblocked(), decoder.nextUnblocked()]).toEqual([4, -1])
    expect(decode(first!)).toEqual(first!.fields)
    expect(hex(decoder.takeInstructions()!)).toBe('84')
    decoder.onEncoderStream(encoderStream[2]!)
    expect(decoder.nextUnblocked()).toBe(-1)
    decoder.onEncoderStream(encoderStream[3]!)
    expect(decoder.nextUnblocked()).toBe(8)
    expect(decode(second!)).toEqual(second!.fields)
    expect(hex(decoder.takeInstructions()!)).toBe('88')
  })
  it('encoder: what the decoder stream says does to the counters what the examples show', () => {
    const encoder = new QpackEncoder()
    encoder.applySettings(220, 1)
    const list: FieldLine[] = [[':authority', 'www.example.com'], [':path', '/sample/path']]
    // In a table this small, a field line is worth an entry to ours when it comes the second time.
    encoder.encode(0, list)
    expect(encoder.takeInstructions()).toBeNull()
    const section = encoder.encode(4, list)
    // B.2: Required Insert Count 2; ours has Base 2 as well, so that no index is post-base.
    expect(hex(section)).toBe('03008180')
    // Set Dynamic Table Capacity=220, two insertions with static names 0 and 1.
    const instructions = encoder.takeInstructions()!
    expect(hex(instructions.subarray(0, 4))).toBe('3fbd01c0')
    expect(encoder.tableSize).toBe(106)
    expect([encoder.insertCount, encoder.knownReceivedCount, encoder.outstandingSections, encoder.streamsAtRisk]).toEqual([2, 0, 1, 1])
    encoder.onDecoderStream(bytes('84'))
    expect([encoder.insertCount, encoder.knownReceivedCount, encoder.outstandingSections, encoder.streamsAtRisk]).toEqual([2, 2, 0, 0])
    encoder.encode(12, [['custom-key', 'custom-value']])
    expect(encoder.insertCount).toBe(2)
    encoder.encode(8, [['custom-key', 'custom-value']])
    expect([encoder.insertCount, encoder.knownReceivedCount, encoder.outstandingSections]).toEqual([3, 2, 1])
    // B.4: a cancellation releases references and says nothing of insertions; B.3: an increment does.
    encoder.onDecoderStream(bytes('48'))
    expect([encoder.knownReceivedCount, encoder.outstandingSections, encoder.streamsAtRisk]).toEqual([2, 0, 0])
    encoder.onDecoderStream(bytes('01'))
    expect(encoder.knownReceivedCount).toBe(3)
  })
})
