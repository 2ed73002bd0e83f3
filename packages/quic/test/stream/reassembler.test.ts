import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_GAPS, Reassembler } from '../../src/stream/reassembler.ts'
import { byteAt, patternBytes, seeded } from '../delivery/packet.ts'

/** The plain twin: a boolean per byte. */
function run(seed: number, total: number, maxPiece: number): void {
  const random = seeded(seed)
  const reassembler = new Reassembler()
  const received: boolean[] = new Array<boolean>(total).fill(false)
  let read = 0
  let contiguous = 0
  for (let step = 0; read < total && step < 4000; step++) {
    const near = random(3) === 0
    const offset = near ? Math.min(total - 1, contiguous) : random(total)
    const length = Math.min(total - offset, random(maxPiece))
    const lead = random(30)
    const buffer = new Uint8Array(lead + length + random(60))
    buffer.set(patternBytes(7, offset, length), lead)
    if (!reassembler.insert(offset, buffer, lead, length)) expect.fail('refused')
    for (let i = offset; i < offset + length; i++) received[i] = true
    while (contiguous < total && received[contiguous]) contiguous++
    if (reassembler.contiguousEnd !== contiguous) expect(reassembler.contiguousEnd).toBe(contiguous)
    if (random(4) === 0) {
      const view = reassembler.peek()
      expect(view === null).toBe(contiguous === read)
      if (view === null) continue
      const take = 1 + random(view.length)
      for (let i = 0; i < take; i++) if (view[i] !== byteAt(7, read + i)) expect.fail(`byte ${read + i} differs`)
      reassembler.consume(take)
      read += take
      expect(reassembler.readOffset).toBe(read)
    }
  }
}

// Memory is what these tests are about, and it shows nowhere else.
function segments(reassembler: Reassembler): number {
  return (reassembler as unknown as { ready: { length: number } }).ready.length
}

function slotCount(reassembler: Reassembler): number {
  return (reassembler as unknown as { slots: Map<number, Uint8Array> | null }).slots?.size ?? 0
}

describe('reassembler (RFC 9000 §2.2)', () => {
  it('agrees with a boolean per byte: small pieces', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => run(seed, 600, 50)),
      { numRuns: 150 },
    )
  })

  it('agrees with a boolean per byte: pieces larger than a slot', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => run(seed, 40_000, 6000)),
      { numRuns: 40 },
    )
  })

  it('hands out in-order data as a view of the datagram it came in', () => {
    const reassembler = new Reassembler()
    const datagram = patternBytes(0, 0, 1200)
    reassembler.insert(0, datagram, 20, 1180)
    expect(reassembler.peek()!.buffer).toBe(datagram.buffer)
  })

  it('shows one view until something moves, and then the bytes of now', () => {
    const reassembler = new Reassembler()
    reassembler.insert(0, patternBytes(7, 0, 20), 0, 20)
    reassembler.consume(2)
    const first = reassembler.peek()!
    expect(reassembler.peek()).toBe(first)
    // Two read and two appended: as long as before, and elsewhere.
    reassembler.insert(20, patternBytes(7, 20, 2), 0, 2)
    reassembler.consume(2)
    while (reassembler.readable() > 0) {
      const view = reassembler.peek()!
      expect([...view]).toEqual([...patternBytes(7, reassembler.readOffset, view.length)])
      reassembler.consume(1)
    }
  })

  it('copies a small piece: it does not keep a datagram alive', () => {
    const reassembler = new Reassembler()
    const datagram = new Uint8Array(1200)
    reassembler.insert(0, datagram, 20, 100)
    expect(reassembler.peek()!.buffer).not.toBe(datagram.buffer)
    expect(reassembler.peek()!.buffer.byteLength).toBe(100)
  })

  it('refuses more than 1000 gaps', () => {
    const reassembler = new Reassembler()
    const byte = new Uint8Array(1)
    for (let i = 0; i < MAX_GAPS; i++) expect(reassembler.insert(1 + 2 * i, byte, 0, 1)).toBe(true)
    expect(reassembler.insert(1 + 2 * MAX_GAPS, byte, 0, 1)).toBe(false)
  })

  it('gathers a flood of one-byte pieces, in order, in reverse, and interleaved', () => {
    const total = 20_000
    const byte = new Uint8Array(40)
    const inOrder = new Reassembler()
    for (let i = 0; i < total; i++) inOrder.insert(i, byte, 0, 1)
    const reverse = new Reassembler()
    for (let i = total - 1; i >= 0; i--) reverse.insert(i, byte, 0, 1)
    const swapped = new Reassembler()
    for (let i = 0; i < total; i += 2) {
      swapped.insert(i + 1, byte, 0, 1)
      swapped.insert(i, byte, 0, 1)
    }
    for (const reassembler of [inOrder, reverse, swapped]) {
      expect(reassembler.readable()).toBe(total)
      expect(segments(reassembler)).toBeLessThan(40)
      expect(slotCount(reassembler)).toBe(0)
    }
  })

  it('frees what in-order data has passed', () => {
    const reassembler = new Reassembler()
    const far = 1_000_000
    for (let offset = 10_000; offset < 100_000; offset += 9000) reassembler.insert(offset, new Uint8Array(10), 0, 10)
    reassembler.insert(far, new Uint8Array(10), 0, 10)
    expect(slotCount(reassembler)).toBeGreaterThan(9)
    for (let offset = 0; offset < 200_000; offset += 1000) {
      reassembler.insert(offset, new Uint8Array(1000), 0, 1000)
      reassembler.consume(reassembler.readable())
    }
    expect(slotCount(reassembler)).toBe(1)
    reassembler.clear()
    expect(slotCount(reassembler)).toBe(0)
    expect(reassembler.peek()).toBe(null)
  })
})
