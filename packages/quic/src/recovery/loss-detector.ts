/**
 * Acknowledgment-based loss detection: RFC 9002 §6.1. A packet sent before an acknowledged one is lost when it lies three
 * numbers behind or was sent 9/8 RTT ago, or what the path has taught instead (loss-thresholds.ts). Both tests are monotone in the packet number, so the lost packets are the oldest
 * ones and the walk ends at the first that survives.
 */
import type { AckOutcome } from './ack-processor.ts'
import { LossThresholds } from './loss-thresholds.ts'
import type { RttEstimator } from './rtt.ts'
import { GRANULARITY } from './rtt.ts'
import { LossTrigger } from './sent-packet.ts'
import type { SentPackets } from './sent-packets.ts'

const DEFAULT_THRESHOLDS = new LossThresholds()

/** RFC 9002 §6.1.2: ms after which a packet sent before an acknowledged one is lost. */
export function lossDelay(rtt: RttEstimator, thresholds: LossThresholds = DEFAULT_THRESHOLDS): number {
  return Math.max(thresholds.time * Math.max(rtt.smoothed, rtt.latest), GRANULARITY)
}

/**
 * Appends the packets that are lost by now to `outcome.lost`, after an acknowledgment or when the loss time has come.
 * @param thresholds those of the path; default: of RFC 9002
 * @returns when the next packet will be lost if nothing is acknowledged, Infinity if none waits; also kept as `sent.lossTime`
 */
export function detectLost(
  sent: SentPackets,
  largestAcked: number,
  rtt: RttEstimator,
  now: number,
  outcome: AckOutcome,
  thresholds: LossThresholds = DEFAULT_THRESHOLDS,
): number {
  const delay = lossDelay(rtt, thresholds)
  let lossTime = Infinity
  for (let packetNumber = sent.oldest; packetNumber <= largestAcked; packetNumber += 1) {
    const record = sent.at(packetNumber)
    if (record === null) continue
    const reordered = largestAcked - packetNumber >= thresholds.packets
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
