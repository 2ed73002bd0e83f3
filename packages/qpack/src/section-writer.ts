import { HUFFMAN_OVERRUN, huffmanEncode, huffmanSize } from './huffman-encode.ts'
import type { RecentLiterals } from './recent-literals.ts'
import { MAX_PREFIX_INT_SIZE, writePrefixInt } from './prefix-int.ts'

/** Texts up to here are coded without their coded length being known. Their prefix takes at most two bytes. */
const ONE_PASS = 128

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
    const { length } = text
    if (length > ONE_PASS) return this.sizedString(pattern, prefixBits, text, huffmanSize(text))
    // Coded where it belongs if its length takes the bytes that are expected, and moved if not.
    this.reserve(MAX_PREFIX_INT_SIZE + 4 * length + HUFFMAN_OVERRUN)
    const { buffer, position } = this
    const largest = (1 << (prefixBits - 1)) - 1
    const expected = (length * 3) >> 2 < largest ? 1 : 2
    const end = huffmanEncode(text, buffer, position + expected)
    const coded = end - position - expected
    if (coded >= length) return this.sizedString(pattern, prefixBits, text, length)
    const start = writePrefixInt(buffer, position, pattern | (largest + 1), prefixBits - 1, coded)
    this.position = start + coded
    // The prefix may have been written over the first byte.
    if (start > position + expected) huffmanEncode(text, buffer, start)
    else if (start < position + expected) buffer.copyWithin(start, position + expected, end)
  }

  /** The same, of a text that may have come before. */
  recentString(pattern: number, prefixBits: number, text: string, recent: RecentLiterals): void {
    const coded = recent.find(text)
    if (coded === null) return this.string(pattern, prefixBits, text)
    if (coded.length === 0) return this.sizedString(pattern, prefixBits, text, text.length)
    this.reserve(MAX_PREFIX_INT_SIZE + coded.length)
    const { buffer } = this
    let position = writePrefixInt(buffer, this.position, pattern | (1 << (prefixBits - 1)), prefixBits - 1, coded.length)
    for (let i = 0; i < coded.length; i += 1) buffer[position++] = coded[i]!
    this.position = position
  }

  /** The same, with what `huffmanSize` says of the text. */
  sizedString(pattern: number, prefixBits: number, text: string, coded: number): void {
    this.reserve(MAX_PREFIX_INT_SIZE + text.length + HUFFMAN_OVERRUN)
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
