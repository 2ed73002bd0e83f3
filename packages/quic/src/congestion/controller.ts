/**
 * The seam between a path and its congestion controller: RFC 9002 §7. The path keeps bytes in flight, the controller keeps
 * the window. Bytes are those of QUIC packets, times are ms on the caller's clock. Every implementation passes
 * test/congestion/conformance.ts.
 */
import type { RttEstimator } from '../recovery/rtt.ts'
import type { SentPacket } from '../recovery/sent-packet.ts'

/** What reduced the window: loss, an ECN-CE increase, or persistent congestion (RFC 9002 §7.6). */
export type CongestionEventKind = 'loss' | 'ecn' | 'persistent'

/** A state's name as traces show it; controllers may have their own. */
export type CongestionState = 'slow_start' | 'recovery' | 'congestion_avoidance' | (string & {})

export interface CongestionSnapshot {
  readonly state: CongestionState
  /** bytes */
  readonly window: number
  /** bytes, Infinity before the first congestion event */
  readonly slowStartThreshold: number
  /** bytes */
  readonly minimumWindow: number
  /** When the current or last recovery period began, ms; -Infinity if none. */
  readonly recoveryStartedAt: number
}

export interface CongestionController {
  readonly name: string
  /** A packet in flight was sent; `inFlight` is the path's count with it. The controller may fill the record's rate sample. */
  onSent(now: number, packet: SentPacket, inFlight: number): void
  /** A packet in flight was newly acknowledged; `inFlight` is the path's count without it. */
  onAcked(now: number, packet: SentPacket, rtt: RttEstimator, inFlight: number): void
  /** A packet in flight was declared lost; `inFlight` is the count without it. `onCongestionEvent` follows, once for all. */
  onLost(now: number, packet: SentPacket, inFlight: number): void
  /**
   * Before `onAckBatchEnd`, when the sender had nothing more to say although the window had room: what is in flight now, and
   * what follows until it is delivered, says little about the path's rate.
   */
  onAppLimited(inFlight: number): void
  /**
   * All packets of one ACK frame were reported. `appLimited`: the window was not fully used for want of data or flow control
   * credit (not for pacing) before this acknowledgment, so it must not grow (RFC 9002 §7.8).
   */
  onAckBatchEnd(now: number, inFlight: number, appLimited: boolean): void
  /**
   * Once per loss detection or ACK frame, not per packet. `sentAt` is when the newest lost packet (loss, persistent) or the
   * frame's largest acknowledged packet (ecn) was sent. `lostBytes` is 0 for ecn. 'persistent' alone is enough.
   */
  onCongestionEvent(now: number, sentAt: number, lostBytes: number, kind: CongestionEventKind): void
  /** A packet of `bytes` sent at `sentAt` was declared lost and has arrived after all. */
  onSpurious(sentAt: number, bytes: number): void
  /** The path's maximum datagram size changed, bytes. */
  onMtu(mtu: number): void
  /** Congestion window, bytes, an integer of at least the minimum window. */
  window(): number
  /** bytes per ms, positive, possibly Infinity. */
  pacingRate(rtt: RttEstimator): number
  /** For traces and statistics; allocates. */
  snapshot(): CongestionSnapshot
  /** Back to the initial state: a new path (RFC 9000 §9.4) or a Retry (RFC 9002 §6.3). */
  reset(mtu: number): void
}

export type CongestionControllerFactory = (mtu: number) => CongestionController

/** RFC 9002 §7.2: ten datagrams, at most the larger of 14720 bytes and two datagrams. */
export function initialWindow(mtu: number): number {
  return Math.min(10 * mtu, Math.max(14720, 2 * mtu))
}

/** RFC 9002 §7.2: kMinimumWindow. */
export function minimumWindow(mtu: number): number {
  return 2 * mtu
}
