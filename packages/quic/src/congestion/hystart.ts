/**
 * HyStart++: RFC 9406. Ends the initial slow start when the round trip time rises: first grows at a quarter of the pace
 * (Conservative Slow Start), and when the rise was not a mirage for five rounds, stops. A round ends with the first
 * acknowledgment of a packet sent after the round began. The sender paces, so growth per ACK is not capped (§4.2, L = infinity).
 */

// RFC 9406 §4.3, times in ms.
const MIN_RTT_THRESHOLD = 4
const MAX_RTT_THRESHOLD = 16
const MIN_RTT_DIVISOR = 8
const RTT_SAMPLES = 8
const CSS_GROWTH_DIVISOR = 4
const CSS_ROUNDS = 5

export class HyStart {
  /** In Conservative Slow Start. */
  conservative: boolean
  /** When the round at hand began, ms; -1 before the first. */
  private roundStartedAt: number
  private lastRoundMinimum: number
  private roundMinimum: number
  private samples: number
  /** The round minimum that led into Conservative Slow Start, ms. */
  private baseline: number
  private conservativeRounds: number

  constructor() {
    this.conservative = false
    this.roundStartedAt = -1
    this.lastRoundMinimum = Infinity
    this.roundMinimum = Infinity
    this.samples = 0
    this.baseline = Infinity
    this.conservativeRounds = 0
  }

  /**
   * An ACK frame in slow start.
   * @param sentAt when its newest packet was sent, ms
   * @param rtt the newest round trip sample, ms
   * @returns true when slow start is over
   */
  onAck(now: number, sentAt: number, rtt: number): boolean {
    if (sentAt >= this.roundStartedAt && this.endRound(now)) return true
    if (rtt < this.roundMinimum) this.roundMinimum = rtt
    this.samples += 1
    if (this.samples < RTT_SAMPLES) return false
    if (this.conservative) this.reconsider()
    else this.lookForRise()
    return false
  }

  /** By how much the window grows for acknowledged bytes. */
  growth(acked: number): number {
    return this.conservative ? acked / CSS_GROWTH_DIVISOR : acked
  }

  reset(): void {
    this.conservative = false
    this.roundStartedAt = -1
    this.lastRoundMinimum = Infinity
    this.roundMinimum = Infinity
    this.samples = 0
    this.baseline = Infinity
    this.conservativeRounds = 0
  }

  private endRound(now: number): boolean {
    if (this.conservative) {
      // RFC 9406 §4.2: the round in whose middle Conservative Slow Start began counts.
      this.conservativeRounds += 1
      if (this.conservativeRounds >= CSS_ROUNDS) return true
    }
    this.roundStartedAt = now
    this.lastRoundMinimum = this.roundMinimum
    this.roundMinimum = Infinity
    this.samples = 0
    return false
  }

  private lookForRise(): void {
    if (this.lastRoundMinimum === Infinity) return
    const threshold = Math.max(MIN_RTT_THRESHOLD, Math.min(this.lastRoundMinimum / MIN_RTT_DIVISOR, MAX_RTT_THRESHOLD))
    if (this.roundMinimum < this.lastRoundMinimum + threshold) return
    this.baseline = this.roundMinimum
    this.conservative = true
    this.conservativeRounds = 0
  }

  /** RFC 9406 §4.2: a round below the baseline shows that the rise was no queue; slow start goes on. */
  private reconsider(): void {
    if (this.roundMinimum >= this.baseline) return
    this.baseline = Infinity
    this.conservative = false
  }
}
