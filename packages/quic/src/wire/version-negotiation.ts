// Version Negotiation packets (RFC 9000 §17.2.1, RFC 8999 §6): a whole datagram, unprotected, sent by servers only.

import { Writer } from './writer.ts'
import type { HeaderView } from './header.ts'

/**
 * The datagram that answers a packet of an unknown version: `destination` is that packet's Source Connection ID,
 * `source` its Destination Connection ID (each up to 255 bytes). The low six bits of `randomByte` go into the first byte.
 */
export function encodeVersionNegotiation(
  destination: Uint8Array,
  source: Uint8Array,
  versions: readonly number[],
  randomByte: number,
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(7 + destination.length + source.length + versions.length * 4)
  const writer = new Writer(packet)
  // RFC 9000 §17.2.1: servers SHOULD set 0x40, so that the packet looks as if it had the Fixed Bit.
  writer.u8(0xc0 | (randomByte & 0x3f))
  writer.u32(0)
  writer.u8(destination.length)
  writer.bytes(destination)
  writer.u8(source.length)
  writer.bytes(source)
  for (let i = 0; i < versions.length; i++) writer.u32(versions[i]!)
  return packet
}

/** Versions in a parsed Version Negotiation packet, in the server's order. */
export function decodeSupportedVersions(view: HeaderView): number[] {
  const { buffer, packetEnd } = view
  const versions: number[] = []
  for (let at = view.packetNumberOffset; at + 4 <= packetEnd; at += 4) {
    versions.push(((buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!) >>> 0)
  }
  return versions
}
