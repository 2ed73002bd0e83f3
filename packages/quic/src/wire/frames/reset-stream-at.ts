// RESET_STREAM_AT frames (draft-ietf-quic-reliable-stream-reset §4).

import { FrameType } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import type { WireValue } from '../varint.ts'
import { varintSize, varintSizeExact } from '../varint.ts'
import type { Writer } from '../writer.ts'

/** Reused; valid until the next readResetStreamAtFrame on it. */
export class ResetStreamAtFrame {
  streamId: number
  /** Application error code. */
  errorCode: WireValue
  /** In bytes. */
  finalSize: number
  /** Bytes that are delivered all the same; at most `finalSize`. */
  reliableSize: number

  constructor() {
    this.streamId = 0
    this.errorCode = 0
    this.finalSize = 0
    this.reliableSize = 0
  }
}

/** Decodes a RESET_STREAM_AT frame whose type has been read. */
export function readResetStreamAtFrame(reader: Reader, type: number, out: ResetStreamAtFrame): void {
  out.streamId = reader.varint()
  out.errorCode = reader.varintExact()
  out.finalSize = reader.varint()
  out.reliableSize = reader.varint()
  if (reader.failed) throw frameEncodingError(type, 'RESET_STREAM_AT frame is cut short or its values are too large')
  if (out.reliableSize > out.finalSize) throw frameEncodingError(type, 'RESET_STREAM_AT frame with a Reliable Size above its Final Size')
}

/** Bytes of a RESET_STREAM_AT frame. */
export function resetStreamAtFrameSize(streamId: number, errorCode: WireValue, finalSize: number, reliableSize: number): number {
  return 1 + varintSize(streamId) + varintSizeExact(errorCode) + varintSize(finalSize) + varintSize(reliableSize)
}

/** Writes a RESET_STREAM_AT frame. */
export function writeResetStreamAtFrame(
  writer: Writer,
  streamId: number,
  errorCode: WireValue,
  finalSize: number,
  reliableSize: number,
): void {
  writer.u8(FrameType.resetStreamAt)
  writer.varint(streamId)
  writer.varintExact(errorCode)
  writer.varint(finalSize)
  writer.varint(reliableSize)
}
