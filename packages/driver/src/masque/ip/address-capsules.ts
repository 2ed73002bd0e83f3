// ADDRESS_ASSIGN and ADDRESS_REQUEST (RFC 9484 §4.7.1, §4.7.2). What is malformed raises an H3Error of the stream.

import { H3Error, H3ErrorCode } from '@quicwire/h3'
import { readVarint, varintLengthAt, varintSize, writeVarint } from '@quicwire/quic/varint'
import { isPrefix, isUnspecified, type IpPrefix } from './address.ts'

export const IpCapsuleType = {
  addressAssign: 0x01,
  addressRequest: 0x02,
  routeAdvertisement: 0x03,
} as const

export interface RequestedAddress extends IpPrefix {
  /** Above 0, never used twice by one endpoint. An address of zeros asks for any address of its version. */
  readonly requestId: number
}

export interface AssignedAddress extends IpPrefix {
  /** The request it answers; 0 for one that nobody asked for. */
  readonly requestId: number
}

/** Entries of one capsule that are taken. */
export const MAX_ADDRESSES = 1024

/** The value of either capsule. */
export function encodeAddresses(entries: readonly (RequestedAddress | AssignedAddress)[]): Uint8Array {
  let size = 0
  for (const { requestId, address } of entries) size += varintSize(requestId) + 1 + address.length + 1
  const value = new Uint8Array(size)
  let at = 0
  for (const { requestId, address, length } of entries) {
    at = writeVarint(value, at, requestId)
    value[at++] = address.length === 4 ? 4 : 6
    value.set(address, at)
    at += address.length
    value[at++] = length
  }
  return value
}

/** Zero or more; a rejection is all zeros with the full length (`isRejection`). */
export function decodeAssigned(value: Uint8Array): readonly AssignedAddress[] {
  return decode(value, 'ADDRESS_ASSIGN')
}

export function decodeRequested(value: Uint8Array): readonly RequestedAddress[] {
  const entries = decode(value, 'ADDRESS_REQUEST')
  // RFC 9484 §4.7.2
  if (entries.length === 0) throw malformed('ADDRESS_REQUEST without an address')
  const ids = new Set<number>()
  for (const { requestId } of entries) {
    if (requestId === 0) throw malformed('ADDRESS_REQUEST with request ID 0')
    if (ids.has(requestId)) throw malformed(`ADDRESS_REQUEST with request ID ${requestId} twice`)
    ids.add(requestId)
  }
  return entries
}

/** RFC 9484 §4.7.2: 0.0.0.0/32 or ::/128 in answer to a request says that no address was assigned. */
export function isRejection({ requestId, address, length }: AssignedAddress): boolean {
  return requestId !== 0 && length === address.length * 8 && isUnspecified(address)
}

export function malformed(message: string): H3Error {
  return new H3Error(H3ErrorCode.messageError, 'stream', `${message} (RFC 9484 §4.7)`)
}

function decode(value: Uint8Array, name: string): AssignedAddress[] {
  const entries: AssignedAddress[] = []
  let at = 0
  while (at < value.length) {
    if (entries.length === MAX_ADDRESSES) throw new H3Error(H3ErrorCode.excessiveLoad, 'stream', `${name} with more than ${MAX_ADDRESSES} addresses`)
    const requestId = readVarint(value, at, value.length)
    if (requestId === -1) throw malformed(`${name} ends inside a request ID`)
    // Numbers beyond are told apart no longer.
    if (!Number.isSafeInteger(requestId)) throw malformed(`${name} with a request ID above 2^53 - 1`)
    at += varintLengthAt(value[at]!)
    const size = addressSize(value[at], name)
    const end = at + 1 + size
    if (end >= value.length) throw malformed(`${name} ends inside an address`)
    const entry = { requestId, address: value.slice(at + 1, end), length: value[end]! }
    if (!isPrefix(entry)) throw malformed(`${name} with a prefix of ${entry.length} bits that is too long or has bits beyond`)
    entries.push(entry)
    at = end + 1
  }
  return entries
}

/** Bytes of an address of the version. */
export function addressSize(version: number | undefined, name: string): 4 | 16 {
  if (version === 4) return 4
  if (version === 6) return 16
  throw malformed(version === undefined ? `${name} ends before an IP version` : `${name} with IP version ${version}`)
}
