// The eight frames that raise or lament a limit (RFC 9000 §19.9 to §19.14): a type, a stream ID for two of them, a
// maximum. Byte limits above 2^53 − 1 are clamped; stream limits above 2^60 are errors.

import { FrameType, MAX_STREAMS_LIMIT } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import { varintSize } from '../varint.ts'
import type { Writer } from '../writer.ts'

/** Reused; valid until the next readFlowControlFrame on it. */
export class FlowControlFrame {
  /** MAX_STREAM_DATA and STREAM_DATA_BLOCKED; -1 for others. */
  streamId: number
  /** Bytes, or streams for MAX_STREAMS and STREAMS_BLOCKED; clamped to 2^53 − 1. */
  maximum: number

  constructor() {
    this.streamId = -1
    this.maximum = 0
  }
}

/** Decodes any frame of types 0x10 to 0x17 whose type has been read. */
export function readFlowControlFrame(reader: Reader, type: number, out: FlowControlFrame): void {
  const ofStream = type === FrameType.maxStreamData || type === FrameType.streamDataBlocked
  const ofStreams = (type & 0x3e) === FrameType.maxStreamsBidi || (type & 0x3e) === FrameType.streamsBlockedBidi
  out.streamId = ofStream ? reader.varint() : -1
  out.maximum = ofStreams ? readStreamLimit(reader, type) : reader.varintSaturating()
  if (reader.failed) throw frameEncodingError(type, 'flow control frame is cut short or its stream ID is too large')
}

function readStreamLimit(reader: Reader, type: number): number {
  const limit = reader.varintExact()
  // RFC 9000 §19.11, §19.14: "This value cannot exceed 2^60, as it is not possible to encode stream IDs larger than 2^62-1."
  if (limit > MAX_STREAMS_LIMIT) throw frameEncodingError(type, 'stream limit above 2^60')
  return typeof limit === 'number' ? limit : Number.MAX_SAFE_INTEGER
}

/** Bytes of MAX_DATA, MAX_STREAMS, DATA_BLOCKED or STREAMS_BLOCKED. */
export function limitFrameSize(maximum: number): number {
  return 1 + varintSize(maximum)
}

/** Bytes of MAX_STREAM_DATA or STREAM_DATA_BLOCKED. */
export function streamLimitFrameSize(streamId: number, maximum: number): number {
  return 1 + varintSize(streamId) + varintSize(maximum)
}

export function writeMaxDataFrame(writer: Writer, maximum: number): void {
  writer.u8(FrameType.maxData)
  writer.varint(maximum)
}

export function writeMaxStreamDataFrame(writer: Writer, streamId: number, maximum: number): void {
  writer.u8(FrameType.maxStreamData)
  writer.varint(streamId)
  writer.varint(maximum)
}

export function writeMaxStreamsFrame(writer: Writer, bidirectional: boolean, maximum: number): void {
  writer.u8(bidirectional ? FrameType.maxStreamsBidi : FrameType.maxStreamsUni)
  writer.varint(maximum)
}

export function writeDataBlockedFrame(writer: Writer, maximum: number): void {
  writer.u8(FrameType.dataBlocked)
  writer.varint(maximum)
}

export function writeStreamDataBlockedFrame(writer: Writer, streamId: number, maximum: number): void {
  writer.u8(FrameType.streamDataBlocked)
  writer.varint(streamId)
  writer.varint(maximum)
}

export function writeStreamsBlockedFrame(writer: Writer, bidirectional: boolean, maximum: number): void {
  writer.u8(bidirectional ? FrameType.streamsBlockedBidi : FrameType.streamsBlockedUni)
  writer.varint(maximum)
}
