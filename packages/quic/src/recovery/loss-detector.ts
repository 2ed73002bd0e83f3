/**
 * Acknowledgment-based loss detection: RFC 9002 §6.1. A packet sent before an acknowledged one is lost when it lies three
 * numbers behind or was sent 9/8 RTT ago. Both tests are monotone in the packet number, so the lost packets are the oldest
 * ones and the walk ends at the first that survives.
 */
import type { AckOutcome } from './ack-processor.ts'
import type { RttEstimator } from './rtt.ts'
import { GRANULARITY } from './rtt.ts'
import { LossTrigger } from './sent-packet.ts'
import type { SentPackets } from './sent-packets.ts'

/** RFC 9002 §6.1.1: kPacketThreshold. */
export const PACKET_THRESHOLD = 3
/** RFC 9002 §6.1.2: kTimeThreshold. */
export const TIME_THRESHOLD: number = 9 / 8

/** RFC 9002 §6.1.2: ms after which a packet sent before an acknowledged one is lost. */
export function lossDelay(rtt: RttEstimator): number {
  return Math.max(TIME_THRESHOLD * Math.max(rtt.smoothed, rtt.latest), GRANULARITY)
}

/**
 * Appends the packets that are lost by now to `outcome.lost`, after an acknowledgment or when the loss time has come.
 * @returns when the next packet will be lost if nothing is acknowledged, Infinity if none waits; also kept as `sent.lossTime`
 */
export function detectLost(sent: SentPackets, largestAcked: number, rtt: RttEstimator, now: number, outcome: AckOutcome): number {
  const delay = lossDelay(rtt)
  let lossTime = Infinity
  for (let packetNumber = sent.oldest; packetNumber <= largestAcked; packetNumber += 1) {
    const record = sent.at(packetNumber)
    if (record === null) continue
    const reordered = largestAcked - packetNumber >= PACKET_THRESHOLD
    // The same sum as the deadline below: a subtraction could round the other way and never fire.
    if (reordered || record.sentAt + delay <= now) {
      sent.markLost(record, now, reordered ? LossTrigger.reorderingThreshold : LossTrigger.timeThreshold)
      outcome.lost[outcome.lostCount] = record
      outcome.lostCount += 1
    } else if (record.inFlight) {
      lossTime = record.sentAt + delay
      break
    }
  }
  sent.lossTime = lossTime
  return lossTime
}
