// The three packet number spaces of a connection. A discarded space is gone: its slot holds null for good.

import type { SentPacketPool } from '../recovery/sent-packet.ts'
import type { PacketNumberSkips } from './packet-number-skips.ts'
import { PacketSpace } from './packet-space.ts'
import { SpaceId } from './space-id.ts'

export class Spaces {
  initial: PacketSpace | null
  handshake: PacketSpace | null
  readonly application: PacketSpace

  /** @param skips of the application space; the few packets of the others are not worth one */
  constructor(maxAckDelay: number, pool: SentPacketPool, skips: PacketNumberSkips) {
    this.initial = new PacketSpace(SpaceId.initial, maxAckDelay, pool, null)
    this.handshake = new PacketSpace(SpaceId.handshake, maxAckDelay, pool, null)
    this.application = new PacketSpace(SpaceId.application, maxAckDelay, pool, skips)
  }

  destroyKeys(): void {
    this.initial?.destroyKeys()
    this.handshake?.destroyKeys()
    this.application.destroyKeys()
  }

  get(id: SpaceId): PacketSpace | null {
    if (id === SpaceId.application) return this.application
    return id === SpaceId.initial ? this.initial : this.handshake
  }

  /** Takes the space out; the caller gives its bytes in flight back to the path. Null if it is gone already. */
  discard(id: typeof SpaceId.initial | typeof SpaceId.handshake): PacketSpace | null {
    const space = this.get(id)
    if (id === SpaceId.initial) this.initial = null
    else this.handshake = null
    space?.destroyKeys()
    return space
  }
}
