/**
 * Round-trip time of one path: RFC 9002 §5. All values in ms with a fraction.
 * Samples come from packets sent on this path only (RFC 9000 §9.4); the caller drops the others.
 */

/** RFC 9002 §6.1.2: timer granularity, ms. */
export const GRANULARITY = 1
/** RFC 9002 §6.2.2: ms. */
export const INITIAL_RTT = 333

export class RttEstimator {
  hasSample: boolean = false
  /** The newest sample, 0 before the first. */
  latest: number = 0
  smoothed: number
  variance: number
  /** Least sample seen, 0 before the first; not adjusted for ack delay. */
  minimum: number = 0
  /** Largest sample seen, 0 before the first; for statistics. */
  maximum: number = 0
  /** When the first sample was taken, Infinity before it. */
  firstSampleAt: number = Infinity

  /** @param initialRtt ms assumed before the first sample, default 333. */
  constructor(initialRtt: number = INITIAL_RTT) {
    this.smoothed = initialRtt
    this.variance = initialRtt / 2
  }

  /**
   * Takes one sample.
   * @param latest ms between sending the largest acknowledged packet and now
   * @param ackDelay ms the peer says it waited, as `usableAckDelay` returns it
   */
  update(latest: number, ackDelay: number, now: number): void {
    this.latest = latest
    if (latest > this.maximum) this.maximum = latest
    if (!this.hasSample) {
      this.hasSample = true
      this.firstSampleAt = now
      this.minimum = latest
      this.smoothed = latest
      this.variance = latest / 2
      return
    }
    // RFC 9002 §5.2: min_rtt is not adjusted for the delays the peer reports.
    if (latest < this.minimum) this.minimum = latest
    // RFC 9002 §5.3: "MUST NOT subtract the acknowledgment delay from the RTT sample if the resulting value is smaller than the min_rtt".
    const adjusted = latest >= this.minimum + ackDelay ? latest - ackDelay : latest
    this.variance = 0.75 * this.variance + 0.25 * Math.abs(this.smoothed - adjusted)
    this.smoothed = 0.875 * this.smoothed + 0.125 * adjusted
  }

  /** RFC 9002 §6.2.1: one probe timeout without backoff, ms. `maxAckDelay` is 0 for Initial and Handshake. */
  pto(maxAckDelay: number): number {
    return this.smoothed + Math.max(4 * this.variance, GRANULARITY) + maxAckDelay
  }

  /** RFC 9002 §5.2: after persistent congestion min_rtt starts anew from the newest sample. */
  onPersistentCongestion(): void {
    this.minimum = this.latest
  }

  /** RFC 9000 §9.4: a new path starts with no history. */
  reset(initialRtt: number = INITIAL_RTT): void {
    this.hasSample = false
    this.latest = 0
    this.smoothed = initialRtt
    this.variance = initialRtt / 2
    this.minimum = 0
    this.maximum = 0
    this.firstSampleAt = Infinity
  }
}

/**
 * The part of a reported ack delay that may be taken off a sample (RFC 9002 §5.3): none for Initial packets,
 * all of it until the handshake is confirmed, then at most the peer's max_ack_delay. All ms.
 */
export function usableAckDelay(ackDelay: number, initialSpace: boolean, handshakeConfirmed: boolean, maxAckDelay: number): number {
  if (initialSpace) return 0
  return handshakeConfirmed ? Math.min(ackDelay, maxAckDelay) : ackDelay
}
