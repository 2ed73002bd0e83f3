// The header fields of a connection's packets: version, connection IDs, the client's address token. Getters over the rooms that
// own them; the destination is that of the path the next packet takes (RFC 9000 §9.5).

import { EMPTY } from '../../base/bytes.ts'
import type { RandomSource } from '../../base/random.ts'
import type { Path } from '../../path/path.ts'
import type { HandshakeFacts } from '../handshake/handshake-facts.ts'
import type { Versions } from '../handshake/version-choice.ts'
import type { PacketAddressing } from './packet-builder.ts'
import { QuicBit } from './quic-bit.ts'

export class ConnectionAddressing implements PacketAddressing {
  private readonly handshake: HandshakeFacts
  private readonly versions: Versions
  /** Long headers carry the first connection ID we chose. */
  readonly source: Uint8Array

  destination: Uint8Array
  readonly quicBit: QuicBit

  constructor(handshake: HandshakeFacts, versions: Versions, source: Uint8Array, random: RandomSource) {
    this.handshake = handshake
    this.versions = versions
    this.destination = EMPTY
    this.source = source
    this.quicBit = new QuicBit(random)
  }

  get version(): number {
    return this.handshake.version
  }

  get originalVersion(): number {
    return this.versions.original
  }

  /** For a packet on that path. Reused: valid until the next call. */
  on(path: Path): PacketAddressing {
    this.destination = path.destination.connectionId
    return this
  }

  get token(): Uint8Array {
    return this.handshake.token
  }
}
