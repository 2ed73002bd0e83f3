import { entrySize } from './dynamic-table.ts'
import type { EncoderTable } from './encoder-table.ts'
import { nameHash } from './field-hash.ts'
import type { InsertionPolicy } from './insertion-policy.ts'
import { staticNameMatch } from './static-index.ts'

/**
 * Makes room in a full dynamic table (RFC 9204 §2.1.1): entries go in the order in which they came, so whatever is worth less than the new one has to
 * stand before it in that order; what is worth more is duplicated and goes to the other end. Where outstanding sections pin the oldest entries,
 * the table stops referring to them, if what waits is worth that.
 */

/** By how much what comes has to be worth more than what goes. */
const MARGIN = 1.2
/** Entries duplicated for one insertion at most. */
const MOST_RESCUED = 4
/** Bytes that a Duplicate instruction takes. */
const DUPLICATE_COST = 2
/** What letting go of entries costs, as a part of their worth: once, and for each section that has to be acknowledged before. */
const RELEASE_COST = 1 / 50

export class TableRoom {
  private readonly table: EncoderTable
  private readonly policy: InsertionPolicy
  private readonly rescued: Int32Array

  constructor(table: EncoderTable, policy: InsertionPolicy) {
    this.table = table
    this.policy = policy
    this.rescued = new Int32Array(MOST_RESCUED)
  }

  /**
   * Whether there is room now for an entry, `hash` its fieldHash, or has been made: not at the cost of what is worth more. Without `mayRisk`, what has been
   * duplicated cannot be referred to at once.
   */
  make(name: string, value: string, hash: number, mayRisk: boolean): boolean {
    const size = entrySize(name, value)
    if (this.table.fitsFree(size)) return true
    const worth = this.policy.frequency(hash) * saving(name, value)
    return worth > 0 && this.displace(size, worth, mayRisk)
  }

  private displace(size: number, worth: number, mayRisk: boolean): boolean {
    const { policy, rescued, table } = this
    const { table: entries } = table
    if (size > entries.capacity) return false
    let missing = entries.size + size - entries.capacity
    let index = entries.dropped
    let rescues = 0
    let loss = 0
    let range = 0
    let rangeWorth = 0
    for (; missing > 0; index += 1) {
      const entrySize = entries.sizeOf(index)
      const saved = savingOf(table, index)
      const entryWorth = table.hasCopy(index) ? 0 : policy.frequency(table.index.hashOf(index)) * saved
      range += entrySize
      rangeWorth += entryWorth
      if (entryWorth * MARGIN * size > worth * entrySize) {
        if (rescues === MOST_RESCUED) return false
        rescued[rescues] = index
        rescues += 1
        loss += policy.once * (mayRisk ? DUPLICATE_COST : DUPLICATE_COST + saved)
      } else {
        loss += entryWorth
        missing -= entrySize
      }
      if (loss * MARGIN >= worth || (missing > 0 && index + 1 === entries.insertCount)) return false
    }
    if (index > table.evictableBelow()) {
      const cost = rangeWorth * RELEASE_COST * (1 + table.outstandingSections)
      if (worth > loss * MARGIN + cost) table.release(range)
      return false
    }
    for (let i = 0; i < rescues; i += 1) {
      const at = rescued[i]!
      if (table.duplicate(at, nameHash(entries.entry(at)[0]), table.index.hashOf(at)) < 0) return false
    }
    return true
  }
}

/** About how many bytes a reference to an entry saves, more or less Huffman coding. */
function saving(name: string, value: string): number {
  return value.length + (staticNameMatch(name, nameHash(name)) >= 0 ? 0 : name.length)
}

function savingOf(table: EncoderTable, index: number): number {
  const entry = table.table.entry(index)
  return saving(entry[0], entry[1])
}
