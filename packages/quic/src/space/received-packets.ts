// What has been received in one packet number space: ranges to acknowledge, duplicate detection and ECN counts
// (RFC 9000 §13.2.3, §12.3, §13.4). Numbers below the forgotten floor count as duplicates.

import { RangeSet } from '../base/range-set.ts'

/** RFC 9000 §13.2.3: the number of ranges kept is limited; older ones are forgotten first. */
const MAX_RANGES = 64

export class ReceivedPackets {
  readonly ranges: RangeSet
  largest: number
  largestReceivedAt: number
  ect0: number
  ect1: number
  ce: number
  private floor: number

  constructor() {
    this.ranges = new RangeSet()
    this.largest = -1
    this.largestReceivedAt = 0
    this.ect0 = 0
    this.ect1 = 0
    this.ce = 0
    this.floor = 0
  }

  isDuplicate(packetNumber: number): boolean {
    if (packetNumber > this.largest) return false
    return packetNumber < this.floor || this.ranges.contains(packetNumber)
  }

  /** Records an authenticated packet. `ecn` is the codepoint of its IP header (0 when the socket cannot tell). */
  add(packetNumber: number, ecn: number, now: number): void {
    if (packetNumber < this.floor) return
    this.ranges.add(packetNumber, packetNumber + 1)
    if (packetNumber > this.largest) {
      this.largest = packetNumber
      this.largestReceivedAt = now
    }
    if (ecn === 2) this.ect0 += 1
    else if (ecn === 1) this.ect1 += 1
    else if (ecn === 3) this.ce += 1
    if (this.ranges.length > MAX_RANGES) {
      this.ranges.truncateOldest(MAX_RANGES)
      this.floor = this.ranges.startAt(0)
    }
  }

  /** The smallest number from `from` on that was neither received nor forgotten. */
  firstMissing(from: number): number {
    return this.ranges.firstMissing(Math.max(from, this.floor))
  }

  /** RFC 9000 §13.2.4: the peer has seen an ACK of `largestAcknowledged`; what lies below need not be said again. */
  forgetUpTo(largestAcknowledged: number): void {
    const next = largestAcknowledged + 1
    if (next <= this.floor) return
    // The newest range stays, so that every later ACK frame has something to name.
    const keep = this.ranges.length > 0 ? this.ranges.startAt(this.ranges.length - 1) : next
    const cut = Math.min(next, keep)
    if (cut <= this.floor) return
    this.ranges.remove(0, cut)
    this.floor = cut
  }
}
