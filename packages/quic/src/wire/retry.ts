// Retry packets (RFC 9000 §17.2.5) and the pseudo-packet their integrity tag covers (RFC 9001 §5.8). The tag itself
// is made and checked in crypto/.

import { EMPTY } from '../base/bytes.ts'
import { PacketType } from './constants.ts'
import { longTypeBits } from './version.ts'
import { Writer } from './writer.ts'

/** A Retry packet; without `tag` the bytes that the 16-byte integrity tag is to be appended to. */
export function encodeRetry(
  version: number,
  destination: Uint8Array,
  source: Uint8Array,
  token: Uint8Array,
  tag: Uint8Array = EMPTY,
): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(7 + destination.length + source.length + token.length + tag.length)
  const writer = new Writer(packet)
  // The four unused bits are ours to choose, and 0xf is what RFC 9001 Appendix A.4 has.
  writer.u8(0xcf | (longTypeBits(version, PacketType.retry) << 4))
  writer.u32(version)
  writer.u8(destination.length)
  writer.bytes(destination)
  writer.u8(source.length)
  writer.bytes(source)
  writer.bytes(token)
  writer.bytes(tag)
  return packet
}

/** RFC 9001 §5.8: Original Destination Connection ID with its length in front, then the packet up to its tag. */
export function encodeRetryPseudoPacket(originalDestination: Uint8Array, retryWithoutTag: Uint8Array): Uint8Array<ArrayBuffer> {
  const pseudo = new Uint8Array(1 + originalDestination.length + retryWithoutTag.length)
  pseudo[0] = originalDestination.length
  pseudo.set(originalDestination, 1)
  pseudo.set(retryWithoutTag, 1 + originalDestination.length)
  return pseudo
}
