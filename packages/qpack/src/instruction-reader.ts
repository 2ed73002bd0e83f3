import { BlockReader } from './block-reader.ts'
import type { QpackErrorCode } from './errors.ts'

/**
 * Reads one direction of instructions (RFC 9204 §4.3, §4.4) from a stream that may be cut anywhere. An instruction is carried
 * out when its last byte is there; until then its bytes wait here. How many can wait is bounded by `parse`, which refuses what
 * is too long as soon as a length says so.
 */
export abstract class InstructionReader {
  private readonly reader: BlockReader
  private waiting: Uint8Array
  private waitingLength: number
  /** The waiting instruction cannot be complete before this many bytes are there. */
  private needed: number

  constructor(wireCode: QpackErrorCode) {
    this.reader = new BlockReader(wireCode)
    this.waiting = new Uint8Array(16)
    this.waitingLength = 0
    this.needed = 0
  }

  /** Reads one instruction and carries it out, unless `reader.starved` is set by then. */
  protected abstract parse(reader: BlockReader): void

  /** Takes the next bytes of the stream. Throws QpackError. */
  receive(bytes: Uint8Array): void {
    const reader = this.reader
    if (this.waitingLength > 0) {
      this.keep(bytes, 0)
      if (this.waitingLength < this.needed) return
      const all = this.waiting
      const length = this.waitingLength
      this.waitingLength = 0
      this.waiting = new Uint8Array(16)
      reader.reset(all, 0, length)
    } else {
      reader.reset(bytes, 0, bytes.length)
    }
    while (reader.remaining > 0) {
      const start = reader.position
      this.parse(reader)
      if (reader.starved) {
        this.needed = reader.end - start + reader.missing
        this.keep(reader.buffer.subarray(0, reader.end), start)
        return
      }
    }
  }

  private keep(bytes: Uint8Array, start: number): void {
    const length = bytes.length - start
    const total = this.waitingLength + length
    if (total > this.waiting.length) {
      const grown = new Uint8Array(Math.max(total, this.waiting.length * 2))
      grown.set(this.waiting.subarray(0, this.waitingLength))
      this.waiting = grown
    }
    this.waiting.set(bytes.subarray(start), this.waitingLength)
    this.waitingLength = total
  }
}
