// NEW_CONNECTION_ID and RETIRE_CONNECTION_ID (RFC 9000 §5.1, §19.15, §19.16).

import { FrameType, PacketType, TransportErrorCode } from '../../wire/constants.ts'
import { readNewConnectionIdFrame, readRetireConnectionIdFrame } from '../../wire/frames/connection-id.ts'
import { TransportError } from '../../wire/transport-error.ts'
import type { ConnectionCore } from '../core.ts'

export function onConnectionIdFrame(core: Pick<ConnectionCore, 'localIds' | 'remoteIds' | 'receiving'>, type: number): void {
  const { reader } = core.receiving
  if (type === FrameType.newConnectionId) {
    const frame = core.receiving.newConnectionId
    readNewConnectionIdFrame(reader, type, frame)
    core.remoteIds.onNewConnectionId(frame.sequence, frame.retirePriorTo, frame.connectionId, frame.statelessResetToken)
  } else {
    // RFC 9000 §12.5: in 0-RTT there is no connection ID of ours to retire yet, although Table 3 allows the frame.
    if (core.receiving.header.packetType === PacketType.zeroRtt) {
      throw new TransportError(TransportErrorCode.protocolViolation, type, 'RETIRE_CONNECTION_ID in a 0-RTT packet (RFC 9000 §12.5)')
    }
    const frame = core.receiving.retireConnectionId
    readRetireConnectionIdFrame(reader, type, frame)
    core.localIds.onRetireConnectionId(frame.sequence, core.receiving.header.destination())
  }
}
