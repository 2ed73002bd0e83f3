import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QpackDecoder, QpackEncoder, QpackError, QpackErrorCode, QpackLimitError } from '../src/index.ts'
import type { FieldLine, QpackDecoderOptions } from '../src/index.ts'
import { bytes, hex } from './vectors.ts'

function failure(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (error instanceof QpackError) return error.code
    throw error
  }
  return 'nothing raised'
}

function decoder(options: Partial<QpackDecoderOptions> = {}): QpackDecoder {
  return new QpackDecoder({ maxFieldSectionSize: 65536, maxTableCapacity: 220, maxBlockedStreams: 2, ...options })
}

/** Capacity 220 and three entries: 0 `:authority: a`, 1 `:path: b`, 2 `x: y`. */
const THREE = '3fbd01 c00161 c10162 41780179'

function filled(options: Partial<QpackDecoderOptions> = {}): QpackDecoder {
  const subject = decoder(options)
  subject.onEncoderStream(bytes(THREE))
  return subject
}

function decode(subject: QpackDecoder, block: string, stream = 0): FieldLine[] | null {
  const data = bytes(block)
  return subject.decode(stream, data, 0, data.length)?.fields ?? null
}

describe('representations (RFC 9204 §4.5)', () => {
  it.each<[string, string, FieldLine[]]>([
    ['indexed, relative to Base 3 (§4.5.2)', '0400 80 82', [['x', 'y'], [':authority', 'a']]],
    ['post-base, Base 0 (§4.5.3)', '0482 10 12', [[':authority', 'a'], ['x', 'y']]],
    ['post-base and relative, Base 1', '0481 80 10', [[':authority', 'a'], [':path', 'b']]],
    ['Base above the Required Insert Count', '0201 81', [[':authority', 'a']]],
    ['literal with name reference (§4.5.4)', '0400 40 017a', [['x', 'z']]],
    ['literal with post-base name reference (§4.5.5)', '0482 02 017a', [['x', 'z']]],
    ['static and literal among them', '0400 d1 80 2171 00', [[':method', 'GET'], ['x', 'y'], ['q', '']]],
    ['empty', '0000', []],
  ])('%s', (_, block, fields) => {
    expect(decode(filled(), block)).toEqual(fields)
  })
  it('the N bit of each literal is reported (§4.5.4 – §4.5.6)', () => {
    const block = bytes('0400 60 0161 40 0162 70 0163 3178 0164 2178 0165')
    const section = filled().decode(0, block, 0, block.length)!
    expect(section.neverIndexed.map(([, value]) => value)).toEqual(['a', 'c', 'd'])
    const postBase = bytes('0482 0a 0161 02 0162')
    expect(filled().decode(0, postBase, 0, postBase.length)!.neverIndexed).toEqual([['x', 'a']])
  })
})

describe('invalid sections (RFC 9204 §2.2.3, §4.5.1)', () => {
  it.each<[string, string]>([
    ['reference at the Required Insert Count (§2.2.3)', '0301 80'],
    ['post-base reference beyond it', '0380 11'],
    ['reference below 0', '0400 83'],
    ['name reference beyond the Required Insert Count', '0301 40 00'],
    ['post-base name reference beyond it', '0380 01 00'],
    ['Required Insert Count above twice MaxEntries (§4.5.1.1)', '0d00'],
    ['Required Insert Count 0 in disguise', '0100'],
    ['negative Base (§4.5.1.2)', '0483'],
    ['static index 99 (§3.1)', '0400 ff24'],
  ])('%s', (_, block) => {
    expect(failure(() => decode(filled(), block))).toBe('QPACK_DECOMPRESSION_FAILED')
  })
  it('reference to an evicted entry (§2.2.3)', () => {
    const subject = filled()
    // 33 + 10 bytes short of the whole table: everything older goes.
    subject.onEncoderStream(bytes('4178 7f33' + '61'.repeat(178)))
    expect(subject.insertCount).toBe(4)
    expect(failure(() => decode(subject, '0400 80'))).toBe('QPACK_DECOMPRESSION_FAILED')
    expect(decode(subject, '0500 80')).toEqual([['x', 'a'.repeat(178)]])
  })
})

describe('encoder stream (RFC 9204 §4.3)', () => {
  it.each<[string, string, string]>([
    ['capacity above the maximum (§4.3.1)', '3fbe01', 'QPACK_ENCODER_STREAM_ERROR'],
    ['the maximum', '3fbd01', 'nothing raised'],
    ['insertion before a capacity (§3.2.2)', 'c00161', 'QPACK_ENCODER_STREAM_ERROR'],
    ['static name index 99 (§3.1)', THREE + 'ff24 00', 'QPACK_ENCODER_STREAM_ERROR'],
    ['name reference to what was never inserted', THREE + '8300', 'QPACK_ENCODER_STREAM_ERROR'],
    ['duplicate of what was never inserted', THREE + '03', 'QPACK_ENCODER_STREAM_ERROR'],
    ['duplicate of the oldest', THREE + '02', 'nothing raised'],
    ['name reference to an evicted entry (§2.2.3)', THREE + '20 3fbd01 8000', 'QPACK_ENCODER_STREAM_ERROR'],
    ['duplicate of an evicted entry (§2.2.3)', THREE + '20 3fbd01 00', 'QPACK_ENCODER_STREAM_ERROR'],
    ['entry larger than the capacity (§3.2.2)', '3f05 c005 6161616161', 'QPACK_STRING_TOO_LONG'],
    ['name and value that fit only one by one', '3f1f 54' + '61'.repeat(20) + '14' + '62'.repeat(20), 'QPACK_ENCODER_STREAM_ERROR'],
    ['string that cannot fit, before its bytes are there (§7.4)', '3fbd01 c0 7fff7f', 'QPACK_STRING_TOO_LONG'],
    ['integer of more than 62 bits (§7.4)', '3fbd01 ffffffffffffffffffff01', 'QPACK_INTEGER_TOO_LONG'],
    ['Huffman coding that is none', '3fbd01 c08100', 'QPACK_ENCODER_STREAM_ERROR'],
  ])('%s', (_, instructions, outcome) => {
    expect(failure(() => decoder().onEncoderStream(bytes(instructions)))).toBe(outcome)
    const pieces = decoder()
    expect(failure(() => bytes(instructions).forEach((byte) => pieces.onEncoderStream(Uint8Array.of(byte))))).toBe(outcome)
  })
  it('limits of the encoder stream concern the connection', () => {
    try {
      decoder().onEncoderStream(bytes('3fbd01 c0 7fff7f'))
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(QpackLimitError)
      expect((error as QpackLimitError).wireCode).toBe(QpackErrorCode.encoderStreamError)
    }
  })
  it('an insertion may name the entry it evicts, and so may a duplicate (§3.2.2)', () => {
    const subject = decoder({ maxTableCapacity: 40 })
    // Capacity 40: room for one.
    subject.onEncoderStream(bytes('3f09 4178 0179 8002 7a7a'))
    expect([subject.insertCount, subject.tableSize]).toEqual([2, 35])
    subject.onEncoderStream(bytes('00'))
    expect([subject.insertCount, subject.tableSize]).toEqual([3, 35])
    expect(decode(subject, '0200 80')).toEqual([['x', 'zz']])
  })
  it('duplicate entries and empty values are no error (§3.2)', () => {
    const subject = decoder()
    subject.onEncoderStream(bytes('3fbd01 c000 c000 00'))
    expect(subject.insertCount).toBe(3)
    expect(decode(subject, '0400 80 82')).toEqual([[':authority', ''], [':authority', '']])
  })
})

describe('blocked streams (RFC 9204 §2.1.2, §2.2.1)', () => {
  it('as many as announced, one more is an error', () => {
    const subject = decoder()
    expect(decode(subject, '0200 80', 0)).toBeNull()
    expect(decode(subject, '0200 80', 4)).toBeNull()
    expect(subject.blockedStreams).toBe(2)
    // The same stream again is not one more.
    expect(decode(subject, '0200 80', 4)).toBeNull()
    expect(failure(() => decode(subject, '0200 80', 8))).toBe('QPACK_DECOMPRESSION_FAILED')
    expect(failure(() => decode(decoder({ maxBlockedStreams: 0 }), '020080'))).toBe('QPACK_DECOMPRESSION_FAILED')
  })
  it('are named once, in the order of blocking, as soon as their insertions are there', () => {
    const subject = decoder({ maxBlockedStreams: 5 })
    expect(decode(subject, '0400 80', 0)).toBeNull()
    expect(decode(subject, '0300 80', 4)).toBeNull()
    expect(decode(subject, '0300 80', 8)).toBeNull()
    const named: number[] = []
    for (const byte of bytes(THREE)) {
      subject.onEncoderStream(Uint8Array.of(byte))
      for (let id = subject.nextUnblocked(); id !== -1; id = subject.nextUnblocked()) named.push(id)
    }
    expect(named).toEqual([4, 8, 0])
    expect(subject.blockedStreams).toBe(0)
  })
  it('a cancelled stream blocks no longer (§4.4.2)', () => {
    const subject = decoder()
    decode(subject, '020080', 0)
    decode(subject, '020080', 4)
    subject.cancelStream(0)
    expect(decode(subject, '020080', 8)).toBeNull()
    subject.onEncoderStream(bytes(THREE))
    expect([subject.nextUnblocked(), subject.nextUnblocked(), subject.nextUnblocked()]).toEqual([4, 8, -1])
  })
})

describe('decoder stream (RFC 9204 §2.2.2, §4.4)', () => {
  it('one increment for all insertions, none for those an acknowledgment implies', () => {
    const subject = filled()
    expect(hex(subject.takeInstructions()!)).toBe('03')
    expect(subject.takeInstructions()).toBeNull()
    const other = filled()
    decode(other, '0300 80', 4)
    expect(hex(other.takeInstructions()!)).toBe('8401')
  })
  it('a section without dynamic references is not acknowledged (§4.4.1)', () => {
    const subject = decoder()
    decode(subject, '0000d1', 4)
    expect(subject.takeInstructions()).toBeNull()
  })
  it('large stream ids', () => {
    const subject = filled()
    decode(subject, '0400 80', 2 ** 40)
    subject.cancelStream(2 ** 40)
    expect(hex(subject.takeInstructions()!)).toBe('ff81ffffffff1f7fc1ffffffff1f')
  })
  it('without a table there is nothing to cancel (§2.2.2.2)', () => {
    const subject = decoder({ maxTableCapacity: 0, maxBlockedStreams: 0 })
    subject.cancelStream(4)
    expect(subject.takeInstructions()).toBeNull()
  })
})

describe('limits (RFC 9204 §7.4)', () => {
  const block = hex(new QpackEncoder().encode(0, [['a', 'x'.repeat(50)], ['b', 'y'.repeat(60)]]))
  it.each<[string, Partial<QpackDecoderOptions>, string, string]>([
    ['field section size', { maxFieldSectionSize: 100 }, block, 'QPACK_FIELD_SECTION_TOO_LARGE'],
    ['field count', { maxFields: 1 }, block, 'QPACK_TOO_MANY_FIELDS'],
    ['string length', { maxStringLength: 55 }, block, 'QPACK_STRING_TOO_LONG'],
    ['string length, announced only', { maxStringLength: 55 }, '0000 51 7fff7f', 'QPACK_STRING_TOO_LONG'],
    ['integer length', {}, '0000ffffffffffffffffffff01', 'QPACK_INTEGER_TOO_LONG'],
    ['none', { maxFields: 2, maxStringLength: 60, maxFieldSectionSize: 51 + 61 + 64 }, block, 'nothing raised'],
  ])('%s', (_, options, data, outcome) => {
    const subject = decoder(options)
    expect(failure(() => decode(subject, data))).toBe(outcome)
    if (outcome === 'nothing raised') return
    // The stream is over, the connection is not.
    subject.cancelStream(0)
    expect(hex(subject.takeInstructions()!)).toBe('40')
    subject.onEncoderStream(bytes(THREE))
    expect(decode(subject, '0400 80', 4)).toEqual([['x', 'y']])
  })
  it('one byte of index can stand for a large entry: the size counts what it stands for', () => {
    const subject = decoder({ maxTableCapacity: 4096, maxFieldSectionSize: 8192 })
    subject.onEncoderStream(bytes('3fe11f c0 7fa11e' + '61'.repeat(4000)))
    expect(subject.insertCount).toBe(1)
    expect(failure(() => decode(subject, '0200' + '80'.repeat(100)))).toBe('QPACK_FIELD_SECTION_TOO_LARGE')
  })
})

describe('whatever the bytes', () => {
  const valid = ((): { instructions: Uint8Array; sections: Uint8Array[] } => {
    const encoder = new QpackEncoder()
    encoder.applySettings(300, 100)
    const sections: Uint8Array[] = []
    for (let i = 0; i < 12; i += 1) {
      sections.push(encoder.encode(i * 4, [[':path', `/${i % 3}`], ['x-name', `value ${i % 4}`], ['x-other', 'é\u00ff'], ['cookie', 'a=b']]).slice())
    }
    return { instructions: encoder.takeInstructions()!, sections }
  })()

  function survives(call: () => unknown): void {
    try {
      call()
    } catch (error) {
      if (!(error instanceof QpackError)) throw error
    }
  }
  it('truncated sections raise QPACK errors, or decode to a beginning', () => {
    for (const section of valid.sections) {
      for (let cut = 0; cut < section.length; cut += 1) {
        const subject = decoder({ maxTableCapacity: 300 })
        subject.onEncoderStream(valid.instructions)
        survives(() => subject.decode(0, section, 0, cut))
      }
    }
  })
  it('corrupted instructions and sections raise nothing but QPACK errors, and the table stays within its capacity', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat(1), (flips, cut, where) => {
        const subject = decoder({ maxTableCapacity: 300, maxBlockedStreams: 4 })
        const instructions = valid.instructions.slice(0, cut % 2 === 0 ? undefined : cut % valid.instructions.length)
        const sections = valid.sections.map((section) => section.slice())
        for (const [at, value] of flips) {
          const target = where === 0 && instructions.length > 0 ? instructions : sections[at % sections.length]!
          target[at % target.length] = value
        }
        survives(() => subject.onEncoderStream(instructions))
        expect(subject.tableSize).toBeLessThanOrEqual(300)
        sections.forEach((section, i) => survives(() => subject.decode(i * 4, section, 0, section.length)))
        expect(subject.blockedStreams).toBeLessThanOrEqual(4)
      }),
      { numRuns: 3000 },
    )
  })
  it('noise on all three inputs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 80 }), fc.nat(200), (encoderStream, section, cut) => {
        const subject = filled()
        survives(() => {
          subject.onEncoderStream(encoderStream.subarray(0, cut))
          subject.onEncoderStream(encoderStream.subarray(cut))
        })
        survives(() => subject.decode(0, section, 0, section.length))
        const encoder = new QpackEncoder()
        encoder.applySettings(220, 10)
        for (let i = 0; i < 4; i += 1) encoder.encode(i * 4, [['x', String(i)]])
        survives(() => encoder.onDecoderStream(encoderStream))
        expect(encoder.knownReceivedCount).toBeLessThanOrEqual(encoder.insertCount)
      }),
      { numRuns: 3000 },
    )
  })
  it('an instruction that never ends waits for no more than a table\'s worth of bytes', () => {
    const subject = decoder({ maxTableCapacity: 220 })
    subject.onEncoderStream(bytes('3fbd01'))
    // The longest value there can be, Huffman coded, without its last byte.
    const length = Math.ceil((188 * 30) / 8)
    const rest = length - 127
    subject.onEncoderStream(Uint8Array.of(0xc0, 0xff, 0x80 | (rest & 0x7f), rest >> 7, ...new Uint8Array(length - 1)))
    const waiting = (subject as unknown as { instructions: { waiting: Uint8Array } }).instructions.waiting
    expect(waiting.length).toBeLessThanOrEqual(2 * length)
    expect(failure(() => decoder().onEncoderStream(bytes('3fbd01 c0 ff 8080808080808080808080')))).toBe('QPACK_INTEGER_TOO_LONG')
  })
})
