/**
 * HTTP/3 error codes (RFC 9114 §8.1, RFC 9204 §6, RFC 9297 §5.2) and the two kinds of error of this package:
 * `H3Error` is what peer input can raise (it never leaves the package: it becomes an event), `H3StateError` is
 * what a wrong call raises, before anything is sent.
 */

export const H3ErrorCode = {
  noError: 0x100,
  generalProtocolError: 0x101,
  internalError: 0x102,
  streamCreationError: 0x103,
  closedCriticalStream: 0x104,
  frameUnexpected: 0x105,
  frameError: 0x106,
  excessiveLoad: 0x107,
  idError: 0x108,
  settingsError: 0x109,
  missingSettings: 0x10a,
  requestRejected: 0x10b,
  requestCancelled: 0x10c,
  requestIncomplete: 0x10d,
  messageError: 0x10e,
  connectError: 0x10f,
  versionFallback: 0x110,
  datagramError: 0x33,
  qpackDecompressionFailed: 0x200,
  qpackEncoderStreamError: 0x201,
  qpackDecoderStreamError: 0x202,
} as const

/** A code this package can raise itself. Codes that come from the peer are any 62-bit value. */
export type H3ErrorCode = (typeof H3ErrorCode)[keyof typeof H3ErrorCode]

const NAMES: ReadonlyMap<number, string> = new Map([
  [0x100, 'H3_NO_ERROR'],
  [0x101, 'H3_GENERAL_PROTOCOL_ERROR'],
  [0x102, 'H3_INTERNAL_ERROR'],
  [0x103, 'H3_STREAM_CREATION_ERROR'],
  [0x104, 'H3_CLOSED_CRITICAL_STREAM'],
  [0x105, 'H3_FRAME_UNEXPECTED'],
  [0x106, 'H3_FRAME_ERROR'],
  [0x107, 'H3_EXCESSIVE_LOAD'],
  [0x108, 'H3_ID_ERROR'],
  [0x109, 'H3_SETTINGS_ERROR'],
  [0x10a, 'H3_MISSING_SETTINGS'],
  [0x10b, 'H3_REQUEST_REJECTED'],
  [0x10c, 'H3_REQUEST_CANCELLED'],
  [0x10d, 'H3_REQUEST_INCOMPLETE'],
  [0x10e, 'H3_MESSAGE_ERROR'],
  [0x10f, 'H3_CONNECT_ERROR'],
  [0x110, 'H3_VERSION_FALLBACK'],
  [0x33, 'H3_DATAGRAM_ERROR'],
  [0x200, 'QPACK_DECOMPRESSION_FAILED'],
  [0x201, 'QPACK_ENCODER_STREAM_ERROR'],
  [0x202, 'QPACK_DECODER_STREAM_ERROR'],
])

/** The standards' name of an HTTP/3 or QPACK error code, or its hexadecimal form when it has none. */
export function h3ErrorName(code: number | bigint): string {
  return NAMES.get(Number(code)) ?? `0x${code.toString(16)}`
}

/** Raised by peer input. `scope` says what has to end: the connection, or the one request stream. */
export class H3Error extends Error {
  override readonly name: string = 'H3Error'
  readonly wireCode: H3ErrorCode
  readonly scope: 'connection' | 'stream'
  /** The standards' name, such as `H3_FRAME_UNEXPECTED`. */
  readonly code: string

  constructor(wireCode: H3ErrorCode, scope: 'connection' | 'stream', message: string) {
    super(message)
    this.wireCode = wireCode
    this.scope = scope
    this.code = h3ErrorName(wireCode)
  }
}

export type H3StateErrorCode =
  | 'H3_GOAWAY_RECEIVED' // a request after the peer's GOAWAY: use another connection
  | 'H3_WRONG_ROLE' // a client's call on a server or the other way round
  | 'H3_NOT_STARTED' // start() comes first
  | 'H3_CONNECTION_CLOSED' // after 'connection-error'
  | 'H3_INVALID_FIELDS' // a field section that would be malformed
  | 'H3_FIELD_SECTION_TOO_LARGE' // beyond the peer's SETTINGS_MAX_FIELD_SECTION_SIZE
  | 'H3_MESSAGE_STATE' // body before headers, anything after trailers or fin, …
  | 'H3_EXTENDED_CONNECT_DISABLED' // :protocol before the peer's SETTINGS_ENABLE_CONNECT_PROTOCOL = 1
  | 'H3_INVALID_ID' // a GOAWAY identifier that is not allowed
  | 'H3_INVALID_ORIGIN' // sendOrigin with what is no ASCII origin, or too much of it

/** Raised by a wrong call; nothing has been sent and no state has changed. */
export class H3StateError extends Error {
  override readonly name: string = 'H3StateError'
  readonly code: H3StateErrorCode

  constructor(code: H3StateErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

export function connectionError(wireCode: H3ErrorCode, message: string): H3Error {
  return new H3Error(wireCode, 'connection', message)
}

export function streamError(wireCode: H3ErrorCode, message: string): H3Error {
  return new H3Error(wireCode, 'stream', message)
}
