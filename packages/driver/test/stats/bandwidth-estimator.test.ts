import { describe, expect, it } from 'vitest'
import { BandwidthEstimator } from '../../src/stats/bandwidth-estimator.ts'

const SECOND = 1000
const MB = 1e6
const ROUND = 30 * SECOND

describe('bandwidth estimator', () => {
  it('[58] estimator estimate: nothing for five rounds, then the mean of ten, and the largest of two minutes', () => {
    const estimator = new BandwidthEstimator(0)
    let now = 0
    let acked = 0
    const round = (megabytes: number): number => {
      now += ROUND
      acked += megabytes * MB
      estimator.endRound(now, acked, acked, ROUND)
      return estimator.estimate(now) / MB
    }
    for (let i = 0; i < 4; i++) expect(round(30)).toBe(0)
    for (let i = 0; i < 6; i++) expect(round(30)).toBe(8)
    for (let i = 0; i < 5; i++) round(60)
    expect(estimator.estimate(now) / MB).toBe(12)
    for (let i = 0; i < 5; i++) round(60)
    expect(estimator.estimate(now) / MB).toBe(16)
    // The rate drops: kept for two minutes, then it falls.
    for (let i = 0; i < 4; i++) expect(round(0)).toBe(16)
    expect(round(0)).toBeLessThan(16)
    for (let i = 0; i < 12; i++) round(0)
    expect(estimator.estimate(now)).toBe(0)
  })

  it('what was sent bounds what arrived, and time that stands still gives nothing', () => {
    const estimator = new BandwidthEstimator(0)
    for (let i = 1; i <= 8; i++) estimator.endRound(i * SECOND, i * MB, 2 * i * MB, SECOND)
    expect(estimator.estimate(8 * SECOND) / MB).toBe(8)
    const still = new BandwidthEstimator(5)
    for (let i = 1; i <= 8; i++) still.endRound(5, i * MB, i * MB, 0)
    expect(still.estimate(5)).toBe(0)
    expect(still.nextRoundAt).toBe(55)
  })
})
