import { huffmanEncode, huffmanSize } from './huffman-encode.ts'
import { MAX_PREFIX_INT_SIZE, writePrefixInt } from './prefix-int.ts'

/** A growing buffer for representations and instructions (RFC 9204 §4.1), reused from section to section. */
export class SectionWriter {
  private buffer: Uint8Array<ArrayBuffer>
  private position: number

  constructor() {
    this.buffer = new Uint8Array(512)
    this.position = 0
  }

  reset(): void {
    this.position = 0
  }

  /** What has been written, a view valid until the next write. */
  view(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(0, this.position)
  }

  get length(): number {
    return this.position
  }

  prefixInt(pattern: number, prefixBits: number, value: number): void {
    this.reserve(MAX_PREFIX_INT_SIZE)
    this.position = writePrefixInt(this.buffer, this.position, pattern, prefixBits, value)
  }

  /** A string literal, Huffman coded where that is shorter; `pattern` is what stands above the prefix. */
  string(pattern: number, prefixBits: number, text: string): void {
    this.sizedString(pattern, prefixBits, text, huffmanSize(text))
  }

  /** The same, with what `huffmanSize` says of the text. */
  sizedString(pattern: number, prefixBits: number, text: string, coded: number): void {
    this.reserve(MAX_PREFIX_INT_SIZE + text.length)
    const flag = 1 << (prefixBits - 1)
    if (coded < text.length) {
      this.position = writePrefixInt(this.buffer, this.position, pattern | flag, prefixBits - 1, coded)
      this.position = huffmanEncode(text, this.buffer, this.position)
      return
    }
    let position = writePrefixInt(this.buffer, this.position, pattern, prefixBits - 1, text.length)
    for (let i = 0; i < text.length; i++) this.buffer[position++] = text.charCodeAt(i)
    this.position = position
  }

  private reserve(length: number): void {
    const needed = this.position + length
    if (needed <= this.buffer.length) return
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2))
    grown.set(this.buffer.subarray(0, this.position))
    this.buffer = grown
  }
}
