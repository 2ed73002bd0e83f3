// What was received in one space (RFC 9000 §12.3, §13.2.3, §13.2.4), against a plain set.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReceivedPackets } from '../../src/space/received-packets.ts'

describe('ReceivedPackets', () => {
  it('never takes a number twice, and never forgets that it did', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ kind: fc.constant('packet' as const), value: fc.nat(400) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('acknowledged' as const), value: fc.nat(400) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const received = new ReceivedPackets()
        const taken = new Set<number>()
        for (const { kind, value } of steps) {
          if (kind === 'acknowledged') {
            // Only what was received can have been acknowledged, and that be known.
            if (taken.has(value)) received.forgetUpTo(value)
            continue
          }
          if (received.isDuplicate(value)) continue
          expect(taken.has(value)).toBe(false)
          taken.add(value)
          received.add(value, 0, 5)
          expect(received.largest).toBe(Math.max(...taken))
          expect(received.ranges.length).toBeGreaterThan(0)
          expect(received.ranges.length).toBeLessThanOrEqual(64)
          expect(received.ranges.max()).toBe(received.largest)
          for (let i = 0; i < received.ranges.length; i += 1) {
            const end = received.ranges.endAt(i)
            for (let number = received.ranges.startAt(i); number < end; number += 1) expect(taken.has(number)).toBe(true)
          }
        }
      }),
    )
  })

  it('counts ECN codepoints of new packets (RFC 9000 §13.4.1)', () => {
    const received = new ReceivedPackets()
    for (const [number, ecn] of [
      [0, 2],
      [1, 2],
      [2, 1],
      [3, 3],
      [4, 0],
    ] as const) {
      received.add(number, ecn, 1)
    }
    expect([received.ect0, received.ect1, received.ce]).toEqual([2, 1, 1])
  })

  it('keeps the arrival time of the largest alone (RFC 9000 §13.2.5)', () => {
    const received = new ReceivedPackets()
    received.add(5, 0, 100)
    received.add(3, 0, 200)
    expect(received.largestReceivedAt).toBe(100)
  })
})
