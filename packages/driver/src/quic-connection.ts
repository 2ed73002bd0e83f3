// The public face of a running connection. What the connection does is its application's business; this is for its life: when it is
// established, how it ended, closing it, its numbers.

import type { CloseReason, Connection, ConnectionStats, HandshakeInfo, PathStats, WireValue } from '@quicwire/quic'
import type { ApplicationOverQuic } from './app/application.ts'
import type { Attempts } from './attempts.ts'
import { errorFromReason } from './error-mapping.ts'
import { ConnectionError, DriverError, OptionError } from './errors.ts'
import { parseSocketAddress, type SocketAddress } from './io/socket-address.ts'
import { Moves, type LocalChoice } from './moves.ts'
import type { QuicAuditStats } from './stats/quic-audit-stats.ts'
import { quicConnectionStats, socketStats, type QuicConnectionStats, type SocketStats } from './stats/socket-stats.ts'
import type { IoWorker, PathEvent, WorkerObserver } from './worker/io-worker.ts'

export interface CloseOptions {
  /** Default 0x100, H3_NO_ERROR. */
  readonly code?: WireValue | undefined
  readonly reason?: string | undefined
  /** False closes with a transport code (then the default is 0). Default true. */
  readonly application?: boolean | undefined
}

const H3_NO_ERROR = 0x100

interface Settle {
  resolve(): void
  reject(error: Error): void
}

export class QuicConnection implements WorkerObserver {
  /** Resolves when the handshake is complete; rejects with a ConnectionError when it never was. */
  readonly established: Promise<void>
  /** Resolves when the application has begun: with `established`, or before that in early data. Rejects as `established` does. */
  readonly usable: Promise<void>
  /** Resolves with the reason when the connection ends, whoever ends it. Never rejects. */
  readonly closed: Promise<CloseReason>
  private worker: IoWorker
  private readonly finished: Promise<void>
  private failure: ConnectionError | DriverError | null
  private readonly moves: Moves
  private wasEstablished: boolean
  private settleEstablished!: Settle
  private settleUsable!: Settle
  private settleClosed!: (reason: CloseReason) => void
  private settleFinished!: () => void

  private readonly application: ApplicationOverQuic
  private readonly attempts: Attempts | null
  private local: SocketAddress

  constructor(worker: IoWorker, localAddress: SocketAddress, application: ApplicationOverQuic, attempts: Attempts | null = null) {
    this.worker = worker
    this.application = application
    this.attempts = attempts
    this.local = localAddress
    this.failure = null
    this.moves = new Moves()
    this.wasEstablished = false
    this.established = new Promise<void>((resolve, reject) => {
      this.settleEstablished = { resolve, reject }
    })
    // Whoever is interested awaits it; nobody has to.
    this.established.catch(() => undefined)
    this.usable = new Promise<void>((resolve, reject) => {
      this.settleUsable = { resolve, reject }
    })
    this.usable.catch(() => undefined)
    this.closed = new Promise<CloseReason>((resolve) => {
      this.settleClosed = resolve
    })
    this.finished = new Promise<void>((resolve) => {
      this.settleFinished = resolve
    })
    worker.start(application, this)
  }

  /** Changes when the connection migrates, and on a server when its client goes to a preferred address. */
  get localAddress(): SocketAddress {
    // Paths of the only socket say nothing.
    return parseSocketAddress(this.worker.connection.localAddress()) ?? this.local
  }

  get role(): 'client' | 'server' {
    return this.worker.connection.role
  }

  /** The peer, as `ip:port`; changes when it migrates. */
  get remoteAddress(): string {
    return this.worker.connection.remoteAddress()
  }

  /** What the handshake negotiated, null before it is complete. */
  get handshakeInfo(): HandshakeInfo | null {
    return this.worker.connection.handshakeInfo()
  }

  /**
   * Bytes that both ends can derive from this connection's secrets and nobody else (RFC 9846 §7.5), as tls.TLSSocket.exportKeyingMaterial().
   * `length` in bytes, 1 to 8160; a label of at most 249. Throws OptionError before the handshake is complete, and when the connection is over.
   */
  exportKeyingMaterial(length: number, label: string, context: Uint8Array = new Uint8Array(0)): Uint8Array {
    try {
      return this.worker.connection.exportKeyingMaterial(label, context, length)
    } catch (error) {
      throw new OptionError(`exportKeyingMaterial: ${(error as Error).message}`, error)
    }
  }

  /** The QUIC version in use, such as 1 or 0x6b3343cf (version 2). */
  get version(): number {
    return this.worker.connection.version()
  }

  /** Milliseconds, -1 before the handshake is complete. */
  get handshakeDuration(): number {
    return this.worker.connection.handshakeDuration()
  }

  get alpn(): string | null {
    return this.handshakeInfo?.alpn ?? null
  }

  get originalDestinationConnectionId(): Uint8Array {
    return this.worker.connection.originalDestinationConnectionId
  }

  /** How the connection ended, null while it lives. */
  get closeReason(): CloseReason | null {
    return this.worker.closeReason
  }

  /** The end as an error; null while the connection lives and after an orderly local close. */
  get error(): ConnectionError | DriverError | null {
    return this.failure
  }

  get isClosed(): boolean {
    return this.worker.closeReason !== null
  }

  stats(): Readonly<ConnectionStats> {
    return this.worker.connection.stats()
  }

  pathStats(): PathStats {
    return this.worker.connection.pathStats()
  }

  /** The numbers of now in one flat object. */
  socketStats(): SocketStats {
    return socketStats(this.worker.connection)
  }

  /** Counters and path of now, copied. */
  connectionStats(): QuicConnectionStats {
    return quicConnectionStats(this.worker.connection)
  }

  /** For the audit log; complete once the connection has ended. */
  get auditStats(): QuicAuditStats {
    return this.worker.accounts.audit
  }

  /** The engine itself, for what has no verb here. Call wake() after changing anything. */
  get transport(): Connection {
    return this.worker.connection
  }

  wake(): void {
    this.worker.wake()
  }

  /**
   * A client with a socket of its own moves to another one (RFC 9000 §9), at a new port and, where given, another local address. Resolves
   * when data takes the new path. Rejects with DriverError when the path does not work, and everything stays as it was; with the engine's
   * MigrationError when the connection may not migrate, such as before the handshake is confirmed; with OptionError on a shared socket.
   */
  migrate(local: LocalChoice = {}): Promise<void> {
    return this.moves.migrate(this.worker, this.attempts?.migration() ?? null, local)
  }

  /** @internal */
  onPathEvent(event: PathEvent): void {
    this.moves.onPathEvent(event)
  }

  /** @internal */
  onConfirmed(): void {
    this.moves.followPreferred(this.worker, this.attempts?.migration() ?? null)
  }

  /** Ends the connection now: CONNECTION_CLOSE is sent, unsent data is lost. Resolves when it has been. */
  close(options: CloseOptions = {}): Promise<CloseReason> {
    const application = options.application ?? true
    this.attempts?.onClosing(this.worker)
    this.worker.close(application, options.code ?? (application ? H3_NO_ERROR : 0), options.reason ?? '')
    return this.closed
  }

  /** Lets the application finish what is under way first: with HTTP/3 GOAWAY, then H3_NO_ERROR. */
  shutdown(): Promise<CloseReason> {
    this.attempts?.onClosing(this.worker)
    this.worker.shutdown()
    return this.closed
  }

  /** Resolves when the closing period is over and nothing of the connection is left. */
  whenFinished(): Promise<void> {
    return this.finished
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close().then(() => undefined)
  }

  /** @internal */
  onClaim(worker: IoWorker): boolean {
    if (this.attempts !== null) {
      if (!this.attempts.onWon(worker)) return false
      this.represent(worker)
    }
    return true
  }

  /** @internal */
  onBegun(): void {
    this.settleUsable.resolve()
  }

  /** @internal */
  onEstablished(): void {
    this.wasEstablished = true
    this.settleEstablished.resolve()
  }

  /** @internal */
  onSuperseded(worker: IoWorker, reason: CloseReason): boolean {
    const next = this.attempts?.onFailed(worker, reason) ?? null
    this.represent(next ?? worker)
    return next !== null
  }

  /** @internal Another attempt at this connection. */
  attempt(worker: IoWorker): void {
    worker.start(this.application, this)
  }

  /** @internal No attempt runs any more, and none will. */
  endWithoutAttempt(reason: CloseReason): void {
    this.application.onConnClose(this.worker, reason)
    this.onClosed(reason, this.worker.failure)
    this.settleFinished()
  }

  private represent(worker: IoWorker): void {
    this.worker = worker
    if (this.attempts !== null) this.local = this.attempts.localAddressOf(worker)
  }

  /** @internal */
  onClosed(reason: CloseReason, failure: unknown): void {
    this.failure =
      failure instanceof DriverError
        ? failure
        : failure !== null && failure !== undefined
          ? new ConnectionError('QUIC_APPLICATION_FAILED', `the application failed: ${String((failure as Error).message ?? failure)}`, reason, failure)
          : errorFromReason(reason, this.wasEstablished, this.worker.connection.hasReceived())
    if (!this.wasEstablished) this.failure = this.attempts?.betterError() ?? this.failure
    if (!this.wasEstablished) {
      const error = this.failure ?? new ConnectionError('QUIC_CLOSED', 'closed before the handshake was complete', reason)
      this.settleEstablished.reject(error)
      this.settleUsable.reject(error)
    }
    this.moves.onClosed()
    this.settleClosed(reason)
  }

  /** @internal */
  onFinished(): void {
    this.settleFinished()
  }
}
