import { describe, expect, it } from 'vitest'
import { DEFAULT_ENCODER_TABLE_CAPACITY, FieldCharacterError, QpackDecoder, QpackEncoder, QpackError } from '../src/index.ts'
import type { FieldLine } from '../src/index.ts'
import { MAX_OUTSTANDING_SECTIONS } from '../src/outstanding-sections.ts'
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

function encoder(capacity: number, budget: number): QpackEncoder {
  const subject = new QpackEncoder()
  subject.applySettings(capacity, budget)
  return subject
}

const AGENT: FieldLine = ['user-agent', 'an agent with a rather long name']

describe('settings (RFC 9204 §3.2.3, §5)', () => {
  it('before them, and with a capacity of 0, there are no instructions and no references', () => {
    for (const subject of [new QpackEncoder(), encoder(0, 100), encoder(31, 100)]) {
      for (let stream = 0; stream < 40; stream += 4) expect(subject.encode(stream, [AGENT])[0]).toBe(0)
      expect(subject.takeInstructions()).toBeNull()
      expect(subject.insertCount).toBe(0)
    }
  })
  it('the capacity is the smaller of the peer\'s and ours', () => {
    expect(encoder(2 ** 62, 2 ** 62).tableCapacity).toBe(DEFAULT_ENCODER_TABLE_CAPACITY)
    expect(encoder(1000, 0).tableCapacity).toBe(1000)
  })
  it('a remembered capacity that was not 0 must be the same', () => {
    const subject = encoder(4096, 0)
    expect(failure(() => subject.applySettings(4096, 10))).toBe('nothing raised')
    expect(failure(() => subject.applySettings(8192, 10))).toBe('QPACK_DECODER_STREAM_ERROR')
    expect(failure(() => subject.applySettings(0, 10))).toBe('QPACK_DECODER_STREAM_ERROR')
    expect(failure(() => encoder(0, 0).applySettings(4096, 10))).toBe('nothing raised')
  })
  it('the capacity changes within the limits (§4.3.1)', () => {
    const subject = encoder(4096, 1)
    subject.encode(0, [AGENT])
    subject.takeInstructions()
    // Neither acknowledged nor released.
    expect(subject.setCapacity(10)).toBe(false)
    expect(subject.tableCapacity).toBe(4096)
    expect(subject.setCapacity(4097)).toBe(false)
    subject.onDecoderStream(bytes('80'))
    expect(subject.setCapacity(0)).toBe(true)
    expect([subject.tableSize, subject.insertCount]).toEqual([0, 1])
    expect(subject.setCapacity(4096)).toBe(true)
    // Both, in this order: the decoder's table has to be emptied too.
    subject.encode(4, [AGENT])
    expect(hex(subject.takeInstructions()!).startsWith('203fe11f')).toBe(true)
  })
})

describe('blocked streams (RFC 9204 §2.1.2)', () => {
  it('a budget of 0: nothing is referred to before it is acknowledged', () => {
    const subject = encoder(4096, 0)
    expect(subject.encode(0, [AGENT])[0]).toBe(0)
    expect(subject.insertCount).toBe(1)
    expect(subject.encode(4, [AGENT])[0]).toBe(0)
    subject.onDecoderStream(bytes('01'))
    expect(hex(subject.encode(8, [AGENT]))).toBe('020080')
    expect(subject.streamsAtRisk).toBe(0)
  })
  it('a budget of 1: one stream, as often as it likes', () => {
    const subject = encoder(4096, 1)
    expect(hex(subject.encode(0, [AGENT]))).toBe('020080')
    expect(subject.encode(4, [AGENT])[0]).toBe(0)
    expect(hex(subject.encode(0, [AGENT]))).toBe('020080')
    expect([subject.streamsAtRisk, subject.outstandingSections]).toEqual([1, 2])
    // §4.4.2: it cannot be blocked any more, yet nothing is known to have arrived.
    subject.onDecoderStream(bytes('40'))
    expect([subject.streamsAtRisk, subject.outstandingSections, subject.knownReceivedCount]).toEqual([0, 0, 0])
    expect(hex(subject.encode(8, [AGENT]))).toBe('020080')
  })
  it('an acknowledgment of one section takes all others that need no more out of danger (§2.1.4)', () => {
    const subject = encoder(4096, 5)
    for (const stream of [0, 4, 8]) subject.encode(stream, [AGENT])
    expect(subject.streamsAtRisk).toBe(3)
    subject.onDecoderStream(bytes('84'))
    expect([subject.streamsAtRisk, subject.outstandingSections, subject.knownReceivedCount]).toEqual([0, 2, 1])
  })
})

describe('decoder stream errors (RFC 9204 §4.4)', () => {
  it.each<[string, string]>([
    ['a second acknowledgment of one section (§4.4.1)', '8080'],
    ['an acknowledgment for another stream', '84'],
    ['an acknowledgment after a cancellation', '4080'],
    ['Insert Count Increment 0 (§4.4.3)', '00'],
    ['Insert Count Increment beyond what was sent', '02'],
    ['Insert Count Increment of what has been acknowledged', '8001'],
  ])('%s', (_, instructions) => {
    const subject = encoder(4096, 5)
    subject.encode(0, [AGENT])
    expect(failure(() => subject.onDecoderStream(bytes(instructions)))).toBe('QPACK_DECODER_STREAM_ERROR')
  })
  it('a section without dynamic references is not acknowledged (§4.4.1)', () => {
    const subject = encoder(4096, 5)
    subject.encode(0, [[':method', 'GET']])
    expect(failure(() => subject.onDecoderStream(bytes('80')))).toBe('QPACK_DECODER_STREAM_ERROR')
  })
  it('several sections of a stream are acknowledged in the order of sending', () => {
    const subject = encoder(4096, 5)
    subject.encode(0, [['x-a', '1']])
    subject.encode(0, [['x-b', '2']])
    subject.onDecoderStream(bytes('80'))
    expect(subject.knownReceivedCount).toBe(1)
    subject.onDecoderStream(bytes('80'))
    expect(subject.knownReceivedCount).toBe(2)
  })
})

describe('eviction (RFC 9204 §2.1.1)', () => {
  it('nothing is inserted while everything is pinned; once acknowledged, the oldest goes', () => {
    const subject = encoder(100, 100)
    const first: FieldLine = ['x-first', 'v'.repeat(50)]
    const second: FieldLine = ['x-second', 'w'.repeat(50)]
    // Too large beside the table for an entry at first sight.
    subject.encode(80, [first])
    expect(subject.insertCount).toBe(0)
    subject.encode(0, [first])
    expect(subject.insertCount).toBe(1)
    for (let stream = 4; stream < 40; stream += 4) subject.encode(stream, [second])
    expect(subject.insertCount).toBe(1)
    subject.onDecoderStream(bytes('80'))
    for (let stream = 40; stream < 80; stream += 4) subject.encode(stream, [second])
    expect(subject.insertCount).toBeGreaterThan(1)
    expect(subject.tableSize).toBeLessThanOrEqual(100)
  })
  it('what is in use is duplicated before it is evicted (§2.1.1.1)', () => {
    const subject = encoder(1024, 100)
    const decoder = new QpackDecoder({ maxFieldSectionSize: 1e6, maxTableCapacity: 1024, maxBlockedStreams: 100 })
    let duplicates = 0
    let longest = 0
    for (let i = 0; i < 6400; i += 1) {
      // Each value comes for a while: worth an entry, and the table is small.
      const fields: FieldLine[] = [AGENT, ['x-while', `value ${i >> 6} ${'p'.repeat(40)}`]]
      const section = subject.encode(i * 4, fields).slice()
      const instructions = subject.takeInstructions()
      if (instructions !== null) {
        if (instructions[0]! < 0x20) duplicates += 1
        decoder.onEncoderStream(instructions)
      }
      expect(decoder.decode(i * 4, section, 0, section.length)?.fields).toEqual(fields)
      // The agent never costs more than its index and the instruction.
      if (i > 4) expect(section[0]).toBeGreaterThan(0)
      longest = Math.max(longest, i % 64 > 48 ? section.length : 0)
      subject.onDecoderStream(decoder.takeInstructions()!)
    }
    expect(duplicates).toBeGreaterThan(3)
    // By then what is new is in the table as well.
    expect(longest).toBe(4)
  })
  it.each([0, 1, 8, 30])('what comes with every section gets into a table that others have filled, acknowledgments %i sections late', (late) => {
    const subject = encoder(1024, 100)
    const decoder = new QpackDecoder({ maxFieldSectionSize: 1e6, maxTableCapacity: 1024, maxBlockedStreams: 100 })
    const acknowledgments: (Uint8Array | null)[] = []
    let length = 0
    const send = (stream: number, fields: readonly FieldLine[]): void => {
      const section = subject.encode(stream, fields)
      length = section.length
      const instructions = subject.takeInstructions()
      if (instructions !== null) decoder.onEncoderStream(instructions)
      expect(decoder.decode(stream, section, 0, section.length)?.fields).toEqual(fields)
      acknowledgments.push(decoder.takeInstructions())
      const due = acknowledgments.length > late ? acknowledgments.shift()! : null
      if (due !== null) subject.onDecoderStream(due)
    }
    // Small ones that stay in use keep the old end of the table busy.
    const small = Array.from({ length: 16 }, (_, i): FieldLine => [`x-${i}`, `small ${'s'.repeat(i)}`])
    const large: FieldLine = ['x-large', 'l'.repeat(300)]
    for (let stream = 0; stream < 40; stream += 4) send(stream, small)
    expect(subject.tableSize).toBeGreaterThan(700)
    for (let stream = 40; stream < 1600; stream += 4) send(stream, [...small.slice(0, 4), large])
    expect(length).toBeLessThan(20)
  })
  it('what comes as often as what is there does not displace it', () => {
    const subject = encoder(512, 100)
    const fields = Array.from({ length: 30 }, (_, i): FieldLine => [`x-name-${i}`, `value of ${i}`])
    let section = 0
    for (let stream = 0; stream < 8000; stream += 4) {
      section = subject.encode(stream, fields).length
      subject.takeInstructions()
      subject.onDecoderStream(int7(stream))
    }
    const { insertCount } = subject
    for (let stream = 8000; stream < 12_000; stream += 4) {
      expect(subject.encode(stream, fields).length).toBe(section)
      subject.onDecoderStream(int7(stream))
    }
    expect(subject.insertCount).toBe(insertCount)
  })
  it('a table that nothing is inserted into does not go round in duplicates', () => {
    const subject = encoder(400, 100)
    const fields = Array.from({ length: 8 }, (_, i): FieldLine => [`x-${i}`, 'abcdef'])
    for (let stream = 0; stream < 4000; stream += 4) {
      subject.encode(stream, fields)
      const instructions = subject.takeInstructions()
      if (stream > 400) expect(instructions).toBeNull()
      subject.onDecoderStream(stream < 504 ? int7(stream) : int7(stream))
    }
  })
  it('outstanding sections are bounded', () => {
    const subject = encoder(4096, 100)
    subject.encode(0, [AGENT])
    subject.onDecoderStream(bytes('80'))
    for (let i = 1; i < MAX_OUTSTANDING_SECTIONS + 50; i += 1) subject.encode(i * 4, [AGENT])
    expect(subject.outstandingSections).toBe(MAX_OUTSTANDING_SECTIONS)
    expect(subject.encode(1_000_000, [AGENT])[0]).toBe(0)
  })
})

/** Section Acknowledgment. */
function int7(stream: number): Uint8Array {
  if (stream < 127) return Uint8Array.of(0x80 | stream)
  const rest = stream - 127
  return rest < 128 ? Uint8Array.of(0xff, rest) : Uint8Array.of(0xff, 0x80 | (rest & 0x7f), rest >> 7)
}

describe('what is inserted', () => {
  it('a path seen for the first time takes no room from what comes back', () => {
    const back: FieldLine[] = [['x-first-one', 'comes back every time'], ['x-second-one', 'comes back as well']]
    const size = back.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0)
    const subject = encoder(size * 8, 100)
    subject.encode(0, [[':path', '/first/page'], ...back])
    expect(subject.insertCount).toBe(2)
    const alone = subject.encode(4, back).length
    expect(alone).toBe(4)
  })
  it('never: credentials, short cookies, and what the caller says (RFC 9204 §7.1.3)', () => {
    const subject = encoder(4096, 100)
    const own: FieldLine = ['x-own', 'secret']
    const fields: FieldLine[] = [['authorization', 'Bearer t'], ['proxy-authorization', 'Basic t'], ['cookie', 'id=12345'], own]
    for (let stream = 0; stream < 80; stream += 4) {
      const section = subject.encode(stream, fields, [own]).slice()
      const decoder = new QpackDecoder({ maxFieldSectionSize: 65536, maxTableCapacity: 4096, maxBlockedStreams: 1 })
      const decoded = decoder.decode(stream, section, 0, section.length)
      expect(decoded?.neverIndexed).toEqual(fields)
      expect(decoded?.neverIndexed[3]).toBe(decoded?.fields[3])
    }
    expect(subject.insertCount).toBe(0)
    subject.encode(0, [['cookie', 'a-long-enough-cookie=1234567890']])
    expect(subject.insertCount).toBe(1)
  })
  it('the N bit survives a hop: what came never indexed goes out never indexed (§4.5.4)', () => {
    const inbound = new QpackDecoder({ maxFieldSectionSize: 65536 })
    const first = new QpackEncoder().encode(0, [['x-a', '1'], ['authorization', 'x'], ['x-token', 't']], []).slice()
    // Turn the last literal into a never-indexed one: 001N.
    const at = first.lastIndexOf(0x2f) >= 0 ? first.lastIndexOf(0x2f) : first.findLastIndex((byte, i) => i > 2 && (byte & 0xf0) === 0x20)
    first[at]! |= 0x10
    const section = inbound.decode(0, first, 0, first.length)!
    expect(section.neverIndexed.map(([name]) => name)).toEqual(['authorization', 'x-token'])
    const outbound = encoder(4096, 100)
    for (let i = 0; i < 5; i += 1) outbound.encode(i * 4, section.fields, section.neverIndexed)
    expect(outbound.insertCount).toBe(1)
  })
  it('not for long: values that never come back', () => {
    const subject = encoder(16_384, 100)
    for (let i = 0; i < 500; i += 1) {
      subject.encode(0, [['content-length', String(i)], ['etag', `"${i * 7919}"`], ['x-request-id', `id-${i}`]])
      subject.onDecoderStream(bytes(i === 0 || subject.outstandingSections > 0 ? '80' : ''))
    }
    expect(subject.insertCount).toBeLessThan(20)
  })
  it('a value too large for the table is not, and does no harm', () => {
    const subject = encoder(128, 100)
    for (let stream = 0; stream < 40; stream += 4) subject.encode(stream, [['x-large', 'v'.repeat(200)]])
    expect(subject.tableSize).toBeLessThanOrEqual(128)
  })
  it('nothing without room on the encoder stream (§2.1.3)', () => {
    const subject = encoder(4096, 100)
    subject.instructionRoom = 0
    for (let stream = 0; stream < 40; stream += 4) expect(subject.encode(stream, [AGENT])[0]).toBe(0)
    expect([subject.insertCount, subject.takeInstructions()]).toEqual([0, null])
  })
  it('a character that is no octet voids the section, not the encoder', () => {
    const subject = encoder(4096, 100)
    const decoder = new QpackDecoder({ maxFieldSectionSize: 65536, maxTableCapacity: 4096, maxBlockedStreams: 1 })
    expect(() => subject.encode(0, [AGENT, ['x-bad', '\u0100'], ['x-fine', '1']])).toThrow(FieldCharacterError)
    expect(() => subject.encode(0, [AGENT, ['x-b\u0100', 'd']])).toThrow(FieldCharacterError)
    expect(subject.outstandingSections).toBe(0)
    const section = subject.encode(4, [AGENT])
    decoder.onEncoderStream(subject.takeInstructions()!)
    expect(decoder.decode(4, section, 0, section.length)?.fields).toEqual([AGENT])
  })
})
