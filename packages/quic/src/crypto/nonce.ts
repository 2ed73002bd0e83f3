// The nonce of a packet, written into a reused scratch array. RFC 9001 §5.3: the packet number in network byte order,
// left-padded to the length of the IV, xor the IV.

export const NONCE_LENGTH = 12

/** Writes the nonce to nonce[0, 12). `packetNumber` is a whole number below 2^53. */
export function writeNonce(nonce: Uint8Array, iv: Uint8Array, packetNumber: number): void {
  const low = packetNumber >>> 0
  const high = (packetNumber - low) / 0x1_0000_0000
  nonce[0] = iv[0]!
  nonce[1] = iv[1]!
  nonce[2] = iv[2]!
  nonce[3] = iv[3]!
  nonce[4] = iv[4]! ^ (high >>> 24)
  nonce[5] = iv[5]! ^ (high >>> 16)
  nonce[6] = iv[6]! ^ (high >>> 8)
  nonce[7] = iv[7]! ^ high
  nonce[8] = iv[8]! ^ (low >>> 24)
  nonce[9] = iv[9]! ^ (low >>> 16)
  nonce[10] = iv[10]! ^ (low >>> 8)
  nonce[11] = iv[11]! ^ low
}
