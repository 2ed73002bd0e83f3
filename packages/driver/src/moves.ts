// A client that changes its path (RFC 9000 §9): because the application wants another local address, or because the server would rather be
// reached at another of its own (§9.6). One move at a time; the engine says how it went.

import type { PathAddress } from '@quicwire/quic'
import { DriverError, OptionError } from './errors.ts'
import { parseSocketAddress, type SocketAddress } from './io/socket-address.ts'
import type { IoWorker, PathEvent } from './worker/io-worker.ts'

/** Where a move may go, as the connection's socket knows it. */
export interface Migration {
  /** False where others use the socket too, or it was given: then the local address stays. */
  readonly changesSocket: boolean
  /** The server's preferred address is gone to. */
  readonly followsPreferred: boolean
  /** A path to `remote`, on a new socket where that is possible; null: this socket does not reach it. */
  open(local: LocalChoice, remote: SocketAddress): Promise<PathAddress | null>
  /** A new socket is the connection's from now on, or is closed. */
  settle(moved: boolean): void
}

export interface LocalChoice {
  readonly address?: string | undefined
  readonly port?: number | undefined
}

export class Moves {
  /** Tells the move under way how it went, and of which path that has to be. */
  private moving: { readonly path: PathAddress; readonly settle: (moved: boolean) => void } | null
  /** The last move, whatever became of it. */
  private last: Promise<unknown>
  private asked: boolean

  constructor() {
    this.moving = null
    this.last = Promise.resolve()
    this.asked = false
  }

  /** To another local address. Rejects with DriverError, MigrationError, SocketError or OptionError. */
  async migrate(worker: IoWorker, migration: Migration | null, local: LocalChoice): Promise<void> {
    if (migration?.changesSocket !== true) throw new OptionError('only a client on a socket of its own can migrate')
    if (this.asked) throw new DriverError('QUIC_MIGRATION_FAILED', 'another migration is under way')
    this.asked = true
    try {
      // Where to, is known when the server's wish has been seen to.
      await this.inTurn(() => this.move(worker, migration, local, worker.connection.remoteAddress()))
    } finally {
      this.asked = false
    }
  }

  /** To the server's preferred address, if it has one; where that does not answer, the connection stays. */
  followPreferred(worker: IoWorker, migration: Migration | null): void {
    const remote = worker.connection.preferredAddress()
    if (migration?.followsPreferred !== true || remote === '') return
    void this.inTurn(() => this.move(worker, migration, {}, remote)).catch(() => undefined)
  }

  onPathEvent({ kind, local, remote }: PathEvent): void {
    const { moving } = this
    if (moving !== null && moving.path.local === local && moving.path.remote === remote) moving.settle(kind === 'path-changed')
  }

  onClosed(): void {
    this.moving?.settle(false)
  }

  private inTurn(move: () => Promise<void>): Promise<void> {
    const done = this.last.then(move)
    this.last = done.catch(() => undefined)
    return done
  }

  private async move(worker: IoWorker, migration: Migration, local: LocalChoice, to: string): Promise<void> {
    const remote = parseSocketAddress(to)
    let moved = false
    try {
      const path = remote === null ? null : await migration.open(local, remote)
      if (path === null) throw new DriverError('QUIC_MIGRATION_FAILED', `this socket does not reach ${to}`)
      const answered = new Promise<boolean>((resolve) => {
        this.moving = { path, settle: resolve }
      })
      worker.migrate(path)
      moved = await answered
      if (!moved) throw new DriverError('QUIC_MIGRATION_FAILED', 'the peer does not answer on the new path')
    } finally {
      this.moving = null
      migration.settle(moved)
    }
  }
}
