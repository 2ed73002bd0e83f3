// What may happen to a packet before anything of it is decrypted: one decision over packet type, life stage and role.
// The only file that says Retry, Version Negotiation and "too early".

import { equalBytes } from '../../base/bytes.ts'
import { SpaceId } from '../../space/space-id.ts'
import { MIN_INITIAL_DATAGRAM, PacketType } from '../../wire/constants.ts'
import type { HeaderView } from '../../wire/header.ts'
import type { ConnectionCore } from '../core.ts'
import { EarlyState } from '../handshake/early-data.ts'

export const GateDecision = { take: 0, drop: 1, defer: 2, retry: 3, versionNegotiation: 4, takeOtherVersion: 5 } as const
export type GateDecision = (typeof GateDecision)[keyof typeof GateDecision]

type GateContext = Pick<ConnectionCore, 'role' | 'lifecycle' | 'spaces' | 'handshake' | 'versions' | 'early'>

export function admit(core: GateContext, header: HeaderView, datagramSize: number): GateDecision {
  const lifecycle = core.lifecycle
  if (!lifecycle.isOpen()) {
    // RFC 9000 §10.2.1: packets that arrive while closing are answered with the close, not processed.
    if (lifecycle.state === 'closing') lifecycle.onPacketWhileClosing(header.packetEnd - header.start)
    return GateDecision.drop
  }
  switch (header.packetType) {
    case PacketType.versionNegotiation:
      // RFC 9000 §6.2: only a client that has not processed any other packet may act on it.
      return core.role === 'client' && hasHeardNothing(core) ? GateDecision.versionNegotiation : GateDecision.drop
    case PacketType.retry:
      // RFC 9369 §4.1: "The client ignores Retry packets using other versions."
      return core.role === 'client' && header.version === core.handshake.version ? GateDecision.retry : GateDecision.drop
    case PacketType.initial:
      // RFC 9000 §14.1: a server discards Initial packets in datagrams smaller than 1200 bytes.
      if (core.role === 'server' && datagramSize < MIN_INITIAL_DATAGRAM) return GateDecision.drop
      // RFC 9000 §17.2.2: a server has no token to send.
      if (core.role === 'client' && header.tokenLength > 0) return GateDecision.drop
      if (core.spaces.initial === null || !comesFromPeer(core, header)) return GateDecision.drop
      if (header.version === core.handshake.version) return GateDecision.take
      return core.versions.mayRead(header.version) ? GateDecision.takeOtherVersion : GateDecision.drop
    case PacketType.handshake:
      if (core.spaces.handshake === null || !comesFromPeer(core, header)) return GateDecision.drop
      if (!core.spaces.handshake.canRead()) return GateDecision.defer
      // RFC 9369 §4.1: only the negotiated version; "An endpoint MUST drop packets using any other version."
      return header.version === core.handshake.version ? GateDecision.take : GateDecision.drop
    case PacketType.zeroRtt:
      return admitEarly(core, header)
    case PacketType.oneRtt:
      return core.spaces.get(SpaceId.application)?.canRead() === true ? GateDecision.take : GateDecision.defer
    default:
      return GateDecision.drop
  }
}

/**
 * RFC 9001 §5.7: a server may keep 0-RTT packets until it has the ClientHello; §4.6.2: after a rejection it "MUST NOT process any". A
 * client takes none at all (§5.6). RFC 9369 §4.1: they are of the original version.
 */
function admitEarly(core: GateContext, header: HeaderView): GateDecision {
  if (core.role === 'client' || header.version !== core.versions.original || !comesFromPeer(core, header)) return GateDecision.drop
  if (core.spaces.application.readKeys !== null) return GateDecision.take
  return core.handshake.peerParameters === null && core.early.state === EarlyState.none ? GateDecision.defer : GateDecision.drop
}

function hasHeardNothing(core: GateContext): boolean {
  return core.handshake.peerInitialSourceConnectionId === null && core.handshake.retrySourceConnectionId === null
}

/** RFC 9000 §7.2: after the peer's first Initial packet, long headers with another Source Connection ID "MUST be discarded". */
function comesFromPeer(core: GateContext, header: HeaderView): boolean {
  const chosen = core.handshake.peerInitialSourceConnectionId
  return chosen === null || equalBytes(chosen, header.source())
}
