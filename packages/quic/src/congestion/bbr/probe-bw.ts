/**
 * ProbeBW: draft-ietf-ccwg-bbr. DOWN drains what the last probe queued, CRUISE holds the rate, REFILL fills the pipe for
 * a round, UP sends more until the bandwidth stops growing or losses say stop; then DOWN again. How long to wait between
 * probes is random, so that flows do not probe together; it comes from a generator stirred by what was delivered and when.
 */
import type { FullPipe } from './full-pipe.ts'
import { BbrMode, isProbeBw } from './mode.ts'
import type { BbrModel } from './model.ts'

/** BBR.ack_phase: what the acknowledgments at hand tell about. */
const AckPhase = { none: 0, refilling: 1, probeStarting: 2, probeFeedback: 3, probeStopping: 4 } as const
type AckPhase = (typeof AckPhase)[keyof typeof AckPhase]

// ms
const LEAST_WAIT = 2000
const RANDOM_WAIT = 1000
// No longer between probes than Reno needs to win back a halved window of this many datagrams.
const MAX_RENO_ROUNDS = 63
// Doubling stops here.
const MAX_PROBE_ROUNDS = 30

const RANDOM_SEED = 0x2545f491

export class ProbeBw {
  /** BBR.bw_probe_samples: the packets acknowledged now were sent while probing, so their losses lower the long-term bound. */
  samplesProbe: boolean = false
  private ackPhase: AckPhase = AckPhase.none
  private cycleStartedAt: number = 0
  private wait: number = LEAST_WAIT
  private upRounds: number = 0
  /** Bytes by which the long-term bound rises in a round of UP. */
  private upGrowth: number = 0
  private random: number = RANDOM_SEED

  /** BBREnterProbeBW, BBRStartProbeBW_DOWN */
  down(now: number, model: BbrModel): void {
    model.resetCongestionSignals()
    this.pickWait(now, model)
    this.cycleStartedAt = now
    this.ackPhase = AckPhase.probeStopping
    model.startRound()
    model.mode = BbrMode.probeBwDown
  }

  cruise(model: BbrModel): void {
    model.mode = BbrMode.probeBwCruise
  }

  /** ProbeRTT begins: what was probed before is over. */
  interrupt(): void {
    this.ackPhase = AckPhase.probeStopping
  }

  /** BBRUpdateProbeBWCyclePhase */
  onSample(now: number, model: BbrModel, pipe: FullPipe): void {
    this.adaptLongTermModel(now, model)
    switch (model.mode) {
      case BbrMode.probeBwDown:
        if (this.isTimeToProbe(now, model)) this.refill(model)
        else if (model.inFlight <= model.inflightWithHeadroom() && model.inFlight <= model.inflight(1)) this.cruise(model)
        break
      case BbrMode.probeBwCruise:
        if (this.isTimeToProbe(now, model)) this.refill(model)
        break
      case BbrMode.probeBwRefill:
        if (model.roundStart) this.up(model, pipe)
        break
      case BbrMode.probeBwUp:
        if (this.isTimeToGoDown(model, pipe)) this.down(now, model)
        break
      default:
        break
    }
  }

  /** BBRHandleInflightTooHigh */
  onInflightTooHigh(now: number, model: BbrModel, inFlightAtSend: number, appLimited: boolean): void {
    this.samplesProbe = false
    if (!appLimited) model.lowerLongTermBound(inFlightAtSend)
    if (model.mode === BbrMode.probeBwUp) this.down(now, model)
  }

  private refill(model: BbrModel): void {
    model.resetShortTermBounds()
    this.upRounds = 0
    this.ackPhase = AckPhase.refilling
    model.startRound()
    model.mode = BbrMode.probeBwRefill
  }

  private up(model: BbrModel, pipe: FullPipe): void {
    this.samplesProbe = true
    this.ackPhase = AckPhase.probeStarting
    model.startRound()
    pipe.restart(model.sampler.rate)
    model.mode = BbrMode.probeBwUp
    this.steepen(model)
  }

  /** BBRAdaptLongTermModel */
  private adaptLongTermModel(now: number, model: BbrModel): void {
    const { sampler } = model
    if (model.roundStart && this.ackPhase === AckPhase.probeStarting) {
      this.ackPhase = AckPhase.probeFeedback
    } else if (model.roundStart && this.ackPhase === AckPhase.probeStopping) {
      // The last samples of the probe are in.
      this.samplesProbe = false
      this.ackPhase = AckPhase.none
      if (isProbeBw(model.mode) && !sampler.appLimited) model.advanceMaxBandwidth()
    }
    if (sampler.rtt < 0) return
    if (model.isInflightTooHigh(sampler.lostSince, sampler.inFlightAtSend)) {
      if (this.samplesProbe) this.onInflightTooHigh(now, model, sampler.inFlightAtSend, sampler.appLimited)
      return
    }
    if (model.longTermInflight === Infinity) return
    if (sampler.inFlightAtSend > model.longTermInflight) model.longTermInflight = sampler.inFlightAtSend
    if (model.mode === BbrMode.probeBwUp) this.raiseLongTermBound(model)
  }

  /** BBRProbeInflightLongtermUpward: slowly at first, twice as fast each round. */
  private raiseLongTermBound(model: BbrModel): void {
    if (!model.isWindowLimited() || model.window < model.longTermInflight) return
    model.longTermInflight += (model.sampler.newlyAcked * this.upGrowth) / model.window
    if (model.roundStart) this.steepen(model)
  }

  private steepen(model: BbrModel): void {
    this.upGrowth = Math.min(model.mtu * 2 ** this.upRounds, model.window)
    this.upRounds = Math.min(this.upRounds + 1, MAX_PROBE_ROUNDS)
  }

  /** BBRIsTimeToProbeBW */
  private isTimeToProbe(now: number, model: BbrModel): boolean {
    if (now > this.cycleStartedAt + this.wait) return true
    return model.roundsSinceProbe >= Math.min(model.targetInflight() / model.mtu, MAX_RENO_ROUNDS)
  }

  /** BBRIsTimeToGoDown */
  private isTimeToGoDown(model: BbrModel, pipe: FullPipe): boolean {
    if (model.isWindowLimited() && model.window >= model.longTermInflight) {
      // Held back by the bound that this probe is raising: no growth means nothing yet.
      pipe.restart(model.sampler.rate)
      return false
    }
    return pipe.now
  }

  private pickWait(now: number, model: BbrModel): void {
    const stir = (model.sampler.delivered ^ (now * 1000)) | 0
    this.random = (Math.imul(this.random ^ stir, 1_664_525) + 1_013_904_223) >>> 0
    model.roundsSinceProbe = this.random >>> 31
    this.wait = LEAST_WAIT + (RANDOM_WAIT * ((this.random >>> 8) & 0xffff)) / 0x1_0000
  }
}
