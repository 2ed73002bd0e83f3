// NEW_CONNECTION_ID and RETIRE_CONNECTION_ID (RFC 9000 §5.1, §19.15, §19.16).

import { FrameType } from '../../wire/constants.ts'
import { readNewConnectionIdFrame, readRetireConnectionIdFrame } from '../../wire/frames/connection-id.ts'
import type { ConnectionCore } from '../core.ts'

export function onConnectionIdFrame(core: Pick<ConnectionCore, 'localIds' | 'remoteIds' | 'receiving'>, type: number): void {
  const { reader } = core.receiving
  if (type === FrameType.newConnectionId) {
    const frame = core.receiving.newConnectionId
    readNewConnectionIdFrame(reader, type, frame)
    core.remoteIds.onNewConnectionId(frame.sequence, frame.retirePriorTo, frame.connectionId, frame.statelessResetToken)
  } else {
    const frame = core.receiving.retireConnectionId
    readRetireConnectionIdFrame(reader, type, frame)
    core.localIds.onRetireConnectionId(frame.sequence, core.receiving.header.destination())
  }
}
