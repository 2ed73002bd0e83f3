// When to send an ACK. By default RFC 9000 §13.2.1, §13.2.2: at once in the handshake, on reordering, on a gap and on CE;
// otherwise with every second ack-eliciting packet or after max_ack_delay. A peer may ask for another rhythm
// (draft-ietf-quic-ack-frequency §6). Says only when, never what.

import type { WireValue } from '../wire/varint.ts'
import type { ReceivedPackets } from './received-packets.ts'

/** RFC 9000 §13.2.2: "A receiver SHOULD send an ACK frame after receiving at least two ack-eliciting packets." */
const DEFAULT_THRESHOLD = 1

/** draft-ietf-quic-ack-frequency §4: what holds without ACK_FREQUENCY frames. */
const DEFAULT_REORDERING = 1

/** ACK-only packets are never acknowledged themselves; after this many, one carries a PING so that ranges can be forgotten (§13.2.4). */
const ACK_ONLY_BEFORE_PING = 16

/** draft-ietf-quic-ack-frequency §6: ranges are to be sent before they are truncated; ReceivedPackets keeps 64. */
const MAX_UNREPORTED_GAPS = 16

export class AckPolicy {
  /** Milliseconds; 0 where every packet is acknowledged at once (Initial and Handshake). */
  private maxAckDelay: number
  /** Ack-eliciting packets that may wait; one more, and an ACK is due. */
  private threshold: number
  private reorderingThreshold: number
  /** Largest Sequence Number processed, -1: none. */
  private sequence: WireValue
  private unacknowledged: number
  private immediate: boolean
  private ackOnlySent: number
  /** Largest ack-eliciting packet number, "Largest Unacked" of the draft; -1: none. */
  private largestEliciting: number
  /** Largest Acknowledged of the last ACK, -1: none, and when it was sent. */
  private largestReported: number
  private reportedAt: number
  private unreportedGaps: number
  private congestionSeen: boolean
  /** When a delayed ACK is due, Infinity if none. */
  deadline: number

  constructor(maxAckDelay: number) {
    this.maxAckDelay = maxAckDelay
    this.threshold = DEFAULT_THRESHOLD
    this.reorderingThreshold = DEFAULT_REORDERING
    this.sequence = -1
    this.unacknowledged = 0
    this.immediate = false
    this.ackOnlySent = 0
    this.largestEliciting = -1
    this.largestReported = -1
    this.reportedAt = -Infinity
    this.unreportedGaps = 0
    this.congestionSeen = false
    this.deadline = Infinity
  }

  /** A packet was processed and is in `received`. `smoothedRtt`: of its path, ms. */
  onPacket(
    received: ReceivedPackets,
    packetNumber: number,
    ackEliciting: boolean,
    congestionExperienced: boolean,
    smoothedRtt: number,
    now: number,
  ): void {
    if (!ackEliciting) return
    this.unacknowledged += 1
    const isGap = this.isOutOfOrder(received, packetNumber)
    if (isGap) this.unreportedGaps += 1
    if (packetNumber > this.largestEliciting) this.largestEliciting = packetNumber
    if (this.maxAckDelay === 0 || this.unacknowledged > this.thresholdNow(smoothedRtt, now)) this.immediate = true
    else if (congestionExperienced && (this.threshold <= DEFAULT_THRESHOLD || !this.congestionSeen)) this.immediate = true
    else if (this.reorderingThreshold === DEFAULT_REORDERING ? isGap : this.isBeyondReordering(received, packetNumber)) this.immediate = true
    else if (this.unreportedGaps >= MAX_UNREPORTED_GAPS) this.immediate = true
    this.congestionSeen = congestionExperienced
    if (this.deadline === Infinity) this.deadline = now + this.maxAckDelay
  }

  /** An ACK_FREQUENCY frame. `maxAckDelay`: milliseconds, valid. Ignored unless its sequence number is the largest so far. */
  onFrequency(sequence: WireValue, threshold: number, maxAckDelay: number, reorderingThreshold: number): void {
    if (sequence <= this.sequence) return
    this.sequence = sequence
    this.threshold = threshold
    this.maxAckDelay = maxAckDelay
    this.reorderingThreshold = reorderingThreshold
  }

  /** An IMMEDIATE_ACK frame; the packet that carries it is ack-eliciting and is reported next. */
  onImmediateAck(): void {
    this.immediate = true
  }

  /** An ACK must go out now, even alone. */
  isDue(now: number): boolean {
    return this.unacknowledged > 0 && (this.immediate || now >= this.deadline)
  }

  /** An ACK is worth adding to a packet that is sent anyway. */
  isUseful(): boolean {
    return this.unacknowledged > 0
  }

  /** @param alone the packet elicits no acknowledgment itself */
  onAckSent(largestAcknowledged: number, alone: boolean, now: number): void {
    this.unacknowledged = 0
    this.immediate = false
    this.unreportedGaps = 0
    this.largestReported = largestAcknowledged
    this.reportedAt = now
    this.deadline = Infinity
    this.ackOnlySent = alone ? this.ackOnlySent + 1 : 0
  }

  wantsPing(): boolean {
    return this.ackOnlySent >= ACK_ONLY_BEFORE_PING
  }

  /** The peer has seen an ACK of `largestAcknowledged`: up to where ranges may be forgotten and gaps still be told from what arrived. */
  forgettable(largestAcknowledged: number): number {
    return this.reorderingThreshold > DEFAULT_REORDERING ? largestAcknowledged - this.reorderingThreshold : largestAcknowledged
  }

  /** draft-ietf-quic-ack-frequency §6.1: after a round trip without an ACK the peer wants to hear soon what became of its packets. */
  private thresholdNow(smoothedRtt: number, now: number): number {
    if (this.threshold <= DEFAULT_THRESHOLD || now - this.reportedAt <= smoothedRtt) return this.threshold
    return DEFAULT_THRESHOLD
  }

  /** RFC 9000 §13.2.1: less than another ack-eliciting packet, or larger with packets missing between. */
  private isOutOfOrder(received: ReceivedPackets, packetNumber: number): boolean {
    const expected = this.largestEliciting + 1
    if (packetNumber === expected) return false
    return packetNumber < expected || received.firstMissing(expected) < packetNumber
  }

  /** draft-ietf-quic-ack-frequency §6.2: the peer could declare a packet lost now, or has done so with this one. */
  private isBeyondReordering(received: ReceivedPackets, packetNumber: number): boolean {
    const threshold = this.reorderingThreshold
    if (threshold === 0) return false
    const largestReportedMissing = this.largestReported < 0 ? -1 : this.largestReported - threshold
    if (packetNumber <= largestReportedMissing) return true
    return this.largestEliciting - received.firstMissing(largestReportedMissing + 1) >= threshold
  }
}
