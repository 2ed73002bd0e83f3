import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../src/base/assert.ts'
import { EMPTY, toHex } from '../../src/base/bytes.ts'
import { writeShortHeader } from '../../src/wire/header-writer.ts'
import { expandPacketNumber, packetNumberLength } from '../../src/wire/packet-number.ts'
import { Writer } from '../../src/wire/writer.ts'

function load<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../../test-vectors/rfc9000-a/${name}`, import.meta.url), 'utf8')) as T
}

interface Encoding {
  packetNumber: string
  largestAcked: string | null
  length: number
  encoded: string
}

interface Decoding {
  largestReceived: string | null
  truncated: string
  length: number
  packetNumber: string
}

const encodings = load<Encoding[]>('packet-number-encoding.json')
const decodings = load<Decoding[]>('packet-number-decoding.json')
const hex = (text: string | null): number => (text === null ? -1 : Number.parseInt(text, 16))

/** RFC 9000 §A.3, letter by letter. */
function plainDecode(largest: bigint, truncated: bigint, bits: bigint): bigint {
  const expected = largest + 1n
  const win = 1n << bits
  const hwin = win / 2n
  const candidate = (expected & ~(win - 1n)) | truncated
  if (candidate <= expected - hwin && candidate < (1n << 62n) - win) return candidate + win
  if (candidate > expected + hwin && candidate >= win) return candidate - win
  return candidate
}

const packetNumbers = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 52 }), fc.integer({ min: 0, max: 52 }))
  .map(([value, shift]) => Math.floor(value / 2 ** shift))

const fraction = fc.double({ min: 0, max: 1, noNaN: true })

describe('packet numbers (RFC 9000 §17.1)', () => {
  it.each(encodings)('Appendix A.2: $packetNumber after $largestAcked takes $length bytes', (vector) => {
    const { packetNumber, largestAcked, length, encoded } = vector
    expect(packetNumberLength(hex(packetNumber), hex(largestAcked))).toBe(length)
    const writer = new Writer(new Uint8Array(1 + length))
    writeShortHeader(writer, EMPTY, hex(packetNumber), length, 0, 0)
    expect(toHex(writer.buffer.subarray(1))).toBe(encoded)
  })

  it.each(decodings)('Appendix A.3: $truncated after $largestReceived is $packetNumber', (vector) => {
    const { largestReceived, truncated, length, packetNumber } = vector
    expect(expandPacketNumber(hex(truncated), length, hex(largestReceived))).toBe(hex(packetNumber))
  })

  it('expansion agrees with the pseudocode', () => {
    fc.assert(
      fc.property(packetNumbers, fc.integer({ min: 1, max: 4 }), fc.nat(0xffffffff), (largest, length, raw) => {
        const truncated = raw % 2 ** (8 * length)
        expect(expandPacketNumber(truncated, length, largest - 1)).toBe(
          Number(plainDecode(BigInt(largest - 1), BigInt(truncated), BigInt(8 * length))),
        )
      }),
      { numRuns: 1000 },
    )
  })

  it('whatever is sent is recovered by a receiver between the largest acknowledged and the packet', () => {
    fc.assert(
      fc.property(packetNumbers, fc.nat(2 ** 31 - 1), fc.nat(31), fraction, (acked, span, shift, where) => {
        const largestAcked = acked - 1
        const packetNumber = acked + Math.floor(span / 2 ** shift)
        const length = packetNumberLength(packetNumber, largestAcked)
        const truncated = packetNumber % 2 ** (8 * length)
        const received = largestAcked + Math.floor((packetNumber - largestAcked - 1) * where)
        expect(expandPacketNumber(truncated, length, received)).toBe(packetNumber)
      }),
      { numRuns: 1000 },
    )
  })

  it('more than 2^31 packets unacknowledged is a bug', () => {
    expect(() => packetNumberLength(2 ** 31 + 1, 0)).toThrow(InvariantError)
  })
})
