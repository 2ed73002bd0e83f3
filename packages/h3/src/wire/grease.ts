import { writeVarint, varintSize } from '@quicwire/quic/varint'
import { encodeFrame } from './frame-writer.ts'

/**
 * Reserved settings, frames and stream types (RFC 9114 §6.2.3, §7.2.4.1, §7.2.8): numbers of the form 0x1f * N + 0x21 that mean
 * nothing, sent so that receivers keep ignoring what they do not know.
 */
export class Grease {
  private readonly random: { fill(destination: Uint8Array): void } | null
  private readonly bytes: Uint8Array<ArrayBuffer>

  constructor(random: { fill(destination: Uint8Array): void } | null) {
    this.random = random
    this.bytes = new Uint8Array([0x51, 0x1c, 0x77])
  }

  /** A reserved number below 2^30. */
  number(): number {
    this.random?.fill(this.bytes)
    return 0x1f * ((this.bytes[0]! << 16) | (this.bytes[1]! << 8) | this.bytes[2]!) + 0x21
  }

  /** A frame of a reserved type with a few bytes of payload. */
  frame(): Uint8Array<ArrayBuffer> {
    const type = this.number()
    return encodeFrame(type, this.bytes.subarray(0, this.bytes[2]! % 4))
  }

  /** What a reserved unidirectional stream carries. */
  stream(): Uint8Array<ArrayBuffer> {
    const type = this.number()
    const content = new Uint8Array(varintSize(type) + 3)
    content.set(this.bytes, writeVarint(content, 0, type))
    return content
  }
}
