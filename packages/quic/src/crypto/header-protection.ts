// Header protection, applied and removed in place (RFC 9001 §5.4). The mask covers the low bits of the first byte and the
// packet number; its sample starts four bytes after the packet number field does, as if that field were always four long.

import type { HeaderKey } from './provider.ts'

export const MASK_LENGTH = 5
export const SAMPLE_LENGTH = 16
/** From the start of the packet number field to the start of the sample. */
export const SAMPLE_OFFSET = 4

/** RFC 9001 §5.4.1: four bits of a long header are masked, five of a short one (the fifth is the key phase). */
function firstByteMask(firstByte: number): number {
  return (firstByte & 0x80) !== 0 ? 0x0f : 0x1f
}

/** Masks the header of a sealed packet. The sample must lie within the packet. */
export function protectHeader(
  key: HeaderKey,
  mask: Uint8Array,
  buffer: Uint8Array,
  headerStart: number,
  packetNumberOffset: number,
  packetNumberLength: number,
): void {
  key.mask(buffer, packetNumberOffset + SAMPLE_OFFSET, mask)
  const firstByte = buffer[headerStart]!
  buffer[headerStart] = firstByte ^ (mask[0]! & firstByteMask(firstByte))
  for (let i = 0; i < packetNumberLength; i++) {
    const at = packetNumberOffset + i
    buffer[at] = buffer[at]! ^ mask[i + 1]!
  }
}

/** Unmasks a header and answers the truncated packet number; its length then stands in the first byte. -1: packet too short. */
export function unprotectHeader(
  key: HeaderKey,
  mask: Uint8Array,
  buffer: Uint8Array,
  headerStart: number,
  packetNumberOffset: number,
  packetEnd: number,
): number {
  if (packetNumberOffset + SAMPLE_OFFSET + SAMPLE_LENGTH > packetEnd) return -1
  key.mask(buffer, packetNumberOffset + SAMPLE_OFFSET, mask)
  const masked = buffer[headerStart]!
  const firstByte = masked ^ (mask[0]! & firstByteMask(masked))
  buffer[headerStart] = firstByte
  const length = packetNumberLengthOf(firstByte)
  let packetNumber = 0
  for (let i = 0; i < length; i++) {
    const at = packetNumberOffset + i
    const byte = buffer[at]! ^ mask[i + 1]!
    buffer[at] = byte
    packetNumber = packetNumber * 256 + byte
  }
  return packetNumber
}

/** Bytes of the packet number field, from an unprotected first byte. */
export function packetNumberLengthOf(firstByte: number): number {
  return (firstByte & 0x03) + 1
}
