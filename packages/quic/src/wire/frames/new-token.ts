// NEW_TOKEN frames (RFC 9000 §19.7).

import { EMPTY } from '../../base/bytes.ts'
import { FrameType } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import { varintSize } from '../varint.ts'
import type { Writer } from '../writer.ts'

/** Reused; valid until the next readNewTokenFrame on it. `token` is a view of the packet: copy to keep. */
export class NewTokenFrame {
  token: Uint8Array

  constructor() {
    this.token = EMPTY
  }
}

/** Decodes a NEW_TOKEN frame whose type has been read. */
export function readNewTokenFrame(reader: Reader, type: number, out: NewTokenFrame): void {
  const token = reader.view(reader.varint())
  if (reader.failed) throw frameEncodingError(type, 'NEW_TOKEN frame is cut short')
  // RFC 9000 §19.7: "A client MUST treat receipt of a NEW_TOKEN frame with an empty Token field as […] FRAME_ENCODING_ERROR."
  if (token.length === 0) throw frameEncodingError(type, 'NEW_TOKEN frame with an empty token')
  out.token = token
}

/** Bytes of a NEW_TOKEN frame. */
export function newTokenFrameSize(tokenLength: number): number {
  return 1 + varintSize(tokenLength) + tokenLength
}

/** Writes a NEW_TOKEN frame; the token must not be empty. */
export function writeNewTokenFrame(writer: Writer, token: Uint8Array): void {
  writer.u8(FrameType.newToken)
  writer.varint(token.length)
  writer.bytes(token)
}
