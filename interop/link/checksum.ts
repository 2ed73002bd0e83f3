// The Internet checksum (RFC 1071), and its update when a word changes (RFC 1624).

/** Ones' complement sum of big-endian words, the last one padded; not complemented. `sum` goes on from there. */
export function sumWords(bytes: Uint8Array, sum: number = 0): number {
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  return fold(sum)
}

/** What stands in the header for that sum. */
export function complement(sum: number): number {
  return ~sum & 0xffff
}

/** RFC 1624 §3: the checksum after `before` became `after`; both of even length. */
export function mended(checksum: number, before: Uint8Array, after: Uint8Array): number {
  let sum = ~checksum & 0xffff
  for (let i = 0; i < before.length; i += 2) {
    sum += ~((before[i]! << 8) | before[i + 1]!) & 0xffff
    sum += (after[i]! << 8) | after[i + 1]!
  }
  return complement(fold(sum))
}

function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return sum
}
