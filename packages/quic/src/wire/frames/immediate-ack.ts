// IMMEDIATE_ACK frames (draft-ietf-quic-ack-frequency §5): nothing but their type.

import { FrameType } from '../constants.ts'
import type { Writer } from '../writer.ts'

/** Bytes of an IMMEDIATE_ACK frame. */
export const IMMEDIATE_ACK_FRAME_SIZE = 1

/** Writes an IMMEDIATE_ACK frame. */
export function writeImmediateAckFrame(writer: Writer): void {
  writer.u8(FrameType.immediateAck)
}
