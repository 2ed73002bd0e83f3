/**
 * Persistent congestion of one packet number space: RFC 9002 §7.6. Follows the run of consecutively sent packets that were all
 * lost; the run may be declared lost in several steps. Losses in other spaces are not joined in (§7.6.2 allows it).
 */
import type { AckOutcome } from './ack-processor.ts'
import type { RttEstimator } from './rtt.ts'

/** RFC 9002 §7.6.1: kPersistentCongestionThreshold. */
export const PERSISTENT_CONGESTION_THRESHOLD = 3

/** RFC 9002 §7.6.1: ms; max_ack_delay counts in every space. */
export function persistentCongestionDuration(rtt: RttEstimator, maxAckDelay: number): number {
  return rtt.pto(maxAckDelay) * PERSISTENT_CONGESTION_THRESHOLD
}

export class PersistentCongestion {
  // The run: number of its newest packet, and when its oldest ack-eliciting packet was sent; -1 when there is none.
  private lastNumber: number = -1
  private startedAt: number = -1

  /**
   * Takes the lost packets of an outcome. True when they establish persistent congestion on the path of `generation`: the
   * controller is told 'persistent' and the RTT estimator `onPersistentCongestion`.
   */
  onLost(outcome: AckOutcome, rtt: RttEstimator, maxAckDelay: number, generation: number): boolean {
    const duration = persistentCongestionDuration(rtt, maxAckDelay)
    // A packet of the run may have arrived after all.
    if (outcome.spuriousCount > 0) this.reset()
    let established = false
    for (let i = 0; i < outcome.lostCount; i += 1) {
      const record = outcome.lost[i]!
      // "none of the packets sent between the send times of these two packets are acknowledged"
      if (record.previousNumber !== this.lastNumber) this.startedAt = -1
      this.lastNumber = record.packetNumber
      // "a prior RTT sample existed when these two packets were sent"; another path's losses say nothing about this one.
      if (record.generation !== generation || record.sentAt <= rtt.firstSampleAt) {
        this.startedAt = -1
        continue
      }
      // "two packets that are ack-eliciting"; a lost MTU probe was too big, not unlucky.
      if (!record.ackEliciting || record.mtuProbe) continue
      if (this.startedAt === -1) this.startedAt = record.sentAt
      else if (record.sentAt - this.startedAt > duration) established = true
    }
    if (established) this.reset()
    return established
  }

  reset(): void {
    this.lastNumber = -1
    this.startedAt = -1
  }
}
