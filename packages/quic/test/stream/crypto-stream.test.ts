import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CryptoStream, MAX_CRYPTO_BUFFER } from '../../src/stream/crypto-stream.ts'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { CryptoFrame, readCryptoFrame } from '../../src/wire/frames/crypto.ts'
import { Reader } from '../../src/wire/reader.ts'
import { TransportError } from '../../src/wire/transport-error.ts'
import { byteAt, patternBytes, seeded, TestPacket } from '../delivery/packet.ts'

function receive(bytes: Uint8Array, to: CryptoStream | null): { offset: number; length: number }[] {
  const reader = new Reader(bytes)
  const frames: { offset: number; length: number }[] = []
  while (reader.remaining > 0) {
    const frame = new CryptoFrame()
    readCryptoFrame(reader, reader.varint(), frame)
    to?.onFrame(frame.offset, reader.buffer, frame.dataStart, frame.dataLength)
    frames.push({ offset: frame.offset, length: frame.dataLength })
  }
  return frames
}

function packet(from: CryptoStream, size: number): TestPacket {
  const out = new TestPacket(size)
  from.writeFrames(out)
  return out
}

function codeOf(action: () => void): number[] {
  try {
    action()
  } catch (error) {
    if (error instanceof TransportError) return [error.wireCode, error.frameType]
    throw error
  }
  return []
}

describe('CRYPTO stream (RFC 9000 §7.5, §19.6)', () => {
  it('everything arrives in order over a network that loses and reorders', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seeded(seed)
        const from = new CryptoStream()
        const to = new CryptoStream()
        const total = 1 + random(20_000)
        let written = 0
        let read = 0
        const wire: TestPacket[] = []
        while (read < total) {
          if (written < total && random(2) === 0) {
            const length = Math.min(total - written, 1 + random(3000))
            from.write(patternBytes(1, written, length))
            written += length
          }
          if (from.wants()) {
            const out = packet(from, 20 + random(1200))
            expect(out.length).toBeGreaterThan(0)
            wire.push(out)
          }
          if (random(40) === 0) from.rewind()
          if (wire.length > 0 && random(2) === 0) {
            const out = wire.splice(random(wire.length), 1)[0]!
            const lost = random(4) === 0
            if (!lost) receive(out.bytes(), to)
            for (const token of out.tokens) {
              if (lost) from.lost(token.a, token.b)
              else from.acked(token.a, token.b)
            }
          }
          for (let bytes = to.read(); bytes !== null; bytes = to.read()) {
            for (const byte of bytes) if (byte !== byteAt(1, read++)) expect.fail(`byte ${read - 1} differs`)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('after a Retry everything not acknowledged is due again (RFC 9000 §17.2.5.3)', () => {
    const stream = new CryptoStream()
    stream.write(new Uint8Array(300))
    packet(stream, 500)
    stream.acked(100, 50)
    expect(stream.wants()).toBe(false)
    stream.rewind()
    expect(receive(packet(stream, 500).bytes(), null)).toEqual([
      { offset: 0, length: 100 },
      { offset: 150, length: 150 },
    ])
  })

  it('CRYPTO_BUFFER_EXCEEDED beyond 64 KiB ahead of what was read, and for too many gaps (RFC 9000 §7.5)', () => {
    const expected = [TransportErrorCode.cryptoBufferExceeded, FrameType.crypto]
    const byte = new Uint8Array(1)
    const stream = new CryptoStream()
    stream.onFrame(MAX_CRYPTO_BUFFER - 1, byte, 0, 1)
    expect(codeOf(() => stream.onFrame(MAX_CRYPTO_BUFFER, byte, 0, 1))).toEqual(expected)
    expect(codeOf(() => stream.onFrame(Number.MAX_SAFE_INTEGER - 1, byte, 0, 1))).toEqual(expected)
    stream.onFrame(0, byte, 0, 1)
    stream.read()
    stream.onFrame(MAX_CRYPTO_BUFFER, byte, 0, 1)
    const gaps = new CryptoStream()
    const flood = (): void => {
      for (let offset = 1; offset < 4000; offset += 2) gaps.onFrame(offset, byte, 0, 1)
    }
    expect(codeOf(flood)).toEqual(expected)
  })

  it('writes nothing where nothing fits', () => {
    const stream = new CryptoStream()
    stream.write(new Uint8Array(100))
    for (const size of [0, 1, 2, 3]) {
      const out = new TestPacket(size)
      expect(stream.writeFrames(out)).toBe(false)
      expect(out.length).toBe(0)
    }
    const out = new TestPacket(4)
    expect(stream.writeFrames(out)).toBe(false)
    expect(receive(out.bytes(), null)).toEqual([{ offset: 0, length: 1 }])
  })
})
