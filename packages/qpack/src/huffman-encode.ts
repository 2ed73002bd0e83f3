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
 * Two codes at once: both, above their length together in the low 5 bits. With 7 bits that wait, up to 25 fit into 32. 0: longer ones, or no ASCII.
 */
let pairs: Uint32Array | null = null
const LONGEST_PAIR = 25

function buildPairs(): Uint32Array {
  const { codes, lengths } = HUFFMAN
  return Uint32Array.from({ length: 1 << 14 }, (_, pair) => {
    const first = pair >>> 7
    const second = pair & 0x7f
    const length = lengths[first]! + lengths[second]!
    return length > LONGEST_PAIR ? 0 : (((codes[first]! << lengths[second]!) | codes[second]!) << 5) | length
  })
}

/** Octets behind the coded string that `huffmanEncode` may write as well. */
export const HUFFMAN_OVERRUN = 3

/**
 * Writes the coded string and returns the position after it; the HUFFMAN_OVERRUN octets behind are void. What does not fit into `out` is lost, which
 * the caller sees by the position. Throws FieldCharacterError above U+00FF.
 */
export function huffmanEncode(text: string, out: Uint8Array, position: number): number {
  pairs ??= buildPairs()
  const table = pairs
  const last = text.length - 1
  // At most 7 bits wait in `pending` between pairs; what is above them is no longer of interest.
  let pending = 0
  let bits = 0
  let i = 0
  for (; i < last; i += 2) {
    const first = text.charCodeAt(i)
    const second = text.charCodeAt(i + 1)
    const entry = (first | second) < 0x80 ? table[(first << 7) | second]! : 0
    if (entry === 0) break
    const length = entry & 31
    pending = (pending << length) | (entry >>> 5)
    bits += length
    // Four octets whether they are complete or not: how many are could not be predicted.
    const word = pending << (32 - bits)
    out[position] = word >>> 24
    out[position + 1] = word >>> 16
    out[position + 2] = word >>> 8
    out[position + 3] = word
    position += bits >>> 3
    bits &= 7
  }
  return encodeRest(text, i, out, position, pending, bits)
}

/** Octet by octet from `start` on, with up to 7 `bits` of `pending` to go first. */
function encodeRest(text: string, start: number, out: Uint8Array, position: number, pending: number, bits: number): number {
  const short = SHORT_CODES
  // At most 15 bits wait in `pending`, so 15 more always fit.
  let all = 0
  for (let i = start; i < text.length; i++) {
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
