import { describe, expect, it } from 'vitest'
import { AckOutcome, processAck } from '../../src/recovery/ack-processor.ts'
import { LossTrigger, SentPacketState } from '../../src/recovery/sent-packet.ts'
import { newSpace, numbers, ranges, send } from './records.ts'

describe('SentPackets', () => {
  it('finds records by number across skipped numbers and growth', () => {
    const sent = newSpace()
    for (let n = 0; n < 1000; n += 3) send(sent, n, n)
    for (let n = 0; n < 1000; n += 1) expect(sent.get(n)?.packetNumber ?? null).toBe(n % 3 === 0 && n < 1000 ? n : null)
    expect(sent.get(1002)).toBeNull()
    expect(sent.outstanding).toBe(334)
    expect(sent.oldest).toBe(0)
    expect(sent.largestSent).toBe(999)
  })

  it('starts anywhere, also far from zero', () => {
    const sent = newSpace()
    send(sent, 2 ** 40, 0)
    send(sent, 2 ** 40 + 5, 1)
    expect(sent.get(2 ** 40)?.sentAt).toBe(0)
    expect(sent.get(2 ** 40 + 5)?.sentAt).toBe(1)
    expect(sent.get(2 ** 40 + 64)).toBeNull()
    expect(sent.get(5)).toBeNull()
  })

  it('refuses a number that does not ascend', () => {
    const sent = newSpace()
    send(sent, 3, 0)
    expect(() => send(sent, 3, 0)).toThrow(/ascend/)
  })

  it('counts what is in flight and remembers the newest ack-eliciting packet', () => {
    const sent = newSpace()
    send(sent, 0, 10)
    send(sent, 1, 20, { ackEliciting: false, inFlight: true })
    send(sent, 2, 30, { ackEliciting: false })
    expect([sent.outstanding, sent.packetsInFlight, sent.ackElicitingInFlight, sent.lastAckElicitingSentAt]).toEqual([3, 2, 1, 10])
    sent.takeAcked(sent.get(0)!)
    expect([sent.outstanding, sent.packetsInFlight, sent.ackElicitingInFlight, sent.oldest]).toEqual([2, 1, 0, 1])
    sent.takeAcked(sent.get(2)!)
    sent.takeAcked(sent.get(1)!)
    expect([sent.outstanding, sent.packetsInFlight, sent.oldest]).toEqual([0, 0, 3])
  })

  it('keeps a lost record for a while, then gives it back', () => {
    const sent = newSpace()
    const record = send(sent, 0, 0)
    send(sent, 1, 0)
    sent.markLost(record, 100, LossTrigger.timeThreshold)
    expect(record.state).toBe(SentPacketState.lost)
    expect(sent.get(0)).toBe(record)
    expect(sent.packetsInFlight).toBe(1)
    sent.forgetLost(399, 300)
    expect(sent.get(0)).toBe(record)
    sent.forgetLost(400, 300)
    expect(sent.get(0)).toBeNull()
    expect(sent.pool.available).toBe(1)
  })

  it('does not keep lost records without bound', () => {
    const sent = newSpace()
    for (let n = 0; n < 10_000; n += 1) sent.markLost(send(sent, n, 0), 0, LossTrigger.reorderingThreshold)
    sent.forgetLost(0, Infinity)
    expect(sent.lostEnd - sent.lostStart).toBe(8192)
    expect(sent.get(10_000 - 8193)).toBeNull()
    expect(sent.get(10_000 - 8192)).not.toBeNull()
  })

  it('bounds the ACK-only packets of a connection whose peer acknowledges nothing', () => {
    const sent = newSpace()
    send(sent, 0, 0)
    for (let n = 1; n <= 100_000; n += 1) send(sent, n, n, { ackEliciting: false })
    expect(sent.outstanding).toBe(1025)
    expect(sent.pool.available).toBe(1)
    expect(sent.get(50_000)).toBeNull()
    expect(sent.get(0)?.packetNumber).toBe(0)
    // The numbers between do not alias slots of the ring.
    for (let n = 1025; n < 5000; n += 1) expect(sent.get(n)).toBeNull()
    expect(sent.overfull).toBe(false)
    send(sent, 2_000_000, 1, { ackEliciting: false })
    expect(sent.overfull).toBe(true)

    const outcome = new AckOutcome()
    processAck(sent, ranges([0, 2_000_000]), 1, outcome)
    expect(outcome.ackedCount).toBe(1025)
    expect(sent.outstanding).toBe(0)
    expect(sent.overfull).toBe(false)
    send(sent, 2_000_001, 2)
    expect(sent.get(2_000_001)?.sentAt).toBe(2)
  })

  it('gives every record back when a space is discarded (RFC 9002 §6.4), each with its path generation', () => {
    const sent = newSpace()
    send(sent, 0, 0, { size: 1200, generation: 0 })
    send(sent, 2, 0, { size: 100, generation: 1 })
    send(sent, 3, 0, { size: 40, ackEliciting: false, generation: 1 })
    sent.markLost(sent.get(0)!, 5, LossTrigger.timeThreshold)
    sent.lossTime = 99
    const drained = sent.drain(-1)
    expect(numbers(drained, drained.length)).toEqual([2, 3])
    expect(drained.map((record) => (record.inFlight ? record.size : 0))).toEqual([100, 0])
    expect(drained.map((record) => record.generation)).toEqual([1, 1])
    expect([sent.outstanding, sent.packetsInFlight, sent.ackElicitingInFlight]).toEqual([0, 0, 0])
    expect([sent.lossTime, sent.lastAckElicitingSentAt, sent.lostRetained]).toEqual([Infinity, -1, 0])
    sent.giveBack(drained)
    expect(sent.pool.available).toBe(3)
  })

  it('takes out only rejected 0-RTT packets (RFC 9002 §6.4)', () => {
    const sent = newSpace()
    for (let n = 0; n < 4; n += 1) send(sent, n, n, { packetType: n < 2 ? 1 : 5 })
    const drained = sent.drain(1)
    expect(numbers(drained, drained.length)).toEqual([0, 1])
    expect(sent.oldest).toBe(2)
    expect(sent.ackElicitingInFlight).toBe(2)
    expect(sent.lastAckElicitingSentAt).toBe(3)
  })

  it('recognises acknowledgments of numbers never sent (RFC 9000 §13.1, §21.4)', () => {
    const sent = newSpace()
    send(sent, 0, 0)
    sent.skip(1)
    send(sent, 2, 0)
    expect(sent.acknowledgesUnsent(ranges([0, 3]), 1)).toBe(true)
    expect(sent.acknowledgesUnsent(ranges([0, 2]), 1)).toBe(true)
    expect(sent.acknowledgesUnsent(ranges([2, 2], [1, 1]), 2)).toBe(true)
    expect(sent.acknowledgesUnsent(ranges([2, 2], [0, 0]), 2)).toBe(false)
  })
})
