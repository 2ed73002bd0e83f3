// Completion and confirmation of the handshake: one function per rule of RFC 9001 §4.1.

import { SpaceId } from '../../space/space-id.ts'
import type { ConnectionCore } from '../core.ts'
import { followPreferredAddress } from '../migration.ts'
import { discardSpace } from './discard-space.ts'

/** RFC 9001 §4.1.1: TLS has sent and verified both Finished messages. */
export function onHandshakeComplete(core: ConnectionCore, now: number): void {
  core.lifecycle.onEstablished()
  core.handshake.duration = now - core.handshake.startedAt
  core.trace?.connectionStateUpdated(now, 'handshake_complete')
  core.events.push({ kind: 'established' })
  if (core.role === 'server') {
    // RFC 9001 §4.1.2: on a server completion is confirmation, told to the client with HANDSHAKE_DONE.
    core.handshake.oweHandshakeDone()
    core.newToken.issue(core.paths.active.address.remote, core.handshake.version, now)
    onHandshakeConfirmed(core, now)
  }
  // RFC 9000 §5.1.1: spare connection IDs go out once 1-RTT packets can carry them.
  const parameters = core.handshake.peerParameters
  if (parameters !== null) core.localIds.setPeerLimit(parameters.activeConnectionIdLimit)
}

/** RFC 9001 §4.1.2 and §4.9.2: confirmed; Handshake keys have done their work. */
export function onHandshakeConfirmed(core: ConnectionCore, now: number): void {
  if (core.lifecycle.state === 'confirmed') return
  core.lifecycle.onConfirmed()
  core.handshake.peerAddressValidated = true
  discardSpace(core, SpaceId.handshake, now)
  core.trace?.connectionStateUpdated(now, 'handshake_confirmed')
  core.events.push({ kind: 'confirmed' })
  followPreferredAddress(core, now)
}
