/**
 * The minimum round trip time and the state that renews it: draft-ietf-ccwg-bbr. When no sample in five seconds was as
 * low as the lowest, half of the bandwidth-delay product in flight for 200 ms and a round lets the queues show their bottom.
 */
import { BbrMode } from './mode.ts'
import type { BbrModel } from './model.ts'

// BBR.MinRTTFilterLen, BBR.ProbeRTTInterval, BBR.ProbeRTTDuration; ms.
const FILTER = 10_000
const INTERVAL = 5000
const DURATION = 200
// BBR.ProbeRTTCwndGain
const WINDOW_GAIN = 0.5

export class ProbeRtt {
  /** A connection that restarts after a pause has measured an empty queue: no need to make one. */
  idleRestart: boolean = false
  private expired: boolean = false
  /** The least sample of the interval, ms, and when it was taken. */
  private least: number = Infinity
  private leastAt: number = 0
  private minimumAt: number = 0
  /** When the state may be left; -1: the flight has not shrunk yet. */
  private doneAt: number = -1
  private roundDone: boolean = false

  /** BBRUpdateMinRTT */
  onSample(now: number, model: BbrModel): void {
    const { rtt } = model.sampler
    if (rtt < 0) return
    this.expired = this.least !== Infinity && now > this.leastAt + INTERVAL
    if (rtt < this.least || this.expired) {
      this.least = rtt
      this.leastAt = now
    }
    if (this.least < model.minimumRtt || now > this.minimumAt + FILTER) {
      model.minimumRtt = this.least
      this.minimumAt = this.leastAt
    }
  }

  /** BBRCheckProbeRTT: time to enter. */
  isDue(model: BbrModel): boolean {
    return model.mode !== BbrMode.probeRtt && this.expired && !this.idleRestart
  }

  enter(model: BbrModel): void {
    model.mode = BbrMode.probeRtt
    this.doneAt = -1
    model.startRound()
  }

  /** BBRHandleProbeRTT, after each acknowledgment in the state; true when it is over. */
  isDone(now: number, model: BbrModel): boolean {
    // The rate is held back on purpose: samples say nothing about the path.
    model.sampler.onAppLimited(model.inFlight)
    if (this.doneAt < 0) {
      if (model.inFlight > this.window(model)) return false
      this.doneAt = now + DURATION
      this.roundDone = false
      model.startRound()
      return false
    }
    if (model.roundStart) this.roundDone = true
    return this.roundDone && this.checkDone(now)
  }

  /** BBRCheckProbeRTTDone, also when sending starts again after a pause. */
  checkDone(now: number): boolean {
    if (this.doneAt < 0 || now <= this.doneAt) return false
    this.leastAt = now
    return true
  }

  /** Bytes */
  window(model: BbrModel): number {
    return Math.max(model.bandwidthDelay(WINDOW_GAIN), model.minimumPipe())
  }
}
