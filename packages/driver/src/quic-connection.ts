// The public face of a running connection. What the connection does is its application's business; this is for its life: when it is
// established, how it ended, closing it, its numbers.

import type { CloseReason, Connection, ConnectionStats, HandshakeInfo, PathStats, WireValue } from '@quicwire/quic'
import type { ApplicationOverQuic } from './app/application.ts'
import { errorFromReason } from './error-mapping.ts'
import { ConnectionError, DriverError } from './errors.ts'
import type { SocketAddress } from './io/socket-address.ts'
import type { IoWorker, WorkerObserver } from './worker/io-worker.ts'

export interface CloseOptions {
  /** Default 0x100, H3_NO_ERROR. */
  readonly code?: WireValue | undefined
  readonly reason?: string | undefined
  /** False closes with a transport code (then the default is 0). Default true. */
  readonly application?: boolean | undefined
}

const H3_NO_ERROR = 0x100

export class QuicConnection implements WorkerObserver {
  readonly localAddress: SocketAddress
  /** Resolves when the handshake is complete; rejects with a ConnectionError when it never was. */
  readonly established: Promise<void>
  /** Resolves with the reason when the connection ends, whoever ends it. Never rejects. */
  readonly closed: Promise<CloseReason>
  private worker: IoWorker
  private readonly finished: Promise<void>
  private failure: ConnectionError | DriverError | null
  private wasEstablished: boolean
  private settleEstablished!: { resolve(): void; reject(error: Error): void }
  private settleClosed!: (reason: CloseReason) => void
  private settleFinished!: () => void

  private readonly application: ApplicationOverQuic
  private nextAttempt: ((reason: CloseReason) => IoWorker | null) | null

  /** `nextAttempt`: asked once, when the first attempt ends without a handshake, for another one; null: it was the last. */
  constructor(
    worker: IoWorker,
    localAddress: SocketAddress,
    application: ApplicationOverQuic,
    nextAttempt: ((reason: CloseReason) => IoWorker | null) | null = null,
  ) {
    this.worker = worker
    this.application = application
    this.nextAttempt = nextAttempt
    this.localAddress = localAddress
    this.failure = null
    this.wasEstablished = false
    this.established = new Promise<void>((resolve, reject) => {
      this.settleEstablished = { resolve, reject }
    })
    // Whoever is interested awaits it; nobody has to.
    this.established.catch(() => undefined)
    this.closed = new Promise<CloseReason>((resolve) => {
      this.settleClosed = resolve
    })
    this.finished = new Promise<void>((resolve) => {
      this.settleFinished = resolve
    })
    worker.start(application, this)
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

  /** The engine itself, for what has no verb here. Call wake() after changing anything. */
  get transport(): Connection {
    return this.worker.connection
  }

  wake(): void {
    this.worker.wake()
  }

  /** Ends the connection now: CONNECTION_CLOSE is sent, unsent data is lost. Resolves when it has been. */
  close(options: CloseOptions = {}): Promise<CloseReason> {
    const application = options.application ?? true
    this.worker.close(application, options.code ?? (application ? H3_NO_ERROR : 0), options.reason ?? '')
    return this.closed
  }

  /** Lets the application finish what is under way first: with HTTP/3 GOAWAY, then H3_NO_ERROR. */
  shutdown(): Promise<CloseReason> {
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
  onEstablished(): void {
    this.wasEstablished = true
    this.settleEstablished.resolve()
  }

  /** @internal */
  onSuperseded(reason: CloseReason): boolean {
    const next = this.nextAttempt?.(reason) ?? null
    this.nextAttempt = null
    if (next === null) return false
    this.worker = next
    next.start(this.application, this)
    return true
  }

  /** @internal */
  onClosed(reason: CloseReason, failure: unknown): void {
    this.failure =
      failure instanceof DriverError
        ? failure
        : failure !== null && failure !== undefined
          ? new ConnectionError('QUIC_APPLICATION_FAILED', `the application failed: ${String((failure as Error).message ?? failure)}`, reason, failure)
          : errorFromReason(reason, this.wasEstablished, this.worker.connection.hasReceived())
    if (!this.wasEstablished) {
      this.settleEstablished.reject(this.failure ?? new ConnectionError('QUIC_CLOSED', 'closed before the handshake was complete', reason))
    }
    this.settleClosed(reason)
  }

  /** @internal */
  onFinished(): void {
    this.settleFinished()
  }
}
