/**
 * Whether the pipe is full: draft-ietf-ccwg-bbr. Three rounds without a quarter more bandwidth, or in Startup a round
 * with too much loss. ProbeBW_UP asks the first question again in each probe.
 */
import type { BbrModel } from './model.ts'

const GROWTH = 1.25
const ROUNDS_WITHOUT_GROWTH = 3
// BBRStartupFullLossCnt
const LOSS_RUNS = 6

export class FullPipe {
  /** BBR.full_bw_reached: it was found full once. */
  reached: boolean = false
  /** BBR.full_bw_now: found full since `restart`. */
  now: boolean = false
  private baseline: number = 0
  private rounds: number = 0
  // Runs of lost packets in the round at hand.
  private lossRuns: number = 0
  private lastLost: number = -2

  /** BBRResetFullBW. @param baseline bandwidth to be exceeded, bytes per ms */
  restart(baseline: number): void {
    this.now = false
    this.rounds = 0
    this.baseline = baseline
  }

  /** BBRCheckFullBWReached */
  onSample(model: BbrModel): void {
    const { sampler } = model
    if (this.now || sampler.appLimited || sampler.rtt < 0) return
    if (sampler.rate >= this.baseline * GROWTH) {
      this.restart(sampler.rate)
      return
    }
    if (!model.roundStart) return
    this.rounds += 1
    this.now = this.rounds >= ROUNDS_WITHOUT_GROWTH
    if (this.now) this.reached = true
  }

  onLost(packetNumber: number): void {
    if (packetNumber !== this.lastLost + 1) this.lossRuns += 1
    this.lastLost = packetNumber
  }

  /** BBRCheckStartupHighLoss. @param recovering a whole round has passed since the first loss */
  checkLoss(model: BbrModel, recovering: boolean): void {
    if (!model.lossRoundStart) return
    const { sampler } = model
    const runs = this.lossRuns
    this.lossRuns = 0
    if (this.reached || !recovering || runs < LOSS_RUNS) return
    if (model.isInflightTooHigh(sampler.lostSince, sampler.inFlightAtSend)) this.declare(model)
  }

  /** The queue overflows, or a router says that it is about to. */
  declare(model: BbrModel): void {
    this.reached = true
    model.longTermInflight = Math.max(model.bandwidthDelay(1), model.inflightLatest, model.minimumPipe())
  }
}
