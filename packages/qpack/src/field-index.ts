import type { DynamicTable } from './dynamic-table.ts'
import { fieldHash, nameHash } from './field-hash.ts'

/**
 * Finds entries of the encoder's dynamic table by field line and by name. Chains go from newer to older absolute indices, so whatever has been
 * evicted ends a chain and never has to be taken out.
 */

/** Entries compared at most: hashes can be made to collide, time cannot. */
const LONGEST_WALK = 16

export class FieldIndex {
  private readonly table: DynamicTable
  private fieldHeads: Int32Array
  private nameHeads: Int32Array
  private olderField: Int32Array
  private olderName: Int32Array
  /** The fieldHash of each entry. */
  private hashes: Int32Array
  private mask: number

  constructor(table: DynamicTable) {
    this.table = table
    this.mask = 0
    this.fieldHeads = NONE
    this.nameHeads = NONE
    this.olderField = NONE
    this.olderName = NONE
    this.hashes = NONE
  }

  /** The newest entry of this field line; -1 when there is none. */
  find(name: string, value: string, hash: number): number {
    return this.findBelow(name, value, hash, Infinity)
  }

  /** The newest of those below an absolute index; -1 when there is none. */
  findBelow(name: string, value: string, hash: number, end: number): number {
    const { table } = this
    let index = this.fieldHeads[hash & this.mask]!
    for (let steps = 0; index >= table.dropped && steps < LONGEST_WALK; steps += 1) {
      const entry = table.entry(index)
      if (index < end && entry[1] === value && entry[0] === name) return index
      index = this.olderField[index & this.mask]!
    }
    return -1
  }

  /** The fieldHash of an entry that is there. */
  hashOf(index: number): number {
    return this.hashes[index & this.mask]!
  }

  /** The newest entry of this name; -1 when there is none. */
  findName(name: string, hash: number): number {
    const { table } = this
    let index = this.nameHeads[slotOfName(hash) & this.mask]!
    for (let steps = 0; index >= table.dropped && steps < LONGEST_WALK; steps += 1) {
      if (table.entry(index)[0] === name) return index
      index = this.olderName[index & this.mask]!
    }
    return -1
  }

  /** The entry with this absolute index has just been inserted. */
  added(index: number, name: number, field: number): void {
    if (this.table.count > this.mask) this.rebuild()
    else this.link(index, name, field)
  }

  private link(index: number, name: number, field: number): void {
    const at = index & this.mask
    const fieldSlot = field & this.mask
    const nameSlot = slotOfName(name) & this.mask
    this.olderField[at] = this.fieldHeads[fieldSlot]!
    this.fieldHeads[fieldSlot] = index
    this.olderName[at] = this.nameHeads[nameSlot]!
    this.hashes[at] = field
    this.nameHeads[nameSlot] = index
  }

  private rebuild(): void {
    const size = Math.max(64, (this.mask + 1) * 2)
    this.mask = size - 1
    this.fieldHeads = new Int32Array(size).fill(-1)
    this.nameHeads = new Int32Array(size).fill(-1)
    this.olderField = new Int32Array(size)
    this.olderName = new Int32Array(size)
    this.hashes = new Int32Array(size)
    const { table } = this
    for (let index = table.dropped; index < table.insertCount; index += 1) {
      const entry = table.entry(index)
      const name = nameHash(entry[0])
      this.link(index, name, fieldHash(name, entry[1]))
    }
  }
}

// The entropy of a nameHash is in its high bits.
function slotOfName(hash: number): number {
  return hash >>> 16
}

const NONE = new Int32Array(1).fill(-1)
