import type { BlockReader } from './block-reader.ts'
import { DecoderInstructionReader } from './decoder-instructions.ts'
import type { DecoderInstructions } from './decoder-instructions.ts'
import { EncodePlan, Representation } from './encode-plan.ts'
import { EncoderTable } from './encoder-table.ts'
import { QpackError, QpackErrorCode } from './errors.ts'
import { isSensitive } from './fields.ts'
import type { FieldLine } from './fields.ts'
import { InsertionPolicy } from './insertion-policy.ts'
import { OutstandingSections } from './outstanding-sections.ts'
import { RecentLiterals } from './recent-literals.ts'
import { SectionWriter } from './section-writer.ts'
import { encodeRequiredInsertCount, maxEntries, relativeToBase } from './vas.ts'

export interface QpackEncoderOptions {
  /** Largest dynamic table we keep, bytes, however much the peer allows. Default 16384. */
  readonly maxTableCapacity?: number | undefined
  /** Most streams we let the peer's decoder block at a time, however many it allows. Default 100. */
  readonly maxBlockedStreams?: number | undefined
}

export const DEFAULT_ENCODER_TABLE_CAPACITY = 16_384
export const DEFAULT_ENCODER_BLOCKED_STREAMS = 100
/** A connection of a few requests needs no memory for literals that come again. */
const SECTIONS_BEFORE_RECENT = 8

/**
 * Our half that compresses (RFC 9204 §2.1). Until `applySettings` it uses the static table and literals. After each `encode`, what
 * `takeInstructions` returns belongs on the encoder stream, best before the section goes out.
 */
export class QpackEncoder implements DecoderInstructions {
  /** Bytes of instructions that may wait for `takeInstructions`: the flow control credit of the encoder stream (§2.1.3), kept current by the owner. */
  instructionRoom: number
  private readonly ourMaxTableCapacity: number
  private readonly ourMaxBlockedStreams: number
  private readonly writer: SectionWriter
  private readonly instructions: DecoderInstructionReader
  private readonly sections: OutstandingSections
  private readonly table: EncoderTable
  private readonly plan: EncodePlan
  /** The peer's SETTINGS_QPACK_MAX_TABLE_CAPACITY: how the Required Insert Count wraps. */
  private peerMaxTableCapacity: number
  private blockedStreams: number
  private referring: number
  /** Sections without the dynamic table, up to SECTIONS_BEFORE_RECENT. */
  private plain: number
  private recent: RecentLiterals | null

  constructor(options: QpackEncoderOptions = {}) {
    this.instructionRoom = Infinity
    this.ourMaxTableCapacity = options.maxTableCapacity ?? DEFAULT_ENCODER_TABLE_CAPACITY
    this.ourMaxBlockedStreams = options.maxBlockedStreams ?? DEFAULT_ENCODER_BLOCKED_STREAMS
    this.writer = new SectionWriter()
    this.instructions = new DecoderInstructionReader(this)
    this.sections = new OutstandingSections()
    this.table = new EncoderTable(this.sections)
    this.plan = new EncodePlan(this.table, new InsertionPolicy())
    this.peerMaxTableCapacity = 0
    this.blockedStreams = 0
    this.referring = 0
    this.plain = 0
    this.recent = null
  }

  /**
   * The peer's settings (§5), also those remembered for 0-RTT; then again those it really sends. Throws QpackError when a capacity that was not
   * 0 is another one now (§3.2.3).
   */
  applySettings(maxTableCapacity: number, maxBlockedStreams: number): void {
    this.blockedStreams = Math.min(maxBlockedStreams, this.ourMaxBlockedStreams)
    if (maxTableCapacity === this.peerMaxTableCapacity) return
    if (this.peerMaxTableCapacity !== 0) {
      throw new QpackError(
        QpackErrorCode.decoderStreamError,
        `SETTINGS_QPACK_MAX_TABLE_CAPACITY ${maxTableCapacity}, remembered ${this.peerMaxTableCapacity} (RFC 9204 §3.2.3)`,
      )
    }
    this.peerMaxTableCapacity = maxTableCapacity
    // Less than one entry is no table: §4.5.1.1 has no encoding for its references.
    const capacity = Math.min(maxTableCapacity, this.ourMaxTableCapacity)
    if (capacity >= 32) this.table.setCapacity(capacity)
  }

  /**
   * Changes the capacity in use, bytes (§4.3.1). False when it is above what the peer or our options allow, or when entries that
   * would have to go are still referred to or unacknowledged; nothing has changed then.
   */
  setCapacity(capacity: number): boolean {
    if (!(capacity >= 0 && capacity <= Math.min(this.peerMaxTableCapacity, this.ourMaxTableCapacity))) return false
    return this.table.setCapacity(Math.floor(capacity))
  }

  /**
   * An encoded field section, a view valid until the next call. Credentials, short cookies and the very tuples listed in `neverIndexed` are
   * never-indexed literals (§7.1.3). Throws FieldCharacterError for what is not latin1; the section is void then, the encoder is not.
   */
  encode(streamId: number, fields: readonly FieldLine[], neverIndexed: readonly FieldLine[] = NONE): Uint8Array {
    const { plan, sections, table, writer } = this
    table.begin(this.instructionRoom)
    const mayRefer = table.table.capacity > 0 && !sections.full
    const mayRisk = mayRefer && this.blockedStreams > 0 && (sections.atRisk < this.blockedStreams || sections.isAtRisk(streamId))
    plan.begin(fields.length, mayRefer, mayRisk)
    for (let i = 0; i < fields.length; i += 1) {
      const field = fields[i]!
      plan.field(field[0], field[1], isSensitive(field[0], field[1]) || (neverIndexed.length > 0 && neverIndexed.includes(field)))
    }
    plan.useTable(fields)
    if (table.table.capacity > 0) this.recent = null
    else if (this.recent === null && ++this.plain >= SECTIONS_BEFORE_RECENT) this.recent = new RecentLiterals()
    writer.reset()
    // §4.5.1: Base is the Required Insert Count, so Delta Base is 0.
    writer.prefixInt(0x00, 8, encodeRequiredInsertCount(plan.requiredInsertCount, maxEntries(this.peerMaxTableCapacity)))
    writer.prefixInt(0x00, 7, 0)
    for (let i = 0; i < fields.length; i += 1) this.write(fields[i]!, i)
    if (plan.requiredInsertCount > 0) {
      sections.add(streamId, plan.requiredInsertCount, table.plannedFloor, table.knownReceivedCount)
      this.referring += 1
    }
    table.plannedFloor = Infinity
    return writer.view()
  }

  private write(field: FieldLine, at: number): void {
    const { plan, writer } = this
    const index = plan.indexes[at]!
    const never = plan.neverIndexed[at] === 1
    switch (plan.representations[at]) {
      case Representation.indexedStatic:
        return writer.prefixInt(0xc0, 6, index)
      case Representation.indexedDynamic:
        return writer.prefixInt(0x80, 6, relativeToBase(plan.requiredInsertCount, index))
      case Representation.staticName:
        writer.prefixInt(never ? 0x70 : 0x50, 4, index)
        break
      case Representation.dynamicName:
        writer.prefixInt(never ? 0x60 : 0x40, 4, relativeToBase(plan.requiredInsertCount, index))
        break
      default:
        this.string(never ? 0x30 : 0x20, 4, field[0], false)
    }
    this.string(0x00, 8, field[1], never)
  }

  private string(pattern: number, prefixBits: number, text: string, never: boolean): void {
    if (this.recent === null || never) this.writer.string(pattern, prefixBits, text)
    else this.writer.recentString(pattern, prefixBits, text, this.recent)
  }

  /** Bytes for the encoder stream, the caller's to keep; null when there are none. */
  takeInstructions(): Uint8Array<ArrayBuffer> | null {
    const { instructions } = this.table
    if (instructions.length === 0) return null
    const bytes = instructions.view().slice()
    instructions.reset()
    return bytes
  }

  /** Bytes from the peer's decoder stream. Throws QpackError. */
  onDecoderStream(bytes: Uint8Array): void {
    this.instructions.receive(bytes)
  }

  // ---- what the peer's decoder says (§4.4)

  acknowledgeSection(reader: BlockReader, streamId: number): void {
    const requiredInsertCount = this.sections.acknowledge(streamId)
    if (requiredInsertCount === -1) reader.fail(`acknowledgment of a section on stream ${streamId}, which has none to acknowledge`)
    if (requiredInsertCount > this.table.knownReceivedCount) this.received(requiredInsertCount)
  }

  cancelStream(_reader: BlockReader, streamId: number): void {
    this.sections.cancel(streamId)
  }

  increaseInsertCount(reader: BlockReader, increment: number): void {
    const known = this.table.knownReceivedCount + increment
    if (increment === 0) reader.fail('Insert Count Increment 0')
    if (known > this.table.table.insertCount) reader.fail(`Insert Count Increment ${increment} beyond what was sent`)
    this.received(known)
  }

  private received(known: number): void {
    this.table.knownReceivedCount = known
    this.sections.received(known)
  }

  // ---- counters

  /** Bytes of the dynamic table in use. */
  get tableSize(): number {
    return this.table.table.size
  }

  /** Bytes the dynamic table may take now. */
  get tableCapacity(): number {
    return this.table.table.capacity
  }

  /** Insertions and duplications so far. */
  get insertCount(): number {
    return this.table.table.insertCount
  }

  /** §2.1.4. */
  get knownReceivedCount(): number {
    return this.table.knownReceivedCount
  }

  /** Sections encoded so far that refer to the dynamic table. */
  get referringSections(): number {
    return this.referring
  }

  /** Sections with dynamic references that have not been acknowledged. */
  get outstandingSections(): number {
    return this.sections.count
  }

  /** Streams that may be blocked at the peer now. */
  get streamsAtRisk(): number {
    return this.sections.atRisk
  }
}

const NONE: readonly FieldLine[] = []
