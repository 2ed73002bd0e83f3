/**
 * Delivery rate estimation: draft-ietf-ccwg-bbr. Each packet remembers what had been delivered when it was sent; its
 * acknowledgment yields a rate over the longer of the time it took to send and to acknowledge what lies between. One sample
 * per ACK frame, of the newest packet in it; the fields are valid from `finish` to `clear`. Bytes, ms, bytes per ms.
 */
import type { SentPacket } from '../recovery/sent-packet.ts'

export class RateSampler {
  /** C.delivered: bytes acknowledged since the beginning. */
  delivered: number = 0
  /** C.lost: bytes declared lost since the beginning. */
  lostTotal: number = 0
  /** RS.delivery_rate: 0 when the frame gives none. */
  rate: number = 0
  /** RS.delivered: bytes over which the rate was taken. */
  sampleDelivered: number = 0
  /** RS.prior_delivered: `delivered` when the sample's packet was sent. */
  priorDelivered: number = 0
  /** RS.tx_in_flight: bytes in flight when that packet had been sent, itself included. */
  inFlightAtSend: number = 0
  /** RS.lost: bytes declared lost since then. */
  lostSince: number = 0
  /** RS.is_app_limited */
  appLimited: boolean = false
  /** RS.rtt: ms; -1 without a sample. */
  rtt: number = -1
  /** RS.newly_acked */
  newlyAcked: number = 0
  private deliveredAt: number = 0
  private firstSentAt: number = 0
  /** C.app_limited: the bubble ends when this much is delivered; 0: there is none. */
  private limitedUntil: number = 0
  private newestSentAt: number = -1
  private sendElapsed: number = 0
  private ackElapsed: number = 0
  private lostAtSend: number = 0

  onSent(now: number, packet: SentPacket, inFlight: number): void {
    if (inFlight === packet.size) {
      // Nothing was in flight: an interval of silence is no part of any sample.
      this.firstSentAt = now
      this.deliveredAt = now
    }
    packet.firstSentAt = this.firstSentAt
    packet.deliveredTimeAtSend = this.deliveredAt
    packet.deliveredAtSend = this.delivered
    packet.inFlightAtSend = inFlight
    packet.lostAtSend = this.lostTotal
    packet.appLimited = this.limitedUntil !== 0
  }

  onAcked(now: number, packet: SentPacket): void {
    this.delivered += packet.size
    this.deliveredAt = now
    this.newlyAcked += packet.size
    if (packet.sentAt < this.newestSentAt) return
    this.newestSentAt = packet.sentAt
    this.firstSentAt = packet.sentAt
    this.sendElapsed = packet.sentAt - packet.firstSentAt
    this.ackElapsed = now - packet.deliveredTimeAtSend
    this.priorDelivered = packet.deliveredAtSend
    this.inFlightAtSend = packet.inFlightAtSend
    this.lostAtSend = packet.lostAtSend
    this.appLimited = packet.appLimited
    this.rtt = now - packet.sentAt
  }

  onLost(packet: SentPacket): void {
    this.lostTotal += packet.size
  }

  /** The sender has nothing more to send; what is in flight now leaves a bubble behind it. */
  onAppLimited(inFlight: number): void {
    this.limitedUntil = Math.max(1, this.delivered + inFlight)
  }

  /** All packets of an ACK frame were reported. @param leastRtt least round trip time ever seen, ms */
  finish(leastRtt: number): void {
    if (this.limitedUntil !== 0 && this.delivered > this.limitedUntil) this.limitedUntil = 0
    this.rate = 0
    if (this.rtt < 0) return
    this.sampleDelivered = this.delivered - this.priorDelivered
    this.lostSince = this.lostTotal - this.lostAtSend
    // The longer of the two is the surer; less than a round trip comes of compressed acknowledgments.
    const interval = Math.max(this.sendElapsed, this.ackElapsed)
    if (interval > 0 && interval >= leastRtt && this.sampleDelivered > 0) this.rate = this.sampleDelivered / interval
  }

  /** The next ACK frame. */
  clear(): void {
    this.newlyAcked = 0
    this.rtt = -1
  }
}
