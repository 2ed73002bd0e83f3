// RFC 9000 Table 3 (with RFC 9221 §4, RESET_STREAM_AT and draft-ietf-quic-ack-frequency §4, §5) as data: which frame may stand in which
// packet, and what it means for acknowledgment, congestion control and path probing. All lookups are by index; unknown types
// answer false.

import { PacketType } from './constants.ts'
import type { Reader } from './reader.ts'
import { varintLengthAt, varintSize } from './varint.ts'

const I = 1 << PacketType.initial
const H = 1 << PacketType.handshake
const Z = 1 << PacketType.zeroRtt
const O = 1 << PacketType.oneRtt

// Spec column: N not ack-eliciting, P probing. The others (C, F) are nobody's question.
const N = 1
const P = 2

type Row = readonly [first: number, last: number, name: string, packets: number, spec: number]

const TABLE: readonly Row[] = [
  [0x00, 0x00, 'PADDING', I | H | Z | O, N | P],
  [0x01, 0x01, 'PING', I | H | Z | O, 0],
  [0x02, 0x03, 'ACK', I | H | O, N],
  [0x04, 0x04, 'RESET_STREAM', Z | O, 0],
  [0x05, 0x05, 'STOP_SENDING', Z | O, 0],
  [0x06, 0x06, 'CRYPTO', I | H | O, 0],
  [0x07, 0x07, 'NEW_TOKEN', O, 0],
  [0x08, 0x0f, 'STREAM', Z | O, 0],
  [0x10, 0x10, 'MAX_DATA', Z | O, 0],
  [0x11, 0x11, 'MAX_STREAM_DATA', Z | O, 0],
  [0x12, 0x13, 'MAX_STREAMS', Z | O, 0],
  [0x14, 0x14, 'DATA_BLOCKED', Z | O, 0],
  [0x15, 0x15, 'STREAM_DATA_BLOCKED', Z | O, 0],
  [0x16, 0x17, 'STREAMS_BLOCKED', Z | O, 0],
  [0x18, 0x18, 'NEW_CONNECTION_ID', Z | O, P],
  [0x19, 0x19, 'RETIRE_CONNECTION_ID', Z | O, 0],
  [0x1a, 0x1a, 'PATH_CHALLENGE', Z | O, P],
  [0x1b, 0x1b, 'PATH_RESPONSE', O, P],
  [0x1c, 0x1c, 'CONNECTION_CLOSE', I | H | Z | O, N],
  [0x1d, 0x1d, 'CONNECTION_CLOSE', Z | O, N],
  [0x1e, 0x1e, 'HANDSHAKE_DONE', O, 0],
  [0x1f, 0x1f, 'IMMEDIATE_ACK', O, 0],
  // draft-ietf-quic-reliable-stream-reset: legal only where we announced reset_stream_at, which its handler checks.
  [0x24, 0x24, 'RESET_STREAM_AT', Z | O, 0],
  [0x30, 0x31, 'DATAGRAM', Z | O, 0],
  [0xaf, 0xaf, 'ACK_FREQUENCY', O, 0],
]

const TYPES = 0xb0
const names: string[] = new Array<string>(TYPES).fill('UNKNOWN')
const packets: Uint8Array = new Uint8Array(TYPES)
const specs: Uint8Array = new Uint8Array(TYPES)
for (const [first, last, name, packetMask, spec] of TABLE) {
  for (let type = first; type <= last; type++) {
    names[type] = name
    packets[type] = packetMask
    specs[type] = spec
  }
}

function has(type: number, flag: number): boolean {
  return type < TYPES && (specs[type]! & flag) !== 0
}

/** The RFC's name of a frame type; 'UNKNOWN' for others. */
export function frameName(type: number): string {
  return type < TYPES ? names[type]! : 'UNKNOWN'
}

/** False for frame types that are not ours: receiving one is FRAME_ENCODING_ERROR (RFC 9000 §12.4). */
export function isKnownFrame(type: number): boolean {
  return type < TYPES && packets[type] !== 0
}

/** "Pkts" column: receiving a frame in another packet is PROTOCOL_VIOLATION. `packetType` is a PacketType. */
export function allowedAt(type: number, packetType: number): boolean {
  return type < TYPES && (packets[type]! & (1 << packetType)) !== 0
}

/** RFC 9002 §2: true for known frames other than ACK, PADDING and CONNECTION_CLOSE. */
export function isAckEliciting(type: number): boolean {
  return isKnownFrame(type) && !has(type, N)
}

/** RFC 9000 §9.1: packets with only probing frames do not migrate the connection. */
export function isProbing(type: number): boolean {
  return has(type, P)
}

/** readFrameType: the type is cut short. */
export const FRAME_TYPE_TRUNCATED = -1
/** readFrameType: the type is not in its shortest encoding (RFC 9000 §12.4: MAY be PROTOCOL_VIOLATION). */
export const FRAME_TYPE_NOT_MINIMAL = -2

/** Reads the type of the next frame; negative values are the constants above. Types above 2^53 − 1 come back clamped. */
export function readFrameType(reader: Reader): number {
  if (reader.position >= reader.end) return FRAME_TYPE_TRUNCATED
  const first = reader.buffer[reader.position]!
  if (first < 0x40) {
    reader.position++
    return first
  }
  const type = reader.varintSaturating()
  if (reader.failed) return FRAME_TYPE_TRUNCATED
  return varintSize(type) === varintLengthAt(first) ? type : FRAME_TYPE_NOT_MINIMAL
}
