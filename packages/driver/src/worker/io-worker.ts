// One worker per connection: the only one that touches the engine outside the router's packet feed. A turn (run) is: drain events,
// let the stage read and write, flush at most PACKETS_PER_TURN packets. More packets than that wait for the next turn, so that
// incoming acknowledgements are looked at in between. Nothing here allocates per packet.

import { TransportErrorCode, type CloseReason, type Connection, type ConnectionEvent, type PathAddress, type Transmit } from '@quicwire/quic'
import type { ApplicationContext, ApplicationOverQuic } from '../app/application.ts'
import { ConnectionError } from '../errors.ts'
import type { DatagramSocket } from '../io/datagram-socket.ts'
import type { ConnectionSessions } from '../settings/session-store.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { answerNeed, type Need, type NeedHandlers } from '../tls/need-answers.ts'
import { Accounts } from './accounts.ts'
import { CloseStage } from './close-stage.ts'
import { HandshakeStage } from './handshake-stage.ts'
import type { ConnectionStage, StageHost } from './stage.ts'
import { WaitingStage } from './waiting-stage.ts'

/** Packets sent between two looks at what came in. */
export const PACKETS_PER_TURN = 128
/** Every path takes this much (RFC 9000 §14). */
const LEAST_DATAGRAM = 1200
/** Passes of event and application work within one turn before others get theirs. */
const PASSES_PER_TURN = 16

/** The router as its workers see it. */
export interface WorkerHost {
  readonly socket: DatagramSocket
  readonly transmit: Transmit
  readonly metrics: Metrics
  now(): number
  schedule(worker: IoWorker): void
  /** Sends the first bytes of the buffer in `transmit` on the path's socket. */
  send(length: number, path: PathAddress, ecn: number, onTooLarge?: () => void): void
  onConnectionEvent(worker: IoWorker, event: ConnectionEvent): void
}

export type PathEvent = Extract<ConnectionEvent, { kind: 'path-changed' | 'path-validation-failed' }>

/** Told once each; the public connection object. */
export interface WorkerObserver {
  /** The application is about to begin on this worker's connection. False: it has begun elsewhere, and this worker is forgotten. */
  onClaim?(worker: IoWorker): boolean
  onPathEvent?(event: PathEvent): void
  /** The handshake is confirmed: paths may change from now on (RFC 9000 §9). */
  onConfirmed?(): void
  /** The application has begun. */
  onBegun?(): void
  onEstablished(): void
  /** The attempt ended before its handshake. True: another worker goes on with the application, and this one is forgotten. */
  onSuperseded?(worker: IoWorker, reason: CloseReason): boolean
  onClosed(reason: CloseReason, error: unknown): void
  onFinished(): void
}

export interface WorkerOptions {
  /** Milliseconds. */
  readonly handshakeTimeout: number
  /** Answers what TLS asks for. */
  readonly needs?: NeedHandlers | undefined
  /** A client's way to the sessions it is given. */
  readonly sessions?: ConnectionSessions | undefined
}

export class IoWorker implements ApplicationContext, StageHost {
  readonly connection: Connection
  readonly startedAt: number
  /** Milliseconds. */
  readonly handshakeTimeout: number
  readonly accounts: Accounts
  now: number
  /** In the router's run queue. */
  queued: boolean
  /** Where the router's deadline heap has this worker; Infinity: nowhere. */
  armedAt: number
  failure: unknown
  closeReason: CloseReason | null
  private readonly host: WorkerHost
  private readonly needs: NeedHandlers
  private readonly sessions: ConnectionSessions | null
  private application: ApplicationOverQuic | null
  private observer: WorkerObserver | null
  private stage: ConnectionStage
  private finished: boolean
  /** Datagrams up to this size have been taken by the system, or are taken by all. */
  private largestSent: number

  constructor(host: WorkerHost, connection: Connection, options: WorkerOptions, now: number) {
    this.host = host
    this.needs = options.needs ?? {}
    this.connection = connection
    this.startedAt = now
    this.handshakeTimeout = options.handshakeTimeout
    this.sessions = options.sessions ?? null
    this.accounts = new Accounts(connection, host.metrics, now)
    this.now = now
    this.queued = false
    this.armedAt = Infinity
    this.failure = null
    this.closeReason = null
    this.application = null
    this.observer = null
    this.stage = new WaitingStage(this)
    this.finished = false
    this.largestSent = LEAST_DATAGRAM
  }

  /** Gives the connection its application; the handshake goes on in the next turn. Once. */
  start(application: ApplicationOverQuic, observer: WorkerObserver): void {
    const waiting = this.stage
    this.application = application
    this.observer = observer
    this.now = this.host.now()
    if (waiting instanceof WaitingStage) {
      this.stage = new HandshakeStage(this, application).begin()
      for (const event of waiting.events) this.stage = this.stage.onEvent(event)
    } else if (this.closeReason !== null) {
      // It ended while nobody had taken it, and was counted then.
      application.onConnClose(this, this.closeReason)
      observer.onClosed(this.closeReason, null)
      if (this.finished) observer.onFinished()
    }
    this.host.schedule(this)
  }

  get context(): ApplicationContext {
    return this
  }

  get isFinished(): boolean {
    return this.finished
  }

  wake(): void {
    this.host.schedule(this)
  }

  setEarlyDataContext(bytes: Uint8Array): void {
    this.connection.setEarlyDataContext(bytes)
    this.sessions?.setContext(bytes)
  }

  onTimeout(now: number): void {
    this.now = now
    if (this.connection.nextTimeout() <= now) this.connection.onTimeout(now)
    if (this.stage.deadline() <= now) this.stage.onDeadline()
  }

  deadline(): number {
    return Math.min(this.connection.nextTimeout(), this.stage.deadline())
  }

  /** One turn. True when it stopped early and wants another. */
  run(now: number): boolean {
    this.now = now
    let more = true
    for (let passes = 0; more && passes < PASSES_PER_TURN; passes++) {
      const events = this.drainEvents()
      more = this.stage.onRead() || (events && this.stage.kind === 'running')
    }
    const unsent = this.stage.sends && this.flush(now)
    // Sending can raise events of its own, such as connection IDs issued.
    this.drainEvents()
    if (now >= this.accounts.nextRoundAt && this.closeReason === null) this.accounts.endRound(now)
    if (this.connection.isClosed() && !this.finished) this.finish()
    return (more || unsent) && !this.finished
  }

  /** Leaves the application to another attempt and ends this one. */
  giveUp(): void {
    this.application = null
    this.observer = null
    this.stage = new CloseStage()
    this.close(false, TransportErrorCode.noError, '')
    this.closeReason ??= this.connection.closeReason()
  }

  /** Throws MigrationError. */
  migrate(path: PathAddress): void {
    this.connection.migrate(path, this.host.now())
    this.host.schedule(this)
  }

  shutdown(): void {
    this.now = this.host.now()
    if (this.stage.kind === 'running' && this.application !== null) {
      try {
        this.application.onShutdown(this)
      } catch (error) {
        this.applicationFailed(error)
      }
    } else if (this.stage.kind !== 'close') this.connection.closeTransport(TransportErrorCode.noError, '', this.now)
    this.host.schedule(this)
  }

  close(application: boolean, code: number | bigint, reason: string): void {
    this.now = this.host.now()
    if (application) this.connection.close(code, reason, this.now)
    else this.connection.closeTransport(Number(code), reason, this.now)
    this.host.schedule(this)
  }

  /** Fails the connection for a cause the engine does not know, such as a dead socket. */
  abandon(error: unknown): void {
    this.failure ??= error
    this.close(false, TransportErrorCode.internalError, '')
  }

  /** An ICMP error before any answer: there is nobody. */
  refused(error: Error): void {
    this.abandon(new ConnectionError('QUIC_CONNECTION_REFUSED', 'nothing listens at this address (ICMP unreachable)', null, error))
  }

  /** After a bug in the engine: nothing of the connection is touched again. */
  discard(error: unknown): void {
    this.failure ??= error
    if (this.finished) return
    this.finished = true
    const reason = this.connection.closeReason() ?? {
      cause: 'local',
      application: false,
      code: TransportErrorCode.internalError,
      frameType: 0,
      reason: '',
      error: null,
    }
    if (this.closeReason === null) {
      try {
        this.application?.onConnClose(this, reason)
      } finally {
        this.reportClosed(reason)
      }
    }
    this.accounts.onFinished()
    this.observer?.onFinished()
  }

  applicationFailed(error: unknown): void {
    this.failure ??= error
    this.connection.closeTransport(TransportErrorCode.internalError, '', this.now)
  }

  claim(): boolean {
    if (this.observer === null || this.observer.onClaim?.(this) !== false) return true
    this.giveUp()
    return false
  }

  reportBegun(): void {
    this.observer?.onBegun?.()
  }

  reportEstablished(): void {
    this.accounts.onEstablished()
    this.observer?.onEstablished()
  }

  reportClosed(reason: CloseReason): void {
    this.closeReason = reason
    this.accounts.onClosed(reason, this.failure)
    this.observer?.onClosed(reason, this.failure)
  }

  handOver(reason: CloseReason): boolean {
    if (this.observer?.onSuperseded?.(this, reason) !== true) return false
    this.closeReason = reason
    this.application = null
    this.observer = null
    return true
  }

  private drainEvents(): boolean {
    let any = false
    let closed: ConnectionEvent | null = null
    for (let event = this.connection.poll(); event !== null; event = this.connection.poll()) {
      any = true
      if (event.kind === 'closed') closed = event
      else if (event.kind === 'connection-id-issued' || event.kind === 'connection-id-retired' || event.kind === 'path-probing') {
        this.host.onConnectionEvent(this, event)
      } else if (event.kind === 'need') void this.answer(event)
      else {
        if (event.kind === 'path-changed' || event.kind === 'path-validation-failed') this.observer?.onPathEvent?.(event)
        if (event.kind === 'confirmed') this.observer?.onConfirmed?.()
        this.stage = this.stage.onEvent(event)
      }
    }
    // What arrived with the end still belongs before it.
    if (closed !== null) this.stage = this.stage.onEvent(closed)
    return any
  }

  private async answer(need: Need): Promise<void> {
    const answer = await answerNeed(need, this.needs)
    if (this.finished) return
    try {
      this.connection.provide(answer, this.host.now())
    } catch (error) {
      // The answer made no sense to the engine: the application's fault, and the end of this connection alone.
      this.abandon(error)
    }
    this.host.schedule(this)
  }

  /** True when the limit, not the engine, ended the burst. */
  private flush(now: number): boolean {
    const { socket, transmit } = this.host
    for (let sent = 0; sent < PACKETS_PER_TURN; sent++) {
      if (!socket.isWritable()) return false
      transmit.buffer = socket.acquire()
      if (!this.connection.transmit(transmit, now)) return false
      if (transmit.path === null) continue
      if (transmit.length <= this.largestSent) this.host.send(transmit.length, transmit.path, transmit.ecn)
      else this.sendLarger(transmit.length, transmit.path, transmit.ecn)
    }
    return true
  }

  /** A size not sent before, such as an MTU probe: the system may refuse it. */
  private sendLarger(length: number, path: PathAddress, ecn: number): void {
    this.largestSent = length
    this.host.send(length, path, ecn, () => {
      this.largestSent = LEAST_DATAGRAM
      this.connection.onDatagramTooLarge(length, this.host.now())
      this.host.schedule(this)
    })
  }

  private finish(): void {
    this.finished = true
    this.accounts.onFinished()
    this.drainEvents()
    this.observer?.onFinished()
  }
}
