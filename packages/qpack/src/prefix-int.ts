/**
 * Writing prefixed integers (RFC 9204 §4.1.1, RFC 7541 §5.1). Reading them is BlockReader's, since it can run out of bytes.
 */

/** Most bytes an integer takes here: a prefix and a continuation of 62 bits. */
export const MAX_PREFIX_INT_SIZE = 10

/**
 * Writes `value` (an integer below 2^53) into the low `prefixBits` of the first byte, whose high bits are `pattern`. Returns the
 * position after it.
 */
export function writePrefixInt(out: Uint8Array, position: number, pattern: number, prefixBits: number, value: number): number {
  const mask = (1 << prefixBits) - 1
  if (value < mask) {
    out[position] = pattern | value
    return position + 1
  }
  out[position++] = pattern | mask
  let rest = value - mask
  while (rest >= 128) {
    out[position++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  out[position++] = rest
  return position
}
