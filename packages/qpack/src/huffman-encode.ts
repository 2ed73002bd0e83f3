import { FieldCharacterError } from './errors.ts'
import { HUFFMAN } from './huffman-table.ts'

/** Huffman coding of latin1 strings (RFC 9204 §4.1.2, RFC 7541 §5.2). */

/** Bytes the coded string takes, padding included. Throws FieldCharacterError above U+00FF. */
export function huffmanSize(text: string): number {
  const lengths = HUFFMAN.lengths
  let bits = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c > 0xff) throw new FieldCharacterError()
    bits += lengths[c]!
  }
  return (bits + 7) >>> 3
}

/** Writes the coded string, whose size the caller has reserved; returns the position after it. */
export function huffmanEncode(text: string, out: Uint8Array, position: number): number {
  const codes = HUFFMAN.codes
  const lengths = HUFFMAN.lengths
  // At most 7 bits wait in `pending`, so 24 more always fit into 31; longer codes go in two pieces.
  let pending = 0
  let pendingBits = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    let code = codes[c]!
    let length = lengths[c]!
    if (length > 24) {
      pending = (pending << (length - 8)) | (code >>> 8)
      pendingBits += length - 8
      while (pendingBits >= 8) {
        pendingBits -= 8
        out[position++] = pending >>> pendingBits
      }
      pending &= (1 << pendingBits) - 1
      code &= 0xff
      length = 8
    }
    pending = (pending << length) | code
    pendingBits += length
    while (pendingBits >= 8) {
      pendingBits -= 8
      out[position++] = pending >>> pendingBits
    }
    pending &= (1 << pendingBits) - 1
  }
  if (pendingBits > 0) {
    // RFC 7541 §5.2: padding is the most significant bits of EOS, that is ones.
    out[position++] = (pending << (8 - pendingBits)) | (0xff >>> pendingBits)
  }
  return position
}
