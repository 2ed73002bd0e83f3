import type { BlockReader } from './block-reader.ts'
import { QpackErrorCode } from './errors.ts'
import { InstructionReader } from './instruction-reader.ts'

/** What the peer's encoder tells our decoder (RFC 9204 §4.3). A handler refuses what is not allowed through `reader.fail`. */
export interface EncoderInstructions {
  /** Longest name or value that could enter the table; asked before any byte of an insertion is kept. Negative: none at all. */
  longestString(): number
  setCapacity(reader: BlockReader, capacity: number): void
  insertWithNameReference(reader: BlockReader, isStatic: boolean, index: number, value: string): void
  insertWithLiteralName(reader: BlockReader, name: string, value: string): void
  duplicate(reader: BlockReader, relativeIndex: number): void
}

export class EncoderInstructionReader extends InstructionReader {
  private readonly handler: EncoderInstructions

  constructor(handler: EncoderInstructions) {
    super(QpackErrorCode.encoderStreamError)
    this.handler = handler
  }

  protected override parse(reader: BlockReader): void {
    const handler = this.handler
    const first = reader.peek()
    if (first >= 0x20 && first < 0x40) {
      // §4.3.1 Set Dynamic Table Capacity: 0 0 1 capacity(5+)
      const capacity = reader.prefixInt(5)
      if (!reader.starved) handler.setCapacity(reader, capacity)
      return
    }
    const longest = handler.longestString()
    // §3.2.2, §3.2.3: nothing fits, so nothing may be inserted.
    if (longest < 0) reader.fail('insertion into a dynamic table too small for any entry')
    if (first >= 0x80) {
      // §4.3.2 Insert with Name Reference: 1 T index(6+)
      const index = reader.prefixInt(6)
      const value = reader.string(8, longest)
      if (!reader.starved) handler.insertWithNameReference(reader, (first & 0x40) !== 0, index, value)
    } else if (first >= 0x40) {
      // §4.3.3 Insert with Literal Name: 0 1 H length(5+)
      const name = reader.string(6, longest)
      const value = reader.string(8, longest)
      if (!reader.starved) handler.insertWithLiteralName(reader, name, value)
    } else {
      // §4.3.4 Duplicate: 0 0 0 index(5+)
      const index = reader.prefixInt(5)
      if (!reader.starved) handler.duplicate(reader, index)
    }
  }
}
