/**
 * Applies an ACK frame to the sent packets of its space (RFC 9002 §A.7): which are newly acknowledged, which had been
 * declared lost too early. Ranges are the frame's own, newest first; they are merged with the ring from the oldest
 * outstanding packet upward, so the cost is that of the ranges and of what is newly covered.
 */
import type { SentPacket, SentPacketPool } from './sent-packet.ts'
import type { SentPackets } from './sent-packets.ts'

/**
 * What an acknowledgment or a loss timeout changed. Reused; valid until the next `processAck` or `reset`. Lists hold
 * `…Count` valid entries. Acked records belong to the outcome until `release`; lost and spurious ones to SentPackets.
 */
export class AckOutcome {
  /** Newly acknowledged, ascending by packet number. */
  readonly acked: SentPacket[] = []
  ackedCount: number = 0
  /** Bytes of the newly acknowledged that were in flight. */
  ackedBytes: number = 0
  /** Newly lost, ascending by packet number. */
  readonly lost: SentPacket[] = []
  lostCount: number = 0
  /** Declared lost earlier and acknowledged now. */
  readonly spurious: SentPacket[] = []
  spuriousCount: number = 0
  /** Largest newly acknowledged number, -1: none. */
  largestNewlyAcked: number = -1
  /** When that one was sent, and on which path generation. */
  largestSentAt: number = -1
  largestGeneration: number = -1
  ackElicitingNewlyAcked: boolean = false
  /** RFC 9002 §5.1: the frame's largest number is newly acknowledged and something ack-eliciting is; sample = now − largestSentAt. */
  rttSample: boolean = false
  /** Newly acknowledged packets that were sent as ECT(0) and ECT(1) (RFC 9000 §13.4.2.1). */
  ackedEct0: number = 0
  ackedEct1: number = 0
  /** The frame names a packet that was never sent: PROTOCOL_VIOLATION (RFC 9000 §13.1). Nothing was applied. */
  acknowledgesUnsent: boolean = false

  reset(): void {
    this.ackedCount = 0
    this.ackedBytes = 0
    this.lostCount = 0
    this.spuriousCount = 0
    this.largestNewlyAcked = -1
    this.largestSentAt = -1
    this.largestGeneration = -1
    this.ackElicitingNewlyAcked = false
    this.rttSample = false
    this.ackedEct0 = 0
    this.ackedEct1 = 0
    this.acknowledgesUnsent = false
  }

  /** Gives the acked records back once their tokens were dispatched, and resets. */
  release(pool: SentPacketPool): void {
    for (let i = 0; i < this.ackedCount; i += 1) pool.release(this.acked[i]!)
    this.reset()
  }
}

/**
 * @param ranges pairs smallest, largest, both inclusive, newest first, as AckFrame holds them
 * @param outcome is reset and filled; `lost` stays empty (see detectLost)
 */
export function processAck(sent: SentPackets, ranges: Float64Array, rangeCount: number, outcome: AckOutcome): void {
  outcome.reset()
  if (rangeCount === 0) return
  if (sent.acknowledgesUnsent(ranges, rangeCount)) {
    outcome.acknowledgesUnsent = true
    return
  }
  const largest = ranges[1]!
  if (largest > sent.largestAcked) sent.largestAcked = largest

  let range = 0
  const oldest = sent.oldest
  while (range + 1 < rangeCount && ranges[2 * range + 3]! >= oldest) range += 1
  for (; range >= 0; range -= 1) {
    const end = ranges[2 * range + 1]!
    for (let packetNumber = Math.max(ranges[2 * range]!, sent.oldest); packetNumber <= end; packetNumber += 1) {
      const record = sent.at(packetNumber)
      if (record !== null) acknowledge(sent, record, outcome)
    }
  }
  outcome.rttSample = outcome.largestNewlyAcked === largest && outcome.ackElicitingNewlyAcked
  if (sent.lostRetained > 0) findSpurious(sent, ranges, rangeCount, outcome)
}

function acknowledge(sent: SentPackets, record: SentPacket, outcome: AckOutcome): void {
  sent.takeAcked(record)
  outcome.acked[outcome.ackedCount] = record
  outcome.ackedCount += 1
  if (record.inFlight) outcome.ackedBytes += record.size
  if (record.ackEliciting) outcome.ackElicitingNewlyAcked = true
  if (record.ecn === 2) outcome.ackedEct0 += 1
  else if (record.ecn === 1) outcome.ackedEct1 += 1
  outcome.largestNewlyAcked = record.packetNumber
  outcome.largestSentAt = record.sentAt
  outcome.largestGeneration = record.generation
}

function findSpurious(sent: SentPackets, ranges: Float64Array, rangeCount: number, outcome: AckOutcome): void {
  const first = sent.lostAt(sent.lostStart).packetNumber
  for (let range = 0; range < rangeCount && ranges[2 * range + 1]! >= first; range += 1) {
    const end = ranges[2 * range + 1]!
    for (let index = sent.stillLostFrom(sent.lostIndexFrom(ranges[2 * range]!)); index < sent.lostEnd; index = sent.stillLostFrom(index)) {
      const record = sent.lostAt(index)
      if (record.packetNumber > end) break
      sent.markSpurious(index)
      outcome.spurious[outcome.spuriousCount] = record
      outcome.spuriousCount += 1
    }
  }
}
