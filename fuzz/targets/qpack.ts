// QPACK: field sections and the two instruction streams.

import { QpackDecoder, QpackEncoder, QpackError, type FieldLine } from '@quicwire/qpack'
import { promised, pieces, type Target } from '../target.ts'
import { rfc9204 } from '../vectors.ts'

const CAPACITY = 4096
const MAX_SECTION = 16_384
const expected = (error: unknown): boolean => error instanceof QpackError

const FIELDS: readonly FieldLine[] = [
  [':method', 'GET'],
  [':path', '/a/long/enough/path/to/be/worth/an/entry'],
  ['user-agent', 'fuzz/1.0 (a value that goes into the table)'],
  ['x-odd', '\u0001\u00ff'],
]

interface Sample {
  readonly sections: Uint8Array[]
  readonly instructions: Uint8Array[]
}

function sample(capacity: number): Sample {
  const encoder = new QpackEncoder()
  encoder.applySettings(capacity, 100)
  const made: Sample = { sections: [], instructions: [] }
  for (let stream = 0; stream < 12; stream += 4) {
    made.sections.push(encoder.encode(stream, FIELDS.slice(0, 3)).slice())
    const instructions = encoder.takeInstructions()
    if (instructions !== null) made.instructions.push(instructions)
  }
  return made
}

const dynamic = sample(CAPACITY)
const fixed = sample(0)

function decoder(): QpackDecoder {
  return new QpackDecoder({ maxFieldSectionSize: MAX_SECTION, maxTableCapacity: CAPACITY, maxBlockedStreams: 2 })
}

export const qpackTargets: readonly Target[] = [
  {
    name: 'field-section',
    corpus: [...rfc9204('request'), ...fixed.sections, ...dynamic.sections],
    expected,
    run(input) {
      const subject = decoder()
      for (const instructions of dynamic.instructions) subject.onEncoderStream(instructions)
      subject.decode(0, input, 0, input.length)
      subject.takeInstructions()
    },
  },
  {
    name: 'encoder-stream',
    corpus: [...rfc9204('encoder'), ...dynamic.instructions],
    expected,
    run(input, random) {
      const subject = decoder()
      subject.decode(0, dynamic.sections[1]!, 0, dynamic.sections[1]!.length)
      for (const piece of pieces(input, random)) {
        subject.onEncoderStream(piece)
        const unblocked = subject.nextUnblocked()
        promised(unblocked === -1 || unblocked === 0, 'only a stream that was blocked is unblocked')
      }
      subject.takeInstructions()
    },
  },
  {
    name: 'decoder-stream',
    corpus: [...rfc9204('decoder'), Uint8Array.of(0x80, 0x84, 0x01), Uint8Array.of(0x02, 0x44)],
    expected,
    run(input, random) {
      const subject = new QpackEncoder()
      subject.applySettings(CAPACITY, 100)
      for (let stream = 0; stream < 12; stream += 4) subject.encode(stream, FIELDS.slice(0, 3))
      subject.takeInstructions()
      for (const piece of pieces(input, random)) subject.onDecoderStream(piece)
    },
  },
]
