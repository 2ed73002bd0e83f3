import type { BlockReader } from './block-reader.ts'
import type { DynamicTable } from './dynamic-table.ts'
import { FIELD_LINE_OVERHEAD } from './fields.ts'
import type { FieldLine } from './fields.ts'
import { STATIC_TABLE } from './static-table.ts'
import { baseOf, decodeRequiredInsertCount, postBaseToAbsolute, relativeToBase } from './vas.ts'

/** Reading encoded field sections (RFC 9204 §4.5): the prefix and the representations. Nothing here changes state. */

export interface FieldSection {
  /** In the order of their representations (§2.2). */
  readonly fields: FieldLine[]
  /** Bytes, as SETTINGS_MAX_FIELD_SECTION_SIZE counts them. */
  readonly size: number
  /**
   * Those of `fields`, the very tuples, that came with the N bit (§4.5.4): whoever forwards one hands it to `encode` as never indexed. One shared
   * empty array where there are none.
   */
  readonly neverIndexed: readonly FieldLine[]
}

export interface SectionPrefix {
  requiredInsertCount: number
  base: number
}

/** What a section may not exceed (RFC 9204 §7.4, RFC 9114 §4.2.2). */
export interface FieldLimits {
  readonly size: number
  readonly fields: number
  readonly stringLength: number
}

/** §4.5.1: the two integers in front of every section. `entries` and `insertCount` are the table's. */
export function readSectionPrefix(reader: BlockReader, entries: number, insertCount: number, out: SectionPrefix): void {
  const encoded = reader.prefixInt(8)
  if (reader.starved || reader.remaining === 0) reader.fail('field section ends inside its prefix')
  const negative = (reader.peek() & 0x80) !== 0
  const deltaBase = reader.prefixInt(7)
  if (reader.starved) reader.fail('field section ends inside its prefix')
  const requiredInsertCount = decodeRequiredInsertCount(encoded, entries, insertCount)
  if (requiredInsertCount === -1) reader.fail(`Required Insert Count encoded as ${encoded}, after ${insertCount} insertions`)
  const base = baseOf(requiredInsertCount, negative, deltaBase)
  // §4.5.1.2: Base MUST NOT be negative.
  if (base === -1) reader.fail('negative Base')
  out.requiredInsertCount = requiredInsertCount
  out.base = base
}

/** Reads representations (§4.5.2 – §4.5.6) to the end of the section. */
export function readFieldLines(reader: BlockReader, prefix: SectionPrefix, table: DynamicTable, limits: FieldLimits): FieldSection {
  const fields: FieldLine[] = []
  let neverIndexed: FieldLine[] | null = null
  let size = 0
  while (reader.remaining > 0) {
    const first = reader.peek()
    const field = readFieldLine(reader, first, prefix, table, limits.stringLength)
    if (reader.starved) reader.fail('field section ends inside a field line')
    size += field[0].length + field[1].length + FIELD_LINE_OVERHEAD
    if (size > limits.size) reader.refuse('QPACK_FIELD_SECTION_TOO_LARGE', `field section larger than ${limits.size} bytes`)
    if (fields.length >= limits.fields) reader.refuse('QPACK_TOO_MANY_FIELDS', `field section of more than ${limits.fields} fields`)
    fields.push(field)
    if (isNeverIndexed(first)) (neverIndexed ??= []).push(field)
  }
  return { fields, size, neverIndexed: neverIndexed ?? NO_FIELDS }
}

const NO_FIELDS: readonly FieldLine[] = []
const NOTHING: FieldLine = ['', '']

/** The N bit of the three literal representations. */
function isNeverIndexed(first: number): boolean {
  if (first >= 0x80) return false
  if (first >= 0x40) return (first & 0x20) !== 0
  if (first >= 0x20) return (first & 0x10) !== 0
  return first < 0x10 && (first & 0x08) !== 0
}

function readFieldLine(reader: BlockReader, first: number, prefix: SectionPrefix, table: DynamicTable, longest: number): FieldLine {
  if (first >= 0x80) {
    // §4.5.2 Indexed Field Line: 1 T index(6+)
    const index = reader.prefixInt(6)
    if (reader.starved) return NOTHING
    return (first & 0x40) !== 0 ? staticEntry(reader, index) : entry(reader, relativeToBase(prefix.base, index), prefix, table)
  }
  if (first >= 0x40) {
    // §4.5.4 Literal Field Line with Name Reference: 0 1 N T index(4+)
    const index = reader.prefixInt(4)
    if (reader.starved) return NOTHING
    const named = (first & 0x10) !== 0 ? staticEntry(reader, index) : entry(reader, relativeToBase(prefix.base, index), prefix, table)
    return [named[0], reader.string(8, longest, (first & 0x20) !== 0)]
  }
  if (first >= 0x20) {
    // §4.5.6 Literal Field Line with Literal Name: 0 0 1 N H length(3+)
    const name = reader.string(4, longest)
    return [name, reader.string(8, longest, (first & 0x10) !== 0)]
  }
  if (first >= 0x10) {
    // §4.5.3 Indexed Field Line with Post-Base Index: 0 0 0 1 index(4+)
    const index = reader.prefixInt(4)
    return reader.starved ? NOTHING : entry(reader, postBaseToAbsolute(prefix.base, index), prefix, table)
  }
  // §4.5.5 Literal Field Line with Post-Base Name Reference: 0 0 0 0 N index(3+)
  const index = reader.prefixInt(3)
  if (reader.starved) return NOTHING
  const named = entry(reader, postBaseToAbsolute(prefix.base, index), prefix, table)
  return [named[0], reader.string(8, longest, (first & 0x08) !== 0)]
}

function staticEntry(reader: BlockReader, index: number): FieldLine {
  return STATIC_TABLE[index] ?? reader.fail(`static table has no index ${index}`)
}

function entry(reader: BlockReader, absolute: number, prefix: SectionPrefix, table: DynamicTable): FieldLine {
  // §2.2.3: evicted, or not covered by the Required Insert Count.
  if (absolute < table.dropped || absolute >= prefix.requiredInsertCount) reader.fail(`reference to dynamic table entry ${absolute}`)
  return table.entry(absolute)
}
