// What happens to keys and in-flight packets when a packet number space is discarded (RFC 9001 §4.9, RFC 9002 §6.4), and to
// the Initial packets in flight when a Retry starts them over.

import type { SentPacket } from '../../recovery/sent-packet.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { SpaceId } from '../../space/space-id.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import type { PacketType } from '../../wire/constants.ts'
import type { ConnectionCore } from '../core.ts'
import { routeLostPacket } from '../delivery-routes.ts'

/**
 * RFC 9001 §4.9.1, RFC 9002 §6.4: dropping keys takes the space's packets out of flight without a congestion signal
 * and starts the PTO backoff afresh; its tokens have nobody left to care for them.
 */
export function discardSpace(core: ConnectionCore, id: typeof SpaceId.initial | typeof SpaceId.handshake, now: number): void {
  const space = core.spaces.discard(id)
  if (space === null) return
  space.sent.giveBack(takeOutOfFlight(core, space, -1))
  core.pto.onSpaceDiscarded(now)
  const level = id === SpaceId.initial ? EncryptionLevel.initial : EncryptionLevel.handshake
  core.trace?.keyDiscarded(now, level, 'client', -1, 'tls')
  core.trace?.keyDiscarded(now, level, 'server', -1, 'tls')
}

/** RFC 9000 §17.2.5.3, RFC 9002 §6.3: after a Retry everything sent in Initial packets is sent again, with no congestion signal. */
export function forgetInitialFlight(core: ConnectionCore, now: number): void {
  const space = core.spaces.initial
  if (space === null) return
  const packets = takeOutOfFlight(core, space, -1)
  for (const packet of packets) routeLostPacket(core, space, packet)
  space.sent.giveBack(packets)
  core.pto.onSpaceDiscarded(now)
}

/** Packets of one type that nobody will acknowledge: their content is to be said again, with no congestion signal. */
export function forgetFlight(core: ConnectionCore, space: PacketSpace, packetType: PacketType): void {
  const packets = takeOutOfFlight(core, space, packetType)
  for (const packet of packets) routeLostPacket(core, space, packet)
  space.sent.giveBack(packets)
}

function takeOutOfFlight(core: Pick<ConnectionCore, 'paths'>, space: PacketSpace, packetType: PacketType | -1): SentPacket[] {
  const packets = space.sent.drain(packetType)
  for (const packet of packets) if (packet.inFlight) core.paths.ofPacket(packet)?.removeInFlight(packet.size)
  return packets
}
