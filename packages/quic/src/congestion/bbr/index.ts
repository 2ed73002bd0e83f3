/**
 * BBR version 3 after draft-ietf-ccwg-bbr. The draft's text is not among the standards this project keeps: its procedures and
 * variables are named as there, without section numbers. Paces at an estimate of the bottleneck's bandwidth and bounds what is
 * in flight by an estimate of the bandwidth-delay product and by what losses taught. This file owns the order of an
 * acknowledgment, the transitions between Startup, Drain, ProbeBW and ProbeRTT, and the window. ECN-CE counts as loss.
 */
import type { RttEstimator } from '../../recovery/rtt.ts'
import type { SentPacket } from '../../recovery/sent-packet.ts'
import type { CongestionController, CongestionEventKind, CongestionSnapshot } from '../controller.ts'
import { initialWindow, minimumWindow } from '../controller.ts'
import { FullPipe } from './full-pipe.ts'
import { BbrMode, MODE_NAME, PACING_GAIN, PACING_MARGIN, isProbeBw } from './mode.ts'
import { BbrModel } from './model.ts'
import { ProbeBw } from './probe-bw.ts'
import { ProbeRtt } from './probe-rtt.ts'
import { Undo } from './undo.ts'

// Rounds after which Drain ends even if the flight has not shrunk.
const MAX_DRAIN_ROUNDS = 3
// ms; a clock too coarse to see the round trip must not divide by zero.
const LEAST_RTT = 0.01

export class Bbr implements CongestionController {
  readonly name: string = 'bbr'
  private model: BbrModel
  private pipe: FullPipe
  private probeBw: ProbeBw
  private probeRtt: ProbeRtt
  private undo: Undo
  private drainStartedIn: number
  /** RttEstimator.minimum: samples over less are compressed acknowledgments. */
  private leastRtt: number
  private recoveryStartedAt: number
  private inRecovery: boolean
  /** BBR.prior_cwnd: the window to go back to after recovery and ProbeRTT; 0: none. */
  private priorWindow: number
  /** The last acknowledgment found nothing to send. */
  private appLimited: boolean

  /** @param mtu maximum datagram size, bytes */
  constructor(mtu: number) {
    this.model = new BbrModel(mtu)
    this.pipe = new FullPipe()
    this.probeBw = new ProbeBw()
    this.probeRtt = new ProbeRtt()
    this.undo = new Undo()
    this.drainStartedIn = 0
    this.leastRtt = Infinity
    this.recoveryStartedAt = -Infinity
    this.inRecovery = false
    this.priorWindow = 0
    this.appLimited = false
  }

  onSent(now: number, packet: SentPacket, inFlight: number): void {
    const { model } = this
    if (inFlight === packet.size && this.appLimited) this.restartFromIdle(now)
    this.appLimited = false
    model.sampler.onSent(now, packet, inFlight)
    model.inFlight = inFlight
    if (inFlight + model.mtu > model.window) model.onWindowUsed()
  }

  onAcked(now: number, packet: SentPacket, rtt: RttEstimator, inFlight: number): void {
    const { model } = this
    if (rtt.hasSample) {
      this.leastRtt = rtt.minimum
      // BBRInitPacingRate
      if (model.pacingRate === 0) model.pacingRate = this.initialPacingRate(rtt)
    }
    model.sampler.onAcked(now, packet)
    model.inFlight = inFlight
    if (this.inRecovery && packet.sentAt > this.recoveryStartedAt) this.leaveRecovery()
  }

  onLost(now: number, packet: SentPacket, inFlight: number): void {
    const { model } = this
    const { sampler } = model
    sampler.onLost(packet)
    model.inFlight = inFlight
    this.pipe.onLost(packet.packetNumber)
    if (model.noteLoss(packet.size)) this.undo.save(now, model)
    this.undo.onLost(packet.sentAt, packet.size)
    // BBRHandleLostPacket
    if (!this.probeBw.samplesProbe) return
    const lost = sampler.lostTotal - packet.lostAtSend
    if (!model.isInflightTooHigh(lost, packet.inFlightAtSend)) return
    this.probeBw.onInflightTooHigh(now, model, model.inflightAtLoss(lost, packet.inFlightAtSend, packet.size), packet.appLimited)
  }

  onAppLimited(inFlight: number): void {
    this.appLimited = true
    this.model.sampler.onAppLimited(inFlight)
  }

  /** BBRUpdateOnACK */
  onAckBatchEnd(now: number, inFlight: number, appLimited: boolean): void {
    const { model, pipe } = this
    model.inFlight = inFlight
    if (model.sampler.newlyAcked === 0) return
    model.sampler.finish(this.leastRtt)
    model.onSample()
    model.updateAggregation(now, pipe.reached)
    pipe.onSample(model)
    pipe.checkLoss(model, this.inRecovery)
    if (model.mode === BbrMode.startup && pipe.reached) this.enterDrain()
    if (model.mode === BbrMode.drain && this.isDrained()) this.probeBw.down(now, model)
    if (pipe.reached) this.probeBw.onSample(now, model, pipe)
    this.probeRtt.onSample(now, model)
    this.checkProbeRtt(now)
    model.afterSample()
    this.setPacingRate(PACING_GAIN[model.mode]!)
    this.setWindow(appLimited)
    model.sampler.clear()
  }

  onCongestionEvent(now: number, sentAt: number, lostBytes: number, kind: CongestionEventKind): void {
    const { model } = this
    if (sentAt > this.recoveryStartedAt) {
      this.enterRecovery(now, lostBytes, kind)
      if (kind === 'ecn') this.onMarked(now)
    }
    if (kind === 'persistent') {
      // RFC 9002 §7.6.2. The bandwidth is remembered; the window comes back by what is acknowledged.
      model.window = minimumWindow(model.mtu)
      this.priorWindow = 0
      this.recoveryStartedAt = -Infinity
      this.inRecovery = false
      this.undo.forget()
    }
  }

  onSpurious(sentAt: number, bytes: number): void {
    if (!this.undo.onSpurious(sentAt, bytes)) return
    const { model, pipe } = this
    // BBRHandleSpuriousLossDetection
    model.lossInRound = false
    pipe.restart(0)
    if (model.mode !== BbrMode.probeRtt && model.mode !== this.undo.mode && this.undo.mode === BbrMode.startup) {
      pipe.reached = false
      model.mode = BbrMode.startup
    }
    this.undo.restore(model)
    if (this.inRecovery) this.leaveRecovery()
  }

  onMtu(mtu: number): void {
    const { model } = this
    // RFC 9002 §7.2: "the initial congestion window SHOULD be recalculated with the new size".
    const untouched = model.window === initialWindow(model.mtu) && model.roundCount === 0 && this.recoveryStartedAt === -Infinity
    model.mtu = mtu
    model.window = untouched ? initialWindow(mtu) : Math.max(model.window, minimumWindow(mtu))
  }

  window(): number {
    return Math.floor(this.model.window)
  }

  pacingRate(rtt: RttEstimator): number {
    const { pacingRate } = this.model
    return pacingRate > 0 ? pacingRate : this.initialPacingRate(rtt)
  }

  snapshot(): CongestionSnapshot {
    return {
      state: this.inRecovery ? 'recovery' : MODE_NAME[this.model.mode]!,
      window: this.window(),
      slowStartThreshold: Infinity,
      minimumWindow: minimumWindow(this.model.mtu),
      recoveryStartedAt: this.recoveryStartedAt,
    }
  }

  reset(mtu: number): void {
    this.model = new BbrModel(mtu)
    this.pipe = new FullPipe()
    this.probeBw = new ProbeBw()
    this.probeRtt = new ProbeRtt()
    this.undo = new Undo()
    this.drainStartedIn = 0
    this.leastRtt = Infinity
    this.recoveryStartedAt = -Infinity
    this.inRecovery = false
    this.priorWindow = 0
    this.appLimited = false
  }

  private initialPacingRate(rtt: RttEstimator): number {
    return (PACING_GAIN[BbrMode.startup]! * this.model.window) / Math.max(rtt.smoothed, LEAST_RTT)
  }

  private enterDrain(): void {
    this.model.mode = BbrMode.drain
    this.drainStartedIn = this.model.roundCount
  }

  private isDrained(): boolean {
    const { model } = this
    return model.inFlight <= model.inflight(1) || model.roundCount > this.drainStartedIn + MAX_DRAIN_ROUNDS
  }

  private checkProbeRtt(now: number): void {
    const { model, probeRtt } = this
    if (model.mode === BbrMode.probeRtt) {
      if (probeRtt.isDone(now, model)) this.leaveProbeRtt(now)
    } else if (probeRtt.isDue(model)) {
      this.saveWindow()
      probeRtt.enter(model)
      this.probeBw.interrupt()
    }
    if (model.sampler.sampleDelivered > 0) probeRtt.idleRestart = false
  }

  /** BBRExitProbeRTT */
  private leaveProbeRtt(now: number): void {
    const { model } = this
    this.restoreWindow()
    model.resetShortTermBounds()
    if (this.pipe.reached) {
      this.probeBw.down(now, model)
      this.probeBw.cruise(model)
    } else {
      model.mode = BbrMode.startup
    }
  }

  /** BBRHandleRestartFromIdle */
  private restartFromIdle(now: number): void {
    const { model, probeRtt } = this
    probeRtt.idleRestart = true
    model.restartAggregation(now)
    if (isProbeBw(model.mode)) this.setPacingRate(1)
    else if (model.mode === BbrMode.probeRtt && probeRtt.checkDone(now)) this.leaveProbeRtt(now)
  }

  /** For a round trip the window is smaller by what was lost and holds still (BBRModulateCwndForRecovery of earlier drafts). */
  private enterRecovery(now: number, lostBytes: number, kind: CongestionEventKind): void {
    const { model } = this
    this.saveWindow()
    const modulated = kind === 'ecn' ? model.reducedWindow() : model.window - lostBytes
    model.window = Math.max(modulated, minimumWindow(model.mtu))
    this.recoveryStartedAt = now
    this.inRecovery = true
  }

  private leaveRecovery(): void {
    this.inRecovery = false
    if (this.model.mode !== BbrMode.probeRtt) this.restoreWindow()
  }

  /** RFC 9002 §7.1: an ECN-CE mark says what a loss says. The window is not given back; it grows again by what is acknowledged. */
  private onMarked(now: number): void {
    const { model } = this
    this.priorWindow = 0
    model.noteLoss(Infinity)
    this.undo.forget()
    if (this.probeBw.samplesProbe) this.probeBw.onInflightTooHigh(now, model, model.inFlight, false)
    if (model.mode === BbrMode.startup && !this.pipe.reached) this.pipe.declare(model)
  }

  /** BBRSaveCwnd */
  private saveWindow(): void {
    const held = this.inRecovery || this.model.mode === BbrMode.probeRtt
    this.priorWindow = held ? Math.max(this.priorWindow, this.model.window) : this.model.window
  }

  /** BBRRestoreCwnd */
  private restoreWindow(): void {
    this.model.window = Math.max(this.model.window, this.priorWindow)
    this.priorWindow = 0
  }

  /** Until the pipe was full once the rate only rises. */
  private setPacingRate(gain: number): void {
    const { model } = this
    const rate = gain * model.bandwidth * PACING_MARGIN
    if (rate > 0 && (this.pipe.reached || rate > model.pacingRate)) model.pacingRate = rate
  }

  /** BBRSetCwnd. RFC 9002 §7.8: a window that is not in use does not grow. */
  private setWindow(appLimited: boolean): void {
    const { model } = this
    const { sampler } = model
    const most = model.maxInflight()
    // At random losses recovery hardly ends: REFILL and UP, which are there to grow, would never get anywhere.
    const held = this.inRecovery && model.mode !== BbrMode.probeBwRefill && model.mode !== BbrMode.probeBwUp
    const grown = held || appLimited ? model.window : model.window + sampler.newlyAcked
    if (this.pipe.reached) model.window = Math.min(grown, most)
    else if (model.window < most || sampler.delivered < initialWindow(model.mtu)) model.window = grown
    if (model.mode === BbrMode.probeRtt) model.window = Math.min(model.window, this.probeRtt.window(model))
    model.window = Math.max(Math.min(model.window, this.modelBound()), minimumWindow(model.mtu))
  }

  /** BBRBoundCwndForModel */
  private modelBound(): number {
    const { model } = this
    let bound = Infinity
    if (model.mode === BbrMode.probeRtt || model.mode === BbrMode.probeBwCruise) bound = model.inflightWithHeadroom()
    else if (isProbeBw(model.mode)) bound = model.longTermInflight
    return Math.max(Math.min(bound, model.shortTermInflight), model.minimumPipe())
  }
}
