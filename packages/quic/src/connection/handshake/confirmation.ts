// Completion, confirmation and the discarding of keys: one function per rule of RFC 9001 §4.1 and §4.9.

import type { SentPacket } from '../../recovery/sent-packet.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { SpaceId } from '../../space/space-id.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import type { ConnectionCore } from '../core.ts'
import { routeLostPacket } from '../delivery-routes.ts'

/** RFC 9001 §4.1.1: TLS has sent and verified both Finished messages. */
export function onHandshakeComplete(core: ConnectionCore, now: number): void {
  core.lifecycle.onEstablished()
  core.handshake.duration = now - core.handshake.startedAt
  core.trace?.connectionStateUpdated(now, 'handshake_complete')
  core.events.push({ kind: 'established' })
  if (core.role === 'server') {
    // RFC 9001 §4.1.2: on a server completion is confirmation, told to the client with HANDSHAKE_DONE.
    core.handshake.oweHandshakeDone()
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
}

/**
 * RFC 9001 §4.9.1, RFC 9002 §6.4: dropping keys takes the space's packets out of flight without a congestion signal
 * and starts the PTO backoff afresh; its tokens have nobody left to care for them.
 */
export function discardSpace(core: ConnectionCore, id: typeof SpaceId.initial | typeof SpaceId.handshake, now: number): void {
  const space = core.spaces.discard(id)
  if (space === null) return
  space.sent.giveBack(takeOutOfFlight(core, space))
  core.pto.onSpaceDiscarded(now)
  const level = id === SpaceId.initial ? EncryptionLevel.initial : EncryptionLevel.handshake
  core.trace?.keyDiscarded(now, level, 'client', -1, 'tls')
  core.trace?.keyDiscarded(now, level, 'server', -1, 'tls')
}

/** RFC 9000 §17.2.5.3, RFC 9002 §6.3: after a Retry everything sent in Initial packets is sent again, with no congestion signal. */
export function forgetInitialFlight(core: ConnectionCore, now: number): void {
  const space = core.spaces.initial
  if (space === null) return
  const packets = takeOutOfFlight(core, space)
  for (const packet of packets) routeLostPacket(core, space, packet)
  space.sent.giveBack(packets)
  core.pto.onSpaceDiscarded(now)
}

function takeOutOfFlight(core: Pick<ConnectionCore, 'paths'>, space: PacketSpace): SentPacket[] {
  const packets = space.sent.drain(-1)
  for (const packet of packets) if (packet.inFlight) core.paths.ofPacket(packet)?.removeInFlight(packet.size)
  return packets
}
