// A datagram in which nothing can be opened may be the peer's stateless reset (RFC 9000 §10.3.1). Sending them is the endpoint's business.

import { RESET_TOKEN_LENGTH } from '../../wire/constants.ts'
import { MIN_STATELESS_RESET } from '../../wire/stateless-reset.ts'
import { closedSilently } from '../close-reason.ts'
import type { ConnectionCore } from '../core.ts'
import { endSilently } from '../ending.ts'

/** RFC 9000 §10.3: the connection is over when the last 16 bytes are a reset token of the peer, whatever the header. */
export function endByStatelessReset(core: ConnectionCore, datagram: Uint8Array, now: number): void {
  if (datagram.length < MIN_STATELESS_RESET) return
  if (!core.remoteIds.isResetToken(datagram, datagram.length - RESET_TOKEN_LENGTH)) return
  endSilently(core, closedSilently('stateless-reset', 'the peer has no state for this connection (RFC 9000 §10.3)'), now)
}
