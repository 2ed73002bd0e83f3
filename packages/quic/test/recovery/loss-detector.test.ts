import { describe, expect, it } from 'vitest'
import { AckOutcome, processAck } from '../../src/recovery/ack-processor.ts'
import { detectLost, lossDelay } from '../../src/recovery/loss-detector.ts'
import { RttEstimator } from '../../src/recovery/rtt.ts'
import { LossTrigger } from '../../src/recovery/sent-packet.ts'
import { newSpace, numbers, ranges, send } from './records.ts'

function rttOf(ms: number): RttEstimator {
  const rtt = new RttEstimator()
  rtt.update(ms, 0, 0)
  return rtt
}

describe('detectLost: RFC 9002 §6.1', () => {
  it('declares packets three numbers behind lost at once (§6.1.1)', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    for (let n = 0; n < 5; n += 1) send(sent, n, 0)
    processAck(sent, ranges([3, 3]), 1, outcome)
    const lossTime = detectLost(sent, sent.largestAcked, rttOf(80), 80, outcome)
    expect(numbers(outcome.lost, outcome.lostCount)).toEqual([0])
    expect(outcome.lost[0]!.lossTrigger).toBe(LossTrigger.reorderingThreshold)
    expect(lossTime).toBe(90)
    expect(sent.lossTime).toBe(90)
  })

  it('waits 9/8 of the larger of smoothed and latest RTT, at least 1 ms (§6.1.2)', () => {
    const rtt = rttOf(80)
    expect(lossDelay(rtt)).toBe(90)
    rtt.update(160, 0, 1)
    expect(lossDelay(rtt)).toBe(180)
    rtt.update(8, 0, 2)
    expect(lossDelay(rtt)).toBe((9 / 8) * rtt.smoothed)
    expect(lossDelay(rttOf(0.1))).toBe(1)
  })

  it('declares the rest lost exactly at the deadline it returned, whatever the fraction', () => {
    for (const sentAt of [0.1, 1 / 3, 1e6 + 0.7, 123456.789]) {
      const sent = newSpace()
      const outcome = new AckOutcome()
      const rtt = rttOf(33.3)
      send(sent, 0, sentAt)
      send(sent, 1, sentAt + 1)
      processAck(sent, ranges([1, 1]), 1, outcome)
      const lossTime = detectLost(sent, sent.largestAcked, rtt, sentAt + 30, outcome)
      expect(outcome.lostCount).toBe(0)
      detectLost(sent, sent.largestAcked, rtt, lossTime - 0.001, outcome)
      expect(outcome.lostCount).toBe(0)
      expect(detectLost(sent, sent.largestAcked, rtt, lossTime, outcome)).toBe(Infinity)
      expect(numbers(outcome.lost, outcome.lostCount)).toEqual([0])
      expect(outcome.lost[0]!.lossTrigger).toBe(LossTrigger.timeThreshold)
    }
  })

  it('never declares a packet lost that was sent after the largest acknowledged', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    send(sent, 0, 0)
    send(sent, 1, 0)
    processAck(sent, ranges([0, 0]), 1, outcome)
    expect(detectLost(sent, sent.largestAcked, rttOf(10), 1e6, outcome)).toBe(Infinity)
    expect(outcome.lostCount).toBe(0)
  })

  it('arms no timer for a packet that is not in flight', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    send(sent, 0, 0, { ackEliciting: false })
    send(sent, 1, 4)
    send(sent, 2, 5)
    processAck(sent, ranges([2, 2]), 1, outcome)
    expect(detectLost(sent, sent.largestAcked, rttOf(80), 20, outcome)).toBe(94)
    processAck(sent, ranges([1, 2]), 1, outcome)
    expect(detectLost(sent, sent.largestAcked, rttOf(80), 21, outcome)).toBe(Infinity)
  })
})
