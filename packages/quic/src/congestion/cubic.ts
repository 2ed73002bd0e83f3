/**
 * CUBIC: RFC 9438, with HyStart++ (RFC 9406) as the initial slow start. Growth is gathered per ACK frame and applied at its
 * end, unless the window was not in use (RFC 9438 §5.8); such times do not count as time since the reduction. A reduction is
 * taken back when everything that caused it turns out to have arrived (§4.9.2). Bytes and ms throughout.
 */
import type { RttEstimator } from '../recovery/rtt.ts'
import type { SentPacket } from '../recovery/sent-packet.ts'
import type { CongestionController, CongestionEventKind, CongestionSnapshot } from './controller.ts'
import { initialWindow, minimumWindow } from './controller.ts'
import { HyStart } from './hystart.ts'

// RFC 9438 §5.1: C in datagrams per cubic second; here datagrams per cubic ms.
const C = 0.4e-9
// RFC 9438 §4.6: multiplicative decrease.
const BETA = 0.7
// RFC 9438 §4.3: makes the Reno-friendly estimate as aggressive as Reno is with its decrease of one half.
const ALPHA = (3 * (1 - BETA)) / (1 + BETA)
// RFC 9438 §4.2: the target is never more than this many windows.
const TARGET_LIMIT = 1.5
// RFC 9002 §7.7: N "small, but at least 1"; slow start doubles per round trip and must not be held back.
const PACING_GAIN = 1.25
const SLOW_START_PACING_GAIN = 2
// ms; a clock too coarse to see the round trip must not divide by zero.
const LEAST_RTT = 0.01

/** The variables a reduction changes, and a spurious one brings back. */
class CubicState {
  /** Bytes, with a fraction. */
  window: number = 0
  slowStartThreshold: number = Infinity
  /** W_max: the window before the last reduction, less with fast convergence; 0: none. */
  largest: number = 0
  /** cwnd_prior: the window before the last reduction; the estimate's alpha rises to 1 when it is reached. */
  prior: number = 0
  /** t_epoch: when congestion avoidance began, ms; -1 outside of it. */
  epochStartedAt: number = -1
  /** K: ms from then until the cubic curve is back at `largest`. */
  inflection: number = 0
  /** W_est: what Reno would have by now. */
  estimate: number = 0
  recoveryStartedAt: number = -Infinity

  copy(other: CubicState): void {
    this.window = other.window
    this.slowStartThreshold = other.slowStartThreshold
    this.largest = other.largest
    this.prior = other.prior
    this.epochStartedAt = other.epochStartedAt
    this.inflection = other.inflection
    this.estimate = other.estimate
    this.recoveryStartedAt = other.recoveryStartedAt
  }
}

const INITIAL_STATE = new CubicState()

export class Cubic implements CongestionController {
  readonly name: string = 'cubic'
  private mtu: number
  private inRecovery: boolean
  private readonly state: CubicState
  /** As it was before the last reduction. */
  private readonly before: CubicState
  private undoable: boolean
  /** Bytes lost in the last reduction's round trip that have not turned up. */
  private missing: number
  private readonly hystart: HyStart
  /** Acknowledged outside recovery in the ACK frame at hand. */
  private ackedInBatch: number
  private newestSentAt: number
  private latestRtt: number
  private smoothedRtt: number
  /** When the window was last known to be in use, ms; -1: never. */
  private inUseAt: number

  /** @param mtu maximum datagram size, bytes */
  constructor(mtu: number) {
    this.mtu = mtu
    this.inRecovery = false
    this.state = new CubicState()
    this.state.window = initialWindow(mtu)
    this.before = new CubicState()
    this.undoable = false
    this.missing = 0
    this.hystart = new HyStart()
    this.ackedInBatch = 0
    this.newestSentAt = -1
    this.latestRtt = 0
    this.smoothedRtt = 0
    this.inUseAt = -1
  }

  onSent(now: number, packet: SentPacket, inFlight: number): void {
    // After a pause the first acknowledgment must not find the curve where it would be without the pause.
    if (inFlight === packet.size) this.skipIdleTime(now)
  }

  onAcked(_now: number, packet: SentPacket, rtt: RttEstimator, _inFlight: number): void {
    this.latestRtt = rtt.latest
    this.smoothedRtt = rtt.smoothed
    if (packet.sentAt <= this.state.recoveryStartedAt) return
    this.inRecovery = false
    this.ackedInBatch += packet.size
    if (packet.sentAt > this.newestSentAt) this.newestSentAt = packet.sentAt
  }

  onLost(_now: number, _packet: SentPacket, _inFlight: number): void {}

  onAppLimited(_inFlight: number): void {}

  onAckBatchEnd(now: number, _inFlight: number, appLimited: boolean): void {
    let acked = this.ackedInBatch
    this.ackedInBatch = 0
    if (appLimited) this.skipIdleTime(now)
    this.inUseAt = now
    if (appLimited || acked === 0) return
    if (this.inSlowStart()) acked = this.growInSlowStart(now, acked)
    if (acked > 0) this.growInAvoidance(now, acked)
  }

  onCongestionEvent(now: number, sentAt: number, lostBytes: number, kind: CongestionEventKind): void {
    const { state } = this
    if (sentAt > state.recoveryStartedAt) this.reduce(now, kind)
    if (sentAt <= state.recoveryStartedAt) this.missing += lostBytes
    if (kind === 'ecn') this.undoable = false
    if (kind === 'persistent') {
      // RFC 9438 §4.8 and RFC 9002 §7.6.2: slow start up to the threshold; after it the curve starts at the window it finds.
      state.window = minimumWindow(this.mtu)
      state.largest = 0
      state.epochStartedAt = -1
      state.recoveryStartedAt = -Infinity
      this.inRecovery = false
      this.undoable = false
    }
  }

  onSpurious(sentAt: number, bytes: number): void {
    const { state, before } = this
    if (!this.undoable || sentAt > state.recoveryStartedAt || sentAt <= before.recoveryStartedAt) return
    this.missing -= bytes
    if (this.missing > 0) return
    // RFC 9438 §4.9.2: the window is not made smaller than what it has grown to since.
    const window = Math.max(state.window, before.window)
    state.copy(before)
    state.window = window
    this.inRecovery = false
    this.undoable = false
  }

  onMtu(mtu: number): void {
    const { state } = this
    // RFC 9002 §7.2: "the initial congestion window SHOULD be recalculated with the new size".
    const untouched = state.window === initialWindow(this.mtu) && state.slowStartThreshold === Infinity
    this.mtu = mtu
    state.window = untouched ? initialWindow(mtu) : Math.max(state.window, minimumWindow(mtu))
  }

  window(): number {
    return Math.floor(this.state.window)
  }

  pacingRate(rtt: RttEstimator): number {
    const gain = this.inSlowStart() ? SLOW_START_PACING_GAIN : PACING_GAIN
    return (gain * this.state.window) / Math.max(rtt.smoothed, LEAST_RTT)
  }

  snapshot(): CongestionSnapshot {
    const { state } = this
    return {
      state: this.stateName(),
      window: this.window(),
      slowStartThreshold: state.slowStartThreshold,
      minimumWindow: minimumWindow(this.mtu),
      recoveryStartedAt: state.recoveryStartedAt,
    }
  }

  reset(mtu: number): void {
    this.mtu = mtu
    this.inRecovery = false
    this.state.copy(INITIAL_STATE)
    this.state.window = initialWindow(mtu)
    this.undoable = false
    this.missing = 0
    this.hystart.reset()
    this.ackedInBatch = 0
    this.newestSentAt = -1
    this.inUseAt = -1
  }

  private stateName(): string {
    if (this.inRecovery) return 'recovery'
    if (!this.inSlowStart()) return 'congestion_avoidance'
    return this.hystart.conservative ? 'conservative_slow_start' : 'slow_start'
  }

  private inSlowStart(): boolean {
    return this.state.window < this.state.slowStartThreshold
  }

  /** Returns the bytes that are left for congestion avoidance. */
  private growInSlowStart(now: number, acked: number): number {
    const { state, hystart } = this
    // RFC 9406 §4.3: only in the initial slow start.
    if (state.slowStartThreshold === Infinity) {
      if (hystart.onAck(now, this.newestSentAt, this.latestRtt)) {
        state.slowStartThreshold = state.window
        return acked
      }
      state.window += hystart.growth(acked)
      return 0
    }
    const growth = Math.min(acked, state.slowStartThreshold - state.window)
    state.window += growth
    return acked - growth
  }

  private growInAvoidance(now: number, acked: number): void {
    const { state } = this
    if (state.epochStartedAt < 0) this.beginEpoch(now)
    const time = now - state.epochStartedAt
    // RFC 9438 §4.3
    const alpha = state.estimate < state.prior ? ALPHA : 1
    state.estimate += (alpha * this.mtu * acked) / state.window
    if (this.curve(time) < state.estimate) {
      state.window = Math.max(state.window, state.estimate)
      return
    }
    // RFC 9438 §4.4 and §4.5: a round trip of acknowledgments takes the window to where the curve is a round trip from now.
    const target = Math.min(this.curve(time + this.smoothedRtt), TARGET_LIMIT * state.window)
    if (target > state.window) state.window += ((target - state.window) * Math.min(acked, state.window)) / state.window
  }

  /** RFC 9438 §4.2 */
  private beginEpoch(now: number): void {
    const { state } = this
    state.epochStartedAt = now
    state.estimate = state.window
    if (state.largest > state.window) {
      state.inflection = Math.cbrt((state.largest - state.window) / (C * this.mtu))
    } else {
      state.largest = state.window
      state.inflection = 0
    }
  }

  /** W_cubic(t), RFC 9438 §4.2 figure 1. */
  private curve(time: number): number {
    const distance = time - this.state.inflection
    return C * this.mtu * distance * distance * distance + this.state.largest
  }

  private reduce(now: number, kind: CongestionEventKind): void {
    const { state, before } = this
    before.copy(state)
    this.undoable = kind === 'loss'
    this.missing = 0
    const { window } = state
    // RFC 9438 §4.7: fast convergence gives way to flows that came later.
    state.largest = window < state.largest ? (window * (1 + BETA)) / 2 : window
    state.prior = window
    // RFC 9438 §4.6. The window stands for the bytes in flight: it does not grow while it is not in use.
    state.slowStartThreshold = Math.max(Math.floor(window * BETA), minimumWindow(this.mtu))
    state.window = state.slowStartThreshold
    state.epochStartedAt = -1
    state.recoveryStartedAt = now
    this.inRecovery = true
    this.ackedInBatch = 0
  }

  /** RFC 9438 §5.8: time in which the window was not in use is not time since the reduction. */
  private skipIdleTime(now: number): void {
    if (this.state.epochStartedAt >= 0 && this.inUseAt >= 0) this.state.epochStartedAt += now - this.inUseAt
    this.inUseAt = now
  }
}
