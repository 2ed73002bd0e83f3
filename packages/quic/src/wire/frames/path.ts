// PATH_CHALLENGE and PATH_RESPONSE frames (RFC 9000 §19.17, §19.18): eight bytes of data each.

import { invariant } from '../../base/assert.ts'
import { EMPTY } from '../../base/bytes.ts'
import { FrameType } from '../constants.ts'
import type { Reader } from '../reader.ts'
import { frameEncodingError } from '../transport-error.ts'
import type { Writer } from '../writer.ts'

/** Length of the Data field, in bytes. */
export const PATH_DATA_LENGTH = 8

/** Bytes of a PATH_CHALLENGE or PATH_RESPONSE frame. */
export const PATH_FRAME_SIZE: number = 1 + PATH_DATA_LENGTH

/** Reused; valid until the next readPathFrame on it. `data` is a view of the packet: copy to keep. */
export class PathFrame {
  data: Uint8Array

  constructor() {
    this.data = EMPTY
  }
}

/** Decodes a PATH_CHALLENGE or PATH_RESPONSE frame whose type has been read. */
export function readPathFrame(reader: Reader, type: number, out: PathFrame): void {
  out.data = reader.view(PATH_DATA_LENGTH)
  if (reader.failed) throw frameEncodingError(type, 'path validation frame is cut short')
}

export function writePathChallengeFrame(writer: Writer, data: Uint8Array): void {
  invariant(data.length === PATH_DATA_LENGTH, 'path validation data of wrong length')
  writer.u8(FrameType.pathChallenge)
  writer.bytes(data)
}

export function writePathResponseFrame(writer: Writer, data: Uint8Array): void {
  invariant(data.length === PATH_DATA_LENGTH, 'path validation data of wrong length')
  writer.u8(FrameType.pathResponse)
  writer.bytes(data)
}
