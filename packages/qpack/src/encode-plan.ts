import { entrySize } from './dynamic-table.ts'
import type { EncoderTable } from './encoder-table.ts'
import { fieldHash, nameHash } from './field-hash.ts'
import type { InsertionPolicy } from './insertion-policy.ts'
import { staticNameMatch, staticValueMatch } from './static-index.ts'

/** How a field line is going to be represented (RFC 9204 §4.5.2 – §4.5.6). */
export const Representation = { indexedStatic: 0, indexedDynamic: 1, staticName: 2, dynamicName: 3, literal: 4 } as const
export type Representation = (typeof Representation)[keyof typeof Representation]

/**
 * The first of two passes over a section: for each field line its representation, with insertions made on the way. The second pass knows
 * the Required Insert Count, so that Base can equal it and no index is post-base. All memory is reused.
 */
export class EncodePlan {
  representations: Uint8Array
  /** Static or absolute index, where the representation has one. */
  indexes: Float64Array
  neverIndexed: Uint8Array
  length: number
  requiredInsertCount: number
  private readonly table: EncoderTable
  private readonly policy: InsertionPolicy
  private mayRefer: boolean
  private mayRisk: boolean

  constructor(table: EncoderTable, policy: InsertionPolicy) {
    this.table = table
    this.policy = policy
    this.representations = new Uint8Array(32)
    this.indexes = new Float64Array(32)
    this.neverIndexed = new Uint8Array(32)
    this.length = 0
    this.requiredInsertCount = 0
    this.mayRefer = false
    this.mayRisk = false
  }

  /** `mayRefer`: the dynamic table may be used; `mayRisk`: also entries that have not been acknowledged. */
  begin(count: number, mayRefer: boolean, mayRisk: boolean): void {
    if (count > this.representations.length) {
      const size = Math.max(count, this.representations.length * 2)
      this.representations = new Uint8Array(size)
      this.indexes = new Float64Array(size)
      this.neverIndexed = new Uint8Array(size)
    }
    this.length = 0
    this.requiredInsertCount = 0
    this.policy.tableCapacity = this.table.table.capacity
    this.mayRefer = mayRefer
    this.mayRisk = mayRisk
  }

  field(name: string, value: string, neverIndexed: boolean): void {
    const hash = nameHash(name)
    const staticName = staticNameMatch(name, hash)
    if (neverIndexed) return this.literal(name, hash, staticName, 1)
    if (staticName >= 0) {
      const match = staticValueMatch(hash, value)
      if (match >= 0) return this.add(Representation.indexedStatic, match, 0)
    }
    if (!this.mayRefer) return this.add(staticName >= 0 ? Representation.staticName : Representation.literal, staticName, 0)
    const whole = fieldHash(hash, value)
    const found = this.table.index.find(name, value, whole)
    const entry = found >= 0 ? this.known(found, hash, whole) : this.unknown(name, value, staticName, hash, whole)
    if (entry >= 0) this.refer(Representation.indexedDynamic, entry)
    else this.literal(name, hash, staticName, 0)
  }

  /** An entry of the table to refer to for one that has been found; -1 when it may not be referred to yet. */
  private known(found: number, hash: number, whole: number): number {
    this.policy.found(hash)
    // RFC 9204 §2.1.1.1: the copy is for later; the original, known to be there, blocks nobody.
    const usable = this.mayUse(found)
    if (found < this.table.drainingIndex) {
      if (usable && found < this.table.plannedFloor) this.table.plannedFloor = found
      this.table.duplicate(found, hash, whole)
    }
    return usable ? found : -1
  }

  /** Inserts the field line if that is worth while; the new entry if it may be referred to at once, else -1. */
  private unknown(name: string, value: string, staticName: number, hash: number, whole: number): number {
    const { table, policy } = this
    const seen = policy.missed(hash, whole)
    const size = entrySize(name, value)
    if (!seen && !(policy.eager(hash, this.mayRisk) && table.fitsFree(size))) return -1
    const entry = table.insert(name, value, staticName, hash, whole)
    return entry >= 0 && this.mayRisk ? entry : -1
  }

  private literal(name: string, hash: number, staticName: number, never: number): void {
    if (staticName >= 0) return this.add(Representation.staticName, staticName, never)
    if (this.mayRefer) {
      const entry = this.nameEntry(name, hash, never)
      if (entry >= 0) return this.refer(Representation.dynamicName, entry, never)
    }
    this.add(Representation.literal, -1, never)
  }

  /** An entry to take the name from, made for it when the name keeps coming with other values; -1 when there is none to refer to. */
  private nameEntry(name: string, hash: number, never: number): number {
    const { table } = this
    const entry = table.index.findName(name, hash)
    if (entry >= table.drainingIndex) return this.mayUse(entry) ? entry : -1
    const usable = entry >= 0 && this.mayUse(entry)
    if (usable && entry < table.plannedFloor) table.plannedFloor = entry
    if (never === 0 && (entry >= 0 || this.policy.returning(hash))) {
      const fresh = table.insert(name, '', -1, hash, fieldHash(hash, ''))
      if (fresh >= 0 && !usable && this.mayRisk) return fresh
    }
    return usable ? entry : -1
  }

  private mayUse(entry: number): boolean {
    return this.mayRisk || entry < this.table.knownReceivedCount
  }

  private refer(representation: Representation, entry: number, never: number = 0): void {
    if (entry < this.table.plannedFloor) this.table.plannedFloor = entry
    if (entry >= this.requiredInsertCount) this.requiredInsertCount = entry + 1
    this.add(representation, entry, never)
  }

  private add(representation: Representation, index: number, never: number): void {
    const at = this.length
    this.representations[at] = representation
    this.indexes[at] = index
    this.neverIndexed[at] = never
    this.length = at + 1
  }
}
