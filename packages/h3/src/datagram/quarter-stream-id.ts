import { readVarint, varintLengthAt, varintSize, writeVarint } from '@quicwire/quic/varint'
import { H3ErrorCode, connectionError } from '../errors.ts'

/** HTTP/3 Datagrams (RFC 9297 §2.1): a Quarter Stream ID, then the payload. */

export interface HttpDatagram {
  readonly streamId: number
  readonly payload: Uint8Array
}

/** Bytes the Quarter Stream ID takes. */
export function quarterStreamIdSize(streamId: number): number {
  return varintSize(streamId / 4)
}

export function encodeDatagram(streamId: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const datagram = new Uint8Array(quarterStreamIdSize(streamId) + payload.length)
  datagram.set(payload, writeVarint(datagram, 0, streamId / 4))
  return datagram
}

/** Throws H3Error; the payload is a view. */
export function parseDatagram(datagram: Uint8Array): HttpDatagram {
  const quarter = readVarint(datagram, 0, datagram.length)
  // RFC 9297 §2.1: too short for the field, or a stream id beyond 2^62 - 1.
  if (quarter === -1) throw connectionError(H3ErrorCode.datagramError, 'HTTP Datagram without a Quarter Stream ID')
  if (quarter >= 2 ** 60) throw connectionError(H3ErrorCode.datagramError, 'Quarter Stream ID above 2^60 - 1')
  return { streamId: quarter * 4, payload: datagram.subarray(varintLengthAt(datagram[0]!)) }
}
