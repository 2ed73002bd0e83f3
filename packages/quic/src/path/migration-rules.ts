// Who may go where (RFC 9000 §9): what forbids a client to migrate, which addresses a server takes packets from, and what is
// left behind with a preferred address. Decisions only; the paths themselves live in paths.ts.

import type { PathAddress } from './path-address.ts'

/** Why migrate() and probePath() refuse; each is a stable code. */
export type MigrationRefusal =
  /** Only clients migrate (RFC 9000 §9). */
  | 'QUIC_MIGRATION_SERVER'
  /** The connection is ending or over. */
  | 'QUIC_MIGRATION_CLOSED'
  /** Not before the handshake is confirmed (RFC 9000 §9). */
  | 'QUIC_MIGRATION_UNCONFIRMED'
  /** The server sent disable_active_migration (RFC 9000 §18.2). */
  | 'QUIC_MIGRATION_DISABLED'
  /** The server uses empty connection IDs: the move could be followed by anybody, or not at all (RFC 9000 §9.5). */
  | 'QUIC_MIGRATION_LINKABLE'
  /** The remote address is neither the one in use nor the server's preferred one. */
  | 'QUIC_MIGRATION_REMOTE'
  /** Too many paths are being validated. */
  | 'QUIC_MIGRATION_BUSY'

export class MigrationRules {
  /** The addresses of the handshake. */
  readonly origin: PathAddress
  /** We sent disable_active_migration. */
  private readonly isDisabledHere: boolean
  /** The peer sent disable_active_migration. */
  isDisabledByPeer: boolean
  /** Clients: the server's preferred address, '' for none. */
  preferred: string
  /** Clients: the preferred address is still to be gone to. */
  followsPreferred: boolean
  /** Clients: the connection has been at the preferred address. */
  hasActedOnPreferred: boolean
  /** Servers: the largest packet number when the connection went to the preferred address, -1 before. */
  private leftOriginAt: number

  constructor(origin: PathAddress, isDisabledHere: boolean, followsPreferred: boolean) {
    this.origin = origin
    this.isDisabledHere = isDisabledHere
    this.isDisabledByPeer = false
    this.preferred = ''
    this.followsPreferred = followsPreferred
    this.hasActedOnPreferred = false
    this.leftOriginAt = -1
  }

  /** What keeps a client with a confirmed handshake from sending to `address`; null: nothing does. `remote`: the one in use. */
  refusal(address: PathAddress, remote: string, emptyIds: boolean): MigrationRefusal | null {
    // RFC 9000 §9.5: "SHOULD NOT initiate migration with a peer that has requested a zero-length connection ID".
    if (emptyIds) return 'QUIC_MIGRATION_LINKABLE'
    if (address.remote !== remote && (this.preferred === '' || address.remote !== this.preferred)) return 'QUIC_MIGRATION_REMOTE'
    return this.isForbidden(address) ? 'QUIC_MIGRATION_DISABLED' : null
  }

  /** RFC 9000 §18.2: no "new local address when sending to the address that the peer used during the handshake". */
  isForbidden(address: PathAddress): boolean {
    if (!this.isDisabledByPeer || this.hasActedOnPreferred) return false
    return address.local !== this.origin.local && address.remote === this.origin.remote
  }

  /**
   * Servers: may a packet from an unknown address open a path? RFC 9000 §9 leaves the choice where we sent
   * disable_active_migration: what comes with a connection ID not seen yet is an active migration and is dropped; with a known
   * one it may be a NAT rebinding, which no client can help. The preferred address is free.
   */
  admits(address: PathAddress, knownConnectionId: boolean): boolean {
    return !this.isDisabledHere || knownConnectionId || address.local !== this.origin.local
  }

  /** Clients: validation of a path to the preferred address is over. RFC 9000 §9.6.1: on failure the original address stays. */
  onPreferredTried(succeeded: boolean): void {
    this.followsPreferred = false
    if (succeeded) this.hasActedOnPreferred = true
  }

  isPreferred(address: PathAddress): boolean {
    return this.preferred !== '' && address.remote === this.preferred
  }

  /** Servers: the connection goes on at `address`; `largest`: the largest packet number received. */
  onMoved(address: PathAddress, largest: number): void {
    if (address.local === this.origin.local) this.leftOriginAt = -1
    else if (this.leftOriginAt < 0) this.leftOriginAt = largest
  }

  /** RFC 9000 §9.6.2: a server "SHOULD drop newer packets for this connection that are received on the old IP address". */
  isForsaken(address: PathAddress, packetNumber: number): boolean {
    return this.leftOriginAt >= 0 && packetNumber > this.leftOriginAt && address.local === this.origin.local
  }
}
