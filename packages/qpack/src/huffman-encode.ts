import { FieldCharacterError } from './errors.ts'
import { HUFFMAN } from './huffman-table.ts'

/** Huffman coding of latin1 strings (RFC 9204 §4.1.2, RFC 7541 §5.2). */

/** Bytes the coded string takes, padding included. Throws FieldCharacterError above U+00FF. */
export function huffmanSize(text: string): number {
  const lengths = HUFFMAN.lengths
  let bits = 0
  let all = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    all |= c
    bits += lengths[c & 0xff]!
  }
  if (all > 0xff) throw new FieldCharacterError()
  return (bits + 7) >>> 3
}

/** Codes of up to 15 bits, all of common text: the code above its length in the low 4 bits. 0: a longer one. */
const SHORT_CODES: Uint32Array = /* @__PURE__ */ shortCodes()

function shortCodes(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, c) => (HUFFMAN.lengths[c]! <= 15 ? (HUFFMAN.codes[c]! << 4) | HUFFMAN.lengths[c]! : 0))
}

/**
 * Writes the coded string and returns the position after it. What does not fit into `out` is lost, which the caller sees by the position. Throws
 * FieldCharacterError above U+00FF.
 */
export function huffmanEncode(text: string, out: Uint8Array, position: number): number {
  const short = SHORT_CODES
  // At most 15 bits wait in `pending`, so 15 more always fit.
  let pending = 0
  let bits = 0
  let all = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    all |= c
    const entry = short[c & 0xff]!
    if (entry !== 0) {
      const length = entry & 15
      pending = (pending << length) | (entry >>> 4)
      bits += length
    } else {
      // 19 to 28 bits: in two pieces, the first of them of 4 to 13.
      const code = HUFFMAN.codes[c & 0xff]!
      const length = HUFFMAN.lengths[c & 0xff]! - 15
      pending = (pending << length) | (code >>> 15)
      bits += length
      if (bits >= 16) {
        bits -= 16
        out[position] = pending >>> (bits + 8)
        out[position + 1] = pending >>> bits
        position += 2
      }
      pending = (pending << 15) | (code & 0x7fff)
      bits += 15
    }
    if (bits >= 16) {
      bits -= 16
      out[position] = pending >>> (bits + 8)
      out[position + 1] = pending >>> bits
      position += 2
    }
  }
  if (all > 0xff) throw new FieldCharacterError()
  if (bits >= 8) {
    bits -= 8
    out[position++] = pending >>> bits
  }
  // RFC 7541 §5.2: padding is the most significant bits of EOS, that is ones.
  if (bits > 0) out[position++] = (pending << (8 - bits)) | (0xff >>> bits)
  return position
}
