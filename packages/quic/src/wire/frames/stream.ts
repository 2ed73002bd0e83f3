// STREAM frames (RFC 9000 §19.8). Data is not copied: the scratch holds positions in the reader's buffer.

import { FrameType } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import { varintSize } from '../varint.ts'
import type { Writer } from '../writer.ts'

const FIN = 0x01
const LEN = 0x02
const OFF = 0x04

/** Reused; valid until the next readStreamFrame on it. */
export class StreamFrame {
  streamId: number
  offset: number
  fin: boolean
  /** Data is reader.buffer[dataStart, dataStart + dataLength). */
  dataStart: number
  dataLength: number

  constructor() {
    this.streamId = 0
    this.offset = 0
    this.fin = false
    this.dataStart = 0
    this.dataLength = 0
  }
}

/** Decodes a STREAM frame whose type (0x08 to 0x0f) has been read. */
export function readStreamFrame(reader: Reader, type: number, out: StreamFrame): void {
  const streamId = reader.varint()
  const offset = type & OFF ? reader.varint() : 0
  const length = type & LEN ? reader.varint() : reader.remaining
  const dataStart = reader.position
  reader.skip(length)
  if (reader.failed) throw frameEncodingError(type, 'STREAM frame is cut short or its values are too large')
  // RFC 9000 §19.8 forbids data beyond 2^62 − 1; here the bound is 2^53 − 1, which no peer reaches either.
  if (offset + length > Number.MAX_SAFE_INTEGER) throw frameEncodingError(type, 'STREAM data beyond the largest offset')
  out.streamId = streamId
  out.offset = offset
  out.fin = (type & FIN) !== 0
  out.dataStart = dataStart
  out.dataLength = length
}

/** Bytes of a STREAM frame before its data; `length` is -1 for a frame without a Length field (the last in its packet). */
export function streamFrameHeaderSize(streamId: number, offset: number, length: number): number {
  return 1 + varintSize(streamId) + (offset > 0 ? varintSize(offset) : 0) + (length >= 0 ? varintSize(length) : 0)
}

/** Writes everything of a STREAM frame but its `length` bytes of data. */
export function writeStreamFrameHeader(
  writer: Writer,
  streamId: number,
  offset: number,
  length: number,
  fin: boolean,
  explicitLength: boolean,
): void {
  writer.u8(FrameType.stream | (offset > 0 ? OFF : 0) | (explicitLength ? LEN : 0) | (fin ? FIN : 0))
  writer.varint(streamId)
  if (offset > 0) writer.varint(offset)
  if (explicitLength) writer.varint(length)
}
