import { describe, expect, it } from 'vitest'
import { INITIAL_RTT, RttEstimator, usableAckDelay } from '../../src/recovery/rtt.ts'

describe('RttEstimator: RFC 9002 §5', () => {
  it('starts from the initial RTT, with a PTO of one second (§6.2.2)', () => {
    const rtt = new RttEstimator()
    expect([rtt.hasSample, rtt.smoothed, rtt.variance, rtt.minimum]).toEqual([false, INITIAL_RTT, INITIAL_RTT / 2, 0])
    expect(rtt.pto(0)).toBe(999)
    expect(rtt.firstSampleAt).toBe(Infinity)
  })

  it('takes the first sample as it is (§5.3)', () => {
    const rtt = new RttEstimator()
    rtt.update(100, 40, 1234)
    expect([rtt.latest, rtt.smoothed, rtt.variance, rtt.minimum, rtt.firstSampleAt]).toEqual([100, 100, 50, 100, 1234])
  })

  it('averages later samples after taking the ack delay off', () => {
    const rtt = new RttEstimator()
    rtt.update(100, 0, 0)
    rtt.update(140, 20, 1)
    // adjusted 120
    expect(rtt.smoothed).toBe(0.875 * 100 + 0.125 * 120)
    expect(rtt.variance).toBe(0.75 * 50 + 0.25 * 20)
    expect(rtt.minimum).toBe(100)
    expect(rtt.firstSampleAt).toBe(0)
  })

  it('does not take a delay off that would lead below min_rtt', () => {
    const rtt = new RttEstimator()
    rtt.update(100, 0, 0)
    rtt.update(110, 20, 1)
    expect(rtt.smoothed).toBe(0.875 * 100 + 0.125 * 110)
    rtt.update(90, 30, 2)
    expect(rtt.minimum).toBe(90)
  })

  it('keeps the PTO above the granularity of timers when the RTT is steady (§6.2.1)', () => {
    const rtt = new RttEstimator()
    for (let i = 0; i < 100; i += 1) rtt.update(10, 0, i)
    expect(rtt.pto(0)).toBeCloseTo(11, 6)
    expect(rtt.pto(25)).toBeCloseTo(36, 6)
  })

  it('restarts min_rtt after persistent congestion (§5.2) and everything on a new path (RFC 9000 §9.4)', () => {
    const rtt = new RttEstimator()
    rtt.update(20, 0, 0)
    rtt.update(80, 0, 1)
    rtt.onPersistentCongestion()
    expect(rtt.minimum).toBe(80)
    rtt.reset(50)
    expect({ ...rtt }).toEqual({ ...new RttEstimator(50) })
  })

  it('limits the ack delay by level and confirmation (§5.3)', () => {
    expect(usableAckDelay(300, true, false, 25)).toBe(0)
    expect(usableAckDelay(300, false, false, 25)).toBe(300)
    expect(usableAckDelay(300, false, true, 25)).toBe(25)
    expect(usableAckDelay(10, false, true, 25)).toBe(10)
  })
})
