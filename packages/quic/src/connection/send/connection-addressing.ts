// The header fields all packets of a connection share: version, connection IDs, the client's address token. Getters over
// the rooms that own them.

import type { RandomSource } from '../../base/random.ts'
import type { RemoteConnectionIds } from '../../cid/remote-connection-ids.ts'
import type { HandshakeFacts } from '../handshake/handshake-facts.ts'
import type { Versions } from '../handshake/version-choice.ts'
import type { PacketAddressing } from './packet-builder.ts'
import { QuicBit } from './quic-bit.ts'

export class ConnectionAddressing implements PacketAddressing {
  private readonly handshake: HandshakeFacts
  private readonly versions: Versions
  private readonly remoteIds: RemoteConnectionIds
  /** Long headers carry the first connection ID we chose. */
  readonly source: Uint8Array

  readonly quicBit: QuicBit

  constructor(handshake: HandshakeFacts, versions: Versions, remoteIds: RemoteConnectionIds, source: Uint8Array, random: RandomSource) {
    this.handshake = handshake
    this.versions = versions
    this.remoteIds = remoteIds
    this.source = source
    this.quicBit = new QuicBit(random)
  }

  get version(): number {
    return this.handshake.version
  }

  get originalVersion(): number {
    return this.versions.original
  }

  get destination(): Uint8Array {
    return this.remoteIds.current()
  }

  get token(): Uint8Array {
    return this.handshake.token
  }
}
