import { QpackError, QpackLimitError } from './errors.ts'
import type { QpackErrorCode, QpackLimit } from './errors.ts'
import { huffmanDecode, huffmanDecodedBound } from './huffman-decode.ts'
import { latin1 } from './latin1.ts'
import type { RecentStrings } from './recent-strings.ts'

/**
 * A cursor over a field section or a stretch of an instruction stream (RFC 9204 §4.1). Running out of bytes is not an error here:
 * it sets `starved` and everything read since is void; the owner knows whether more can come. What no further byte can
 * heal raises a QpackError with the owner's code.
 */
export class BlockReader {
  buffer: Uint8Array
  position: number
  end: number
  starved: boolean
  /** When starved: how many bytes are missing at least. */
  missing: number
  /** Where strings that come again are looked up; null: nowhere. */
  recent: RecentStrings | null
  private readonly wireCode: QpackErrorCode
  private scratch: Uint8Array

  constructor(wireCode: QpackErrorCode) {
    this.wireCode = wireCode
    this.buffer = new Uint8Array(0)
    this.position = 0
    this.end = 0
    this.starved = false
    this.missing = 0
    this.recent = null
    this.scratch = new Uint8Array(256)
  }

  reset(buffer: Uint8Array, start: number, end: number): void {
    this.buffer = buffer
    this.position = start
    this.end = end
    this.starved = false
    this.missing = 0
  }

  get remaining(): number {
    return this.end - this.position
  }

  /** The next byte, not consumed; the caller knows there is one. */
  peek(): number {
    return this.buffer[this.position]!
  }

  fail(message: string): never {
    throw new QpackError(this.wireCode, message)
  }

  /** A limit of ours is exceeded (RFC 9204 §7.4). */
  refuse(limit: QpackLimit, message: string): never {
    throw new QpackLimitError(this.wireCode, limit, message)
  }

  private starve(missing: number): 0 {
    this.starved = true
    this.missing = missing
    return 0
  }

  /** An integer in the low `prefixBits` of the next byte. Above 2^53 - 1 it is rounded, above 62 bits it is an error. */
  prefixInt(prefixBits: number): number {
    if (this.starved) return 0
    const mask = (1 << prefixBits) - 1
    if (this.position >= this.end) return this.starve(1)
    const value = this.buffer[this.position]! & mask
    if (value === mask) return this.continued(mask)
    this.position += 1
    return value
  }

  // Apart, so that what fits into the prefix stays a small integer all the way: no doubles, no boxes for them.
  private continued(mask: number): number {
    let position = this.position + 1
    let value = mask
    let scale = 1
    for (;;) {
      if (position >= this.end) return this.starve(1)
      const byte = this.buffer[position++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
      scale *= 128
      // RFC 9204 §4.1.1: 62 bits have to be understood. This also bounds redundant zero continuations.
      if (scale > 2 ** 56) this.refuse('QPACK_INTEGER_TOO_LONG', 'prefixed integer of more than 62 bits')
    }
    // 2^62 - 1 itself rounds to 2^62.
    if (value > 2 ** 62) this.refuse('QPACK_INTEGER_TOO_LONG', 'prefixed integer of more than 62 bits')
    this.position = position
    return value
  }

  /**
   * A string whose Huffman flag and length take the low `prefixBits` of the next byte, at most `maxLength` octets long once decoded. One that
   * cannot be that short is refused before its bytes have come. `secret`: it leaves no trace here.
   */
  string(prefixBits: number, maxLength: number, secret: boolean = false): string {
    if (this.starved) return ''
    if (this.position >= this.end) {
      this.starve(1)
      return ''
    }
    const huffman = (this.buffer[this.position]! & (1 << (prefixBits - 1))) !== 0
    const length = this.prefixInt(prefixBits - 1)
    if (this.starved) return ''
    // The longest code has 30 bits.
    if (length > (huffman ? Math.ceil((maxLength * 30) / 8) : maxLength)) this.tooLong(length, maxLength)
    const start = this.position
    const end = start + length
    if (end > this.end) {
      this.starve(end - this.end)
      return ''
    }
    this.position = end
    const { recent } = this
    if (recent === null || secret) return this.decoded(start, end, huffman, maxLength)
    const known = recent.find(this.buffer, start, end, huffman)
    if (known !== null) return known
    const text = this.decoded(start, end, huffman, maxLength)
    recent.remember(this.buffer, start, end, huffman, text)
    return text
  }

  private tooLong(length: number, maxLength: number): never {
    return this.refuse('QPACK_STRING_TOO_LONG', `string literal of ${length} bytes, ${maxLength} are accepted`)
  }

  private decoded(start: number, end: number, huffman: boolean, maxLength: number): string {
    if (!huffman) return latin1(this.buffer, start, end)
    const bound = huffmanDecodedBound(end - start)
    if (bound > this.scratch.length) this.scratch = new Uint8Array(Math.max(bound, this.scratch.length * 2))
    const length = huffmanDecode(this.buffer, start, end, this.scratch)
    if (length < 0) this.fail('invalid Huffman coding')
    if (length > maxLength) this.tooLong(length, maxLength)
    return latin1(this.scratch, 0, length)
  }
}
