import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../src/base/bytes.ts'
import { RangeSet } from '../../../src/base/range-set.ts'
import { TransportErrorCode } from '../../../src/wire/constants.ts'
import { AckFrame, MAX_ACK_RANGES, readAckFrame, writeAckFrame } from '../../../src/wire/frames/ack.ts'
import {
  ConnectionCloseFrame,
  connectionCloseFrameSize,
  MAX_REASON_LENGTH,
  readConnectionCloseFrame,
  writeConnectionCloseFrame,
} from '../../../src/wire/frames/close.ts'
import { streamFrameHeaderSize, writeStreamFrameHeader } from '../../../src/wire/frames/stream.ts'
import { Reader } from '../../../src/wire/reader.ts'
import { TransportError } from '../../../src/wire/transport-error.ts'
import { Writer } from '../../../src/wire/writer.ts'
import { ackFrameSize } from './ack-frame-size.ts'
import { ackPairs, decodeBody, receivedRanges } from './frame-cases.ts'

const body = (type: number, hex: string): object => decodeBody(new Reader(fromHex(hex)), type)

function expectEncodingError(type: number, hex: string): void {
  let thrown: unknown = null
  try {
    body(type, hex)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(TransportError)
  expect(thrown).toMatchObject({ wireCode: TransportErrorCode.frameEncodingError, frameType: type })
}

describe('MAX_STREAMS and STREAMS_BLOCKED (RFC 9000 §19.11, §19.14)', () => {
  it.each([0x12, 0x13, 0x16, 0x17])('type %i: 2^60 is the largest limit', (type) => {
    expect(body(type, 'd000000000000000')).toEqual({ streamId: -1, maximum: Number.MAX_SAFE_INTEGER })
    expectEncodingError(type, 'd000000000000001')
    expectEncodingError(type, 'ffffffffffffffff')
  })
})

describe('MAX_DATA and its like (RFC 9000 §19.9)', () => {
  it('limits above 2^53 − 1 are clamped', () => {
    for (const type of [0x10, 0x14]) expect(body(type, 'ffffffffffffffff')).toEqual({ streamId: -1, maximum: Number.MAX_SAFE_INTEGER })
    for (const type of [0x11, 0x15]) expect(body(type, '04ffffffffffffffff')).toEqual({ streamId: 4, maximum: Number.MAX_SAFE_INTEGER })
  })
})

describe('RESET_STREAM_AT (draft-ietf-quic-reliable-stream-reset §4)', () => {
  it('a Reliable Size above the Final Size is FRAME_ENCODING_ERROR', () => {
    expect(body(0x24, '04070a0a')).toEqual({ streamId: 4, errorCode: 7, finalSize: 10, reliableSize: 10 })
    expectEncodingError(0x24, '04070a0b')
  })
})

describe('NEW_CONNECTION_ID (RFC 9000 §19.15)', () => {
  const token = '00'.repeat(16)

  it('lengths 1 to 20 only', () => {
    for (let length = 0; length <= 255; length++) {
      const hex = `0000${length.toString(16).padStart(2, '0')}${'ab'.repeat(length)}${token}`
      if (length >= 1 && length <= 20) expect(body(0x18, hex)).toMatchObject({ connectionId: new Uint8Array(length).fill(0xab) })
      else expectEncodingError(0x18, hex)
    }
  })

  it('Retire Prior To up to the Sequence Number', () => {
    expect(body(0x18, `050501ab${token}`)).toMatchObject({ sequence: 5, retirePriorTo: 5 })
    expectEncodingError(0x18, `050601ab${token}`)
  })
})

describe('STREAM and CRYPTO offsets (RFC 9000 §19.6, §19.8)', () => {
  it('data may end at 2^53 − 1 and not beyond', () => {
    expect(body(0x0e, '00c01ffffffffffffe01aa')).toMatchObject({ offset: Number.MAX_SAFE_INTEGER - 1 })
    expectEncodingError(0x0e, '00c01fffffffffffff01aa')
    expectEncodingError(0x0c, '00c01fffffffffffffaa')
    expectEncodingError(0x0e, '00ffffffffffffffff01aa')
    expect(body(0x06, 'c01ffffffffffffe01aa')).toMatchObject({ offset: Number.MAX_SAFE_INTEGER - 1 })
    expectEncodingError(0x06, 'c01fffffffffffff01aa')
    expectEncodingError(0x06, 'ffffffffffffffff01aa')
  })

  it('a length of 2^62 − 1 is cut short', () => {
    for (const type of [0x0a, 0x0b]) expectEncodingError(type, '00ffffffffffffffffaa')
    expectEncodingError(0x06, '00ffffffffffffffffaa')
    expectEncodingError(0x31, 'ffffffffffffffffaa')
    expectEncodingError(0x07, 'ffffffffffffffffaa')
    expectEncodingError(0x1d, '00ffffffffffffffffaa')
  })

  it('writes the types of §19.8: OFF only when the offset is not 0', () => {
    const typeOf = (offset: number, fin: boolean, explicit: boolean): number => {
      const writer = new Writer(new Uint8Array(20))
      writeStreamFrameHeader(writer, 4, offset, 3, fin, explicit)
      expect(writer.position).toBe(streamFrameHeaderSize(4, offset, explicit ? 3 : -1))
      return writer.buffer[0]!
    }
    expect(typeOf(0, false, false)).toBe(0x08)
    expect(typeOf(0, true, false)).toBe(0x09)
    expect(typeOf(0, false, true)).toBe(0x0a)
    expect(typeOf(9, false, false)).toBe(0x0c)
    expect(typeOf(9, true, true)).toBe(0x0f)
  })
})

describe('NEW_TOKEN (RFC 9000 §19.7)', () => {
  it('an empty token is an error', () => expectEncodingError(0x07, '00'))
})

describe('ACK (RFC 9000 §19.3)', () => {
  it('a range that would start below 0 is an error, one at 0 is not', () => {
    expect(body(0x02, '05000005')).toMatchObject({ pairs: [0, 5] })
    expectEncodingError(0x02, '05000006')
    // largest 10, first range [10, 10], gap 7 → largest 1, length 1 → [0, 1]
    expect(body(0x02, '0a0001000701')).toMatchObject({ pairs: [10, 10, 0, 1] })
    expectEncodingError(0x02, '0a0001000702')
    expectEncodingError(0x02, '0a0001000900')
    expectEncodingError(0x02, '0a000100c01fffffffffffff00')
  })

  it('a range count that cannot be in the frame is refused at once', () => {
    expectEncodingError(0x02, '0a00c01fffffffffffff00000000')
    expectEncodingError(0x02, '0a00ffffffffffffffff00000000')
  })

  it('ACK Delay and ECN counts are clamped, Largest Acknowledged is not', () => {
    expect(body(0x03, '05ffffffffffffffff0000ffffffffffffffff0102')).toMatchObject({
      delay: Number.MAX_SAFE_INTEGER,
      ect0: Number.MAX_SAFE_INTEGER,
      ect1: 1,
      ce: 2,
    })
    expectEncodingError(0x02, 'ffffffffffffffff000000')
  })

  it('keeps the newest ranges of a frame with too many, and checks the others', () => {
    const ranges = new RangeSet()
    for (let i = 0; i < MAX_ACK_RANGES + 100; i++) ranges.add(i * 3, i * 3 + 1)
    const writer = new Writer(new Uint8Array(4096))
    expect(writeAckFrame(writer, ranges, 0, { ect0: 1, ect1: 2, ce: 3 })).toBe(ranges.max())
    const frame = new AckFrame()
    const reader = new Reader(writer.buffer, 1, writer.position)
    readAckFrame(reader, 0x03, frame)
    expect(reader.remaining).toBe(0)
    expect(frame.rangeCount).toBe(MAX_ACK_RANGES)
    expect([...frame.ranges]).toEqual(ackPairs(ranges).slice(0, MAX_ACK_RANGES * 2))
    expect([frame.ect0, frame.ect1, frame.ce]).toEqual([1, 2, 3])

    // The last (oldest, not kept) range length grows by one: it would reach packet number -1.
    writer.buffer[writer.position - 4]! += 1
    expect(() => readAckFrame(new Reader(writer.buffer, 1, writer.position), 0x03, frame)).toThrow(TransportError)
  })

  it('writes as many of the newest ranges as fit', () => {
    fc.assert(
      fc.property(receivedRanges, fc.nat(20000), fc.nat(200), fc.boolean(), (ranges, delay, room, withEcn) => {
        const ecn = withEcn ? { ect0: 5, ect1: 70, ce: 20000 } : null
        const writer = new Writer(new Uint8Array(300).fill(0xee), 0, room)
        const largest = writeAckFrame(writer, ranges, delay, ecn)
        const newest = new RangeSet()
        newest.add(ranges.startAt(ranges.length - 1), ranges.endAt(ranges.length - 1))
        if (ackFrameSize(newest, delay, ecn) > room) {
          expect(largest).toBe(-1)
          expect(writer.position).toBe(0)
          return
        }
        expect(largest).toBe(ranges.max())
        const frame = new AckFrame()
        readAckFrame(new Reader(writer.buffer, 1, writer.position), writer.buffer[0]!, frame)
        const kept = frame.rangeCount
        expect([...frame.ranges.subarray(0, kept * 2)]).toEqual(ackPairs(ranges).slice(0, kept * 2))
        expect([frame.ect0, frame.ect1, frame.ce]).toEqual(withEcn ? [5, 70, 20000] : [0, 0, 0])
        // One more would not have fitted.
        const more = new RangeSet()
        for (let i = Math.max(0, ranges.length - kept - 1); i < ranges.length; i++) more.add(ranges.startAt(i), ranges.endAt(i))
        if (kept < ranges.length) expect(ackFrameSize(more, delay, ecn)).toBeGreaterThan(room)
        else expect(writer.position).toBe(ackFrameSize(ranges, delay, ecn))
      }),
      { numRuns: 500 },
    )
  })

  it('64 ranges take a two-byte count, and the size knows', () => {
    const ranges = new RangeSet()
    for (let i = 0; i < 65; i++) {
      ranges.add(i * 2, i * 2 + 1)
      const size = ackFrameSize(ranges, 0, null)
      const exact = new Writer(new Uint8Array(size))
      writeAckFrame(exact, ranges, 0, null)
      const frame = new AckFrame()
      readAckFrame(new Reader(exact.buffer, 1), 0x02, frame)
      expect(frame.rangeCount).toBe(i + 1)
      const tight = new Writer(new Uint8Array(size - 1))
      if (writeAckFrame(tight, ranges, 0, null) < 0) continue
      readAckFrame(new Reader(tight.buffer, 1, tight.position), 0x02, frame)
      expect(frame.rangeCount).toBe(i)
    }
  })

  it('writes nothing for an empty set', () => {
    const writer = new Writer(new Uint8Array(100))
    expect(writeAckFrame(writer, new RangeSet(), 0, null)).toBe(-1)
    expect(writer.position).toBe(0)
  })
})

describe('CONNECTION_CLOSE (RFC 9000 §19.19)', () => {
  it('shortens the reason to what fits, in whole characters', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.string({ maxLength: 400, unit: 'grapheme' }), fc.nat(700), (application, reason, room) => {
        const writer = new Writer(new Uint8Array(1200).fill(0xee), 0, room)
        const written = writeConnectionCloseFrame(writer, application, 0x10, 0x06, reason)
        expect(written).toBe(room >= connectionCloseFrameSize(application, 0x10, 0x06, 0))
        if (!written) {
          expect(writer.position).toBe(0)
          return
        }
        const frame = new ConnectionCloseFrame()
        readConnectionCloseFrame(new Reader(writer.buffer, 1, writer.position), writer.buffer[0]!, frame)
        expect(reason.startsWith(frame.reason)).toBe(true)
        const bytes = utf8(frame.reason).length
        expect(bytes).toBeLessThanOrEqual(MAX_REASON_LENGTH)
        const whole = utf8(reason).length
        if (bytes < whole) expect(Math.min(room - writer.position, MAX_REASON_LENGTH - bytes)).toBeLessThan(5)
      }),
      { numRuns: 500 },
    )
  })

  it('keeps error codes exact and malformed reasons readable', () => {
    expect(body(0x1d, 'ffffffffffffffff0261ff')).toEqual({ application: true, errorCode: 2n ** 62n - 1n, frameType: 0, reason: 'a\ufffd' })
    expect(body(0x1c, '07ffffffffffffffff00')).toEqual({ application: false, errorCode: 7, frameType: Number.MAX_SAFE_INTEGER, reason: '' })
  })

  it('is written as §19.19 has it', () => {
    const writer = new Writer(new Uint8Array(20))
    writeConnectionCloseFrame(writer, false, 0x0a, 0x08, 'no')
    expect(toHex(writer.buffer.subarray(0, writer.position))).toBe('1c0a08026e6f')
    writer.reset(writer.buffer, 0, 20)
    writeConnectionCloseFrame(writer, true, 0x100, 0x08, '')
    expect(toHex(writer.buffer.subarray(0, writer.position))).toBe('1d410000')
  })
})
