import type { EncoderTable } from './encoder-table.ts'
import { fieldHash, nameHash } from './field-hash.ts'
import type { FieldLine } from './fields.ts'
import type { InsertionPolicy } from './insertion-policy.ts'
import { staticNameMatch, staticValueMatch } from './static-index.ts'
import { TableRoom } from './table-room.ts'

/** How a field line is going to be represented (RFC 9204 §4.5.2 – §4.5.6). */
export const Representation = { indexedStatic: 0, indexedDynamic: 1, staticName: 2, dynamicName: 3, literal: 4 } as const
export type Representation = (typeof Representation)[keyof typeof Representation]

/**
 * What comes before a section is written: for each field line its representation. First each is looked up in the static table; then what is worth an
 * entry of the dynamic table is inserted, before the section refers to anything and so pins it; then references are chosen. The writer knows the
 * Required Insert Count by then, so that Base can equal it and no index is post-base. All memory is reused.
 */
export class EncodePlan {
  representations: Uint8Array
  /** Static or absolute index, where the representation has one. */
  indexes: Float64Array
  neverIndexed: Uint8Array
  length: number
  requiredInsertCount: number
  private nameHashes: Int32Array
  private fieldHashes: Int32Array
  private readonly table: EncoderTable
  private readonly policy: InsertionPolicy
  private readonly room: TableRoom
  private mayRefer: boolean
  private mayRisk: boolean

  constructor(table: EncoderTable, policy: InsertionPolicy) {
    this.table = table
    this.policy = policy
    this.room = new TableRoom(table, policy)
    this.representations = new Uint8Array(32)
    this.indexes = new Float64Array(32)
    this.neverIndexed = new Uint8Array(32)
    this.nameHashes = new Int32Array(32)
    this.fieldHashes = new Int32Array(32)
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
      this.nameHashes = new Int32Array(size)
      this.fieldHashes = new Int32Array(size)
    }
    this.length = 0
    this.requiredInsertCount = 0
    this.policy.tableCapacity = this.table.table.capacity
    this.mayRefer = mayRefer
    this.mayRisk = mayRisk
  }

  /** The next field line, and what the static table says of it. */
  field(name: string, value: string, neverIndexed: boolean): void {
    const at = this.length
    this.length = at + 1
    const hash = nameHash(name)
    const staticName = staticNameMatch(name, hash)
    this.neverIndexed[at] = neverIndexed ? 1 : 0
    const match = staticName >= 0 && !neverIndexed ? staticValueMatch(hash, value) : -1
    if (match >= 0) return this.set(at, Representation.indexedStatic, match)
    this.set(at, staticName >= 0 ? Representation.staticName : Representation.literal, staticName)
    if (!this.mayRefer) return
    this.nameHashes[at] = hash
    if (!neverIndexed) this.fieldHashes[at] = fieldHash(hash, value)
  }

  /** All `fields` have been named: insertions, then references. */
  useTable(fields: readonly FieldLine[]): void {
    if (!this.mayRefer) return
    for (let at = 0; at < this.length; at += 1) {
      if (this.representations[at] !== Representation.indexedStatic && this.neverIndexed[at] === 0) this.insert(fields[at]!, at)
    }
    for (let at = 0; at < this.length; at += 1) {
      if (this.representations[at] !== Representation.indexedStatic) this.reference(fields[at]!, at)
    }
  }

  // ---- insertions

  private insert([name, value]: FieldLine, at: number): void {
    const { policy, table } = this
    const hash = this.nameHashes[at]!
    const whole = this.fieldHashes[at]!
    if (table.index.find(name, value, whole) >= 0) return policy.found(hash, whole)
    const candidate = policy.missed(hash, whole) || policy.eager(hash, table.sizeFor(name, value), this.mayRisk)
    const staticName = this.representations[at] === Representation.staticName ? this.indexes[at]! : -1
    if (candidate && this.room.make(name, value, whole, this.mayRisk) && table.insert(name, value, staticName, hash, whole) >= 0) return
    if (staticName < 0) this.insertName(name, hash)
  }

  /** An entry to take a name from that keeps coming with other values. */
  private insertName(name: string, hash: number): void {
    const { policy, table } = this
    const whole = fieldHash(hash, '')
    policy.occurred(whole)
    const entry = table.index.findName(name, hash)
    if (entry >= table.drainingIndex || (entry < 0 && !policy.returning(hash))) return
    if (this.room.make(name, '', whole, this.mayRisk)) table.insert(name, '', -1, hash, whole)
  }

  // ---- references

  private reference([name, value]: FieldLine, at: number): void {
    const { table } = this
    const hash = this.nameHashes[at]!
    if (this.neverIndexed[at] === 0) {
      const entry = this.entryOf(name, value, hash, this.fieldHashes[at]!)
      if (entry >= 0) return this.refer(at, Representation.indexedDynamic, entry)
    }
    if (this.representations[at] === Representation.staticName) return
    const entry = table.index.findName(name, hash)
    if (entry >= (table.releasing ? table.drainingIndex : 0) && this.mayUse(entry)) this.refer(at, Representation.dynamicName, entry)
  }

  /** An entry of this field line to refer to; -1 when there is none, or none that may be referred to yet, or any more. */
  private entryOf(name: string, value: string, hash: number, whole: number): number {
    const { table } = this
    const newest = table.index.find(name, value, whole)
    // RFC 9204 §2.1.1.1: the copy may be on its way; the original is known to be there and blocks nobody.
    const entry = newest < 0 || this.mayUse(newest) ? newest : table.index.findBelow(name, value, whole, table.knownReceivedCount)
    if (entry < 0 || entry >= table.drainingIndex || entry !== newest) return entry
    const floor = table.plannedFloor
    if (entry < floor) table.plannedFloor = entry
    const copy = table.duplicate(entry, hash, whole)
    if (copy >= 0 ? !this.mayRisk : !table.releasing) return entry
    table.plannedFloor = floor
    return copy
  }

  private mayUse(entry: number): boolean {
    return this.mayRisk || entry < this.table.knownReceivedCount
  }

  private refer(at: number, representation: Representation, entry: number): void {
    if (entry < this.table.plannedFloor) this.table.plannedFloor = entry
    if (entry >= this.requiredInsertCount) this.requiredInsertCount = entry + 1
    this.set(at, representation, entry)
  }

  private set(at: number, representation: Representation, index: number): void {
    this.representations[at] = representation
    this.indexes[at] = index
  }
}
