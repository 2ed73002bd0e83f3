import { BlockReader } from './block-reader.ts'
import { BlockedStreams } from './blocked-streams.ts'
import { DynamicTable, entrySize } from './dynamic-table.ts'
import { EncoderInstructionReader } from './encoder-instructions.ts'
import type { EncoderInstructions } from './encoder-instructions.ts'
import { QpackErrorCode } from './errors.ts'
import { readFieldLines, readSectionPrefix } from './field-section.ts'
import type { FieldLimits, FieldSection, SectionPrefix } from './field-section.ts'
import { FIELD_LINE_OVERHEAD } from './fields.ts'
import type { FieldLine } from './fields.ts'
import { RecentStrings } from './recent-strings.ts'
import { SectionWriter } from './section-writer.ts'
import { STATIC_TABLE } from './static-table.ts'
import { maxEntries, relativeToInsertCount } from './vas.ts'

export interface QpackDecoderOptions {
  /** Largest field section accepted, bytes as RFC 9114 §4.2.2 counts them. */
  readonly maxFieldSectionSize: number
  /** Most field lines accepted in a section. Default: as many as fit into the size. */
  readonly maxFields?: number | undefined
  /** Longest name or value accepted in a section, octets once decoded. Default: as long as fits into the size. */
  readonly maxStringLength?: number | undefined
  /** SETTINGS_QPACK_MAX_TABLE_CAPACITY to advertise, bytes. Default 0: no dynamic table. */
  readonly maxTableCapacity?: number | undefined
  /** SETTINGS_QPACK_BLOCKED_STREAMS to advertise. Default 0. */
  readonly maxBlockedStreams?: number | undefined
}

/** A connection of a few requests needs no memory for strings that come again. */
const SECTIONS_BEFORE_RECENT = 8

/**
 * More fields, and more octets of a string, than an engine can hold. Not Infinity: read from an object, that is boxed once more for every field line,
 * 16 bytes of garbage each.
 */
const UNLIMITED = 0x3fff_ffff

/**
 * Our half that decompresses (RFC 9204 §2.2). What `takeInstructions` returns belongs on the decoder stream. The bytes of a section that is
 * blocked stay with the caller, who bounds them.
 */
export class QpackDecoder implements EncoderInstructions {
  /** SETTINGS_QPACK_MAX_TABLE_CAPACITY to advertise. */
  readonly maxTableCapacity: number
  /** SETTINGS_QPACK_BLOCKED_STREAMS to advertise. */
  readonly maxBlockedStreams: number
  private readonly limits: FieldLimits
  private readonly maxEntries: number
  private readonly table: DynamicTable
  private readonly blocked: BlockedStreams
  private readonly reader: BlockReader
  private readonly prefix: SectionPrefix
  private readonly instructions: EncoderInstructionReader
  private readonly writer: SectionWriter
  /** §2.1.4: insertions the peer's encoder knows, or will know from what has been written, to have arrived. */
  private acknowledgedCount: number
  private referring: number
  private sections: number

  constructor(options: QpackDecoderOptions) {
    this.maxTableCapacity = options.maxTableCapacity ?? 0
    this.maxBlockedStreams = options.maxBlockedStreams ?? 0
    this.limits = {
      size: options.maxFieldSectionSize,
      fields: Math.min(options.maxFields ?? UNLIMITED, UNLIMITED),
      stringLength: Math.min(options.maxStringLength ?? UNLIMITED, UNLIMITED),
    }
    this.maxEntries = maxEntries(this.maxTableCapacity)
    this.table = new DynamicTable()
    this.blocked = new BlockedStreams()
    this.reader = new BlockReader(QpackErrorCode.decompressionFailed)
    this.prefix = { requiredInsertCount: 0, base: 0 }
    this.instructions = new EncoderInstructionReader(this)
    this.writer = new SectionWriter()
    this.acknowledgedCount = 0
    this.referring = 0
    this.sections = 0
  }

  /**
   * Decodes the section in block[start, end) of a stream. Null: it needs insertions that have not arrived; call again with the same bytes once
   * `nextUnblocked` has named the stream, and with nothing else of that stream before. Throws QpackError; after a QpackLimitError the
   * connection can go on, and `cancelStream` is due.
   */
  decode(streamId: number, block: Uint8Array, start: number, end: number): FieldSection | null {
    const { prefix, reader, table } = this
    reader.reset(block, start, end)
    readSectionPrefix(reader, this.maxEntries, table.insertCount, prefix)
    const required = prefix.requiredInsertCount
    if (required > table.insertCount) {
      this.block(streamId, required)
      return null
    }
    this.chooseRecent()
    const section = readFieldLines(reader, prefix, table, this.limits)
    if (required > 0) this.acknowledge(streamId, required)
    return section
  }

  // A peer that fills a dynamic table sends as literals what does not come again.
  private chooseRecent(): void {
    const { reader } = this
    if (this.table.insertCount > 0) reader.recent = null
    else if (reader.recent === null && ++this.sections >= SECTIONS_BEFORE_RECENT) reader.recent = new RecentStrings()
  }

  private block(streamId: number, required: number): void {
    if (this.blocked.has(streamId)) return
    // §2.1.2: more than we promised to support.
    if (this.blocked.count >= this.maxBlockedStreams) {
      this.reader.fail(`stream ${streamId} is blocked, and ${this.blocked.count} others are (RFC 9204 §2.1.2)`)
    }
    this.blocked.add(streamId, required)
  }

  private acknowledge(streamId: number, required: number): void {
    // §4.4.1 Section Acknowledgment: 1 stream(7+)
    this.writer.prefixInt(0x80, 7, streamId)
    this.referring += 1
    if (required > this.acknowledgedCount) this.acknowledgedCount = required
  }

  /** A stream that is no longer blocked, in the order of blocking; -1 when there is none. Each is named once. */
  nextUnblocked(): number {
    return this.blocked.count === 0 ? -1 : this.blocked.takeReady(this.table.insertCount)
  }

  /** The stream was reset, or is not read any further (§2.2.2.2). */
  cancelStream(streamId: number): void {
    this.blocked.remove(streamId)
    // Without a table there are no references to give up.
    if (this.maxTableCapacity === 0) return
    // §4.4.2 Stream Cancellation: 0 1 stream(6+)
    this.writer.prefixInt(0x40, 6, streamId)
  }

  /**
   * Bytes for the decoder stream, the caller's to keep; null when there are none. Insertions that no acknowledged section has implied are
   * reported here (§2.2.2.3), so the later it is called, the fewer bytes it takes.
   */
  takeInstructions(): Uint8Array<ArrayBuffer> | null {
    const { writer } = this
    const increment = this.table.insertCount - this.acknowledgedCount
    if (increment > 0) {
      // §4.4.3 Insert Count Increment: 0 0 increment(6+)
      writer.prefixInt(0x00, 6, increment)
      this.acknowledgedCount = this.table.insertCount
    }
    if (writer.length === 0) return null
    const bytes = writer.view().slice()
    writer.reset()
    return bytes
  }

  /** Bytes of instructions that wait for `takeInstructions`. */
  get pendingInstructions(): number {
    return this.writer.length
  }

  /** Bytes from the peer's encoder stream; `nextUnblocked` may have something to say afterwards. Throws QpackError. */
  onEncoderStream(bytes: Uint8Array): void {
    this.instructions.receive(bytes)
  }

  // ---- what the peer's encoder says (§4.3)

  longestString(): number {
    return this.table.capacity - FIELD_LINE_OVERHEAD
  }

  setCapacity(reader: BlockReader, capacity: number): void {
    if (capacity > this.maxTableCapacity) reader.fail(`dynamic table capacity ${capacity} above the maximum ${this.maxTableCapacity}`)
    this.table.setCapacity(capacity)
  }

  insertWithNameReference(reader: BlockReader, isStatic: boolean, index: number, value: string): void {
    const entry = isStatic ? STATIC_TABLE[index] : this.relative(index)
    if (entry === undefined) reader.fail(`name reference to ${isStatic ? 'static' : 'dynamic'} index ${index}, which does not exist`)
    this.insert(reader, [entry[0], value])
  }

  insertWithLiteralName(reader: BlockReader, name: string, value: string): void {
    this.insert(reader, [name, value])
  }

  duplicate(reader: BlockReader, relativeIndex: number): void {
    const entry = this.relative(relativeIndex)
    if (entry === undefined) reader.fail(`duplicate of dynamic index ${relativeIndex}, which does not exist`)
    this.insert(reader, entry)
  }

  private relative(index: number): FieldLine | undefined {
    const absolute = relativeToInsertCount(this.table.insertCount, index)
    return this.table.has(absolute) ? this.table.entry(absolute) : undefined
  }

  private insert(reader: BlockReader, field: FieldLine): void {
    const size = entrySize(field[0], field[1])
    if (size > this.table.capacity) reader.fail(`entry of ${size} bytes, dynamic table capacity ${this.table.capacity}`)
    this.table.insert(field)
  }

  // ---- counters

  /** Bytes of the dynamic table in use. */
  get tableSize(): number {
    return this.table.size
  }

  /** Bytes the dynamic table may take now. */
  get tableCapacity(): number {
    return this.table.capacity
  }

  /** Insertions and duplications so far. */
  get insertCount(): number {
    return this.table.insertCount
  }

  /** Sections decoded so far that refer to the dynamic table. */
  get referringSections(): number {
    return this.referring
  }

  /** Streams that wait for insertions. */
  get blockedStreams(): number {
    return this.blocked.count
  }
}
