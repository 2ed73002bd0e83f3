/**
 * A varint (RFC 9000 §16) that may be cut anywhere, put together without a buffer. A value above 2^53 - 1 is rounded: it stays
 * larger than every type and length that has a meaning.
 */
export class VarintCollector {
  value: number
  private left: number

  constructor() {
    this.value = 0
    this.left = -1
  }

  /** No byte of the next varint has been read. */
  get untouched(): boolean {
    return this.left === -1
  }

  /** Reads from bytes[position, end). Returns the position after the varint, or -1 when more bytes are needed (all were taken). */
  read(bytes: Uint8Array, position: number, end: number): number {
    if (this.left === -1) {
      if (position >= end) return -1
      const first = bytes[position++]!
      this.value = first & 0x3f
      this.left = (1 << (first >>> 6)) - 1
    }
    while (this.left > 0) {
      if (position >= end) return -1
      this.value = this.value * 256 + bytes[position++]!
      this.left--
    }
    this.left = -1
    return position
  }
}
