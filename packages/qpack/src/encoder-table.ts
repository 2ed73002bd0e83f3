import { DynamicTable, entrySize } from './dynamic-table.ts'
import { FieldIndex } from './field-index.ts'
import { huffmanSize } from './huffman-encode.ts'
import type { OutstandingSections } from './outstanding-sections.ts'
import { MAX_PREFIX_INT_SIZE } from './prefix-int.ts'
import { SectionWriter } from './section-writer.ts'
import { relativeToInsertCount } from './vas.ts'

/**
 * The encoder's side of the dynamic table (RFC 9204 §2.1, §4.3): what may be evicted, what is too close to eviction to be referred to, and
 * the instructions that make the decoder's table the same.
 */

/** Absolute indices stay below this; a connection that has inserted so often goes on with what it has. */
const MAX_INSERTIONS = 0x7fff_ffff
/** RFC 9204 §2.1.1.1: the part of the table kept free or draining, so that there is room for new entries. */
const DRAINING_SHARE = 1 / 8

/** Sections that are waited for acknowledgments when entries are let go: some, and so many for each that is outstanding. */
const PATIENCE = 16
const PATIENCE_PER_SECTION = 4

/** Bytes of two Set Dynamic Table Capacity instructions. */
const CAPACITY_INSTRUCTIONS = 2 * MAX_PREFIX_INT_SIZE

export class EncoderTable {
  readonly table: DynamicTable
  readonly index: FieldIndex
  readonly instructions: SectionWriter
  /** §2.1.4. */
  knownReceivedCount: number
  /** The lowest absolute index the section being encoded refers to; Infinity without. */
  plannedFloor: number
  /** Instruction bytes that may still be written (§2.1.3). */
  private room: number
  /** Entries below are duplicated rather than referred to (§2.1.1.1). */
  drainingIndex: number
  private drainingSize: number
  /** Bytes at the old end that are not referred to any more, so that they can be evicted for something worth more; 0: no such need. */
  private released: number
  /** For how many sections more. */
  private patience: number
  private announcedCapacity: number
  /** The smallest capacity since the last announcement: it has evicted here, so it has to there. */
  private lowestCapacity: number
  private readonly sections: OutstandingSections

  constructor(sections: OutstandingSections) {
    this.table = new DynamicTable()
    this.index = new FieldIndex(this.table)
    this.instructions = new SectionWriter()
    this.knownReceivedCount = 0
    this.plannedFloor = Infinity
    this.room = Infinity
    this.drainingIndex = 0
    this.drainingSize = 0
    this.released = 0
    this.patience = 0
    this.announcedCapacity = 0
    this.lowestCapacity = 0
    this.sections = sections
  }

  /** False, and nothing changes: entries that may not be evicted stand in the way (§4.3.1). The decoder hears of it with the next sections. */
  setCapacity(capacity: number): boolean {
    const { table } = this
    if (table.size > capacity && !this.evictable(table.size - capacity)) return false
    table.setCapacity(capacity)
    this.lowestCapacity = Math.min(this.lowestCapacity, capacity)
    this.drainingIndex = table.dropped
    this.drainingSize = 0
    return true
  }

  /** A section begins, and instructions of so many bytes may be written for it. */
  begin(room: number): void {
    this.room = room
    this.plannedFloor = Infinity
    if (this.released > 0 && --this.patience < 0) this.released = 0
    // A larger table is announced when there is something to put into it.
    if (this.lowestCapacity < this.announcedCapacity && room >= CAPACITY_INSTRUCTIONS) this.announce()
  }

  /** Size of an entry for this field line. */
  sizeFor(name: string, value: string): number {
    return entrySize(name, value)
  }

  /** Whether an entry of this size fits without evicting anything. */
  fitsFree(size: number): boolean {
    return this.table.capacity - this.table.size >= size
  }

  /**
   * §4.3.2, §4.3.3: inserts a field line whose name is a static one (`staticName`), or in the table, or neither. Its absolute index;
   * -1 when it does not fit now. Throws FieldCharacterError, and has done nothing then.
   */
  insert(name: string, value: string, staticName: number, nameHash: number, fieldHash: number): number {
    const size = entrySize(name, value)
    if (!this.admits(size, CAPACITY_INSTRUCTIONS + 2 * MAX_PREFIX_INT_SIZE + name.length + value.length)) return -1
    const valueSize = huffmanSize(value)
    const dynamicName = staticName >= 0 ? -1 : this.index.findName(name, nameHash)
    const nameSize = staticName >= 0 || dynamicName >= 0 ? 0 : huffmanSize(name)
    this.announceGrowth()
    const { instructions, table } = this
    if (staticName >= 0) instructions.prefixInt(0xc0, 6, staticName)
    else if (dynamicName >= 0) instructions.prefixInt(0x80, 6, relativeToInsertCount(table.insertCount, dynamicName))
    else instructions.sizedString(0x40, 6, name, nameSize)
    instructions.sizedString(0x00, 8, value, valueSize)
    table.insert([name, value])
    this.released = 0
    this.evicted()
    this.drain()
    this.index.added(table.insertCount - 1, nameHash, fieldHash)
    return table.insertCount - 1
  }

  /** §4.3.4: inserts an entry once more, so that the old one can go. The new absolute index; -1 when it does not fit now. */
  duplicate(original: number, nameHash: number, fieldHash: number): number {
    const { table } = this
    const size = table.sizeOf(original)
    if (!this.admits(size, CAPACITY_INSTRUCTIONS + MAX_PREFIX_INT_SIZE)) return -1
    this.announceGrowth()
    this.instructions.prefixInt(0x00, 5, relativeToInsertCount(table.insertCount, original))
    table.insert(table.entry(original))
    this.evicted()
    this.index.added(table.insertCount - 1, nameHash, fieldHash)
    return table.insertCount - 1
  }

  /** §2.1.1: entries below this absolute index have been acknowledged and are referred to by no outstanding section. */
  evictableBelow(): number {
    return Math.min(this.knownReceivedCount, this.plannedFloor, this.sections.lowestReference())
  }

  /** Whether the same field line has been inserted again since. */
  hasCopy(index: number): boolean {
    const entry = this.table.entry(index)
    return this.index.find(entry[0], entry[1], this.index.hashOf(index)) !== index
  }

  /** The oldest entries, of so many bytes, are not to be referred to until something has been inserted in their place. */
  release(size: number): void {
    if (this.releasing) return
    this.released = size
    this.patience = PATIENCE + PATIENCE_PER_SECTION * this.sections.count
    this.drain()
  }

  get releasing(): boolean {
    return this.released > 0
  }

  /** Sections that have not been acknowledged. */
  get outstandingSections(): number {
    return this.sections.count
  }

  private admits(size: number, instructionSize: number): boolean {
    const { table } = this
    if (size > table.capacity || instructionSize > this.room - this.instructions.length || table.insertCount === MAX_INSERTIONS) return false
    const missing = table.size + size - table.capacity
    return missing <= 0 || this.evictable(missing)
  }

  /** Whether so many bytes of entries may be evicted. */
  private evictable(size: number): boolean {
    const { table } = this
    const floor = this.evictableBelow()
    let found = 0
    for (let index = table.dropped; index < floor; index += 1) {
      found += table.sizeOf(index)
      if (found >= size) return true
    }
    return false
  }

  // What has been evicted was draining, or else the whole draining part went with it.
  private evicted(): void {
    const { table } = this
    if (table.dropped >= this.drainingIndex) {
      this.drainingIndex = table.dropped
      this.drainingSize = 0
    } else this.drainingSize = this.sizeBelow(this.drainingIndex)
  }

  private sizeBelow(end: number): number {
    let size = 0
    for (let index = this.table.dropped; index < end; index += 1) size += this.table.sizeOf(index)
    return size
  }

  // Only insertions make entries drain: a table that only duplicates would go round for ever.
  private drain(): void {
    const { table } = this
    const goal = Math.max(table.capacity * DRAINING_SHARE - (table.capacity - table.size), this.released)
    while (this.drainingSize < goal && this.drainingIndex < table.insertCount) {
      this.drainingSize += table.sizeOf(this.drainingIndex)
      this.drainingIndex += 1
    }
  }

  private announceGrowth(): void {
    if (this.table.capacity !== this.announcedCapacity || this.lowestCapacity < this.announcedCapacity) this.announce()
  }

  private announce(): void {
    const { capacity } = this.table
    if (this.lowestCapacity < Math.min(this.announcedCapacity, capacity)) this.writeCapacity(this.lowestCapacity)
    this.writeCapacity(capacity)
    this.announcedCapacity = capacity
    this.lowestCapacity = capacity
  }

  private writeCapacity(capacity: number): void {
    // §4.3.1 Set Dynamic Table Capacity: 0 0 1 capacity(5+)
    this.instructions.prefixInt(0x20, 5, capacity)
  }
}
