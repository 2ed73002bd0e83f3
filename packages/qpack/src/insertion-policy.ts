import { nameHash } from './field-hash.ts'

/**
 * Which field lines are worth an entry. A field line that has been seen before is; one seen for the first time only while its name has
 * hardly ever had another value and the table has room to spare. So values that never come back (a length, a date, an identifier) stop
 * being inserted after a few, and somebody who tries values of one field (RFC 9204 §7.1.2) cannot fill the table with them.
 */

const SLOTS = 1024
/** New values of a name in a row that are given a chance. */
const EAGER = 3
const NOVELTY_LIMIT = 8
/** Bytes of table for each miss that a field line may stay away. */
const BYTES_PER_MISS = 32

export class InsertionPolicy {
  /** The last field line of each slot that missed the tables; 0 stands for none. */
  private readonly history: Int32Array
  /** When that was, counted in misses. */
  private readonly times: Int32Array
  private misses: number
  /** Bytes. What comes back only after more misses than the table has room for would have been evicted by then. */
  tableCapacity: number
  /** How often a name has surprised us, less how often it has not. */
  private readonly novelty: Uint8Array

  constructor() {
    this.history = new Int32Array(SLOTS)
    this.times = new Int32Array(SLOTS)
    this.misses = 0
    this.tableCapacity = 0
    this.novelty = new Uint8Array(SLOTS)
    // A path is another one with nearly every request: as if that had been seen already.
    this.novelty[nameHash(':path') >>> 22] = EAGER + 1
  }

  /** A field line that is in neither table. True: it has been here not long ago. */
  missed(name: number, fieldHash: number): boolean {
    const slot = fieldHash & (SLOTS - 1)
    this.misses = (this.misses + 1) | 0
    const seen = this.history[slot] === fieldHash && this.misses - this.times[slot]! <= this.tableCapacity / BYTES_PER_MISS
    this.history[slot] = fieldHash
    this.times[slot] = this.misses
    const at = name >>> 22
    if (!seen && this.novelty[at]! < NOVELTY_LIMIT) this.novelty[at]! += 1
    return seen
  }

  /** A field line that is in the dynamic table. */
  found(name: number): void {
    const at = name >>> 22
    if (this.novelty[at]! > 0) this.novelty[at]! -= 1
  }

  /** Whether the name has come before with another value. Asked after `missed`. */
  returning(name: number): boolean {
    return this.novelty[name >>> 22]! >= 2
  }

  /** Whether a field line seen for the first time is worth room that nothing else needs. Asked after `missed`. */
  eager(name: number, mayRisk: boolean): boolean {
    return this.novelty[name >>> 22]! <= (mayRisk ? EAGER : 1)
  }
}
