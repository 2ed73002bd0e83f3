// RESET_STREAM frames (RFC 9000 §19.4).

import { FrameType } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import type { WireValue } from '../varint.ts'
import { varintSize, varintSizeExact } from '../varint.ts'
import type { Writer } from '../writer.ts'

/** Reused; valid until the next readResetStreamFrame on it. */
export class ResetStreamFrame {
  streamId: number
  /** Application error code. */
  errorCode: WireValue
  /** In bytes. */
  finalSize: number

  constructor() {
    this.streamId = 0
    this.errorCode = 0
    this.finalSize = 0
  }
}

/** Decodes a RESET_STREAM frame whose type has been read. */
export function readResetStreamFrame(reader: Reader, type: number, out: ResetStreamFrame): void {
  out.streamId = reader.varint()
  out.errorCode = reader.varintExact()
  out.finalSize = reader.varint()
  if (reader.failed) throw frameEncodingError(type, 'RESET_STREAM frame is cut short or its values are too large')
}

/** Bytes of a RESET_STREAM frame. */
export function resetStreamFrameSize(streamId: number, errorCode: WireValue, finalSize: number): number {
  return 1 + varintSize(streamId) + varintSizeExact(errorCode) + varintSize(finalSize)
}

/** Writes a RESET_STREAM frame. */
export function writeResetStreamFrame(writer: Writer, streamId: number, errorCode: WireValue, finalSize: number): void {
  writer.u8(FrameType.resetStream)
  writer.varint(streamId)
  writer.varintExact(errorCode)
  writer.varint(finalSize)
}
