// What a public connection object needs of the attempts it stands for; connection-attempts.ts implements it.

import type { CloseReason } from '@quicwire/quic'
import type { ConnectionError } from './errors.ts'
import type { SocketAddress } from './io/socket-address.ts'
import type { Migration } from './moves.ts'
import type { IoWorker } from './worker/io-worker.ts'

/** Several attempts at one connection: the first that comes to its application is it (connection-attempts.ts). */
export interface Attempts {
  /** An attempt failed before its handshake. The worker that stands for the connection from now on, null: it was the last. */
  onFailed(worker: IoWorker, reason: CloseReason): IoWorker | null
  /** The application begins on this one: the others are given up. False: it has begun elsewhere. */
  onWon(worker: IoWorker): boolean
  /** close() has been called: no further attempts, and of those running only `worker` is left. */
  onClosing(worker: IoWorker): void
  localAddressOf(worker: IoWorker): SocketAddress
  /** Null where the connection cannot move. */
  migration(): Migration | null
  /** What to report instead of the last attempt's error, when an earlier one says more; null: nothing does. */
  betterError(): ConnectionError | null
}
