// What we ask of the peer's acknowledgments (draft-ietf-quic-ack-frequency §4, §8): fewer of them while much is in flight, and none
// later than a round trip. Also how long the peer may delay them by now, which every probe timeout counts with (§7).

import type { FrameSink } from '../delivery/frame-sink.ts'
import { TokenKind } from '../delivery/token.ts'
import { ackFrequencyFrameSize, writeAckFrequencyFrame } from '../wire/frames/ack-frequency.ts'
import { IMMEDIATE_ACK_FRAME_SIZE, writeImmediateAckFrame } from '../wire/frames/immediate-ack.ts'

/** RFC 9000 §18.2: the max_ack_delay of a peer that announced none. Milliseconds. */
const DEFAULT_MAX_ACK_DELAY = 25

/** draft §4: Ack-Eliciting Threshold and Reordering Threshold of a peer that was never asked. */
const DEFAULT_THRESHOLD = 1
const DEFAULT_REORDERING = 1

/** Acknowledgments wanted per congestion window: HyStart++ needs eight of them, and fewer make delivery rate samples coarse at losses. */
const ACKS_PER_WINDOW = 16
/** An ACK of so many packets releases what the pacer lets go at once: ten datagrams. */
const MAX_THRESHOLD = 9

export class AckFrequencyRequest {
  /** Milliseconds by which the peer may delay an acknowledgment: the largest of what holds and what was asked for (draft §7). */
  maxAckDelay: number
  private announced: number
  /** The peer's min_ack_delay, microseconds; -1: it does not understand the frames, or they are not wanted. */
  private least: number
  /** What was asked for last. The delay in microseconds. */
  private threshold: number
  private delay: number
  private reordering: number
  private generation: number
  private due: boolean
  private nextSequence: number
  private reviewAt: number
  /** The newest acknowledged request, and its delay; the largest delay asked for since. Milliseconds. */
  private settledSequence: number
  private settled: number
  private unsettled: number

  constructor() {
    this.maxAckDelay = DEFAULT_MAX_ACK_DELAY
    this.announced = DEFAULT_MAX_ACK_DELAY
    this.least = -1
    this.threshold = DEFAULT_THRESHOLD
    this.delay = DEFAULT_MAX_ACK_DELAY * 1000
    this.reordering = DEFAULT_REORDERING
    this.generation = -1
    this.due = false
    this.nextSequence = 0
    this.reviewAt = -Infinity
    this.settledSequence = -1
    this.settled = DEFAULT_MAX_ACK_DELAY
    this.unsettled = 0
  }

  /** @param maxAckDelay ms, as the peer announced it. @param minAckDelay microseconds, -1: ask for nothing */
  onPeerParameters(maxAckDelay: number, minAckDelay: number): void {
    this.announced = maxAckDelay
    this.delay = maxAckDelay * 1000
    this.least = minAckDelay
    this.settled = maxAckDelay
    this.maxAckDelay = maxAckDelay
  }

  /**
   * After an acknowledgment, on a confirmed connection: asks anew when the path has changed enough. At most once per round trip (§8.1).
   * @param generation of the path; a new one is told at once (§8.4)
   * @param windowPackets datagrams that fit into the congestion window
   * @param packetThreshold of loss detection: less reordering needs no immediate ACK (§9)
   */
  review(generation: number, windowPackets: number, smoothedRtt: number, packetThreshold: number, now: number): void {
    if (this.least < 0 || this.due || (now < this.reviewAt && generation === this.generation)) return
    this.reviewAt = now + smoothedRtt
    const threshold = Math.min(Math.max(Math.floor(windowPackets / ACKS_PER_WINDOW) - 1, DEFAULT_THRESHOLD), MAX_THRESHOLD)
    const asked = this.nextSequence > 0
    if (!asked && threshold === DEFAULT_THRESHOLD) return
    const delay = Math.max(this.least, Math.floor(Math.min(smoothedRtt, this.announced) * 1000))
    // §8.1: where the peer's timer is coarser than the round trip, anything but 1 would delay loss detection by more than that.
    const reordering = smoothedRtt * 1000 < this.least ? DEFAULT_REORDERING : packetThreshold
    const moved = asked && generation !== this.generation
    this.generation = generation
    if (!moved && reordering === this.reordering && !differs(delay, this.delay) && !thresholdDiffers(threshold, this.threshold)) return
    this.threshold = threshold
    this.delay = delay
    this.reordering = reordering
    this.due = true
  }

  wants(): boolean {
    return this.due
  }

  /** False when the frame does not fit. */
  write(sink: FrameSink): boolean {
    if (!this.due) return true
    const { nextSequence, threshold, delay, reordering } = this
    if (sink.room() < ackFrequencyFrameSize(nextSequence, threshold, delay, reordering)) return false
    writeAckFrequencyFrame(sink.writer, nextSequence, threshold, delay, reordering)
    sink.token(TokenKind.ackFrequency, nextSequence, delay, 0)
    this.nextSequence += 1
    this.due = false
    this.unsettled = Math.max(this.unsettled, delay / 1000)
    this.maxAckDelay = Math.max(this.settled, this.unsettled)
    return true
  }

  /** `delay`: microseconds. */
  acked(sequence: number, delay: number): void {
    if (sequence <= this.settledSequence) return
    this.settledSequence = sequence
    this.settled = delay / 1000
    // Nothing asked for before can take effect any more.
    if (sequence === this.nextSequence - 1) this.unsettled = 0
    this.maxAckDelay = Math.max(this.settled, this.unsettled)
  }

  /** A lost frame is said again with the latest values, unless a newer one was sent (§4). */
  lost(sequence: number): void {
    if (sequence === this.nextSequence - 1 && sequence > this.settledSequence) this.due = true
  }

  /** The peer takes IMMEDIATE_ACK frames. */
  isUnderstood(): boolean {
    return this.least >= 0
  }

  /** The peer was asked to wait for more packets than it would on its own: the last of a flight has to say that it is (§8.1.1). */
  isReduced(): boolean {
    return this.nextSequence > 0 && this.threshold > DEFAULT_THRESHOLD
  }
}

/** IMMEDIATE_ACK, if there is room; it is not said again when it is lost (§5). */
export function writeImmediateAck(sink: FrameSink): void {
  if (sink.room() < IMMEDIATE_ACK_FRAME_SIZE) return
  writeImmediateAckFrame(sink.writer)
  sink.token(TokenKind.immediateAck, 0, 0, 0)
}

/** §8.1: "not every change should trigger an update". */
function differs(value: number, before: number): boolean {
  return value >= 2 * before || value * 2 <= before
}

function thresholdDiffers(value: number, before: number): boolean {
  if (value === before) return false
  return value === MAX_THRESHOLD || value === DEFAULT_THRESHOLD || differs(value, before)
}
