/**
 * Pacing of in-flight packets: RFC 9002 §7.7, a token bucket in bytes. It answers when, and schedules nothing. Timers are no
 * finer than about 1 ms, so the bucket holds at least 2 ms of the rate and ten datagrams, and an empty one asks to be
 * woken when a full timer quantum of credit is there. Packets with ACKs only are not paced: do not report them.
 */

const BURST_DATAGRAMS = 10
const BURST_MS = 2
const TIMER_QUANTUM_MS = 1
// Rounding in `credit` must not turn "now" into "in a picosecond".
const TOLERANCE = 0.5

export class Pacer {
  private mtu: number
  private credit: number = 0
  /** When `credit` was last computed, ms; -1: the bucket is full. */
  private creditedAt: number = -1

  /** @param mtu maximum datagram size, bytes */
  constructor(mtu: number) {
    this.mtu = mtu
  }

  /**
   * When a datagram of `bytes` may go.
   * @param rate bytes per ms, see CongestionController.pacingRate
   * @returns ms; at most `now`: it may be sent
   */
  releaseTime(now: number, bytes: number, rate: number): number {
    if (!(rate > 0) || rate === Infinity) return now
    this.refill(now, rate)
    const capacity = this.capacity(rate)
    if (this.credit + TOLERANCE >= Math.min(bytes, capacity)) return now
    const wanted = Math.min(Math.max(bytes, TIMER_QUANTUM_MS * rate), capacity)
    return now + (wanted - this.credit) / rate
  }

  /** A datagram in flight was sent, with or without asking (probes are not paced and go into debt). */
  onSent(now: number, bytes: number, rate: number): void {
    if (!(rate > 0) || rate === Infinity) return
    this.refill(now, rate)
    this.credit = Math.max(this.credit - bytes, -this.capacity(rate))
  }

  /** The largest burst at a rate, bytes. */
  capacity(rate: number): number {
    return Math.max(BURST_DATAGRAMS * this.mtu, BURST_MS * rate)
  }

  onMtu(mtu: number): void {
    this.mtu = mtu
  }

  /** A full bucket again: a new path, or a Retry. */
  reset(): void {
    this.creditedAt = -1
  }

  private refill(now: number, rate: number): void {
    const capacity = this.capacity(rate)
    if (this.creditedAt === -1) {
      this.credit = capacity
      this.creditedAt = now
    } else if (now > this.creditedAt) {
      this.credit = Math.min(this.credit + (now - this.creditedAt) * rate, capacity)
      this.creditedAt = now
    }
  }
}
