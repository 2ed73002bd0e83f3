// CONNECTION_CLOSE frames (RFC 9000 §19.19): type 0x1c from the transport, 0x1d from the application.

import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { FrameType } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import type { WireValue } from '../varint.ts'
import { varintSize, varintSizeExact } from '../varint.ts'
import type { Writer } from '../writer.ts'

/** Longest reason phrase written, in bytes. */
export const MAX_REASON_LENGTH = 512

/** Reused; valid until the next readConnectionCloseFrame on it. */
export class ConnectionCloseFrame {
  /** True for type 0x1d. */
  application: boolean
  errorCode: WireValue
  /** Type of the offending frame; 0 when unknown or `application`. Clamped to 2^53 − 1. */
  frameType: number
  /** UTF-8 on the wire; malformed bytes have become U+FFFD. */
  reason: string

  constructor() {
    this.application = false
    this.errorCode = 0
    this.frameType = 0
    this.reason = ''
  }
}

/** Decodes a CONNECTION_CLOSE frame whose type (0x1c or 0x1d) has been read. */
export function readConnectionCloseFrame(reader: Reader, type: number, out: ConnectionCloseFrame): void {
  const application = type === FrameType.connectionCloseApplication
  const errorCode = reader.varintExact()
  const frameType = application ? 0 : reader.varintSaturating()
  const reason = reader.view(reader.varint())
  if (reader.failed) throw frameEncodingError(type, 'CONNECTION_CLOSE frame is cut short')
  out.application = application
  out.errorCode = errorCode
  out.frameType = frameType
  out.reason = fromUtf8(reason)
}

/** Bytes of a CONNECTION_CLOSE frame with a reason phrase of `reasonLength` bytes; `frameType` only counts for 0x1c. */
export function connectionCloseFrameSize(application: boolean, errorCode: WireValue, frameType: number, reasonLength: number): number {
  return 1 + varintSizeExact(errorCode) + (application ? 0 : varintSize(frameType)) + varintSize(reasonLength) + reasonLength
}

/**
 * Writes a CONNECTION_CLOSE frame, the reason shortened to what fits (at most 512 bytes, whole characters). Returns
 * false, having written nothing, when it does not fit even without a reason.
 */
export function writeConnectionCloseFrame(
  writer: Writer,
  application: boolean,
  errorCode: WireValue,
  frameType: number,
  reason: string,
): boolean {
  // 1 of the bytes counted here is the reason length; a second is set aside when the reason may be longer than 63.
  const room = writer.remaining - connectionCloseFrameSize(application, errorCode, frameType, 0)
  if (room < 0) return false
  const phrase = utf8(reason)
  const length = wholeCharacters(phrase, Math.min(room > 63 ? room - 1 : room, MAX_REASON_LENGTH))
  writer.u8(application ? FrameType.connectionCloseApplication : FrameType.connectionClose)
  writer.varintExact(errorCode)
  if (!application) writer.varint(frameType)
  writer.varint(length)
  writer.bytes(phrase, 0, length)
  return true
}

/** The largest prefix of at most `limit` bytes that does not cut a UTF-8 sequence. */
function wholeCharacters(phrase: Uint8Array, limit: number): number {
  if (phrase.length <= limit) return phrase.length
  let length = limit
  while (length > 0 && (phrase[length]! & 0xc0) === 0x80) length--
  return length
}
