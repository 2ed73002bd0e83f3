// The life of a connection in its worker: handshake, running, close. Each stage is an object behind this interface and names its
// successor; the worker asks no flags.

import type { CloseReason, Connection, ConnectionEvent } from '@quicwire/quic'
import type { ApplicationContext, ApplicationOverQuic } from '../app/application.ts'

export interface ConnectionStage {
  readonly kind: 'waiting' | 'handshake' | 'running' | 'close'
  /** An engine event the worker does not handle itself. Returns the stage to go on with. */
  onEvent(event: ConnectionEvent): ConnectionStage
  /** After the events of a pass. True asks for another pass. */
  onRead(): boolean
  /** The stage's own deadline, Infinity for none. */
  deadline(): number
  onDeadline(): void
  /** Whether packets may leave. */
  readonly sends: boolean
}

/** What a stage needs of its worker. */
export interface StageHost {
  readonly connection: Connection
  readonly context: ApplicationContext
  readonly startedAt: number
  /** Milliseconds the handshake may take. */
  readonly handshakeTimeout: number
  /** The application failed: closes the connection with INTERNAL_ERROR. */
  applicationFailed(error: unknown): void
  /** The application is about to begin here. False: it has begun elsewhere, and this attempt is being given up. */
  claim(): boolean
  /** Settle the promises of the public connection object: the application has begun, the handshake is complete, the connection has ended. */
  reportBegun(): void
  reportEstablished(): void
  reportClosed(reason: CloseReason): void
  /** Another attempt takes over before the handshake: then nobody else need hear of the end of this one. */
  handOver(reason: CloseReason): boolean
}

export type { ApplicationOverQuic }
