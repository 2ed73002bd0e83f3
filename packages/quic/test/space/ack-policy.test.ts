// When an ACK is due (RFC 9000 §13.2.1, §13.2.2; draft-ietf-quic-ack-frequency §6).

import { describe, expect, it } from 'vitest'
import { AckPolicy } from '../../src/space/ack-policy.ts'
import { ReceivedPackets } from '../../src/space/received-packets.ts'

const RTT = 100

/** A receiver: the policy and what it is told of. */
class Receiver {
  readonly policy: AckPolicy
  readonly received: ReceivedPackets = new ReceivedPackets()
  now: number = 100

  constructor(maxAckDelay: number = 25) {
    this.policy = new AckPolicy(maxAckDelay)
  }

  /** Takes packets and says for each whether an ACK was due; it is sent then. */
  take(...numbers: readonly number[]): boolean[] {
    return numbers.map((number) => this.packet(number))
  }

  packet(number: number, ackEliciting: boolean = true, ce: boolean = false): boolean {
    this.received.add(number, ce ? 3 : 0, this.now)
    this.policy.onPacket(this.received, number, ackEliciting, ce, RTT, this.now)
    if (!this.policy.isDue(this.now)) return false
    this.report()
    return true
  }

  report(): void {
    this.policy.onAckSent(this.received.largest, true, this.now)
  }
}

describe('AckPolicy by default (RFC 9000 §13.2)', () => {
  it('delays the first packet in order by max_ack_delay, not the second', () => {
    const { policy, received } = new Receiver()
    received.add(0, 0, 100)
    policy.onPacket(received, 0, true, false, RTT, 100)
    expect(policy.isDue(100)).toBe(false)
    expect(policy.isUseful()).toBe(true)
    expect(policy.deadline).toBe(125)
    expect(policy.isDue(125)).toBe(true)
    received.add(1, 0, 110)
    policy.onPacket(received, 1, true, false, RTT, 110)
    expect(policy.isDue(110)).toBe(true)
    expect(policy.deadline).toBe(125)
    policy.onAckSent(1, true, 110)
    expect(policy.isDue(1000)).toBe(false)
    expect(policy.deadline).toBe(Infinity)
  })

  it('bulk: every second packet; the odd one at the end of a flight waits for the delay only', () => {
    const receiver = new Receiver()
    expect(receiver.take(0, 1, 2, 3, 4)).toEqual([false, true, false, true, false])
    expect(receiver.policy.deadline).toBe(125)
  })

  it('is immediate without a delay, and on CE', () => {
    expect(new Receiver(0).take(0, 1)).toEqual([true, true])
    const receiver = new Receiver()
    expect([receiver.packet(0, true, true), receiver.packet(1, true, true)]).toEqual([true, true])
  })

  it('is immediate on a packet less than another ack-eliciting one, and on one behind a gap (§13.2.1)', () => {
    const receiver = new Receiver()
    expect(receiver.take(0, 3, 2, 1)).toEqual([false, true, true, true])
    expect(receiver.take(4, 5)).toEqual([false, true])
  })

  it('looks for the gap behind the highest ack-eliciting packet, whatever came between (§13.2.1)', () => {
    const receiver = new Receiver()
    receiver.take(0, 1)
    // 2 is missing, 3 elicits nothing; 4 follows it at once and shows the gap.
    expect(receiver.packet(3, false)).toBe(false)
    expect(receiver.packet(4)).toBe(true)
    // Without a gap packets that elicit nothing make no difference.
    expect(receiver.packet(5, false)).toBe(false)
    expect(receiver.packet(6)).toBe(false)
    // 7 is late for nobody: no ack-eliciting packet lies above it.
    receiver.report()
    expect(receiver.packet(8, false)).toBe(false)
    expect(receiver.packet(7)).toBe(false)
  })

  it('packets that elicit nothing leave it alone', () => {
    const receiver = new Receiver()
    expect(receiver.packet(9, false, true)).toBe(false)
    expect(receiver.policy.isUseful()).toBe(false)
    expect(receiver.policy.deadline).toBe(Infinity)
  })

  it('wants a PING after many ACK-only packets, so that ranges can be forgotten (§13.2.4)', () => {
    const policy = new AckPolicy(25)
    for (let i = 0; i < 16; i += 1) {
      expect(policy.wantsPing()).toBe(false)
      policy.onAckSent(i, true, i)
    }
    expect(policy.wantsPing()).toBe(true)
    policy.onAckSent(16, false, 16)
    expect(policy.wantsPing()).toBe(false)
  })
})

/** A receiver that was asked for another rhythm and has sent an ACK not long ago. */
function asked(threshold: number, maxAckDelay: number, reordering: number): Receiver {
  const receiver = new Receiver()
  receiver.policy.onFrequency(0, threshold, maxAckDelay, reordering)
  receiver.policy.onAckSent(-1, true, receiver.now)
  return receiver
}

describe('AckPolicy as asked (draft-ietf-quic-ack-frequency §6)', () => {
  it('is due when more than the threshold wait', () => {
    expect(asked(0, 25, 1).take(0, 1)).toEqual([true, true])
    expect(asked(1, 25, 1).take(0, 1, 2, 3)).toEqual([false, true, false, true])
    expect(asked(4, 25, 1).take(0, 1, 2, 3, 4, 5)).toEqual([false, false, false, false, true, false])
  })

  it('or when the requested delay is over', () => {
    const receiver = asked(100, 7, 1)
    receiver.packet(0)
    expect(receiver.policy.deadline).toBe(107)
    expect([receiver.policy.isDue(106.9), receiver.policy.isDue(107)]).toEqual([false, true])
  })

  it('ignores requests that are not the newest (§4)', () => {
    const receiver = new Receiver()
    receiver.policy.onFrequency(5, 4, 25, 1)
    receiver.policy.onFrequency(5, 0, 25, 1)
    receiver.policy.onFrequency(3, 0, 25, 1)
    receiver.report()
    expect(receiver.take(0, 1, 2)).toEqual([false, false, false])
    receiver.policy.onFrequency(2n ** 61n, 0, 25, 1)
    expect(receiver.take(3)).toEqual([true])
    receiver.policy.onFrequency(6, 9, 25, 1)
    expect(receiver.take(4)).toEqual([true])
  })

  it('IMMEDIATE_ACK: at once (§5)', () => {
    const receiver = asked(9, 25, 1)
    receiver.packet(0)
    receiver.policy.onImmediateAck()
    expect(receiver.packet(1)).toBe(true)
    expect(receiver.packet(2)).toBe(false)
  })

  it('the examples of §6.2.1', () => {
    expect(asked(1000, 25, 1).take(0, 1, 3, 4, 6)).toEqual([false, false, true, false, true])
    // The first two rows say nothing of the last ACK: here there was none.
    const three = asked(1000, 25, 3)
    expect(three.take(0, 1, 3, 4, 5, 8, 9, 10)).toEqual([false, false, false, false, true, false, true, true])
    const five = asked(1000, 25, 5)
    expect(five.take(0, 1, 3, 5, 6, 7, 8, 9)).toEqual([false, false, false, false, false, true, false, true])
  })

  it('a packet that the peer has declared lost already: at once (§6.2)', () => {
    const receiver = asked(1000, 25, 3)
    expect(receiver.take(0, 1, 3, 4, 5)).toEqual([false, false, false, false, true])
    // Largest acknowledged 5, so 2 is lost to the peer.
    expect(receiver.take(2)).toEqual([true])
    expect(receiver.take(7, 6)).toEqual([false, false])
  })

  it('a reordering threshold of 0: order makes no difference (§4)', () => {
    expect(asked(1000, 25, 0).take(5, 3, 9, 1, 20)).toEqual([false, false, false, false, false])
  })

  it('ranges are reported before they would be truncated (§6)', () => {
    const gaps = asked(1000, 25, 0).take(...Array.from({ length: 60 }, (_, i) => 2 * i))
    const between = gaps.join().split('true').map((run) => run.split('false').length)
    expect(Math.max(...between)).toBeLessThan(32)
  })

  it('above a threshold of 1 only the first of several CE marks is urgent (§6.3)', () => {
    const receiver = asked(9, 25, 3)
    const due = [false, true, true, true, false, true].map((ce, number) => receiver.packet(number, true, ce))
    expect(due).toEqual([false, true, false, false, false, true])
  })

  it('after a round trip of silence the first packets are not made to wait (§6.1)', () => {
    const receiver = asked(9, 25, 1)
    receiver.now += RTT + 1
    expect(receiver.take(0, 1, 2, 3)).toEqual([false, true, false, false])
  })

  it('keeps the ranges that gaps are measured by when an ACK was acknowledged', () => {
    const receiver = asked(1000, 25, 5)
    receiver.take(0, 1, 2, 3, 5, 6)
    receiver.report()
    receiver.received.forgetUpTo(receiver.policy.forgettable(6))
    // 4 is missing still: six numbers later is the time.
    expect(receiver.take(7, 8, 9, 10)).toEqual([false, false, true, false])
  })
})
