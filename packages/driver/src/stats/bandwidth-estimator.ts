// What a connection's path carries, for the books: not for congestion control, which has its own. A round lasts one round trip; the
// estimate is the lesser of what was sent and what arrived over the last ten rounds, and the largest estimate of two minutes counts.

/** Rounds the rates are averaged over, and rounds before the first estimate. */
const WINDOW_ROUNDS = 10
const LEAST_ROUNDS = 5
/** Milliseconds the largest estimate is kept. */
const KEPT = 120_000
/** Milliseconds of a round before the first round-trip sample. */
const FIRST_ROUND = 50
const BITS_PER_BYTE = 8
const MS_PER_SECOND = 1000

interface Round {
  readonly at: number
  readonly sent: number
  readonly acked: number
}

export class BandwidthEstimator {
  /** Counters at the ends of the last rounds, oldest first. */
  private readonly rounds: Round[]
  private readonly peaks: { at: number; bits: number }[]
  /** When the round under way is over, milliseconds. */
  nextRoundAt: number

  constructor(now: number) {
    this.rounds = [{ at: now, sent: 0, acked: 0 }]
    this.peaks = []
    this.nextRoundAt = now + FIRST_ROUND
  }

  /** Ends a round. `sent` and `acked`: bytes since the beginning. `rtt`: milliseconds, of the next round. */
  endRound(now: number, sent: number, acked: number, rtt: number): void {
    const { rounds } = this
    rounds.push({ at: now, sent, acked })
    if (rounds.length > WINDOW_ROUNDS + 1) rounds.splice(0, 1)
    this.nextRoundAt = now + (rtt > 0 ? rtt : FIRST_ROUND)
    if (rounds.length <= LEAST_ROUNDS) return
    const oldest = rounds[0]!
    const elapsed = now - oldest.at
    if (elapsed <= 0) return
    const bytes = Math.min(acked - oldest.acked, sent - oldest.sent)
    this.notePeak(now, (bytes * BITS_PER_BYTE * MS_PER_SECOND) / elapsed)
  }

  /** Bits per second; 0 before there is an estimate. */
  estimate(now: number): number {
    const { peaks } = this
    while (peaks.length > 1 && peaks[0]!.at < now - KEPT) peaks.splice(0, 1)
    return peaks.length === 0 ? 0 : peaks[0]!.bits
  }

  /** A queue of falling peaks: its head is the largest of the time kept. */
  private notePeak(now: number, bits: number): void {
    const { peaks } = this
    while (peaks.length > 0 && peaks[peaks.length - 1]!.bits <= bits) peaks.pop()
    peaks.push({ at: now, bits })
    this.estimate(now)
  }
}
