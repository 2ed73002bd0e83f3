// The CONNECTION_CLOSE frame of a packet (RFC 9000 §10.2.3, §19.19): an application's code and words never travel in
// packets that anybody on the path can read.

import { SpaceId } from '../../space/space-id.ts'
import { FrameType, TransportErrorCode } from '../../wire/constants.ts'
import { writeConnectionCloseFrame } from '../../wire/frames/close.ts'
import type { CloseReason } from '../close-reason.ts'
import type { PacketBuilder } from './packet-builder.ts'

/** False when the frame does not fit. */
export function writeClose(packet: PacketBuilder, reason: CloseReason, space: SpaceId): boolean {
  if (reason.application && space !== SpaceId.application) {
    return writeConnectionCloseFrame(packet.writer, false, TransportErrorCode.applicationError, FrameType.padding, '')
  }
  return writeConnectionCloseFrame(packet.writer, reason.application, reason.code, reason.frameType, reason.reason)
}
