import { BlockReader } from './block-reader.ts'
import { EncoderInstructionReader } from './encoder-instructions.ts'
import type { EncoderInstructions } from './encoder-instructions.ts'
import { QpackErrorCode } from './errors.ts'
import { NO_DYNAMIC_REFERENCES, readFieldLines, readSectionPrefix } from './field-section.ts'
import type { FieldSection, SectionPrefix } from './field-section.ts'

export interface QpackDecoderOptions {
  /** Largest field section accepted, bytes as RFC 9114 §4.2.2 counts them. */
  readonly maxFieldSectionSize: number
}

/**
 * Our half that decompresses (RFC 9204 §2.2), with a dynamic table capacity of 0: no section blocks, and no decoder instruction is
 * ever due (§4.4: none has to be sent for sections with a Required Insert Count of 0).
 */
export class QpackDecoder implements EncoderInstructions {
  /** SETTINGS_QPACK_MAX_TABLE_CAPACITY to advertise. */
  readonly maxTableCapacity: number
  /** SETTINGS_QPACK_BLOCKED_STREAMS to advertise. */
  readonly maxBlockedStreams: number
  private readonly maxFieldSectionSize: number
  private readonly reader: BlockReader
  private readonly prefix: SectionPrefix
  private readonly instructions: EncoderInstructionReader

  constructor(options: QpackDecoderOptions) {
    this.maxTableCapacity = 0
    this.maxBlockedStreams = 0
    this.maxFieldSectionSize = options.maxFieldSectionSize
    this.reader = new BlockReader(QpackErrorCode.decompressionFailed)
    this.prefix = { requiredInsertCount: 0, base: 0 }
    this.instructions = new EncoderInstructionReader(this)
  }

  /** Decodes the section in block[start, end). Throws QpackError. */
  decode(block: Uint8Array, start: number, end: number): FieldSection {
    const reader = this.reader
    reader.reset(block, start, end)
    readSectionPrefix(reader, NO_DYNAMIC_REFERENCES, this.prefix)
    return readFieldLines(reader, this.prefix.base, NO_DYNAMIC_REFERENCES, this.maxFieldSectionSize)
  }

  /** Bytes from the peer's encoder stream. Throws QpackError. */
  onEncoderStream(bytes: Uint8Array): void {
    this.instructions.receive(bytes)
  }

  longestString(): number {
    // RFC 9204 §3.2.3: with a maximum of 0 the encoder MUST NOT insert entries.
    return -1
  }

  setCapacity(reader: BlockReader, capacity: number): void {
    // RFC 9204 §4.3.1: a capacity above the limit is an error; 0 is always within it.
    if (capacity > this.maxTableCapacity) reader.fail(`dynamic table capacity ${capacity} above the maximum ${this.maxTableCapacity}`)
  }

  insertWithNameReference(reader: BlockReader, _isStatic: boolean, _index: number, _value: string): void {
    reader.fail('insertion into a dynamic table of capacity 0')
  }

  insertWithLiteralName(reader: BlockReader, _name: string, _value: string): void {
    reader.fail('insertion into a dynamic table of capacity 0')
  }

  duplicate(reader: BlockReader, _relativeIndex: number): void {
    reader.fail('duplicate in a dynamic table of capacity 0')
  }
}
