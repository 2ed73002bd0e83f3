import { FIELD_LINE_OVERHEAD } from './fields.ts'
import type { FieldLine } from './fields.ts'

/** Size of an entry (RFC 9204 §3.2.1). */
export function entrySize(name: string, value: string): number {
  return name.length + value.length + FIELD_LINE_OVERHEAD
}

/**
 * The dynamic table (RFC 9204 §3.2): a ring of entries by absolute index, oldest evicted first. It does as it is told; whether an
 * entry may be evicted or a capacity set is the owner's to know.
 */
export class DynamicTable {
  /** Bytes `size` may reach. */
  capacity: number
  /** Sum of the sizes of all entries. */
  size: number
  /** Insertions so far: the absolute index of the next entry. */
  insertCount: number
  /** Absolute index of the oldest entry; `insertCount` when there is none. */
  dropped: number
  private ring: FieldLine[]
  private mask: number

  constructor() {
    this.capacity = 0
    this.size = 0
    this.insertCount = 0
    this.dropped = 0
    this.ring = Array.from({ length: 16 }, () => VACANT)
    this.mask = 15
  }

  get count(): number {
    return this.insertCount - this.dropped
  }

  /** Whether an entry of this absolute index is there. */
  has(index: number): boolean {
    return index >= this.dropped && index < this.insertCount
  }

  /** The entry with an absolute index that `has` confirms. */
  entry(index: number): FieldLine {
    return this.ring[index & this.mask]!
  }

  /** Size of an entry that is there. */
  sizeOf(index: number): number {
    const field = this.ring[index & this.mask]!
    return entrySize(field[0], field[1])
  }

  /** §3.2.2: evicts what stands in the way and adds the entry, which is not larger than the capacity. */
  insert(field: FieldLine): void {
    const size = entrySize(field[0], field[1])
    this.evictTo(this.capacity - size)
    if (this.count > this.mask) this.grow()
    this.ring[this.insertCount & this.mask] = field
    this.insertCount += 1
    this.size += size
  }

  /** §3.2.2: evicts what no longer fits. */
  setCapacity(capacity: number): void {
    this.capacity = capacity
    this.evictTo(capacity)
  }

  private evictTo(size: number): void {
    while (this.size > size) {
      this.size -= this.sizeOf(this.dropped)
      this.ring[this.dropped & this.mask] = VACANT
      this.dropped += 1
    }
  }

  private grow(): void {
    const mask = this.mask * 2 + 1
    const ring = Array.from({ length: mask + 1 }, () => VACANT)
    for (let index = this.dropped; index < this.insertCount; index += 1) ring[index & mask] = this.entry(index)
    this.ring = ring
    this.mask = mask
  }
}

const VACANT: FieldLine = ['', '']
