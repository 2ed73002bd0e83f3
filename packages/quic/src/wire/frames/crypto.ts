// CRYPTO frames (RFC 9000 §19.6). Data is not copied: the scratch holds positions in the reader's buffer.

import { FrameType } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import { varintSize } from '../varint.ts'
import type { Writer } from '../writer.ts'

/** Reused; valid until the next readCryptoFrame on it. */
export class CryptoFrame {
  offset: number
  /** Data is reader.buffer[dataStart, dataStart + dataLength). */
  dataStart: number
  dataLength: number

  constructor() {
    this.offset = 0
    this.dataStart = 0
    this.dataLength = 0
  }
}

/** Decodes a CRYPTO frame whose type has been read. */
export function readCryptoFrame(reader: Reader, type: number, out: CryptoFrame): void {
  const offset = reader.varint()
  const length = reader.varint()
  const dataStart = reader.position
  reader.skip(length)
  if (reader.failed) throw frameEncodingError(type, 'CRYPTO frame is cut short or its values are too large')
  if (offset + length > Number.MAX_SAFE_INTEGER) throw frameEncodingError(type, 'CRYPTO data beyond the largest offset')
  out.offset = offset
  out.dataStart = dataStart
  out.dataLength = length
}

/** Bytes of a CRYPTO frame before its data. */
export function cryptoFrameHeaderSize(offset: number, length: number): number {
  return 1 + varintSize(offset) + varintSize(length)
}

/** Writes everything of a CRYPTO frame but its `length` bytes of data. */
export function writeCryptoFrameHeader(writer: Writer, offset: number, length: number): void {
  writer.u8(FrameType.crypto)
  writer.varint(offset)
  writer.varint(length)
}
