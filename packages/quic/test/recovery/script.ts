/**
 * A sender without a connection: one space, one path, NewReno; driven by a script, one line per event, answering with a trace.
 *   <t> send <count> [bytes]      ack-eliciting packets
 *   <t> ack <from>-<to>[,…] [delay=<ms>] [limited]   ranges newest first; `limited`: the window was not in use
 *   <t> ce <number>               an ECN-CE increase reported with that packet as the largest acknowledged
 *   timer                         time goes to the deadline and the timer fires
 */
import type { CongestionController } from '../../src/congestion/controller.ts'
import { AckOutcome, processAck } from '../../src/recovery/ack-processor.ts'
import { detectLost } from '../../src/recovery/loss-detector.ts'
import { PersistentCongestion } from '../../src/recovery/persistent-congestion.ts'
import type { RecoverySituation } from '../../src/recovery/pto.ts'
import { LossTimer, LossTimerKind, PtoState } from '../../src/recovery/pto.ts'
import { RttEstimator, usableAckDelay } from '../../src/recovery/rtt.ts'
import type { SentPackets } from '../../src/recovery/sent-packets.ts'
import { newSpace, numbers, ranges, send } from './records.ts'

const MAX_ACK_DELAY = 25

export class ScriptedSender {
  private readonly controller: CongestionController
  private readonly sent: SentPackets = newSpace()
  private readonly rtt: RttEstimator = new RttEstimator()
  private readonly pto: PtoState = new PtoState()
  private readonly timer: LossTimer = new LossTimer()
  private readonly persistent: PersistentCongestion = new PersistentCongestion()
  private readonly outcome: AckOutcome = new AckOutcome()
  private readonly situation: RecoverySituation
  private inFlight: number = 0
  private next: number = 0
  private now: number = 0

  constructor(controller: CongestionController) {
    this.controller = controller
    this.situation = {
      initial: null,
      handshake: null,
      application: this.sent,
      hasHandshakeKeys: true,
      handshakeConfirmed: true,
      peerCompletedAddressValidation: true,
      handshakeDataPending: false,
      amplificationBlocked: false,
      maxAckDelay: MAX_ACK_DELAY,
    }
  }

  run(script: string): string {
    const trace: string[] = []
    for (const line of script.trim().split('\n')) trace.push(this.step(line.trim()))
    return `\n${trace.join('\n')}\n`
  }

  private step(line: string): string {
    const words = line.split(/\s+/)
    let told: string
    if (words[0] === 'timer') told = this.fire()
    else {
      this.now = Number(words[0])
      if (words[1] === 'send') told = this.send(Number(words[2]), Number(words[3] ?? 1200))
      else if (words[1] === 'ack') told = this.ack(words[2]!, words.slice(3))
      else told = this.ce(Number(words[2]))
    }
    this.timer.arm(this.situation, this.rtt, this.pto)
    this.sent.forgetLost(this.now, 3 * this.rtt.pto(MAX_ACK_DELAY))
    const kind = Object.entries(LossTimerKind).find(([, value]) => value === this.timer.kind)![0]
    const { window, slowStartThreshold, state } = this.controller.snapshot()
    return (
      `${round(this.now)} ${told} | ${state} cwnd ${window} ssthresh ${slowStartThreshold} inflight ${this.inFlight}` +
      ` srtt ${round(this.rtt.smoothed)} var ${round(this.rtt.variance)} | ${kind} ${round(this.timer.at)} pto ${this.pto.count}`
    )
  }

  private send(count: number, bytes: number): string {
    const first = this.next
    for (let i = 0; i < count; i += 1) {
      const record = send(this.sent, this.next, this.now, { size: bytes })
      this.next += 1
      this.inFlight += bytes
      this.controller.onSent(this.now, record, this.inFlight)
    }
    return `send ${first}-${this.next - 1}`
  }

  private ack(text: string, options: readonly string[]): string {
    const pairs = text.split(',').map((range): [number, number] => {
      const [from, to] = range.split('-').map(Number)
      return [from!, to ?? from!]
    })
    const delay = Number(options.find((option) => option.startsWith('delay='))?.slice(6) ?? 0)
    const outcome = this.outcome
    processAck(this.sent, ranges(...pairs), pairs.length, outcome)
    if (outcome.rttSample) {
      this.rtt.update(this.now - outcome.largestSentAt, usableAckDelay(delay, false, true, MAX_ACK_DELAY), this.now)
    }
    detectLost(this.sent, this.sent.largestAcked, this.rtt, this.now, outcome)
    const lost = this.applyLost()
    for (let i = 0; i < outcome.ackedCount; i += 1) {
      this.inFlight -= outcome.acked[i]!.size
      this.controller.onAcked(this.now, outcome.acked[i]!, this.rtt, this.inFlight)
    }
    for (let i = 0; i < outcome.spuriousCount; i += 1) this.controller.onSpurious(outcome.spurious[i]!.sentAt, outcome.spurious[i]!.size)
    this.controller.onAckBatchEnd(this.now, this.inFlight, options.includes('limited'))
    if (outcome.ackedCount > 0) this.pto.onAck(this.now, true)
    const spurious = outcome.spuriousCount > 0 ? ` spurious ${numbers(outcome.spurious, outcome.spuriousCount).join(',')}` : ''
    const told = `acked ${outcome.ackedCount}${spurious}${lost}`
    outcome.release(this.sent.pool)
    return told
  }

  private ce(packetNumber: number): string {
    const record = this.sent.get(packetNumber)!
    this.controller.onCongestionEvent(this.now, record.sentAt, 0, 'ecn')
    return 'ce'
  }

  private fire(): string {
    this.now = this.timer.at
    if (this.timer.kind === LossTimerKind.lossTime) {
      this.outcome.reset()
      detectLost(this.sent, this.sent.largestAcked, this.rtt, this.now, this.outcome)
      const told = this.applyLost()
      this.outcome.release(this.sent.pool)
      return `loss timer${told}`
    }
    this.pto.onTimeout(this.now)
    return `probe timer, ${this.send(1, 1200)}`
  }

  private applyLost(): string {
    const { lost, lostCount } = this.outcome
    if (lostCount === 0) return ''
    let bytes = 0
    for (let i = 0; i < lostCount; i += 1) bytes += lost[i]!.size
    this.inFlight -= bytes
    const persistent = this.persistent.onLost(this.outcome, this.rtt, MAX_ACK_DELAY, 0)
    this.controller.onCongestionEvent(this.now, lost[lostCount - 1]!.sentAt, bytes, persistent ? 'persistent' : 'loss')
    if (persistent) this.rtt.onPersistentCongestion()
    return ` lost ${numbers(lost, lostCount).join(',')}${persistent ? ' PERSISTENT' : ''}`
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
