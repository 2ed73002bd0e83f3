/**
 * What BBR believes about the path: draft-ietf-ccwg-bbr. Rounds counted in delivered packets, maximum bandwidth over two
 * probing cycles, aggregation of acknowledgments, and the bounds that losses teach: long-term (what a probe found too much)
 * and short-term (until the next probe). The state machines decide; this only remembers. Bytes, ms, bytes per ms.
 */
import { initialWindow, minimumWindow } from '../controller.ts'
import { RateSampler } from '../rate-sampler.ts'
import { BbrMode, PACING_MARGIN, WINDOW_GAIN, isProbingBandwidth } from './mode.ts'

// BBR.LossThresh, BBR.Beta, BBR.Headroom, BBR.MinPipeCwnd.
const LOSS_THRESHOLD = 0.02
const BETA = 0.7
const HEADROOM = 0.15
const MIN_PIPE_DATAGRAMS = 4
// The extra acknowledged bytes are remembered for 10 rounds, here as two halves.
const EXTRA_ACKED_HALF_ROUNDS = 5
// A burst is 1 ms of the rate, from two datagrams to 64 KiB; room for three of them.
const QUANTUM_MS = 1
// Of the minimum round trip time: more than this is no jitter but a queue.
const QUEUED_ROUND_TRIP = 1.25
const MAX_QUANTUM = 65_536
const QUANTA_IN_FLIGHT = 3
// A probe must be able to put something on top of a small window.
const PROBE_UP_DATAGRAMS = 2

export class BbrModel {
  readonly sampler: RateSampler
  mtu: number
  mode: BbrMode
  /** C.cwnd, bytes with a fraction. */
  window: number
  /** The path's count of bytes in flight. */
  inFlight: number
  /** C.pacing_rate; 0 before the first round trip sample. */
  pacingRate: number

  // Rounds.
  roundCount: number
  roundStart: boolean
  /** Rounds since the last probe for bandwidth. */
  roundsSinceProbe: number
  private nextRoundDelivered: number
  /** The window was full; true of the model until this much is delivered. */
  private limitedUntil: number

  /** BBR.max_bw */
  maxBandwidth: number
  private bandwidthOfCycle: number
  private bandwidthOfLastCycle: number
  /** BBR.bw_shortterm */
  shortTermBandwidth: number
  /** BBR.bw: the smaller of the two. */
  bandwidth: number
  /** BBR.min_rtt, ms; Infinity before the first sample. */
  minimumRtt: number
  /** BBR.inflight_longterm */
  longTermInflight: number
  /** BBR.inflight_shortterm */
  shortTermInflight: number

  /** BBR.extra_acked */
  extraAcked: number
  private extraAckedOfHalf: number
  private extraAckedOfLastHalf: number
  private extraAckedHalfStartedIn: number
  private extraAckedSince: number
  private extraAckedDelivered: number

  // Signals of the round at hand.
  lossInRound: boolean
  lossRoundStart: boolean
  bandwidthLatest: number
  inflightLatest: number
  private lossRoundDelivered: number
  private lostInRound: number
  /** ms, Infinity before the first sample. */
  private leastRttInRound: number

  constructor(mtu: number) {
    this.sampler = new RateSampler()
    this.mtu = mtu
    this.mode = BbrMode.startup
    this.window = initialWindow(mtu)
    this.inFlight = 0
    this.pacingRate = 0
    this.roundCount = 0
    this.roundStart = false
    this.roundsSinceProbe = 0
    this.nextRoundDelivered = 0
    this.limitedUntil = -1
    this.maxBandwidth = 0
    this.bandwidthOfCycle = 0
    this.bandwidthOfLastCycle = 0
    this.shortTermBandwidth = Infinity
    this.bandwidth = 0
    this.minimumRtt = Infinity
    this.longTermInflight = Infinity
    this.shortTermInflight = Infinity
    this.extraAcked = 0
    this.extraAckedOfHalf = 0
    this.extraAckedOfLastHalf = 0
    this.extraAckedHalfStartedIn = 0
    this.extraAckedSince = -1
    this.extraAckedDelivered = 0
    this.lossInRound = false
    this.lossRoundStart = false
    this.bandwidthLatest = 0
    this.inflightLatest = 0
    this.lossRoundDelivered = 0
    this.lostInRound = 0
    this.leastRttInRound = Infinity
  }

  /** A round begins with what is sent from now on. */
  startRound(): void {
    this.nextRoundDelivered = this.sampler.delivered
  }

  /** The window is full, or as good as. */
  onWindowUsed(): void {
    this.limitedUntil = this.sampler.delivered + this.inFlight
  }

  /** C.is_cwnd_limited: the window was full at some time in the last round trip. */
  isWindowLimited(): boolean {
    return this.sampler.delivered <= this.limitedUntil
  }

  /** BBRUpdateLatestDeliverySignals, BBRUpdateRound, BBRUpdateMaxBw, BBRUpdateCongestionSignals. */
  onSample(): void {
    const { sampler } = this
    this.lossRoundStart = false
    this.roundStart = false
    if (sampler.rtt < 0) return
    this.bandwidthLatest = Math.max(this.bandwidthLatest, sampler.rate)
    this.inflightLatest = Math.max(this.inflightLatest, sampler.sampleDelivered)
    if (sampler.rtt < this.leastRttInRound) this.leastRttInRound = sampler.rtt
    if (sampler.priorDelivered >= this.lossRoundDelivered) {
      this.lossRoundDelivered = sampler.delivered
      this.lossRoundStart = true
    }
    if (sampler.priorDelivered >= this.nextRoundDelivered) {
      this.startRound()
      this.roundCount += 1
      this.roundsSinceProbe += 1
      this.roundStart = true
    }
    // An application-limited sample only says that the path does at least that.
    if (sampler.rate > 0 && (sampler.rate >= this.maxBandwidth || !sampler.appLimited)) {
      this.bandwidthOfCycle = Math.max(this.bandwidthOfCycle, sampler.rate)
      this.maxBandwidth = Math.max(this.bandwidthOfCycle, this.bandwidthOfLastCycle)
    }
    if (!this.lossRoundStart) return
    if (this.lossInRound && this.isLossyRound() && !isProbingBandwidth(this.mode)) this.lowerShortTermBounds()
    this.lossInRound = false
    this.lostInRound = 0
  }

  /** BBRAdvanceLatestDeliverySignals and BBRBoundBWForModel: the last step of an acknowledgment. */
  afterSample(): void {
    if (this.lossRoundStart) {
      this.bandwidthLatest = this.sampler.rate
      this.inflightLatest = this.sampler.sampleDelivered
      this.leastRttInRound = this.sampler.rtt
    }
    this.bandwidth = Math.min(this.maxBandwidth, this.shortTermBandwidth)
  }

  /** A probing cycle is over; the one before the last is forgotten. */
  advanceMaxBandwidth(): void {
    if (this.bandwidthOfCycle === 0) return
    this.bandwidthOfLastCycle = this.bandwidthOfCycle
    this.bandwidthOfCycle = 0
    this.maxBandwidth = this.bandwidthOfLastCycle
  }

  /** BBRUpdateACKAggregation */
  updateAggregation(now: number, fullPipe: boolean): void {
    if (this.extraAckedSince < 0) this.extraAckedSince = now
    let expected = this.bandwidth * (now - this.extraAckedSince)
    if (this.extraAckedDelivered <= expected) {
      this.extraAckedDelivered = 0
      this.extraAckedSince = now
      expected = 0
    }
    this.extraAckedDelivered += this.sampler.newlyAcked
    const extra = Math.min(this.extraAckedDelivered - expected, this.window)
    const halfIsOver = this.roundCount - this.extraAckedHalfStartedIn >= (fullPipe ? EXTRA_ACKED_HALF_ROUNDS : 1)
    if (this.roundStart && halfIsOver) {
      this.extraAckedHalfStartedIn = this.roundCount
      this.extraAckedOfLastHalf = fullPipe ? this.extraAckedOfHalf : 0
      this.extraAckedOfHalf = 0
    }
    this.extraAckedOfHalf = Math.max(this.extraAckedOfHalf, extra)
    this.extraAcked = Math.max(this.extraAckedOfHalf, this.extraAckedOfLastHalf)
  }

  restartAggregation(now: number): void {
    this.extraAckedSince = now
    this.extraAckedDelivered = 0
  }

  /** BBRNoteLoss; true when it is the first of a round. @param bytes lost; Infinity for an ECN-CE mark */
  noteLoss(bytes: number): boolean {
    this.lostInRound += bytes
    if (this.lossInRound) return false
    this.lossRoundDelivered = this.sampler.delivered
    this.lossInRound = true
    return true
  }

  /** IsInflightTooHigh. One lost packet is no rate: in a flight below fifty it would be too much, and the smaller flow yield always. */
  isInflightTooHigh(lost: number, inFlightAtSend: number): boolean {
    return lost > Math.max(inFlightAtSend * LOSS_THRESHOLD, this.mtu)
  }

  /** BBRInflightAtLoss: how much was in flight when the losses crossed the threshold within this packet. */
  inflightAtLoss(lost: number, inFlightAtSend: number, size: number): number {
    const before = inFlightAtSend - size
    const lostBefore = lost - size
    return before + Math.max(0, (LOSS_THRESHOLD * before - lostBefore) / (1 - LOSS_THRESHOLD))
  }

  /** BBRHandleInflightTooHigh, the model's part. */
  lowerLongTermBound(inFlightAtSend: number): void {
    this.longTermInflight = Math.max(inFlightAtSend, Math.min(this.bandwidthDelay(1), this.window) * BETA, this.minimumPipe())
  }

  resetShortTermBounds(): void {
    this.shortTermBandwidth = Infinity
    this.shortTermInflight = Infinity
  }

  resetCongestionSignals(): void {
    this.lossInRound = false
    this.lostInRound = 0
    this.bandwidthLatest = 0
    this.inflightLatest = 0
    this.leastRttInRound = Infinity
  }

  /** Bytes; the initial window while there is no round trip sample. */
  bandwidthDelay(gain: number): number {
    return this.minimumRtt === Infinity ? initialWindow(this.mtu) : gain * this.bandwidth * this.minimumRtt
  }

  /** BBRInflight(gain) and, with what aggregation needs on top, BBR.max_inflight. */
  inflight(gain: number): number {
    return this.quantised(this.bandwidthDelay(gain))
  }

  maxInflight(): number {
    return this.quantised(this.bandwidthDelay(WINDOW_GAIN[this.mode]!) + this.extraAcked)
  }

  /** BBRTargetInflight */
  targetInflight(): number {
    return Math.min(this.bandwidthDelay(1), this.window)
  }

  /** BBRInflightWithHeadroom: leaves room for flows that come later. */
  inflightWithHeadroom(): number {
    if (this.longTermInflight === Infinity) return Infinity
    const headroom = Math.max(this.mtu, HEADROOM * this.longTermInflight)
    return Math.max(this.longTermInflight - headroom, this.minimumPipe())
  }

  /** BBR.MinPipeCwnd: what a receiver that acknowledges every second packet needs to keep a flow going. */
  minimumPipe(): number {
    return MIN_PIPE_DATAGRAMS * this.mtu
  }

  /** Loss while cruising or draining: ECN-CE counts the same. */
  reducedWindow(): number {
    return Math.max(BETA * this.window, minimumWindow(this.mtu))
  }

  /**
   * The draft bounds after any loss. At random losses of a tolerable rate that is a loss in every round, and a few percent
   * less each time until the next probe: without a queue the threshold for probes holds here too.
   */
  private isLossyRound(): boolean {
    return this.isQueued() || this.isInflightTooHigh(this.lostInRound, this.inflightLatest + this.lostInRound)
  }

  /** A standing queue: none of the round's packets met less of it, which a delayed acknowledgment alone does not bring about. */
  private isQueued(): boolean {
    return this.leastRttInRound > QUEUED_ROUND_TRIP * this.minimumRtt
  }

  /**
   * BBRInitLowerBounds and BBRLossLowerBounds. Where a queue stands, what a round delivered includes it: flows that go on with
   * as much keep the queue full, and with it the shares they have, because no probe of a smaller one gets anywhere. So the
   * flight is bounded by what was delivered in the shortest round trip. Else it needs room for acknowledgments that come in lumps.
   */
  private lowerShortTermBounds(): void {
    if (this.shortTermBandwidth === Infinity) this.shortTermBandwidth = this.maxBandwidth
    if (this.shortTermInflight === Infinity) this.shortTermInflight = this.window
    const queued = this.isQueued()
    // What was delivered at a pace with the margin off says no more than that: without it every round would cost another percent.
    const delivered = queued ? this.bandwidthLatest : this.bandwidthLatest / PACING_MARGIN
    const latest = Math.min(delivered, this.shortTermBandwidth)
    const inflight = queued ? QUEUED_ROUND_TRIP * latest * this.minimumRtt : this.inflightLatest + this.extraAcked
    this.shortTermBandwidth = Math.max(latest, BETA * this.shortTermBandwidth)
    this.shortTermInflight = Math.max(inflight, BETA * this.shortTermInflight)
  }

  /** BBRQuantizationBudget */
  private quantised(inflight: number): number {
    const quantum = Math.min(Math.max(this.pacingRate * QUANTUM_MS, 2 * this.mtu), MAX_QUANTUM)
    const least = Math.max(inflight, QUANTA_IN_FLIGHT * quantum, this.minimumPipe())
    return this.mode === BbrMode.probeBwUp ? least + PROBE_UP_DATAGRAMS * this.mtu : least
  }
}
