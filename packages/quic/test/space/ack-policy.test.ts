// When an ACK is due (RFC 9000 §13.2.1, §13.2.2).

import { describe, expect, it } from 'vitest'
import { AckPolicy } from '../../src/space/ack-policy.ts'

describe('AckPolicy', () => {
  it('delays the first packet in order by max_ack_delay, not the second', () => {
    const policy = new AckPolicy(25)
    policy.onPacket(0, -1, true, false, 100)
    expect(policy.isDue(100)).toBe(false)
    expect(policy.isUseful()).toBe(true)
    expect(policy.deadline).toBe(125)
    expect(policy.isDue(125)).toBe(true)
    policy.onPacket(1, 0, true, false, 110)
    expect(policy.isDue(110)).toBe(true)
    expect(policy.deadline).toBe(125)
    policy.onAckSent(true)
    expect(policy.isDue(1000)).toBe(false)
    expect(policy.deadline).toBe(Infinity)
  })

  it('is immediate without a delay, on gaps, on late packets and on CE', () => {
    const cases: [number, number, number, boolean][] = [
      [0, 0, -1, false],
      [25, 7, 5, false],
      [25, 4, 5, false],
      [25, 6, 5, true],
    ]
    for (const [delay, number, before, ce] of cases) {
      const policy = new AckPolicy(delay)
      policy.onPacket(number, before, true, ce, 1)
      expect(policy.isDue(1)).toBe(true)
    }
  })

  it('packets that elicit nothing leave it alone', () => {
    const policy = new AckPolicy(25)
    policy.onPacket(9, 2, false, true, 1)
    expect(policy.isUseful()).toBe(false)
    expect(policy.deadline).toBe(Infinity)
  })

  it('wants a PING after many ACK-only packets, so that ranges can be forgotten (§13.2.4)', () => {
    const policy = new AckPolicy(25)
    for (let i = 0; i < 16; i += 1) {
      expect(policy.wantsPing()).toBe(false)
      policy.onAckSent(true)
    }
    expect(policy.wantsPing()).toBe(true)
    policy.onAckSent(false)
    expect(policy.wantsPing()).toBe(false)
  })
})
