import type { BlockReader } from './block-reader.ts'
import { FIELD_LINE_OVERHEAD, isSensitive } from './fields.ts'
import type { FieldLine } from './fields.ts'
import type { SectionWriter } from './section-writer.ts'
import { staticMatch, staticNameMatch } from './static-index.ts'
import { STATIC_TABLE } from './static-table.ts'

/**
 * Encoded field sections (RFC 9204 §4.5): the prefix and the representations, both ways. References to the dynamic table are resolved by
 * the `DynamicReferences` the caller passes, so this file holds no state.
 */

export interface DynamicReferences {
  /** Required Insert Count from its encoded form (§4.5.1.1); raises through `reader.fail` what cannot be. */
  requiredInsertCount(reader: BlockReader, encoded: number): number
  /** The entry with an absolute index below the Required Insert Count; raises through `reader.fail` when there is none. */
  entry(reader: BlockReader, absoluteIndex: number): FieldLine
}

/** Dynamic table capacity 0: there is nothing to refer to. */
export const NO_DYNAMIC_REFERENCES: DynamicReferences = {
  requiredInsertCount(reader: BlockReader, encoded: number): number {
    // RFC 9204 §4.5.1.1: with MaxEntries 0 no encoder can have produced anything but 0.
    if (encoded !== 0) reader.fail(`Required Insert Count ${encoded} without a dynamic table`)
    return 0
  },
  entry(reader: BlockReader, absoluteIndex: number): FieldLine {
    return reader.fail(`reference to dynamic table entry ${absoluteIndex} without a dynamic table`)
  },
}

export interface FieldSection {
  readonly fields: FieldLine[]
  /** As SETTINGS_MAX_FIELD_SECTION_SIZE counts it; where `tooLarge`, the size at which decoding stopped. */
  readonly size: number
  /** The section exceeds the limit; `fields` is what came before. */
  readonly tooLarge: boolean
}

export interface SectionPrefix {
  requiredInsertCount: number
  base: number
}

/** RFC 9204 §4.5.1: the two integers in front of every section. */
export function readSectionPrefix(reader: BlockReader, references: DynamicReferences, out: SectionPrefix): void {
  const encoded = reader.prefixInt(8)
  if (reader.starved || reader.remaining === 0) reader.fail('field section ends inside its prefix')
  const negative = (reader.peek() & 0x80) !== 0
  const deltaBase = reader.prefixInt(7)
  if (reader.starved) reader.fail('field section ends inside its prefix')
  const requiredInsertCount = references.requiredInsertCount(reader, encoded)
  // RFC 9204 §4.5.1.2: Base MUST NOT be negative.
  if (negative && requiredInsertCount <= deltaBase) reader.fail('negative Base')
  out.requiredInsertCount = requiredInsertCount
  out.base = negative ? requiredInsertCount - deltaBase - 1 : requiredInsertCount + deltaBase
}

/** Reads representations (RFC 9204 §4.5.2 – §4.5.6) to the end of the section, or until it exceeds `limit`. */
export function readFieldLines(reader: BlockReader, base: number, references: DynamicReferences, limit: number): FieldSection {
  const fields: FieldLine[] = []
  let size = 0
  while (reader.remaining > 0) {
    const field = readFieldLine(reader, base, references)
    if (reader.starved) reader.fail('field section ends inside a field line')
    size += field[0].length + field[1].length + FIELD_LINE_OVERHEAD
    if (size > limit) return { fields, size, tooLarge: true }
    fields.push(field)
  }
  return { fields, size, tooLarge: false }
}

const NOTHING: FieldLine = ['', '']

function readFieldLine(reader: BlockReader, base: number, references: DynamicReferences): FieldLine {
  const first = reader.peek()
  if (first >= 0x80) {
    // §4.5.2 Indexed Field Line: 1 T index(6+)
    const index = reader.prefixInt(6)
    if (reader.starved) return NOTHING
    return (first & 0x40) !== 0 ? staticEntry(reader, index) : references.entry(reader, base - 1 - index)
  }
  if (first >= 0x40) {
    // §4.5.4 Literal Field Line with Name Reference: 0 1 N T index(4+)
    const index = reader.prefixInt(4)
    if (reader.starved) return NOTHING
    const entry = (first & 0x10) !== 0 ? staticEntry(reader, index) : references.entry(reader, base - 1 - index)
    return [entry[0], reader.string(8, Infinity)]
  }
  if (first >= 0x20) {
    // §4.5.6 Literal Field Line with Literal Name: 0 0 1 N H length(3+)
    const name = reader.string(4, Infinity)
    return [name, reader.string(8, Infinity)]
  }
  if (first >= 0x10) {
    // §4.5.3 Indexed Field Line with Post-Base Index: 0 0 0 1 index(4+)
    const index = reader.prefixInt(4)
    return reader.starved ? NOTHING : references.entry(reader, base + index)
  }
  // §4.5.5 Literal Field Line with Post-Base Name Reference: 0 0 0 0 N index(3+)
  const index = reader.prefixInt(3)
  if (reader.starved) return NOTHING
  const entry = references.entry(reader, base + index)
  return [entry[0], reader.string(8, Infinity)]
}

export function staticEntry(reader: BlockReader, index: number): FieldLine {
  return STATIC_TABLE[index] ?? reader.fail(`static table has no index ${index}`)
}

/** Writes a whole section that refers to the static table only. */
export function writeStaticSection(writer: SectionWriter, fields: readonly FieldLine[]): void {
  writer.prefixInt(0x00, 8, 0)
  writer.prefixInt(0x00, 7, 0)
  for (const field of fields) writeStaticFieldLine(writer, field[0], field[1])
}

function writeStaticFieldLine(writer: SectionWriter, name: string, value: string): void {
  const match = staticMatch(name, value)
  if (match >= 0) {
    writer.prefixInt(0xc0, 6, match)
    return
  }
  const neverIndexed = isSensitive(name, value)
  const nameMatch = staticNameMatch(name)
  if (nameMatch >= 0) writer.prefixInt(neverIndexed ? 0x70 : 0x50, 4, nameMatch)
  else writer.string(neverIndexed ? 0x30 : 0x20, 4, name)
  writer.string(0x00, 8, value)
}
