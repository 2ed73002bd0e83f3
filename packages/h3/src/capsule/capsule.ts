import { varintSize, varintSizeExact, writeVarint, writeVarintExact } from '@quicwire/quic/varint'
import type { WireValue } from '@quicwire/quic/varint'

/** Capsules (RFC 9297 §3.2) as bytes: what goes into DATA frames of a request that uses the Capsule Protocol. */

export const CapsuleType = {
  /** RFC 9297 §3.5 */
  datagram: 0x00,
} as const

/** A capsule with a copy of `value`. */
export function encodeCapsule(type: WireValue, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const capsule = new Uint8Array(varintSizeExact(type) + varintSize(value.length) + value.length)
  capsule.set(value, writeVarint(capsule, writeVarintExact(capsule, 0, type), value.length))
  return capsule
}

/** The head of a capsule whose value of `length` bytes is sent after it in pieces. */
export function encodeCapsuleHeader(type: WireValue, length: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(varintSizeExact(type) + varintSize(length))
  writeVarint(header, writeVarintExact(header, 0, type), length)
  return header
}

/** An HTTP Datagram as a DATAGRAM capsule (RFC 9297 §3.5): for peers and sizes QUIC DATAGRAM frames are not good for. */
export function encodeDatagramCapsule(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodeCapsule(CapsuleType.datagram, payload)
}
