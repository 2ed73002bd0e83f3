import type { BlockReader } from './block-reader.ts'
import { QpackErrorCode } from './errors.ts'
import { InstructionReader } from './instruction-reader.ts'

/** What the peer's decoder tells our encoder (RFC 9204 §4.4). A handler refuses what is not allowed through `reader.fail`. */
export interface DecoderInstructions {
  acknowledgeSection(reader: BlockReader, streamId: number): void
  cancelStream(reader: BlockReader, streamId: number): void
  increaseInsertCount(reader: BlockReader, increment: number): void
}

export class DecoderInstructionReader extends InstructionReader {
  private readonly handler: DecoderInstructions

  constructor(handler: DecoderInstructions) {
    super(QpackErrorCode.decoderStreamError)
    this.handler = handler
  }

  protected override parse(reader: BlockReader): void {
    const first = reader.peek()
    if (first >= 0x80) {
      // §4.4.1 Section Acknowledgment: 1 stream(7+)
      const streamId = reader.prefixInt(7)
      if (!reader.starved) this.handler.acknowledgeSection(reader, streamId)
    } else if (first >= 0x40) {
      // §4.4.2 Stream Cancellation: 0 1 stream(6+)
      const streamId = reader.prefixInt(6)
      if (!reader.starved) this.handler.cancelStream(reader, streamId)
    } else {
      // §4.4.3 Insert Count Increment: 0 0 increment(6+)
      const increment = reader.prefixInt(6)
      if (!reader.starved) this.handler.increaseInsertCount(reader, increment)
    }
  }
}
