// Packet headers, the part before header protection (RFC 9000 §17, RFC 8999 §5), parsed into one reusable view of
// positions. Nothing is allocated and nothing throws: packets that are not valid are dropped by the caller.
// A datagram holds several packets: parse the next at view.packetEnd (RFC 9000 §12.2).

import { EMPTY } from '../base/bytes.ts'
import { MAX_CID_LENGTH, PacketType, TAG_LENGTH } from './constants.ts'
import { readVarint, varintLengthAt } from './varint.ts'
import { knownVersion, longPacketType } from './version.ts'

/** Outcome of parseHeader. */
export const HeaderResult = {
  /** Every field of the view is set. */
  ok: 0,
  /** Not a packet: drop the rest of the datagram. */
  invalid: 1,
  /** A long header of a version we do not speak: only version and connection IDs are set, packetEnd is the datagram's end. */
  unknownVersion: 2,
} as const
export type HeaderResult = (typeof HeaderResult)[keyof typeof HeaderResult]

/** Positions of one packet in a datagram. Reused: valid until the next parseHeader on it, and as long as the bytes are. */
export class HeaderView {
  buffer: Uint8Array
  start: number
  /** Meaningful only after HeaderResult.ok. */
  packetType: PacketType
  /** As received: the low bits of protected packets are still protected. */
  firstByte: number
  /** 0 for short headers and Version Negotiation. */
  version: number
  destinationStart: number
  destinationLength: number
  sourceStart: number
  sourceLength: number
  /** Initial: the token. Retry: the Retry token. Else empty. */
  tokenStart: number
  tokenLength: number
  /** Where the packet number starts. Version Negotiation: the versions. Retry: the integrity tag. */
  packetNumberOffset: number
  /** One past the packet's last byte. */
  packetEnd: number

  constructor() {
    this.buffer = EMPTY
    this.start = 0
    this.packetType = PacketType.initial
    this.firstByte = 0
    this.version = 0
    this.destinationStart = 0
    this.destinationLength = 0
    this.sourceStart = 0
    this.sourceLength = 0
    this.tokenStart = 0
    this.tokenLength = 0
    this.packetNumberOffset = 0
    this.packetEnd = 0
  }

  /** Destination Connection ID, a view. */
  destination(): Uint8Array {
    return this.buffer.subarray(this.destinationStart, this.destinationStart + this.destinationLength)
  }

  /** Source Connection ID, a view; empty for short headers. */
  source(): Uint8Array {
    return this.buffer.subarray(this.sourceStart, this.sourceStart + this.sourceLength)
  }

  /** Token of an Initial or Retry packet, a view; empty for others. */
  token(): Uint8Array {
    return this.buffer.subarray(this.tokenStart, this.tokenStart + this.tokenLength)
  }

  isLongHeader(): boolean {
    return (this.firstByte & 0x80) !== 0
  }
}

/**
 * Parses the header of the packet at buffer[start, end). Short headers do not say how long their connection ID is:
 * `localConnectionIdLength` is what we issue. `acceptClearFixedBit` is for endpoints that sent grease_quic_bit (RFC 9287 §3).
 */
export function parseHeader(
  view: HeaderView,
  buffer: Uint8Array,
  start: number,
  end: number,
  localConnectionIdLength: number,
  acceptClearFixedBit: boolean = false,
): HeaderResult {
  if (start >= end) return HeaderResult.invalid
  const first = buffer[start]!
  view.buffer = buffer
  view.start = start
  view.firstByte = first
  view.version = 0
  view.sourceStart = start
  view.sourceLength = 0
  view.tokenStart = start
  view.tokenLength = 0
  view.packetEnd = end
  if (first & 0x80) return parseLongHeader(view, end, acceptClearFixedBit)

  // RFC 9000 §17.3.1: "Packets containing a zero value for this bit are not valid packets in this version and MUST be discarded."
  if (!(first & 0x40) && !acceptClearFixedBit) return HeaderResult.invalid
  const packetNumberOffset = start + 1 + localConnectionIdLength
  if (packetNumberOffset >= end) return HeaderResult.invalid
  view.packetType = PacketType.oneRtt
  view.destinationStart = start + 1
  view.destinationLength = localConnectionIdLength
  view.packetNumberOffset = packetNumberOffset
  return HeaderResult.ok
}

function parseLongHeader(view: HeaderView, end: number, acceptClearFixedBit: boolean): HeaderResult {
  const buffer = view.buffer
  const start = view.start
  if (start + 7 > end) return HeaderResult.invalid
  const version = ((buffer[start + 1]! << 24) | (buffer[start + 2]! << 16) | (buffer[start + 3]! << 8) | buffer[start + 4]!) >>> 0
  view.version = version
  const destinationLength = buffer[start + 5]!
  const sourceLengthAt = start + 6 + destinationLength
  if (sourceLengthAt >= end) return HeaderResult.invalid
  const sourceLength = buffer[sourceLengthAt]!
  const position = sourceLengthAt + 1 + sourceLength
  if (position > end) return HeaderResult.invalid
  view.destinationStart = start + 6
  view.destinationLength = destinationLength
  view.sourceStart = sourceLengthAt + 1
  view.sourceLength = sourceLength
  view.packetNumberOffset = position

  if (version === 0) {
    // RFC 8999 §6: a list that is empty or cut short is no Version Negotiation packet.
    if (position === end || (end - position) % 4 !== 0) return HeaderResult.invalid
    view.packetType = PacketType.versionNegotiation
    return HeaderResult.ok
  }
  if (!knownVersion(version)) return HeaderResult.unknownVersion
  // RFC 9000 §17.2: endpoints "that receive a version 1 long header with a value larger than 20 MUST drop the packet".
  // RFC 9369 §3 leaves that as it is.
  if (destinationLength > MAX_CID_LENGTH || sourceLength > MAX_CID_LENGTH) return HeaderResult.invalid
  if (!(view.firstByte & 0x40) && !acceptClearFixedBit) return HeaderResult.invalid
  const packetType = longPacketType(version, view.firstByte)
  view.packetType = packetType
  if (packetType === PacketType.retry) return parseRetry(view, position, end)
  return parseProtected(view, position, end)
}

function parseRetry(view: HeaderView, position: number, end: number): HeaderResult {
  const tokenLength = end - TAG_LENGTH - position
  if (tokenLength < 0) return HeaderResult.invalid
  view.tokenStart = position
  view.tokenLength = tokenLength
  view.packetNumberOffset = end - TAG_LENGTH
  return HeaderResult.ok
}

function parseProtected(view: HeaderView, start: number, end: number): HeaderResult {
  const buffer = view.buffer
  let position = start
  if (view.packetType === PacketType.initial) {
    const tokenLength = readVarint(buffer, position, end)
    if (tokenLength < 0) return HeaderResult.invalid
    position += varintLengthAt(buffer[position]!)
    if (tokenLength > end - position) return HeaderResult.invalid
    view.tokenStart = position
    view.tokenLength = tokenLength
    position += tokenLength
  }
  const length = readVarint(buffer, position, end)
  if (length <= 0) return HeaderResult.invalid
  position += varintLengthAt(buffer[position]!)
  if (length > end - position) return HeaderResult.invalid
  view.packetNumberOffset = position
  view.packetEnd = position + length
  return HeaderResult.ok
}
