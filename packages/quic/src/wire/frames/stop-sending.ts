// STOP_SENDING frames (RFC 9000 §19.5).

import { FrameType } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import type { WireValue } from '../varint.ts'
import { varintSize, varintSizeExact } from '../varint.ts'
import type { Writer } from '../writer.ts'

/** Reused; valid until the next readStopSendingFrame on it. */
export class StopSendingFrame {
  streamId: number
  /** Application error code. */
  errorCode: WireValue

  constructor() {
    this.streamId = 0
    this.errorCode = 0
  }
}

/** Decodes a STOP_SENDING frame whose type has been read. */
export function readStopSendingFrame(reader: Reader, type: number, out: StopSendingFrame): void {
  out.streamId = reader.varint()
  out.errorCode = reader.varintExact()
  if (reader.failed) throw frameEncodingError(type, 'STOP_SENDING frame is cut short or its values are too large')
}

/** Bytes of a STOP_SENDING frame. */
export function stopSendingFrameSize(streamId: number, errorCode: WireValue): number {
  return 1 + varintSize(streamId) + varintSizeExact(errorCode)
}

/** Writes a STOP_SENDING frame. */
export function writeStopSendingFrame(writer: Writer, streamId: number, errorCode: WireValue): void {
  writer.u8(FrameType.stopSending)
  writer.varint(streamId)
  writer.varintExact(errorCode)
}
