// What migrate() and probePath() raise: the caller asked for what RFC 9000 §9 forbids, before anything was sent.

import type { PathAddress } from '../path/path-address.ts'
import type { MigrationRefusal } from '../path/migration-rules.ts'

const REASONS: Readonly<Record<MigrationRefusal, string>> = {
  QUIC_MIGRATION_SERVER: 'only clients migrate (RFC 9000 §9); a server can name a preferred address',
  QUIC_MIGRATION_CLOSED: 'the connection is closing or closed',
  QUIC_MIGRATION_UNCONFIRMED: 'the handshake is not confirmed (RFC 9000 §9); wait for the "confirmed" event',
  QUIC_MIGRATION_DISABLED: 'the server does not support active migration (disable_active_migration, RFC 9000 §18.2)',
  QUIC_MIGRATION_LINKABLE: 'the server uses empty connection IDs, so that a move would be linkable (RFC 9000 §9.5)',
  QUIC_MIGRATION_REMOTE: 'a client cannot change the server address, but to the preferred one (RFC 9000 §9.6); keep remoteAddress()',
  QUIC_MIGRATION_BUSY: 'too many paths are being validated; wait for one to end',
}

/** A call of migrate() or probePath() that cannot be carried out; nothing has changed. `code` is stable. */
export class MigrationError extends Error {
  readonly code: MigrationRefusal

  constructor(code: MigrationRefusal, address: PathAddress) {
    super(`cannot use the path from ${address.local} to ${address.remote}: ${REASONS[code]}`)
    this.name = 'MigrationError'
    this.code = code
  }
}
