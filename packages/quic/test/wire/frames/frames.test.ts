import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/base/bytes.ts'
import { TransportErrorCode } from '../../../src/wire/constants.ts'
import { isKnownFrame } from '../../../src/wire/frame-table.ts'
import { Reader } from '../../../src/wire/reader.ts'
import { TransportError } from '../../../src/wire/transport-error.ts'
import { decodeBody, frameCases } from './frame-cases.ts'

/** The error that decoding buffer[1, end) of a frame of this type raises; null when it is valid. */
function decodeError(bytes: Uint8Array, end: number, type: number): TransportError | null {
  try {
    decodeBody(new Reader(bytes, 1, end), type)
    return null
  } catch (error) {
    if (error instanceof TransportError) return error
    throw error
  }
}

describe.each(frameCases)('$name frames', ({ arbitrary, types }) => {
  it('read back to what was written, in the size announced, with bytes behind them left unread', () => {
    fc.assert(
      fc.property(arbitrary, fc.uint8Array({ maxLength: 10 }), ({ bytes, expected, size, validFrom }, behind) => {
        expect(types).toContain(bytes[0])
        expect(bytes.length).toBe(size)
        const reader = new Reader(concatBytes(bytes, behind), 1, bytes.length + (validFrom === Infinity ? behind.length : 0))
        expect(decodeBody(reader, bytes[0]!)).toEqual(expected)
        expect(reader.position).toBe(bytes.length)
      }),
    )
  })

  it('cut at any byte are FRAME_ENCODING_ERROR with the frame type', () => {
    fc.assert(
      fc.property(arbitrary, ({ bytes, validFrom }) => {
        // Bytes behind the cut are there in the buffer, as they are in a datagram.
        const buffer = concatBytes(bytes, new Uint8Array(64))
        for (let end = 1; end < bytes.length; end++) {
          const error = decodeError(buffer, end, bytes[0]!)
          if (end >= validFrom) expect(error).toBeNull()
          else expect(error).toMatchObject({ wireCode: TransportErrorCode.frameEncodingError, frameType: bytes[0]! })
        }
      }),
      { numRuns: 50 },
    )
  })

  it('every type of the family is generated', () => {
    const seen = new Set(fc.sample(arbitrary, 2000).map(({ bytes }) => bytes[0]!))
    expect([...seen].sort((a, b) => a - b)).toEqual([...types])
  })
})

describe('any bytes', () => {
  const typesWithBody = frameCases.flatMap(({ types }) => types)

  it('every known type but PADDING, PING, HANDSHAKE_DONE and IMMEDIATE_ACK has a decoder', () => {
    const known = Array.from({ length: 256 }, (_, type) => type).filter(isKnownFrame)
    expect([0x00, 0x01, ...typesWithBody, 0x1e, 0x1f].sort((a, b) => a - b)).toEqual(known)
  })

  it('are a frame within the bytes, or FRAME_ENCODING_ERROR', () => {
    // Small bytes make plausible lengths and counts; 0xff and 0xc0 make huge ones.
    const byte = fc.oneof(fc.nat(12), fc.nat(255), fc.constantFrom(0xff, 0xc0, 0x40, 0x80))
    const body = fc.array(byte, { maxLength: 60 }).map((values) => Uint8Array.from([0, ...values]))
    for (const type of typesWithBody) {
      fc.assert(
        fc.property(body, (bytes) => {
          const reader = new Reader(bytes, 1, bytes.length)
          try {
            decodeBody(reader, type)
          } catch (error) {
            expect(error).toBeInstanceOf(TransportError)
            expect(error).toMatchObject({ wireCode: TransportErrorCode.frameEncodingError, frameType: type })
            return
          }
          expect(reader.failed).toBe(false)
          expect(reader.position).toBeLessThanOrEqual(bytes.length)
        }),
        { numRuns: 300 },
      )
    }
  })
})
