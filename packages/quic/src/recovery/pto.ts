/**
 * The loss detection timer and the probe timeout: RFC 9002 §6.2 and §A.8. One timer per connection, computed from slices of
 * the three packet number spaces. The deadline depends on recorded instants only, never on when it is asked for, so it may
 * be computed as often as one likes.
 */
import type { RttEstimator } from './rtt.ts'

export const RecoverySpace = { initial: 0, handshake: 1, application: 2 } as const
export type RecoverySpace = (typeof RecoverySpace)[keyof typeof RecoverySpace]

/** What the timer will mean when it fires. */
export const LossTimerKind = {
  none: 0,
  /** Run detectLost on the space. */
  lossTime: 1,
  /** Send one or two ack-eliciting packets in the space, then `PtoState.onTimeout`. */
  probe: 2,
  /** Client with nothing in flight: send a Handshake packet, or a padded Initial without Handshake keys; then `onTimeout`. */
  antiDeadlock: 3,
} as const
export type LossTimerKind = (typeof LossTimerKind)[keyof typeof LossTimerKind]

/** The part of a space the timer looks at; SentPackets is one. */
export interface RecoverySlice {
  readonly ackElicitingInFlight: number
  /** ms, -1 if none was sent */
  readonly lastAckElicitingSentAt: number
  /** ms, Infinity if none */
  readonly lossTime: number
}

/** Everything else the timer depends on. The connection keeps one of these, or is one. */
export interface RecoverySituation {
  /** null once discarded or before its keys exist */
  readonly initial: RecoverySlice | null
  readonly handshake: RecoverySlice | null
  readonly application: RecoverySlice | null
  readonly hasHandshakeKeys: boolean
  readonly handshakeConfirmed: boolean
  /** Server: true. Client: a Handshake packet was acknowledged or the handshake is confirmed (RFC 9002 §A.8). */
  readonly peerCompletedAddressValidation: boolean
  /** Initial or Handshake CRYPTO data waits to be sent: only a full congestion window can hold it back. */
  readonly handshakeDataPending: boolean
  /** Server that may not send another byte (RFC 9002 §6.2.2.1). */
  readonly amplificationBlocked: boolean
  /** The peer's max_ack_delay, ms. */
  readonly maxAckDelay: number
}

// 2^30 PTOs are years; keeps the product finite.
const MAX_BACKOFF_EXPONENT = 30

export class PtoState {
  /** Probe timeouts since the last acknowledgment that reset it. */
  count: number
  /** When the timer was last restarted by something other than a packet sent, ms; at first the start of the connection. */
  restartedAt: number

  constructor(startedAt: number = -1) {
    this.count = 0
    this.restartedAt = startedAt
  }

  /** 2 ^ count. */
  backoff(): number {
    return 2 ** Math.min(this.count, MAX_BACKOFF_EXPONENT)
  }

  /** The timer fired as `probe` or `antiDeadlock`. */
  onTimeout(now: number): void {
    this.count += 1
    this.restartedAt = now
  }

  /** An acknowledgment newly acknowledged something. */
  onAck(now: number, peerCompletedAddressValidation: boolean): void {
    // RFC 9002 §6.2.1: "a client does not reset the PTO backoff factor on receiving acknowledgments in Initial packets".
    if (peerCompletedAddressValidation) this.count = 0
    this.restartedAt = now
  }

  /** RFC 9002 §6.2.2: keys of a space were discarded; also for a Retry. */
  onSpaceDiscarded(now: number): void {
    this.count = 0
    this.restartedAt = now
  }
}

/** The one loss detection timer. Reused; `arm` writes its fields. */
export class LossTimer {
  /** ms, Infinity when not armed */
  at: number = Infinity
  kind: LossTimerKind = LossTimerKind.none
  space: RecoverySpace = RecoverySpace.initial

  /** RFC 9002 §A.8: SetLossDetectionTimer. Returns the deadline. A deadline in the past fires at once. */
  arm(situation: RecoverySituation, rtt: RttEstimator, pto: PtoState): number {
    this.at = Infinity
    this.kind = LossTimerKind.none
    this.space = RecoverySpace.initial
    const { initial, handshake, application } = situation

    this.considerLossTime(initial, RecoverySpace.initial)
    this.considerLossTime(handshake, RecoverySpace.handshake)
    this.considerLossTime(application, RecoverySpace.application)
    // RFC 9002 §6.2.1: "The PTO timer MUST NOT be set if a timer is set for time threshold loss detection".
    if (this.kind !== LossTimerKind.none) return this.at

    // RFC 9002 §6.2.2.1: a blocked server's timer "MUST NOT be armed until datagrams have been received from the client".
    if (situation.amplificationBlocked) return this.at

    const backoff = pto.backoff()
    const duration = rtt.pto(0) * backoff
    this.considerProbe(initial, RecoverySpace.initial, duration)
    this.considerProbe(handshake, RecoverySpace.handshake, duration)
    // 1-RTT packets that nobody can acknowledge yet may fill the window, and their own PTO is not armed before confirmation:
    // handshake data then leaves as a probe, or never.
    const owed = !situation.peerCompletedAddressValidation || situation.handshakeDataPending
    if (this.kind === LossTimerKind.none && owed && !situation.handshakeConfirmed) {
      // RFC 9002 §6.2.2.1: "the client MUST set the PTO timer … even if there are no packets in flight". 0-RTT packets in
      // flight do not count here: their timer may not be set yet, and the server may be blocked all the same.
      this.armAntiDeadlock(situation, pto, duration)
    }
    // RFC 9002 §6.2.1: no application data PTO "until the handshake is confirmed".
    if (situation.handshakeConfirmed) {
      this.considerProbe(application, RecoverySpace.application, duration + situation.maxAckDelay * backoff)
    }
    return this.at
  }

  private considerLossTime(slice: RecoverySlice | null, space: RecoverySpace): void {
    if (slice === null || slice.lossTime >= this.at) return
    this.at = slice.lossTime
    this.kind = LossTimerKind.lossTime
    this.space = space
  }

  private considerProbe(slice: RecoverySlice | null, space: RecoverySpace, duration: number): void {
    if (slice === null || slice.ackElicitingInFlight === 0) return
    const at = slice.lastAckElicitingSentAt + duration
    if (at >= this.at) return
    this.at = at
    this.kind = LossTimerKind.probe
    this.space = space
  }

  private armAntiDeadlock(situation: RecoverySituation, pto: PtoState, duration: number): void {
    const sinceInitial = situation.initial === null ? -1 : situation.initial.lastAckElicitingSentAt
    const sinceHandshake = situation.handshake === null ? -1 : situation.handshake.lastAckElicitingSentAt
    this.at = Math.max(sinceInitial, sinceHandshake, pto.restartedAt) + duration
    this.kind = LossTimerKind.antiDeadlock
    this.space = situation.hasHandshakeKeys ? RecoverySpace.handshake : RecoverySpace.initial
  }
}
