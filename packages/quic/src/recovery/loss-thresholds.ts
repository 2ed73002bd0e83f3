/**
 * How much reordering loss detection puts up with on one path: RFC 9002 §6.1.1, §6.1.2 with the adaptation §6.1 allows. A loss
 * that proves spurious raises the threshold that caused it to what the packet would have needed, within bounds; when nothing
 * has needed as much for a while, half of what was added is taken back.
 */
import type { RttEstimator } from './rtt.ts'
import type { SentPacket } from './sent-packet.ts'
import { LossTrigger } from './sent-packet.ts'

/** RFC 9002 §6.1.1: kPacketThreshold; never less. */
export const PACKET_THRESHOLD = 3
/** RFC 9002 §6.1.2: kTimeThreshold; never less. */
export const TIME_THRESHOLD: number = 9 / 8

/** Acknowledgments are held against at most this many outstanding numbers below the largest. */
const MAX_PACKET_THRESHOLD = 64
/** One round trip later than RFC 9002 would have it is late enough. */
const MAX_TIME_THRESHOLD: number = 2 + 1 / 8
/** More than the reordering that was seen, in round trips. */
const TIME_MARGIN: number = 1 / 8
/** Round trips without need before half of the addition is taken back. */
const PATIENCE = 32

export class LossThresholds {
  /** Packet numbers. */
  packets: number
  /** Round trips. */
  time: number
  /** When each was last needed, ms. */
  private packetsNeededAt: number
  private timeNeededAt: number

  constructor() {
    this.packets = PACKET_THRESHOLD
    this.time = TIME_THRESHOLD
    this.packetsNeededAt = -Infinity
    this.timeNeededAt = -Infinity
  }

  /** Above the defaults: acknowledgments are to be reported. */
  get raised(): boolean {
    return this.packets > PACKET_THRESHOLD || this.time > TIME_THRESHOLD
  }

  /** A packet in flight was declared lost and is acknowledged now, by a frame whose largest number so far was `largestAcked`. */
  onSpurious(packet: SentPacket, largestAcked: number, rtt: RttEstimator, now: number): void {
    if (packet.lossTrigger === LossTrigger.reorderingThreshold) {
      this.packetsNeededAt = now
      this.packets = Math.max(this.packets, Math.min(largestAcked - packet.packetNumber + 1, MAX_PACKET_THRESHOLD))
    } else {
      this.timeNeededAt = now
      this.time = Math.max(this.time, Math.min(roundTrips(packet, rtt, now) + TIME_MARGIN, MAX_TIME_THRESHOLD))
    }
  }

  /**
   * While raised, once per acknowledgment: keeps what was needed and lets go of what was not.
   * @param oldest the smallest newly acknowledged packet
   * @param largestBefore the largest number acknowledged before; a smaller one arrived out of order
   */
  onAck(oldest: SentPacket, largestBefore: number, rtt: RttEstimator, now: number): void {
    const patience = PATIENCE * rtt.smoothed
    const fewer = PACKET_THRESHOLD + Math.floor((this.packets - PACKET_THRESHOLD) / 2)
    const sooner = TIME_THRESHOLD + (this.time - TIME_THRESHOLD) / 2
    if (oldest.packetNumber < largestBefore) {
      if (largestBefore - oldest.packetNumber >= fewer) this.packetsNeededAt = now
      if (roundTrips(oldest, rtt, now) >= sooner) this.timeNeededAt = now
    }
    if (this.packets > PACKET_THRESHOLD && now - this.packetsNeededAt > patience) {
      this.packets = fewer
      this.packetsNeededAt = now
    }
    if (this.time > TIME_THRESHOLD && now - this.timeNeededAt > patience) {
      // A hair above the default is the default.
      this.time = sooner - TIME_THRESHOLD < TIME_MARGIN / 2 ? TIME_THRESHOLD : sooner
      this.timeNeededAt = now
    }
  }
}

function roundTrips(packet: SentPacket, rtt: RttEstimator, now: number): number {
  return (now - packet.sentAt) / Math.max(rtt.smoothed, rtt.latest)
}
