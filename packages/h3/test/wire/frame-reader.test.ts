import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader } from '../../src/wire/frame-reader.ts'
import { dataPayloadFor } from '../../src/wire/frame-writer.ts'
import { PayloadCollector } from '../../src/wire/payload-collector.ts'
import { PeerStreamLedger } from '../../src/streams/peer-stream-ledger.ts'
import { varint } from '../h3-pair.ts'

interface Frame {
  type: number
  payload: number[]
}

/** Drives a reader the way its owners do. */
class Collecting {
  readonly frames: Frame[] = []
  private readonly reader = new FrameReader()
  private readonly collector = new PayloadCollector()

  feed(bytes: Uint8Array): void {
    let position = 0
    while (position < bytes.length) {
      if (!this.reader.inPayload) {
        position = this.reader.readHeader(bytes, position, bytes.length)
        if (!this.reader.inPayload) return
        if (this.reader.remaining > 0) continue
      }
      const end = Math.min(bytes.length, position + this.reader.remaining)
      const complete = this.collector.add(bytes, position, end, this.reader.remaining)
      this.reader.took(end - position)
      position = end
      if (!complete) continue
      const { bytes: payload, start, end: last } = this.collector
      this.frames.push({ type: this.reader.type, payload: [...payload.subarray(start, last)] })
    }
  }
  get atBoundary(): boolean {
    return this.reader.atBoundary
  }
}

const frames: Frame[] = [
  { type: 0x4, payload: [] },
  { type: 0x21, payload: [1, 2, 3] },
  { type: 0xf0700, payload: Array.from({ length: 100 }, (_, i) => i) },
  { type: 2 ** 40, payload: [7] },
  { type: 0x7, payload: [] },
]
const encode = (list: readonly Frame[]): Uint8Array =>
  Uint8Array.from(list.flatMap((f) => [...varint(f.type), ...varint(f.payload.length), ...f.payload]))

describe('frame reader (RFC 9114 §7.1)', () => {
  it('reads the same frames cut at every byte, and knows where a stream may end', () => {
    const bytes = encode(frames)
    const boundaries = new Set<number>()
    for (let n = 0; n <= frames.length; n++) boundaries.add(encode(frames.slice(0, n)).length)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const reader = new Collecting()
      reader.feed(bytes.slice(0, cut))
      expect([cut, reader.atBoundary]).toEqual([cut, boundaries.has(cut)])
      reader.feed(bytes.slice(cut))
      expect(reader.frames).toEqual(frames)
      expect(reader.atBoundary).toBe(true)
    }
  })
  it('reads any frames in any pieces', () => {
    const frame = fc.record({ type: fc.nat(2 ** 30), payload: fc.array(fc.nat(255), { maxLength: 1500 }) })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), (list, sizes) => {
        const bytes = encode(list)
        const reader = new Collecting()
        for (let position = 0, i = 0; position < bytes.length; i++) {
          const end = Math.min(bytes.length, position + sizes[i % sizes.length]!)
          reader.feed(bytes.slice(position, end))
          position = end
        }
        expect(reader.frames).toEqual(list)
      }),
    )
  })
})

describe('DATA frames to measure', () => {
  it('header and payload take the capacity exactly, up to the largest length', () => {
    for (const capacity of [3, 4, 65, 66, 67, 100, 16386, 16387, 16388, 16389, 100_000]) {
      const payload = dataPayloadFor(capacity)
      const length = capacity - payload - 1
      expect([1, 2, 4]).toContain(length)
      expect(payload).toBeLessThan(2 ** (8 * length - 2))
      expect(payload).toBeGreaterThan(0)
    }
  })
})

describe('peer stream ledger', () => {
  it('tells the first sight of a stream from what is over, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (indices) => {
        const ledger = new PeerStreamLedger(0)
        const seen = new Set<number>()
        for (const index of indices) {
          expect(ledger.seen(index * 4)).toBe(seen.has(index))
          expect(ledger.firstSight(index * 4)).toBe(!seen.has(index))
          seen.add(index)
          expect(ledger.next).toBe((Math.max(...seen) + 1) * 4)
        }
      }),
    )
  })
})
