// NEW_TOKEN (RFC 9000 §8.1.3, §19.7): checked, and kept for a later connection to the same server.

import { FrameType, TransportErrorCode } from '../../wire/constants.ts'
import { readNewTokenFrame } from '../../wire/frames/new-token.ts'
import { TransportError } from '../../wire/transport-error.ts'
import type { ConnectionCore } from '../core.ts'

export function onNewToken(core: Pick<ConnectionCore, 'role' | 'receiving' | 'handshake' | 'serverTokens'>): void {
  readNewTokenFrame(core.receiving.reader, FrameType.newToken, core.receiving.newToken)
  if (core.role === 'server') {
    throw new TransportError(TransportErrorCode.protocolViolation, FrameType.newToken, 'NEW_TOKEN from a client (RFC 9000 §19.7)')
  }
  core.serverTokens.put(core.receiving.newToken.token, core.handshake.version)
}
