// When to send an ACK (RFC 9000 §13.2.1, §13.2.2): at once in the handshake, on reordering, on a gap and on CE;
// otherwise with every second ack-eliciting packet or after max_ack_delay. Says only when, never what.

/** RFC 9000 §13.2.2: "A receiver SHOULD send an ACK frame after receiving at least two ack-eliciting packets." */
const ACK_ELICITING_THRESHOLD = 2

/** ACK-only packets are never acknowledged themselves; after this many, one carries a PING so that ranges can be forgotten (§13.2.4). */
const ACK_ONLY_BEFORE_PING = 16

export class AckPolicy {
  /** Milliseconds; 0 where every packet is acknowledged at once (Initial and Handshake). */
  private readonly maxAckDelay: number
  private unacknowledged: number
  private immediate: boolean
  private ackOnlySent: number
  /** When a delayed ACK is due, Infinity if none. */
  deadline: number

  constructor(maxAckDelay: number) {
    this.maxAckDelay = maxAckDelay
    this.unacknowledged = 0
    this.immediate = false
    this.ackOnlySent = 0
    this.deadline = Infinity
  }

  /** `largestBefore`: the largest packet number received before this one, -1 if none. */
  onPacket(packetNumber: number, largestBefore: number, ackEliciting: boolean, congestionExperienced: boolean, now: number): void {
    if (!ackEliciting) return
    this.unacknowledged += 1
    if (this.maxAckDelay === 0 || congestionExperienced || packetNumber !== largestBefore + 1) this.immediate = true
    if (this.unacknowledged >= ACK_ELICITING_THRESHOLD) this.immediate = true
    if (this.deadline === Infinity) this.deadline = now + this.maxAckDelay
  }

  /** An ACK must go out now, even alone. */
  isDue(now: number): boolean {
    return this.unacknowledged > 0 && (this.immediate || now >= this.deadline)
  }

  /** An ACK is worth adding to a packet that is sent anyway. */
  isUseful(): boolean {
    return this.unacknowledged > 0
  }

  onAckSent(alone: boolean): void {
    this.unacknowledged = 0
    this.immediate = false
    this.deadline = Infinity
    this.ackOnlySent = alone ? this.ackOnlySent + 1 : 0
  }

  wantsPing(): boolean {
    return this.ackOnlySent >= ACK_ONLY_BEFORE_PING
  }
}
