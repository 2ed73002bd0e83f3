import { describe, expect, it } from 'vitest'
import { HyStart } from '../../src/congestion/hystart.ts'

/** Rounds of `acks` acknowledgments each with the round trip times given; returns after which round slow start was over, -1 if not. */
function rounds(hystart: HyStart, start: number, rtts: readonly number[], acks: number = 10): { now: number; over: number } {
  let now = start
  for (let i = 0; i < rtts.length; i += 1) {
    const sentAt = now
    now += rtts[i]!
    for (let ack = 0; ack < acks; ack += 1) {
      if (hystart.onAck(now + ack / 100, sentAt + ack / 100, rtts[i]!)) return { now, over: i }
    }
  }
  return { now, over: -1 }
}

describe('HyStart++: RFC 9406', () => {
  it('goes on while the round trip does not rise by an eighth', () => {
    const hystart = new HyStart()
    expect(rounds(hystart, 0, [80, 80, 85, 88, 90, 80, 89]).over).toBe(-1)
    expect(hystart.conservative).toBe(false)
    expect(hystart.growth(1200)).toBe(1200)
  })

  it('turns conservative when it does, and ends slow start five rounds later, the first of them included (§4.2)', () => {
    const hystart = new HyStart()
    const { now } = rounds(hystart, 0, [80, 80, 91])
    expect(hystart.conservative).toBe(true)
    expect(hystart.growth(1200)).toBe(300)
    expect(rounds(hystart, now, [95, 95, 95, 95, 95, 95]).over).toBe(4)
  })

  it('goes back to slow start when the rise was not confirmed', () => {
    const hystart = new HyStart()
    const { now } = rounds(hystart, 0, [80, 80, 91, 91])
    expect(hystart.conservative).toBe(true)
    const after = rounds(hystart, now, [85])
    expect(hystart.conservative).toBe(false)
    expect(rounds(hystart, after.now, [85, 86, 85, 86, 85, 86]).over).toBe(-1)
  })

  it('needs eight samples in a round', () => {
    const hystart = new HyStart()
    rounds(hystart, 0, [80, 80, 160, 80, 160], 7)
    expect(hystart.conservative).toBe(false)
  })

  it('wants a rise of 4 ms at least and of 16 ms at most (§4.3)', () => {
    for (const [base, little, enough] of [[8, 11.9, 12.1], [400, 415.9, 416.1]] as const) {
      const patient = new HyStart()
      rounds(patient, 0, [base, base, little])
      expect(patient.conservative).toBe(false)
      const alarmed = new HyStart()
      rounds(alarmed, 0, [base, base, enough])
      expect(alarmed.conservative).toBe(true)
    }
  })

  it('is as new after reset', () => {
    const hystart = new HyStart()
    rounds(hystart, 0, [80, 80, 91])
    hystart.reset()
    expect(hystart).toEqual(new HyStart())
  })
})
