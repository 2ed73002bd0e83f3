/**
 * ECN on the sender's side: RFC 9000 §13.4.2 and Appendix A.4. `EcnCounts` belongs to a packet number space, because that is what
 * a peer counts by; `EcnValidation` to a path. Packets are marked ECT(0) while a path is tested and once it has proved to carry
 * the marks; ECT(1) is never used. A path that failed is not marked again.
 */

export const EcnState = { off: 0, testing: 1, unknown: 2, capable: 3, failed: 4 } as const
export type EcnState = (typeof EcnState)[keyof typeof EcnState]

/** IP header codepoints (RFC 3168). */
export const Ecn = { notEct: 0, ect1: 1, ect0: 2, ce: 3 } as const

/** RFC 9000 §13.4.2: "for only the first ten outgoing packets on a path, or for a period of three PTOs". */
const TESTING_PACKETS = 10
const TESTING_PTOS = 3

/** What the peer of one packet number space has reported, and what it may report at most. */
export class EcnCounts {
  ect0: number
  ect1: number
  ce: number
  /** Packets sent with ECT(0). */
  sent: number

  constructor() {
    this.ect0 = 0
    this.ect1 = 0
    this.ce = 0
    this.sent = 0
  }

  /** RFC 9000 §13.4.2.1: counts only rise, ECT(1) was never applied, and nobody received more marks than were sent. */
  isPlausible(ect0: number, ect1: number, ce: number): boolean {
    return ect0 >= this.ect0 && ce >= this.ce && ect1 === this.ect1 && ect0 + ce <= this.sent
  }

  update(ect0: number, ect1: number, ce: number): void {
    this.ect0 = ect0
    this.ect1 = ect1
    this.ce = ce
  }
}

export class EcnValidation {
  state: EcnState
  private testingUntil: number
  /** Of the packets marked while testing. */
  private sent: number
  private acked: number
  private lost: number
  private markedCe: number

  /** @param enabled whether the socket can mark and read the ECN field */
  constructor(enabled: boolean) {
    this.state = enabled ? EcnState.testing : EcnState.off
    this.testingUntil = Infinity
    this.sent = 0
    this.acked = 0
    this.lost = 0
    this.markedCe = 0
  }

  /** True when the next packet is to carry ECT(0). Ends the testing period when its time is up. */
  marks(now: number): boolean {
    if (this.state === EcnState.testing && now >= this.testingUntil) this.state = EcnState.unknown
    return this.state === EcnState.testing || this.state === EcnState.capable
  }

  /** A marked packet was sent. `pto`: ms. */
  onSent(now: number, pto: number): void {
    if (this.state !== EcnState.testing) return
    if (this.sent === 0) this.testingUntil = now + TESTING_PTOS * pto
    this.sent += 1
    if (this.sent >= TESTING_PACKETS) this.state = EcnState.unknown
  }

  /** A marked packet was declared lost. True when the path has just failed: all marked packets are gone. */
  onLost(): boolean {
    if (this.state !== EcnState.testing && this.state !== EcnState.unknown) return false
    this.lost += 1
    return this.settle(false)
  }

  /**
   * The counts of an ACK frame, held against what it newly acknowledges. Call it only for frames that raise the largest
   * acknowledged number: "an endpoint MUST NOT fail ECN validation as a result of" others (RFC 9000 §13.4.2.1).
   * @param marked newly acknowledged packets of this path that were sent with ECT(0)
   * @param plausible false when the frame carries counts that cannot be right, see EcnCounts
   * @param ect0 increase since the last such frame, -1 when the frame has no counts
   * @param ce likewise
   * @returns true when the state has changed
   */
  onAck(marked: number, plausible: boolean, ect0: number, ce: number): boolean {
    if (this.state === EcnState.off || this.state === EcnState.failed) return false
    // A peer that does not report, a path that clears the field, or one that changes the marks.
    if (!plausible || (marked > 0 && (ect0 < 0 || ect0 + ce < marked))) return this.fail()
    if (this.state === EcnState.capable) return false
    this.acked += marked
    if (ce > 0) this.markedCe += ce
    return this.settle(ect0 >= 0)
  }

  private settle(validated: boolean): boolean {
    const resolved = this.state === EcnState.unknown && this.acked + this.lost >= this.sent
    // RFC 9000 §A.4: "failed" if marked packets "are all declared lost or if they are all ECN-CE marked".
    if (resolved && this.sent > 0 && this.markedCe >= this.acked) return this.fail()
    if (this.state !== EcnState.unknown || !validated || this.acked === 0 || this.markedCe >= this.acked) return false
    this.state = EcnState.capable
    return true
  }

  private fail(): boolean {
    this.state = EcnState.failed
    return true
  }
}
