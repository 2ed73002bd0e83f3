import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Pacer } from '../../src/congestion/pacer.ts'

const MTU = 1200

/** Sends full datagrams until told to wait; returns how many went and the time to come back at. */
function burst(pacer: Pacer, now: number, rate: number, limit: number = Infinity): { sent: number; at: number } {
  let sent = 0
  for (;;) {
    const at = pacer.releaseTime(now, MTU, rate)
    if (at > now || sent >= limit) return { sent, at }
    pacer.onSent(now, MTU, rate)
    sent += 1
  }
}

describe('Pacer: RFC 9002 §7.7', () => {
  it('lets ten datagrams go at once, then waits', () => {
    const pacer = new Pacer(MTU)
    const { sent, at } = burst(pacer, 100, 12)
    expect(sent).toBe(10)
    // 1200 bytes at 12 bytes per ms
    expect(at).toBe(200)
    expect(burst(pacer, 200, 12)).toEqual({ sent: 1, at: 300 })
  })

  it('lets 2 ms of a high rate go at once and asks for a full timer quantum', () => {
    const pacer = new Pacer(MTU)
    const rate = 120_000
    const { sent, at } = burst(pacer, 0, rate)
    expect(sent).toBe(200)
    expect(at).toBe(1)
    expect(burst(pacer, 1, rate)).toEqual({ sent: 100, at: 2 })
  })

  it('loses nothing to a timer that is late by up to the burst', () => {
    const pacer = new Pacer(MTU)
    const rate = 24_000
    let { sent } = burst(pacer, 0, rate)
    for (let now = 1.9; now <= 1000; now += 1.9) sent += burst(pacer, now, rate).sent
    expect(sent).toBeGreaterThan((998 * rate) / MTU)
  })

  it('does not save up more than a burst while idle', () => {
    const pacer = new Pacer(MTU)
    burst(pacer, 0, 12)
    expect(burst(pacer, 1e6, 12).sent).toBe(10)
  })

  it('keeps the debt of packets that were not asked for, up to a burst', () => {
    const pacer = new Pacer(MTU)
    burst(pacer, 0, 12)
    pacer.onSent(0, MTU, 12)
    expect(pacer.releaseTime(0, MTU, 12)).toBe(200)
    for (let i = 0; i < 1000; i += 1) pacer.onSent(0, MTU, 12)
    expect(pacer.releaseTime(0, MTU, 12)).toBe(1100)
  })

  it('does not pace without a finite rate, nor by a clock that steps back', () => {
    const pacer = new Pacer(MTU)
    for (const rate of [Infinity, 0, NaN]) {
      for (let i = 0; i < 100; i += 1) pacer.onSent(5, MTU, rate)
      expect(pacer.releaseTime(5, MTU, rate)).toBe(5)
    }
    burst(pacer, 10, 12)
    expect(pacer.releaseTime(4, MTU, 12)).toBeGreaterThan(4)
  })

  it('follows the datagram size, and is full again after reset', () => {
    const pacer = new Pacer(MTU)
    burst(pacer, 0, 12)
    pacer.onMtu(9000)
    expect(pacer.capacity(12)).toBe(90_000)
    pacer.reset()
    expect(burst(pacer, 0, 12).sent).toBe(75)
  })

  it('lets a datagram larger than the bucket pass when the bucket is full', () => {
    const pacer = new Pacer(MTU)
    expect(pacer.releaseTime(0, 60_000, 1)).toBe(0)
    pacer.onSent(0, 60_000, 1)
    expect(pacer.releaseTime(0, 60_000, 1)).toBe(24_000)
  })

  it('never sends more than burst plus rate times time, and keeps its promise of when', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        fc.array(fc.tuple(fc.double({ min: 0, max: 20, noNaN: true }), fc.integer({ min: 40, max: 1200 })), { maxLength: 200 }),
        (rate, steps) => {
          const pacer = new Pacer(MTU)
          let now = 5
          let sent = 0
          for (const [wait, bytes] of steps) {
            now += wait
            const at = pacer.releaseTime(now, bytes, rate)
            if (at > now) {
              now = at
              expect(pacer.releaseTime(now, bytes, rate)).toBeLessThanOrEqual(now)
            }
            pacer.onSent(now, bytes, rate)
            sent += bytes
            expect(sent).toBeLessThanOrEqual(pacer.capacity(rate) + (now - 5) * rate + 1 + sent * 1e-9)
          }
        },
      ),
    )
  })
})
