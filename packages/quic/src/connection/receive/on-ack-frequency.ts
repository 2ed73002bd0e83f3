// ACK_FREQUENCY and IMMEDIATE_ACK frames (draft-ietf-quic-ack-frequency §4, §5): the peer says when it wants acknowledgments.

import type { PacketSpace } from '../../space/packet-space.ts'
import { FrameType, TransportErrorCode } from '../../wire/constants.ts'
import { readAckFrequencyFrame } from '../../wire/frames/ack-frequency.ts'
import { TransportError, frameEncodingError } from '../../wire/transport-error.ts'
import { minAckDelay } from '../config.ts'
import type { ConnectionCore } from '../core.ts'

/** RFC 9000 §18.2: "values of 2^14 or greater are invalid". Milliseconds. */
const MAX_ACK_DELAY_LIMIT: number = 2 ** 14

export function onAckFrequencyFrame(core: Pick<ConnectionCore, 'receiving' | 'settings'>, type: number, space: PacketSpace): void {
  const least = minAckDelay(core.settings)
  // RFC 9000 §12.4: without min_ack_delay these are types we do not know.
  if (least < 0) throw frameEncodingError(type, 'frame of the ACK frequency extension, which was not announced')
  if (type === FrameType.immediateAck) {
    space.ackPolicy.onImmediateAck()
    return
  }
  const frame = core.receiving.ackFrequency
  readAckFrequencyFrame(core.receiving.reader, type, frame)
  // draft §4: "Receipt of an invalid value MUST be treated as a connection error of type PROTOCOL_VIOLATION."
  if (frame.maxAckDelay < least || frame.maxAckDelay >= MAX_ACK_DELAY_LIMIT * 1000) {
    throw new TransportError(TransportErrorCode.protocolViolation, type, 'Requested Max Ack Delay below min_ack_delay or too large')
  }
  space.ackPolicy.onFrequency(frame.sequence, frame.ackElicitingThreshold, frame.maxAckDelay / 1000, frame.reorderingThreshold)
}
