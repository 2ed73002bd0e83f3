// Thresholds that follow the reordering of a path (RFC 9002 §6.1, §6.1.1, §6.1.2).

import { describe, expect, it } from 'vitest'
import { LossThresholds } from '../../src/recovery/loss-thresholds.ts'
import { lossDelay } from '../../src/recovery/loss-detector.ts'
import { RttEstimator } from '../../src/recovery/rtt.ts'
import { LossTrigger, SentPacket } from '../../src/recovery/sent-packet.ts'

const RTT = 100

function rtt(): RttEstimator {
  const estimator = new RttEstimator()
  estimator.update(RTT, 0, 0)
  return estimator
}

function packet(packetNumber: number, sentAt: number, trigger: LossTrigger = LossTrigger.none): SentPacket {
  const record = new SentPacket()
  record.packetNumber = packetNumber
  record.sentAt = sentAt
  record.lossTrigger = trigger
  return record
}

const { reorderingThreshold, timeThreshold } = LossTrigger

describe('LossThresholds', () => {
  it('start with 3 packets and 9/8 of a round trip', () => {
    const thresholds = new LossThresholds()
    expect([thresholds.packets, thresholds.time, thresholds.raised]).toEqual([3, 9 / 8, false])
  })

  it('rise to what the packet would have needed, the one that was at fault alone', () => {
    const thresholds = new LossThresholds()
    thresholds.onSpurious(packet(10, 0, reorderingThreshold), 17, rtt(), 105)
    expect([thresholds.packets, thresholds.time, thresholds.raised]).toEqual([8, 9 / 8, true])
    thresholds.onSpurious(packet(10, 0, timeThreshold), 30, rtt(), 140)
    expect([thresholds.packets, thresholds.time]).toEqual([8, 1.525])
    expect(lossDelay(rtt(), thresholds)).toBeCloseTo(152.5)
    // Less reordering than that changes nothing.
    thresholds.onSpurious(packet(40, 0, reorderingThreshold), 43, rtt(), 150)
    thresholds.onSpurious(packet(40, 30, timeThreshold), 43, rtt(), 150)
    expect([thresholds.packets, thresholds.time]).toEqual([8, 1.525])
  })

  it('are bounded', () => {
    const thresholds = new LossThresholds()
    thresholds.onSpurious(packet(0, 0, reorderingThreshold), 1e6, rtt(), 100)
    thresholds.onSpurious(packet(0, 0, timeThreshold), 1e6, rtt(), 1e6)
    expect([thresholds.packets, thresholds.time]).toEqual([64, 17 / 8])
  })

  it('come down by halves when nothing needs them for 32 round trips, to the defaults and no further', () => {
    const thresholds = new LossThresholds()
    thresholds.onSpurious(packet(0, 0, reorderingThreshold), 22, rtt(), 100)
    thresholds.onSpurious(packet(0, 0, timeThreshold), 22, rtt(), 200)
    const seen: [number, number][] = []
    for (let now = 100, number = 30; thresholds.raised; now += RTT, number += 1) {
      thresholds.onAck(packet(number, now - RTT), number - 1, rtt(), now)
      if (seen.at(-1)?.[0] !== thresholds.packets || seen.at(-1)![1] !== thresholds.time) seen.push([thresholds.packets, thresholds.time])
    }
    expect(seen.map(([packets]) => packets).filter((value, i, all) => value !== all[i - 1])).toEqual([23, 13, 8, 5, 4, 3])
    expect(seen.at(-1)).toEqual([3, 9 / 8])
    expect(seen.length).toBeGreaterThan(5)
  })

  it('stay while packets still arrive as late', () => {
    const thresholds = new LossThresholds()
    thresholds.onSpurious(packet(0, 0, reorderingThreshold), 12, rtt(), 100)
    thresholds.onSpurious(packet(0, 0, timeThreshold), 12, rtt(), 150)
    const { packets, time } = thresholds
    for (let now = 200; now < 200 * RTT; now += RTT) thresholds.onAck(packet(100, now - 1.5 * RTT), 112, rtt(), now)
    expect([thresholds.packets, thresholds.time]).toEqual([packets, time])
    // Slightly out of order is not as late.
    for (let now = 200 * RTT; now < 400 * RTT; now += RTT) thresholds.onAck(packet(100, now - RTT), 101, rtt(), now)
    expect(thresholds.raised).toBe(false)
  })
})
