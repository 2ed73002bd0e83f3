import { describe, expect, it } from 'vitest'
import { AckOutcome, processAck } from '../../src/recovery/ack-processor.ts'
import { detectLost } from '../../src/recovery/loss-detector.ts'
import { PersistentCongestion, persistentCongestionDuration } from '../../src/recovery/persistent-congestion.ts'
import { RttEstimator } from '../../src/recovery/rtt.ts'
import type { Sending } from './records.ts'
import { newSpace, numbers, ranges, send } from './records.ts'

const MAX_ACK_DELAY = 25

/** An estimator with one sample of 100 ms taken at t=1: PTO 100 + 200 + 25, duration 975 ms. */
function sampled(): RttEstimator {
  const rtt = new RttEstimator()
  rtt.update(100, 0, 1)
  return rtt
}

/** Sends at the given times, acknowledges the last packet and the given ones, and asks. */
function establish(
  times: readonly number[],
  acked: readonly number[],
  sendings: Record<number, Sending> = {},
  rtt: RttEstimator = sampled(),
): boolean {
  const sent = newSpace()
  const outcome = new AckOutcome()
  for (const [n, at] of times.entries()) send(sent, n, at, sendings[n] ?? {})
  const last = times.length - 1
  processAck(sent, ranges([last, last], ...acked.toReversed().map((n): [number, number] => [n, n])), acked.length + 1, outcome)
  detectLost(sent, last, rtt, times[last]! + 200, outcome)
  return new PersistentCongestion().onLost(outcome, rtt, MAX_ACK_DELAY, 0)
}

describe('PersistentCongestion: RFC 9002 §7.6', () => {
  it('finds the example of §7.6.3', () => {
    // One unit is 1000 ms; smoothed + 4 rttvar + max_ack_delay = 2000 exactly as the example assumes.
    const rtt = new RttEstimator(1000)
    rtt.update(200, 0, 1200)
    rtt.smoothed = 1000
    rtt.variance = 200
    expect(persistentCongestionDuration(rtt, 200)).toBe(6000)
    const sent = newSpace()
    const outcome = new AckOutcome()
    for (const [n, at] of [[1, 0], [2, 1000]] as const) send(sent, n, at)
    processAck(sent, ranges([1, 1]), 1, outcome)
    for (const [n, at] of [[3, 2000], [4, 3000], [5, 4000], [6, 5000], [7, 6000], [8, 8000], [9, 12000]] as const) send(sent, n, at)
    processAck(sent, ranges([9, 9]), 1, outcome)
    detectLost(sent, 9, rtt, 12200, outcome)
    expect(numbers(outcome.lost, outcome.lostCount)).toEqual([2, 3, 4, 5, 6, 7, 8])
    // Packet 2 was sent before the first RTT sample at t=1.2: the period is 8 − 2 = 6, not longer than the duration.
    expect(new PersistentCongestion().onLost(outcome, rtt, 200, 0)).toBe(false)
    // With a sample before packet 2 it is 8 − 1 = 7.
    rtt.firstSampleAt = 500
    expect(new PersistentCongestion().onLost(outcome, rtt, 200, 0)).toBe(true)
  })

  it('needs a period longer than the duration', () => {
    expect(establish([10, 500, 985, 2000, 2000, 2000], [])).toBe(true)
    expect(establish([10, 500, 985, 985.1, 985.1, 985.1], [])).toBe(true)
    expect(establish([10, 500, 985, 985, 985, 985], [])).toBe(false)
  })

  it('is broken by an acknowledged packet between', () => {
    expect(establish([10, 500, 700, 1100, 1100, 1100], [])).toBe(true)
    expect(establish([10, 500, 700, 1100, 1100, 1100], [1])).toBe(false)
  })

  it('needs ack-eliciting packets at both ends; others between do not break it', () => {
    const silent = { ackEliciting: false, inFlight: true }
    expect(establish([10, 500, 1100, 1100, 1100], [], { 1: silent })).toBe(true)
    expect(establish([10, 500, 600, 1100, 1200, 1200], [], { 0: silent })).toBe(false)
    expect(establish([10, 1100, 1150, 1200], [], { 1: silent, 2: silent })).toBe(false)
    expect(establish([10, 1100, 1150, 1200], [], { 1: { mtuProbe: true }, 2: { mtuProbe: true } })).toBe(false)
  })

  it('needs an RTT sample before (§7.6.2)', () => {
    expect(establish([10, 5000, 9000, 9000, 9000], [], {}, new RttEstimator(50))).toBe(false)
  })

  it('ignores the losses of another path', () => {
    expect(establish([10, 600, 1100, 1100, 1100], [], { 0: { generation: 7 } })).toBe(false)
  })

  it('joins losses that were found in several steps, and sees an acknowledgment between the steps', () => {
    for (const between of [false, true]) {
      const sent = newSpace()
      const outcome = new AckOutcome()
      const rtt = sampled()
      const congestion = new PersistentCongestion()
      for (const [n, at] of [10, 100, 600, 1100, 1100, 1100, 1100, 1100].entries()) send(sent, n, at)
      processAck(sent, ranges([4, 4], ...(between ? [[2, 2] as const] : [])), between ? 2 : 1, outcome)
      detectLost(sent, 4, rtt, 700, outcome)
      expect(congestion.onLost(outcome, rtt, MAX_ACK_DELAY, 0)).toBe(false)
      processAck(sent, ranges([7, 7]), 1, outcome)
      detectLost(sent, 7, rtt, 1201, outcome)
      expect(congestion.onLost(outcome, rtt, MAX_ACK_DELAY, 0)).toBe(!between)
    }
  })

  it('does not count skipped packet numbers as acknowledged ones', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    const rtt = sampled()
    for (const [n, at] of [[0, 10], [2, 500], [5, 1100], [6, 1100], [9, 1100]] as const) send(sent, n, at)
    processAck(sent, ranges([9, 9]), 1, outcome)
    detectLost(sent, 9, rtt, 1200, outcome)
    expect(new PersistentCongestion().onLost(outcome, rtt, MAX_ACK_DELAY, 0)).toBe(true)
  })
})
