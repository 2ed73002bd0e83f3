/**
 * The packets of one packet number space that are not acknowledged yet (RFC 9002 §A.1).
 * Outstanding records sit in a ring indexed by packet number; skipped numbers are empty slots. Records declared lost move to
 * a queue, ascending by packet number, and stay there a while so that a late acknowledgment is seen as a spurious loss.
 * Invariant: after loss detection at most kPacketThreshold − 1 outstanding numbers lie below the largest acknowledged, so
 * walking up from `oldest` to an acknowledged number costs what is newly covered, never the age of the connection.
 */
import { invariant } from '../base/assert.ts'
import type { LossTrigger, SentPacket, SentPacketPool } from './sent-packet.ts'
import { SentPacketState } from './sent-packet.ts'

// A peer that never acknowledges cannot make us keep a record for every ACK-only packet we answer with.
const MAX_TRACKED_NOT_IN_FLIGHT = 1024
const MAX_KEPT_LOST = 8192
const MAX_SPAN = 1 << 20
const REMEMBERED_SKIPS = 8

export class SentPackets {
  readonly pool: SentPacketPool
  /** Largest number sent, -1 before the first. */
  largestSent: number = -1
  /** Largest number the peer acknowledged, -1 before the first. */
  largestAcked: number = -1
  /** Outstanding records that are ack-eliciting (all of these are in flight). */
  ackElicitingInFlight: number = 0
  /** Outstanding records that are in flight. */
  packetsInFlight: number = 0
  /** When the newest ack-eliciting packet was sent, -1 before the first. */
  lastAckElicitingSentAt: number = -1
  /** When the next outstanding packet passes the time threshold, Infinity if none waits; kept by detectLost. */
  lossTime: number = Infinity
  /** Lost records that a late acknowledgment could still prove spurious. */
  lostRetained: number = 0

  private slots: (SentPacket | null)[]
  private mask: number
  private base: number = 0
  private count: number = 0
  private notInFlight: number = 0

  private lostSlots: (SentPacket | null)[]
  private lostMask: number
  private lostHead: number = 0
  private lostTail: number = 0
  /** Behind a record that proved spurious: an index at or before the next that has not. */
  private lostNext: Float64Array

  private readonly skips: Float64Array = new Float64Array(REMEMBERED_SKIPS)
  private skipCount: number = 0
  private newestSkip: number = -1

  constructor(pool: SentPacketPool) {
    this.pool = pool
    this.slots = new Array<SentPacket | null>(64).fill(null)
    this.mask = 63
    this.lostSlots = new Array<SentPacket | null>(16).fill(null)
    this.lostMask = 15
    this.lostNext = new Float64Array(16)
  }

  /** Number of outstanding records. */
  get outstanding(): number {
    return this.count
  }

  /** Number of the oldest outstanding packet; largestSent + 1 when there is none. */
  get oldest(): number {
    return this.base
  }

  /** True when a peer has let the numbers run so far past an unacknowledged packet that the connection should be given up. */
  get overfull(): boolean {
    return this.count > 0 && this.largestSent - this.base >= MAX_SPAN
  }

  /**
   * Takes ownership of a filled record; numbers must ascend. The caller reads nothing from the record afterwards: a packet
   * that is not in flight is not tracked, and its record released, while too many such packets wait.
   */
  insert(record: SentPacket): void {
    const packetNumber = record.packetNumber
    invariant(packetNumber > this.largestSent, 'packet numbers ascend')
    invariant(record.inFlight || !record.ackEliciting, 'an ack-eliciting packet is in flight')
    record.previousNumber = this.largestSent
    this.largestSent = packetNumber
    if (this.count === 0) this.base = packetNumber
    if (!record.inFlight) {
      if (this.notInFlight >= MAX_TRACKED_NOT_IN_FLIGHT) {
        if (this.count === 0) this.base = packetNumber + 1
        this.pool.release(record)
        return
      }
      this.notInFlight += 1
    } else {
      this.packetsInFlight += 1
      if (record.ackEliciting) {
        this.ackElicitingInFlight += 1
        this.lastAckElicitingSentAt = record.sentAt
      }
    }
    if (packetNumber - this.base > this.mask) this.grow(packetNumber - this.base + 1)
    record.state = SentPacketState.outstanding
    this.slots[packetNumber & this.mask] = record
    this.count += 1
  }

  /** Remembers a number that was never used, so that an acknowledgment of it is caught (RFC 9000 §21.4). */
  skip(packetNumber: number): void {
    this.skips[this.skipCount % REMEMBERED_SKIPS] = packetNumber
    this.skipCount += 1
    this.newestSkip = packetNumber
  }

  /** The outstanding record at a number in [oldest, largestSent], or null. */
  at(packetNumber: number): SentPacket | null {
    const record = this.slots[packetNumber & this.mask] ?? null
    return record !== null && record.packetNumber === packetNumber ? record : null
  }

  /** The record of a number, outstanding or lost and not forgotten; null otherwise. O(1) for outstanding packets. */
  get(packetNumber: number): SentPacket | null {
    if (packetNumber >= this.base && packetNumber <= this.largestSent) {
      const record = this.at(packetNumber)
      if (record !== null) return record
    }
    const index = this.lostIndexFrom(packetNumber)
    const record = index < this.lostTail ? this.lostAt(index) : null
    return record !== null && record.packetNumber === packetNumber ? record : null
  }

  /** Takes an outstanding record out as acknowledged; the caller owns it from here. */
  takeAcked(record: SentPacket): void {
    this.remove(record)
    record.state = SentPacketState.acked
  }

  /** Moves an outstanding record to the lost ones. Must be called in ascending order of numbers. */
  markLost(record: SentPacket, now: number, trigger: LossTrigger): void {
    this.remove(record)
    record.state = SentPacketState.lost
    record.lostAt = now
    record.lossTrigger = trigger
    if (this.lostTail - this.lostHead > this.lostMask) this.growLost()
    this.lostSlots[this.lostTail & this.lostMask] = record
    this.lostTail += 1
    this.lostRetained += 1
  }

  /** First index in the lost queue whose number is not below `packetNumber`; `lostEnd` if none. */
  lostIndexFrom(packetNumber: number): number {
    let low = this.lostHead
    let high = this.lostTail
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2)
      if (this.lostAt(middle).packetNumber < packetNumber) low = middle + 1
      else high = middle
    }
    return low
  }

  get lostStart(): number {
    return this.lostHead
  }

  get lostEnd(): number {
    return this.lostTail
  }

  /** The lost record at an index in [lostStart, lostEnd); its state is `acked` once it proved spurious. */
  lostAt(index: number): SentPacket {
    return this.lostSlots[index & this.lostMask] as SentPacket
  }

  /** First index from `index` on whose record is still lost; `lostEnd` if none. Amortised, it costs nothing to pass over the others. */
  stillLostFrom(index: number): number {
    let at = index
    while (at < this.lostTail && this.lostAt(at).state !== SentPacketState.lost) at = this.lostNext[at & this.lostMask]!
    // What was passed over once is passed over at once.
    for (let from = index; from < at; ) {
      const next = this.lostNext[from & this.lostMask]!
      this.lostNext[from & this.lostMask] = at
      from = next
    }
    return at
  }

  /** Notes that the lost record at an index was acknowledged after all. It stays in the queue until forgotten. */
  markSpurious(index: number): void {
    this.lostAt(index).state = SentPacketState.acked
    this.lostNext[index & this.lostMask] = index + 1
    this.lostRetained -= 1
  }

  /**
   * Releases the records that were declared lost at least `retention` ms ago (3 PTO is a good value), and the oldest ones
   * if there are very many. Call it after the outcome of an acknowledgment or timeout was handled, never before.
   */
  forgetLost(now: number, retention: number): void {
    while (this.lostHead < this.lostTail) {
      const record = this.lostAt(this.lostHead)
      if (this.lostTail - this.lostHead <= MAX_KEPT_LOST && record.lostAt + retention > now) return
      this.popLost(record)
    }
  }

  /**
   * Takes out every outstanding record, or only those of one packet type (RFC 9002 §6.4: discarded keys, rejected 0-RTT;
   * §6.3: Retry). The caller subtracts each in-flight `size` from the path of its `generation`, hands the tokens to their
   * owners if the content must be sent again, and then gives the list to `giveBack`. Rare: allocates the list.
   * @param packetType wire PacketType, or -1 for all; with -1 the lost records and the timers are dropped too
   */
  drain(packetType: number): SentPacket[] {
    const drained: SentPacket[] = []
    for (let packetNumber = this.base; packetNumber <= this.largestSent && this.count > 0; packetNumber += 1) {
      const record = this.at(packetNumber)
      if (record === null || (packetType !== -1 && record.packetType !== packetType)) continue
      this.remove(record)
      record.state = SentPacketState.lost
      drained.push(record)
    }
    if (packetType === -1) {
      while (this.lostHead < this.lostTail) this.popLost(this.lostAt(this.lostHead))
      this.lossTime = Infinity
      this.lastAckElicitingSentAt = -1
    } else if (this.count === 0) {
      this.lossTime = Infinity
    }
    return drained
  }

  giveBack(records: readonly SentPacket[]): void {
    for (const record of records) this.pool.release(record)
  }

  /** True when an acknowledgment with these ranges names a number that was never sent. */
  acknowledgesUnsent(ranges: Float64Array, rangeCount: number): boolean {
    if (rangeCount > 0 && ranges[1]! > this.largestSent) return true
    // Most frames name only what was sent after the newest of them.
    if (rangeCount === 0 || ranges[2 * rangeCount - 2]! > this.newestSkip) return false
    const remembered = Math.min(this.skipCount, REMEMBERED_SKIPS)
    for (let i = 0; i < remembered; i += 1) {
      const skipped = this.skips[i]!
      for (let range = 0; range < rangeCount && ranges[2 * range + 1]! >= skipped; range += 1) {
        if (ranges[2 * range]! <= skipped) return true
      }
    }
    return false
  }

  private remove(record: SentPacket): void {
    const packetNumber = record.packetNumber
    invariant(this.slots[packetNumber & this.mask] === record, 'only an outstanding packet is removed')
    this.slots[packetNumber & this.mask] = null
    this.count -= 1
    if (record.inFlight) {
      this.packetsInFlight -= 1
      if (record.ackEliciting) this.ackElicitingInFlight -= 1
    } else {
      this.notInFlight -= 1
    }
    if (this.count === 0) this.base = this.largestSent + 1
    else if (packetNumber === this.base) {
      do this.base += 1
      while (this.slots[this.base & this.mask] === null)
    }
  }

  private popLost(record: SentPacket): void {
    if (record.state === SentPacketState.lost) this.lostRetained -= 1
    this.lostSlots[this.lostHead & this.lostMask] = null
    this.lostHead += 1
    this.pool.release(record)
  }

  private grow(span: number): void {
    let capacity = this.slots.length
    while (capacity < span) capacity *= 2
    const slots = new Array<SentPacket | null>(capacity).fill(null)
    for (const record of this.slots) {
      if (record !== null) slots[record.packetNumber & (capacity - 1)] = record
    }
    this.slots = slots
    this.mask = capacity - 1
  }

  private growLost(): void {
    const capacity = this.lostSlots.length * 2
    const slots = new Array<SentPacket | null>(capacity).fill(null)
    const next = new Float64Array(capacity)
    for (let index = this.lostHead; index < this.lostTail; index += 1) {
      slots[index & (capacity - 1)] = this.lostAt(index)
      next[index & (capacity - 1)] = this.lostNext[index & this.lostMask]!
    }
    this.lostSlots = slots
    this.lostNext = next
    this.lostMask = capacity - 1
  }
}
