/**
 * NewReno: RFC 9002 §7.3 and Appendix B. Slow start, recovery, congestion avoidance; halves once per round trip. Growth is
 * gathered per ACK frame and applied at its end, unless the window was not in use (§7.8).
 */
import type { RttEstimator } from '../recovery/rtt.ts'
import type { SentPacket } from '../recovery/sent-packet.ts'
import type { CongestionController, CongestionEventKind, CongestionSnapshot } from './controller.ts'
import { initialWindow, minimumWindow } from './controller.ts'

// RFC 9002 §7.3.2: kLossReductionFactor.
const LOSS_REDUCTION_FACTOR = 0.5
// RFC 9002 §7.7: N "small, but at least 1"; slow start doubles per round trip and must not be held back.
const PACING_GAIN = 1.25
const SLOW_START_PACING_GAIN = 2
// ms; a clock too coarse to see the round trip must not divide by zero.
const LEAST_RTT = 0.01

export class NewReno implements CongestionController {
  readonly name: string = 'newreno'
  private mtu: number
  private congestionWindow: number
  private slowStartThreshold: number = Infinity
  private recoveryStartedAt: number = -Infinity
  private inRecovery: boolean = false
  /** Acknowledged outside recovery in the ACK frame at hand. */
  private ackedInBatch: number = 0
  /** Acknowledged in congestion avoidance and not yet turned into growth (RFC 3465 §2.1). */
  private ackedInAvoidance: number = 0

  /** @param mtu maximum datagram size, bytes */
  constructor(mtu: number) {
    this.mtu = mtu
    this.congestionWindow = initialWindow(mtu)
  }

  onSent(_now: number, _packet: SentPacket, _inFlight: number): void {}

  onLost(_now: number, _packet: SentPacket, _inFlight: number): void {}

  onAppLimited(_inFlight: number): void {}

  onAcked(_now: number, packet: SentPacket, _rtt: RttEstimator, _inFlight: number): void {
    if (packet.sentAt <= this.recoveryStartedAt) return
    this.inRecovery = false
    this.ackedInBatch += packet.size
  }

  onAckBatchEnd(_now: number, _inFlight: number, appLimited: boolean): void {
    let acked = this.ackedInBatch
    this.ackedInBatch = 0
    if (appLimited || acked === 0) return
    if (this.congestionWindow < this.slowStartThreshold) {
      const growth = Math.min(acked, this.slowStartThreshold - this.congestionWindow)
      this.congestionWindow += growth
      acked -= growth
    }
    this.ackedInAvoidance += acked
    // RFC 9002 §7.3.3: "at most one maximum datagram size for each congestion window that is acknowledged".
    while (this.ackedInAvoidance >= this.congestionWindow) {
      this.ackedInAvoidance -= this.congestionWindow
      this.congestionWindow += this.mtu
    }
  }

  onCongestionEvent(now: number, sentAt: number, _lostBytes: number, kind: CongestionEventKind): void {
    if (sentAt > this.recoveryStartedAt) {
      // RFC 9002 §7.3.2: once per recovery period.
      this.recoveryStartedAt = now
      this.inRecovery = true
      this.slowStartThreshold = Math.max(Math.floor(this.congestionWindow * LOSS_REDUCTION_FACTOR), minimumWindow(this.mtu))
      this.congestionWindow = this.slowStartThreshold
      this.ackedInBatch = 0
      this.ackedInAvoidance = 0
    }
    if (kind === 'persistent') {
      // RFC 9002 §7.6.2: "MUST be reduced to the minimum congestion window"; §B.8 leaves recovery, so slow start follows.
      this.congestionWindow = minimumWindow(this.mtu)
      this.recoveryStartedAt = -Infinity
      this.inRecovery = false
      this.ackedInBatch = 0
      this.ackedInAvoidance = 0
    }
  }

  /** RFC 9002 defines no way back, and one spurious packet does not clear the others of the same round trip. */
  onSpurious(_sentAt: number, _bytes: number): void {}

  onMtu(mtu: number): void {
    // RFC 9002 §7.2: "the initial congestion window SHOULD be recalculated with the new size".
    const untouched = this.congestionWindow === initialWindow(this.mtu) && this.slowStartThreshold === Infinity
    this.mtu = mtu
    this.congestionWindow = untouched ? initialWindow(mtu) : Math.max(this.congestionWindow, minimumWindow(mtu))
  }

  window(): number {
    return this.congestionWindow
  }

  pacingRate(rtt: RttEstimator): number {
    const gain = this.congestionWindow < this.slowStartThreshold ? SLOW_START_PACING_GAIN : PACING_GAIN
    return (gain * this.congestionWindow) / Math.max(rtt.smoothed, LEAST_RTT)
  }

  snapshot(): CongestionSnapshot {
    return {
      state: this.inRecovery ? 'recovery' : this.congestionWindow < this.slowStartThreshold ? 'slow_start' : 'congestion_avoidance',
      window: this.congestionWindow,
      slowStartThreshold: this.slowStartThreshold,
      minimumWindow: minimumWindow(this.mtu),
      recoveryStartedAt: this.recoveryStartedAt,
    }
  }

  reset(mtu: number): void {
    this.mtu = mtu
    this.congestionWindow = initialWindow(mtu)
    this.slowStartThreshold = Infinity
    this.recoveryStartedAt = -Infinity
    this.inRecovery = false
    this.ackedInBatch = 0
    this.ackedInAvoidance = 0
  }
}
