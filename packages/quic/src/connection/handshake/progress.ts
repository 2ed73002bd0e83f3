// What the first authenticated packets prove about the handshake: the peer's connection ID (RFC 9000 §7.2), the client's address
// (§8.1), and that Initial keys have done their work (RFC 9001 §4.9.1).

import { copyBytes } from '../../base/bytes.ts'
import type { Path } from '../../path/path.ts'
import { SpaceId } from '../../space/space-id.ts'
import { PacketType } from '../../wire/constants.ts'
import type { ConnectionCore } from '../core.ts'
import { discardSpace } from './discard-space.ts'

/** What an authenticated packet of some type proves about the handshake. */
export function noteHandshakeProgress(core: ConnectionCore, packetType: number, path: Path, now: number): void {
  const { header } = core.receiving
  if (packetType === PacketType.initial && core.handshake.peerInitialSourceConnectionId === null) {
    const source = copyBytes(header.source())
    core.handshake.peerInitialSourceConnectionId = source
    // RFC 9000 §7.2: the server chose its own connection ID; the client switches to it.
    core.remoteIds.setInitial(source)
  }
  if (packetType === PacketType.handshake && core.role === 'server') {
    // RFC 9000 §8.1: a Handshake packet proves the client's address. RFC 9001 §4.9.1: Initial keys have done their work.
    path.validate()
    core.handshake.peerAddressValidated = true
    if (core.spaces.initial !== null) discardSpace(core, SpaceId.initial, now)
  }
}
