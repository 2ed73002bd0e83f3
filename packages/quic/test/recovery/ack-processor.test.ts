import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AckOutcome, processAck } from '../../src/recovery/ack-processor.ts'
import { detectLost } from '../../src/recovery/loss-detector.ts'
import { RttEstimator } from '../../src/recovery/rtt.ts'
import { SentPacketState } from '../../src/recovery/sent-packet.ts'
import { PlainRecovery } from './plain-recovery.ts'
import { newSpace, numbers, ranges, send } from './records.ts'

describe('processAck: RFC 9002 §A.7', () => {
  it('reports newly acknowledged packets ascending, once', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    for (let n = 0; n < 10; n += 1) send(sent, n, n)
    processAck(sent, ranges([8, 9], [4, 5], [0, 1]), 3, outcome)
    expect(numbers(outcome.acked, outcome.ackedCount)).toEqual([0, 1, 4, 5, 8, 9])
    expect(outcome.acked[0]!.state).toBe(SentPacketState.acked)
    expect([outcome.largestNewlyAcked, outcome.largestSentAt, outcome.ackedBytes]).toEqual([9, 9, 7200])
    expect(sent.largestAcked).toBe(9)
    outcome.release(sent.pool)
    expect(sent.pool.available).toBe(6)
    processAck(sent, ranges([8, 9], [4, 5], [0, 2]), 3, outcome)
    expect(numbers(outcome.acked, outcome.ackedCount)).toEqual([2])
    expect(outcome.rttSample).toBe(false)
  })

  it('allows an RTT sample only when the largest is new and something ack-eliciting is (§5.1)', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    send(sent, 0, 0)
    send(sent, 1, 5, { ackEliciting: false })
    send(sent, 2, 7, { ackEliciting: false })
    processAck(sent, ranges([2, 2]), 1, outcome)
    expect([outcome.ackedCount, outcome.ackElicitingNewlyAcked, outcome.rttSample]).toEqual([1, false, false])
    processAck(sent, ranges([0, 2]), 1, outcome)
    expect([outcome.ackedCount, outcome.ackElicitingNewlyAcked, outcome.rttSample]).toEqual([2, true, false])
    send(sent, 3, 9, { generation: 4 })
    processAck(sent, ranges([0, 3]), 1, outcome)
    expect([outcome.rttSample, outcome.largestSentAt, outcome.largestGeneration]).toEqual([true, 9, 4])
  })

  it('never moves the largest acknowledged back', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    for (let n = 0; n < 5; n += 1) send(sent, n, n)
    processAck(sent, ranges([4, 4]), 1, outcome)
    processAck(sent, ranges([1, 1]), 1, outcome)
    expect(sent.largestAcked).toBe(4)
    expect(outcome.largestNewlyAcked).toBe(1)
  })

  it('applies nothing of a frame that acknowledges an unsent packet (RFC 9000 §13.1)', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    send(sent, 0, 0)
    processAck(sent, ranges([0, 1]), 1, outcome)
    expect([outcome.acknowledgesUnsent, outcome.ackedCount, sent.largestAcked, sent.outstanding]).toEqual([true, 0, -1, 1])
    processAck(sent, ranges([0, 0]), 1, outcome)
    expect([outcome.acknowledgesUnsent, outcome.ackedCount]).toEqual([false, 1])
  })

  it('counts newly acknowledged ECT packets (RFC 9000 §13.4.2.1)', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    for (let n = 0; n < 6; n += 1) send(sent, n, n, { ecn: n % 3 })
    processAck(sent, ranges([0, 5]), 1, outcome)
    expect([outcome.ackedEct0, outcome.ackedEct1]).toEqual([2, 2])
  })

  it('finds a spurious loss while the record is kept', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    for (let n = 0; n < 5; n += 1) send(sent, n, 0)
    processAck(sent, ranges([4, 4]), 1, outcome)
    detectLost(sent, sent.largestAcked, new RttEstimator(), 0, outcome)
    expect(numbers(outcome.lost, outcome.lostCount)).toEqual([0, 1])
    processAck(sent, ranges([4, 4], [1, 1]), 2, outcome)
    expect(numbers(outcome.spurious, outcome.spuriousCount)).toEqual([1])
    expect(outcome.ackedCount).toBe(0)
    processAck(sent, ranges([4, 4], [1, 1]), 2, outcome)
    expect(outcome.spuriousCount).toBe(0)
    sent.forgetLost(10, 10)
    processAck(sent, ranges([4, 4], [0, 1]), 2, outcome)
    expect(outcome.spuriousCount).toBe(0)
  })

  it('costs what is newly covered, not what lies below: one long connection, one packet lost early', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    const rtt = new RttEstimator()
    let touched = 0
    const at = sent.at.bind(sent)
    sent.at = (packetNumber) => {
      touched += 1
      return at(packetNumber)
    }
    const packets = 20_000
    for (let n = 0; n < packets; n += 1) {
      send(sent, n, n)
      // Packet 0 is never acknowledged; every frame repeats the whole range.
      if (n > 0) {
        processAck(sent, ranges([1, n]), 1, outcome)
        detectLost(sent, sent.largestAcked, rtt, n, outcome)
        outcome.release(sent.pool)
      }
    }
    expect(touched).toBeLessThan(4 * packets)
  })

  it('costs ranges and what they acknowledge, not what proved spurious before: a flood of the same frames over thousands of records', () => {
    const sent = newSpace()
    const outcome = new AckOutcome()
    const packets = 8000
    for (let n = 0; n < packets; n += 1) send(sent, n, 0)
    processAck(sent, ranges([packets - 1, packets - 1]), 1, outcome)
    detectLost(sent, sent.largestAcked, new RttEstimator(), 0, outcome)
    expect(outcome.lostCount).toBe(packets - 3)
    outcome.release(sent.pool)
    let touched = 0
    const at = sent.at.bind(sent)
    const lostAt = sent.lostAt.bind(sent)
    sent.at = (packetNumber) => ((touched += 1), at(packetNumber))
    sent.lostAt = (index) => ((touched += 1), lostAt(index))
    // All but the oldest and the newest proved spurious; the two keep the search going.
    processAck(sent, ranges([1, packets - 5]), 1, outcome)
    expect(outcome.spuriousCount).toBe(packets - 5)
    expect(touched).toBeLessThan(4 * packets)
    const pairs = Array.from({ length: 256 }, (_, i): [number, number] => [packets - 40 - 31 * i, packets - 20 - 31 * i]).filter(([start]) => start > 0)
    const frame = ranges(...pairs)
    const whole = ranges([1, packets - 5])
    processAck(sent, frame, pairs.length, outcome)
    touched = 0
    for (let i = 0; i < 100; i += 1) {
      processAck(sent, frame, pairs.length, outcome)
      processAck(sent, whole, 1, outcome)
      expect(outcome.spuriousCount).toBe(0)
    }
    // A binary search among 8000 records, and a few steps, per range.
    expect(touched).toBeLessThan(100 * (pairs.length + 1) * (Math.log2(packets) + 6))
  })

  it('agrees with the pseudocode of Appendix A on any history', () => {
    const picks = fc.array(fc.tuple(fc.nat(40), fc.nat(6)), { minLength: 1, maxLength: 4 })
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ op: fc.constant('send' as const), kind: fc.nat(5), skip: fc.nat(8), gap: fc.nat(20) }) },
      { weight: 3, arbitrary: fc.record({ op: fc.constant('ack' as const), picks, gap: fc.nat(60) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('timer' as const) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const sent = newSpace()
        const plain = new PlainRecovery()
        const outcome = new AckOutcome()
        const rtt = new RttEstimator(30)
        const existing = new Set<number>()
        let now = 0
        let next = 0
        let inFlight = 0
        for (const step of steps) {
          if (step.op === 'send') {
            now += step.gap
            if (step.skip === 0) next += 1
            const sending = { ackEliciting: step.kind < 4, inFlight: step.kind < 5, size: 100 + step.kind }
            send(sent, next, now, sending)
            plain.onSent({ packetNumber: next, sentAt: now, ...sending })
            if (sending.inFlight) inFlight += sending.size
            existing.add(next)
            next += 1
            continue
          }
          if (step.op === 'ack') {
            if (next === 0) continue
            now += step.gap
            const covered = new Set<number>()
            for (const [back, length] of step.picks) {
              for (let n = next - 1 - back; n > next - 1 - back - length - 1; n -= 1) if (existing.has(n)) covered.add(n)
            }
            const pairs = toRanges([...covered].toSorted((a, b) => b - a))
            if (pairs.length === 0) continue
            const expected = plain.onAck(pairs)
            processAck(sent, ranges(...pairs), pairs.length, outcome)
            expect(numbers(outcome.acked, outcome.ackedCount)).toEqual(expected.acked)
            expect(numbers(outcome.spurious, outcome.spuriousCount).toSorted((a, b) => a - b)).toEqual(expected.spurious)
            inFlight -= outcome.ackedBytes
            if (outcome.rttSample) rtt.update(now - outcome.largestSentAt, 0, now)
          } else {
            if (sent.lossTime === Infinity) continue
            now = Math.max(now, sent.lossTime)
            outcome.reset()
          }
          detectLost(sent, sent.largestAcked, rtt, now, outcome)
          expect(numbers(outcome.lost, outcome.lostCount)).toEqual(plain.detectLost(rtt.smoothed, rtt.latest, now))
          if (step.op === 'timer') expect(outcome.lostCount).toBeGreaterThan(0)
          for (let i = 0; i < outcome.lostCount; i += 1) if (outcome.lost[i]!.inFlight) inFlight -= outcome.lost[i]!.size
          outcome.release(sent.pool)
          expect(sent.largestAcked).toBe(plain.largestAcked)
          expect(sent.lossTime).toBe(plain.lossTime)
          expect(sent.outstanding).toBe(plain.sent.size)
          expect(inFlight).toBe(plain.bytesInFlight())
          expect(sent.lostRetained).toBe(plain.lost.size)
        }
      }),
      { numRuns: 300 },
    )
  })
})

/** Descending numbers to inclusive pairs, newest first. */
function toRanges(descending: readonly number[]): [number, number][] {
  const pairs: [number, number][] = []
  for (const n of descending) {
    const last = pairs.at(-1)
    if (last !== undefined && last[0] === n + 1) last[0] = n
    else pairs.push([n, n])
  }
  return pairs
}
