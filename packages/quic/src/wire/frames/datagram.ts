// DATAGRAM frames (RFC 9221 §4). Data is not copied: the scratch holds positions in the reader's buffer.

import { FrameType } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import { varintSize } from '../varint.ts'
import type { Writer } from '../writer.ts'

/** Reused; valid until the next readDatagramFrame on it. */
export class DatagramFrame {
  /** Data is reader.buffer[dataStart, dataStart + dataLength). */
  dataStart: number
  dataLength: number

  constructor() {
    this.dataStart = 0
    this.dataLength = 0
  }
}

/** Decodes a DATAGRAM frame whose type (0x30 or 0x31) has been read. */
export function readDatagramFrame(reader: Reader, type: number, out: DatagramFrame): void {
  const length = type === FrameType.datagramWithLength ? reader.varint() : reader.remaining
  const dataStart = reader.position
  reader.skip(length)
  if (reader.failed) throw frameEncodingError(type, 'DATAGRAM frame is cut short')
  out.dataStart = dataStart
  out.dataLength = length
}

/** Bytes of a DATAGRAM frame with a Length field and `length` bytes of data. */
export function datagramFrameSize(length: number): number {
  return 1 + varintSize(length) + length
}

/** Writes a DATAGRAM frame with a Length field, data included. */
export function writeDatagramFrame(writer: Writer, data: Uint8Array): void {
  writer.u8(FrameType.datagramWithLength)
  writer.varint(data.length)
  writer.bytes(data)
}
