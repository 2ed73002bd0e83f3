// A packet that cannot be opened may be the peer's stateless reset (RFC 9000 §10.3.1). Sending them is the endpoint's business.

import { PacketType, RESET_TOKEN_LENGTH } from '../../wire/constants.ts'
import { MIN_STATELESS_RESET } from '../../wire/stateless-reset.ts'
import { closedSilently } from '../close-reason.ts'
import type { ConnectionCore } from '../core.ts'
import { endSilently } from '../ending.ts'

/** RFC 9000 §10.3.1: true when the last 16 bytes were a reset token of the peer, and the connection is over. */
export function endsByStatelessReset(core: ConnectionCore, now: number): boolean {
  const { header } = core.receiving
  if (header.packetType !== PacketType.oneRtt) return false
  if (header.packetEnd - header.start < MIN_STATELESS_RESET) return false
  if (!core.remoteIds.isResetToken(header.buffer, header.packetEnd - RESET_TOKEN_LENGTH)) return false
  endSilently(core, closedSilently('stateless-reset', 'the peer has no state for this connection (RFC 9000 §10.3)'), now)
  return true
}
