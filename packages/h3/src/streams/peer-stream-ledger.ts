/**
 * Which streams of one type the peer has opened, in whichever order their bytes arrive (RFC 9000 §2.1: opening a stream opens
 * all lower ones of its type). Tells a stream not seen yet from one that is over; holds only the ids that were skipped, which
 * the stream limit bounds.
 */
export class PeerStreamLedger {
  /** The lowest id beyond all that have been seen. */
  next: number
  private readonly skipped: Set<number>

  constructor(first: number) {
    this.next = first
    this.skipped = new Set()
  }

  /** True the first time an id is seen. */
  firstSight(id: number): boolean {
    if (id < this.next) return this.skipped.delete(id)
    while (this.next < id) {
      this.skipped.add(this.next)
      this.next += 4
    }
    this.next = id + 4
    return true
  }

  /** Whether the stream has been seen (and may be over). */
  seen(id: number): boolean {
    return id < this.next && !this.skipped.has(id)
  }
}
