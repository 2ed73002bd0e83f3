import { describe, expect, it } from 'vitest'
import { SEND_BUFFER_SIZE, monotonicClock } from '../../src/index.ts'
import { ReceiveQueue, MAX_BATCH, MAX_PER_PEER } from '../../src/io/receive-queue.ts'
import { MAX_HELD_BUFFERS, SendBuffers } from '../../src/io/send-buffers.ts'
import { PathTable } from '../../src/io/socket-address.ts'

function holdAll(buffers: SendBuffers, count: number): Set<Buffer> {
  const held = new Set<Buffer>()
  for (let i = 0; i < count; i++) {
    held.add(buffers.current)
    buffers.hold()
  }
  return held
}

describe('send buffers', () => {
  it('[59] worker caps_retained_buffers: of twenty that come back sixteen are kept', () => {
    const buffers = new SendBuffers()
    expect(holdAll(buffers, 20).size).toBe(20)
    expect(buffers.isExhausted).toBe(true)
    buffers.release()
    expect(buffers.retained).toBe(MAX_HELD_BUFFERS)
    expect(MAX_HELD_BUFFERS).toBe(16)
    expect(buffers.isExhausted).toBe(false)
  })

  it('[60] worker reuses_a_returned_buffer: the same memory', () => {
    const buffers = new SendBuffers()
    const [first] = holdAll(buffers, 1)
    buffers.release()
    expect(buffers.retained).toBe(1)
    buffers.hold()
    expect(buffers.current).toBe(first)
    expect(buffers.current.length).toBe(SEND_BUFFER_SIZE)
    expect(buffers.filled(1200)).toHaveLength(1200)
    expect(buffers.filled(1200).buffer).toBe(buffers.current.buffer)
  })

  it('[61] worker returns_to_the_dropping_thread: a buffer stays with its socket (fixed: sockets share none)', () => {
    const one = new SendBuffers()
    const other = new SendBuffers()
    const ofOne = holdAll(one, 3)
    const ofOther = holdAll(other, 3)
    one.release()
    other.release()
    expect([one.retained, other.retained]).toEqual([3, 3])
    for (const buffer of ofOne) expect(ofOther.has(buffer)).toBe(false)
  })

  it('[62] gso instant_zero: instants are those of the system’s monotonic clock', () => {
    const before = performance.now()
    const now = monotonicClock.now()
    expect(now).toBeGreaterThanOrEqual(before)
    expect(performance.now()).toBeGreaterThanOrEqual(now)
    // CLOCK_MONOTONIC, in nanoseconds, runs at the same rate.
    const from = process.hrtime.bigint()
    const start = monotonicClock.now()
    while (monotonicClock.now() - start < 20);
    const elapsed = Number(process.hrtime.bigint() - from) / 1e6
    expect(elapsed).toBeGreaterThanOrEqual(20)
  })
})

describe('receive queue', () => {
  it('is bounded as a whole and for each peer, and counts what it drops', () => {
    const queue = new ReceiveQueue()
    const paths = new PathTable('')
    const flood = paths.intern('10.0.0.1', 1)
    for (let i = 0; i < 3000; i++) queue.push(new Uint8Array(1), flood, 0)
    expect(queue.dropped).toBe(3000 - MAX_PER_PEER)
    // Others are still heard, until the whole is full.
    for (let i = 0; i < 3000; i++) queue.push(new Uint8Array(1), paths.intern('10.0.0.2', 1 + (i % 30)), 0)
    const batch = queue.take()!
    expect(batch.length).toBe(MAX_BATCH)
    expect(queue.dropped).toBe(6000 - MAX_BATCH)
    batch.clear()
    expect(queue.take()).toBeNull()
    // The next batch begins anew for everybody; the first of it says so.
    expect(queue.push(new Uint8Array(1), flood, 0)).toBe(true)
    expect(queue.push(new Uint8Array(1), flood, 0)).toBe(false)
    expect(queue.take()!.length).toBe(2)
  })
})
