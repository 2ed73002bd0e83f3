// Packet headers as they are before header protection (RFC 9000 §17.2, §17.3). The Length field of long headers is
// always two bytes, patched once the payload is known.

import { invariant } from '../base/assert.ts'
import { PacketType } from './constants.ts'
import { varintSize, writeVarint2 } from './varint.ts'
import { longTypeBits } from './version.ts'
import type { Writer } from './writer.ts'

/** Largest value of the two-byte Length field: packet number, payload and tag together, in bytes. */
export const MAX_LONG_PACKET_LENGTH = 16383

/**
 * Writes an unprotected Initial, 0-RTT or Handshake header with the packet number. `token` only counts for Initial.
 * Returns the position of the Length field, for patchLength.
 */
export function writeLongHeader(
  writer: Writer,
  packetType: PacketType,
  version: number,
  destination: Uint8Array,
  source: Uint8Array,
  token: Uint8Array,
  packetNumber: number,
  packetNumberLength: number,
): number {
  writer.u8(0xc0 | (longTypeBits(version, packetType) << 4) | (packetNumberLength - 1))
  writer.u32(version)
  writer.u8(destination.length)
  writer.bytes(destination)
  writer.u8(source.length)
  writer.bytes(source)
  if (packetType === PacketType.initial) {
    writer.varint(token.length)
    writer.bytes(token)
  }
  const lengthPosition = writer.position
  writer.varint2(0)
  writePacketNumber(writer, packetNumber, packetNumberLength)
  return lengthPosition
}

/** Sets the Length field: bytes of packet number, payload and tag. */
export function patchLength(buffer: Uint8Array, lengthPosition: number, length: number): void {
  invariant(length <= MAX_LONG_PACKET_LENGTH, 'long header packet exceeds its length field')
  writeVarint2(buffer, lengthPosition, length)
}

/** Bytes that writeLongHeader takes, packet number included. */
export function longHeaderSize(
  packetType: PacketType,
  destinationLength: number,
  sourceLength: number,
  tokenLength: number,
  packetNumberLength: number,
): number {
  const tokenSize = packetType === PacketType.initial ? varintSize(tokenLength) + tokenLength : 0
  return 7 + destinationLength + sourceLength + tokenSize + 2 + packetNumberLength
}

/** Writes an unprotected 1-RTT header with the packet number. */
export function writeShortHeader(
  writer: Writer,
  destination: Uint8Array,
  packetNumber: number,
  packetNumberLength: number,
  keyPhase: 0 | 1,
  spin: 0 | 1,
): void {
  writer.u8(0x40 | (spin << 5) | (keyPhase << 2) | (packetNumberLength - 1))
  writer.bytes(destination)
  writePacketNumber(writer, packetNumber, packetNumberLength)
}

/** The least significant `length` bytes (1 to 4) of a packet number. */
function writePacketNumber(writer: Writer, packetNumber: number, length: number): void {
  if (length === 1) writer.u8(packetNumber)
  else if (length === 2) writer.u16(packetNumber)
  else if (length === 3) writer.u24(packetNumber)
  else writer.u32(packetNumber)
}
