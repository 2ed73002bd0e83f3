import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SendBuffer } from '../../src/stream/send-buffer.ts'
import { Writer } from '../../src/wire/writer.ts'
import { byteAt, patternBytes, seeded } from '../delivery/packet.ts'

// The plain twin: one state per byte.
const UNSENT = 0
const SENT = 1
const LOST = 2
const ACKED = 3

interface InFlight {
  offset: number
  length: number
}

function run(seed: number, steps: number): void {
  const random = seeded(seed)
  const buffer = new SendBuffer()
  const twin: number[] = []
  const inFlight: InFlight[] = []
  const chunk = 40
  for (let step = 0; step < steps; step++) {
    const action = random(6)
    if (action === 0) {
      const length = random(chunk)
      const lead = random(5)
      const data = new Uint8Array(lead + length + random(5))
      data.set(patternBytes(0, twin.length, length), lead)
      buffer.write(data, lead, lead + length)
      for (let i = 0; i < length; i++) twin.push(UNSENT)
    } else if (action < 3) {
      const lost = buffer.hasLost()
      const firstLost = twin.indexOf(LOST)
      expect(lost).toBe(firstLost >= 0)
      if (!lost && buffer.unsent() === 0) continue
      const offset = lost ? buffer.lostStart() : buffer.sent
      const available = lost ? buffer.lostEnd() - offset : buffer.unsent()
      if (lost) expect(offset).toBe(firstLost)
      for (let i = 0; i < available; i++) if (twin[offset + i] !== (lost ? LOST : UNSENT)) expect.fail(`byte ${offset + i} is not due`)
      const length = 1 + random(Math.min(available, chunk))
      const out = new Uint8Array(length)
      buffer.copyOut(new Writer(out), offset, length)
      for (let i = 0; i < length; i++) {
        if (out[i] !== byteAt(0, offset + i)) expect.fail(`byte ${offset + i} differs`)
        twin[offset + i] = SENT
      }
      inFlight.push({ offset, length })
    } else if (inFlight.length > 0) {
      const index = random(inFlight.length)
      const { offset, length } = inFlight[index]!
      // A lost frame may still be acknowledged later: keep some of them.
      if (action === 3 || random(3) > 0) inFlight.splice(index, 1)
      if (action === 3) buffer.lost(offset, length)
      else buffer.acked(offset, length)
      for (let i = offset; i < offset + length; i++) {
        if (action !== 3) twin[i] = ACKED
        else if (twin[i] !== ACKED) twin[i] = LOST
      }
    }
    const base = twin.findIndex((state) => state !== ACKED)
    const unsent = twin.length - (twin.findLastIndex((state) => state !== UNSENT) + 1)
    const is = [buffer.base, buffer.end, buffer.unsent(), buffer.isAllAcked()]
    expect(is).toEqual([base < 0 ? twin.length : base, twin.length, unsent, base < 0])
  }
}

describe('send buffer', () => {
  it('agrees with one state per byte', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => run(seed, 150)),
      { numRuns: 150 },
    )
  })

  it('repeats only what has not been acknowledged meanwhile (RFC 9000 §13.3)', () => {
    const buffer = new SendBuffer()
    buffer.write(new Uint8Array(100), 0, 100)
    buffer.copyOut(new Writer(new Uint8Array(100)), 0, 100)
    buffer.acked(20, 10)
    buffer.acked(60, 10)
    buffer.lost(0, 100)
    const seen: number[][] = []
    while (buffer.hasLost()) {
      const start = buffer.lostStart()
      const end = buffer.lostEnd()
      seen.push([start, end])
      buffer.copyOut(new Writer(new Uint8Array(100)), start, end - start)
    }
    expect(seen).toEqual([
      [0, 20],
      [30, 60],
      [70, 100],
    ])
  })

  it('lets go of acknowledged chunks at once', () => {
    const buffer = new SendBuffer()
    for (let i = 0; i < 100; i++) buffer.write(new Uint8Array(1000), 0, 1000)
    buffer.copyOut(new Writer(new Uint8Array(100_000)), 0, 100_000)
    buffer.acked(0, 99_500)
    expect(buffer.length).toBe(500)
    expect((buffer as unknown as { chunks: { length: number } }).chunks.length).toBe(1)
    buffer.acked(99_500, 500)
    expect((buffer as unknown as { chunks: { length: number } }).chunks.length).toBe(0)
  })
})
