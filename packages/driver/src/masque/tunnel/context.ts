// The Context ID in front of what a tunnel's HTTP Datagrams carry (RFC 9298 §4, §5; RFC 9484 §5, §6). Only context 0 is known here.

import { readVarint, varintLengthAt } from '@quicwire/quic/varint'

/** Bytes context 0 takes. */
export const CONTEXT_SIZE = 1

/** `payload` under context 0, copied. */
export function inContextZero(payload: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(CONTEXT_SIZE + payload.length)
  datagram.set(payload, CONTEXT_SIZE)
  return datagram
}

/**
 * What context 0 carries, as a view. Null for datagrams of other contexts, which nobody registers here, and for those cut short: both
 * are dropped silently (RFC 9298 §5).
 */
export function contextZeroPayload(datagram: Uint8Array): Uint8Array | null {
  if (readVarint(datagram, 0, datagram.length) !== 0) return null
  // 0 may be written in more bytes than it needs.
  const start = varintLengthAt(datagram[0]!)
  // Not subarray(): of a Node Buffer that is a Buffer, whose slice() does not copy.
  return new Uint8Array(datagram.buffer, datagram.byteOffset + start, datagram.length - start)
}
