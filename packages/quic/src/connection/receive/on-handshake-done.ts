// HANDSHAKE_DONE (RFC 9000 §19.20): confirms the handshake on a client; a server must never see it.

import { FrameType, TransportErrorCode } from '../../wire/constants.ts'
import { TransportError } from '../../wire/transport-error.ts'
import type { ConnectionCore } from '../core.ts'
import { onHandshakeConfirmed } from '../handshake/confirmation.ts'

export function onHandshakeDone(core: ConnectionCore, now: number): void {
  if (core.role === 'server') {
    throw new TransportError(TransportErrorCode.protocolViolation, FrameType.handshakeDone, 'HANDSHAKE_DONE from a client (RFC 9000 §19.20)')
  }
  onHandshakeConfirmed(core, now)
}
