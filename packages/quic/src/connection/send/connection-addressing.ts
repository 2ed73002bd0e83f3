// The header fields all packets of a connection share: version, connection IDs, the client's address token. Getters over
// the rooms that own them.

import type { RemoteConnectionIds } from '../../cid/remote-connection-ids.ts'
import type { HandshakeState } from '../handshake/handshake-state.ts'
import type { PacketAddressing } from './packet-builder.ts'

export class ConnectionAddressing implements PacketAddressing {
  private readonly handshake: HandshakeState
  private readonly remoteIds: RemoteConnectionIds
  /** Long headers carry the first connection ID we chose. */
  readonly source: Uint8Array

  constructor(handshake: HandshakeState, remoteIds: RemoteConnectionIds, source: Uint8Array) {
    this.handshake = handshake
    this.remoteIds = remoteIds
    this.source = source
  }

  get version(): number {
    return this.handshake.version
  }

  get destination(): Uint8Array {
    return this.remoteIds.current()
  }

  get token(): Uint8Array {
    return this.handshake.token
  }
}
