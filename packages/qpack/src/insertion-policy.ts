import { nameHash } from './field-hash.ts'

/**
 * What has come, how often and how lately: what an entry of the dynamic table is worth is guessed from that. A field line that has been seen before
 * is a candidate; one seen for the first time only while its name has hardly ever had another value and it is small beside the table. So values that
 * never come back (a length, a date, an identifier) stop being inserted after a few, and somebody who tries values of one field (RFC 9204 §7.1.2)
 * cannot fill the table with them.
 */

const SLOTS = 2048
const NAMES = 1024
/** What one occurrence adds to a count. Counts are halved with every epoch, so that it is forgotten after five. */
const OCCURRENCE = 32
const LARGEST_COUNT = 0xffff
/** Field lines in an epoch: for a larger table longer, since what is in it may come back later. */
const SHORTEST_EPOCH = 256
const EPOCH_PER_BYTE = 1 / 8
/** A count from here on is that of a field line seen not long ago: three epochs at most. */
const SEEN = OCCURRENCE / 8
/** New values of a name in a row that are given a chance. */
const EAGER = 3
const NOVELTY_LIMIT = 8
/** The part of the table that a field line seen for the first time may take. */
const LARGEST_NOVELTY = 1 / 8

export class InsertionPolicy {
  /** The field line each slot counts, by its hash. */
  private readonly counted: Int32Array
  private readonly counts: Uint16Array
  /** The epoch to which each count has been halved. */
  private readonly halved: Int32Array
  private epoch: number
  private epochLength: number
  private occurrences: number
  private capacity: number
  /** How often a name has surprised us, less how often it has not. */
  private readonly novelty: Uint8Array

  constructor() {
    this.counted = new Int32Array(SLOTS)
    this.counts = new Uint16Array(SLOTS)
    this.halved = new Int32Array(SLOTS)
    this.epoch = 0
    this.epochLength = SHORTEST_EPOCH
    this.occurrences = 0
    this.capacity = 0
    this.novelty = new Uint8Array(NAMES)
    // A path is another one with nearly every request: as if that had been seen already.
    this.novelty[nameHash(':path') >>> 22] = EAGER + 1
  }

  /** Bytes of the table there is to fill. */
  set tableCapacity(capacity: number) {
    this.capacity = capacity
    this.epochLength = Math.max(SHORTEST_EPOCH, capacity * EPOCH_PER_BYTE)
  }

  /** A field line that is in neither table. True: it has been here not long ago. */
  missed(name: number, fieldHash: number): boolean {
    const seen = this.occurred(fieldHash) >= SEEN
    const at = name >>> 22
    if (!seen && this.novelty[at]! < NOVELTY_LIMIT) this.novelty[at]! += 1
    return seen
  }

  /** A field line that is in the dynamic table. */
  found(name: number, fieldHash: number): void {
    this.occurred(fieldHash)
    const at = name >>> 22
    if (this.novelty[at]! > 0) this.novelty[at]! -= 1
  }

  /** Counts it. Returns what it had been counted before. */
  occurred(fieldHash: number): number {
    if (++this.occurrences >= this.epochLength) {
      this.occurrences = 0
      this.epoch = (this.epoch + 1) | 0
    }
    const slot = fieldHash & (SLOTS - 1)
    const count = this.current(slot)
    if (this.counted[slot] === fieldHash) {
      this.counts[slot] = Math.min(count + OCCURRENCE, LARGEST_COUNT)
      return count
    }
    // What has come only once gives way.
    if (count <= OCCURRENCE) {
      this.counted[slot] = fieldHash
      this.counts[slot] = OCCURRENCE
    }
    return 0
  }

  /** How often a field line has come lately, in the same unit for all. */
  frequency(fieldHash: number): number {
    const slot = fieldHash & (SLOTS - 1)
    return this.counted[slot] === fieldHash ? this.current(slot) : 0
  }

  /** What a field line is counted that has come once. */
  get once(): number {
    return OCCURRENCE
  }

  /** Whether the name has come before with another value. Asked after `missed`. */
  returning(name: number): boolean {
    return this.novelty[name >>> 22]! >= 2
  }

  /** Whether a field line of this size, seen for the first time, may have an entry. Asked after `missed`. */
  eager(name: number, size: number, mayRisk: boolean): boolean {
    return this.novelty[name >>> 22]! <= (mayRisk ? EAGER : 1) && size <= this.capacity * LARGEST_NOVELTY
  }

  private current(slot: number): number {
    const epochs = this.epoch - this.halved[slot]!
    if (epochs !== 0) {
      this.counts[slot] = epochs > 0 && epochs < 16 ? this.counts[slot]! >>> epochs : 0
      this.halved[slot] = this.epoch
    }
    return this.counts[slot]!
  }
}
