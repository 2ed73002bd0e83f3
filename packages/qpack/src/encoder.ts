import type { BlockReader } from './block-reader.ts'
import { DecoderInstructionReader } from './decoder-instructions.ts'
import type { DecoderInstructions } from './decoder-instructions.ts'
import type { FieldLine } from './fields.ts'
import { writeStaticSection } from './field-section.ts'
import { SectionWriter } from './section-writer.ts'

/**
 * Our half that compresses (RFC 9204 §2.1). It uses the static table and literals, so no section of it can ever block, it never sends
 * an encoder instruction, and there is nothing for the peer to acknowledge.
 */
export class QpackEncoder implements DecoderInstructions {
  private readonly writer: SectionWriter
  private readonly instructions: DecoderInstructionReader

  constructor() {
    this.writer = new SectionWriter()
    this.instructions = new DecoderInstructionReader(this)
  }

  /** An encoded field section, a view valid until the next call. Throws FieldCharacterError for what is not latin1. */
  encode(fields: readonly FieldLine[]): Uint8Array {
    this.writer.reset()
    writeStaticSection(this.writer, fields)
    return this.writer.view()
  }

  /** Bytes from the peer's decoder stream. Throws QpackError. */
  onDecoderStream(bytes: Uint8Array): void {
    this.instructions.receive(bytes)
  }

  acknowledgeSection(reader: BlockReader, streamId: number): void {
    // RFC 9204 §4.4.1: every section with a Required Insert Count above 0 has been acknowledged, since there was none.
    reader.fail(`acknowledgment of a section on stream ${streamId}, which has none to acknowledge`)
  }

  cancelStream(_reader: BlockReader, _streamId: number): void {
    // RFC 9204 §4.4.2: allowed for any stream; there are no references to release.
  }

  increaseInsertCount(reader: BlockReader, increment: number): void {
    // RFC 9204 §4.4.3: nothing has been inserted.
    reader.fail(`Insert Count Increment ${increment} beyond what was sent`)
  }
}
