// One socket, many connections: the only reader of the socket, the only caller of the workers, one timer for all of them.
// Datagrams gather while the event loop polls; one turn (a setImmediate) feeds them all to their connections by connection ID, serves
// timers, lets every marked worker run once, and arms the timer. Nothing runs outside a turn.

import {
  Endpoint,
  Transmit,
  transportSettings,
  type Connection,
  type ConnectionConfig,
  type ConnectionEvent,
  type EndpointConfig,
  type PathAddress,
} from '@quicwire/quic'
import { Ring } from '@quicwire/quic/ring'
import type { Clock } from '../io/clock.ts'
import type { DatagramHandler, DatagramSocket } from '../io/datagram-socket.ts'
import type { TraceFiles } from '../io/trace-files.ts'
import { noMetrics, type Metrics } from '../metrics/metrics.ts'
import type { NeedHandlers } from '../tls/need-answers.ts'
import { IoWorker, type WorkerHost, type WorkerOptions } from '../worker/io-worker.ts'
import { Deadlines } from './deadlines.ts'

export interface RouterOptions {
  readonly socket: DatagramSocket
  readonly endpoint: EndpointConfig
  readonly clock: Clock
  readonly traces: TraceFiles | null
  /** Answers what TLS asks for incoming connections. */
  readonly needs?: NeedHandlers | undefined
  readonly metrics?: Metrics | undefined
  /** A connection the endpoint has accepted. */
  readonly onIncoming?: ((worker: IoWorker) => void) | undefined
  /** The socket lives for its connections alone: it is closed with the last, and a closing period does not keep the process alive. */
  readonly endsWithConnections?: boolean | undefined
}

/** Milliseconds a socket is kept for packets that were sent to it before a migration. Nobody reads them: it keeps ICMP errors away. */
const OLD_SOCKET_LIFE = 1000

/** setTimeout counts whole milliseconds, and no more of them than this. */
const LONGEST_DELAY = 2 ** 31 - 1

export class Router implements DatagramHandler, WorkerHost {
  /** The one that buffers are acquired from. */
  socket: DatagramSocket
  /** Where a migration is going to (RFC 9000 §9): paths with its local address are sent on it. */
  private next: DatagramSocket | null
  private nextName: string
  readonly transmit: Transmit
  readonly metrics: Metrics
  private readonly endpoint: Endpoint
  private readonly options: RouterOptions
  private readonly clock: Clock
  private readonly workers: Map<Connection, IoWorker>
  private readonly ready: Ring<IoWorker>
  private readonly deadlines: Deadlines<IoWorker>
  private readonly turn: () => void
  private turnDue: boolean
  private timer: NodeJS.Timeout | null
  private timerAt: number
  private stopped: boolean
  private isBackground: boolean
  /** Of the socket's drops, those that have been counted. */
  private droppedBefore: number

  constructor(options: RouterOptions) {
    this.options = options
    this.socket = options.socket
    this.next = null
    this.nextName = ''
    this.clock = options.clock
    this.transmit = new Transmit()
    this.metrics = options.metrics ?? noMetrics
    this.droppedBefore = 0
    this.endpoint = new Endpoint(options.endpoint)
    this.workers = new Map()
    this.ready = new Ring()
    this.deadlines = new Deadlines()
    this.turn = () => this.runTurn()
    this.turnDue = false
    this.timer = null
    this.timerAt = Infinity
    this.stopped = false
    this.isBackground = false
    this.socket.open(this)
  }

  get size(): number {
    return this.workers.size
  }

  /** Connections that have not ended; those in their closing period do not count. */
  liveConnections(): number {
    let live = 0
    for (const worker of this.workers.values()) if (worker.closeReason === null) live++
    return live
  }

  now(): number {
    return this.clock.now()
  }

  connect(config: ConnectionConfig, address: string, port: number, ways: Omit<WorkerOptions, 'handshakeTimeout'>): IoWorker {
    const now = this.clock.now()
    const { handshakeTimeout } = transportSettings(config.transport)
    return this.adopt(this.endpoint.connect(config, this.socket.path(address, port), now), { ...ways, handshakeTimeout }, now)
  }

  stopAccepting(): void {
    this.endpoint.stopAccepting()
  }

  setTokenKeys(keys: readonly Uint8Array[]): void {
    this.endpoint.setTokenKeys(keys)
  }

  /** Asks every connection to end gracefully. */
  shutdownAll(): void {
    for (const worker of this.workers.values()) worker.shutdown()
  }

  closeAll(code: number, reason: string): void {
    for (const worker of this.workers.values()) worker.close(true, code, reason)
  }

  /** Lets go of the socket; connections that are still there end without a word. */
  async stop(): Promise<void> {
    if (this.stopped) return
    this.stopped = true
    if (this.timer !== null) clearTimeout(this.timer)
    const now = this.clock.now()
    for (const { connection } of this.workers.values()) connection.destroy(now)
    await Promise.all([this.socket.close(), this.next?.close()])
  }

  /** Opens another socket for a connection that migrates; the path to go on. The last one that was opened counts. */
  openNext(socket: DatagramSocket, address: string, port: number): PathAddress {
    if (this.next !== null) void this.next.close()
    this.next = socket
    const path = socket.path(address, port)
    this.nextName = path.local
    socket.open(this)
    return path
  }

  send(length: number, path: PathAddress, ecn: number, onTooLarge?: () => void): void {
    const { next } = this
    if (next === null || path.local !== this.nextName) {
      this.socket.send(length, path, ecn, onTooLarge)
      return
    }
    next.acquire().set(this.transmit.buffer.subarray(0, length))
    next.send(length, path, ecn, onTooLarge)
  }

  /** The connection has moved to the other socket, or will not. */
  settleNext(moved: boolean): void {
    const { next } = this
    if (next === null) return
    this.next = null
    const unused = moved ? this.socket : next
    if (moved) {
      this.socket = next
      this.droppedBefore = 0
    }
    // What is still on its way to the old address is lost soon enough.
    if (moved) setTimeout(() => void unused.close(), OLD_SOCKET_LIFE).unref()
    else void unused.close()
  }

  // -- marks; the work is done in the next turn

  schedule(worker: IoWorker): void {
    if (worker.queued || worker.isFinished) return
    worker.queued = true
    this.ready.push(worker)
    this.requestTurn()
  }

  onReadable(): void {
    this.requestTurn()
  }

  onWritable(): void {
    for (const worker of this.workers.values()) this.schedule(worker)
  }

  onUnreachable(error: Error): void {
    // ICMP is not authenticated: it may fail only what has never been answered.
    for (const worker of this.workers.values()) if (!worker.connection.hasReceived()) worker.refused(error)
  }

  onFailed(error: Error): void {
    for (const worker of this.workers.values()) worker.abandon(error)
  }

  onConnectionEvent(worker: IoWorker, event: ConnectionEvent): void {
    this.endpoint.onEvent(worker.connection, event)
  }

  private requestTurn(): void {
    if (this.turnDue || this.stopped) return
    this.turnDue = true
    setImmediate(this.turn)
  }

  // -- the turn

  private runTurn(): void {
    this.turnDue = false
    if (this.stopped) return
    const now = this.clock.now()
    this.receiveAll(now)
    for (let due = this.deadlines.takeDue(now); due !== null; due = this.deadlines.takeDue(now)) {
      due.onTimeout(now)
      this.mark(due)
    }
    // Those marked from here on wait for the next turn.
    for (let left = this.ready.length; left > 0; left--) this.runOne(this.ready.shift()!, now)
    this.sendStateless()
    this.socket.flush()
    this.next?.flush()
    if (this.ready.length > 0) this.requestTurn()
    this.armTimer(now)
  }

  private receiveAll(now: number): void {
    if (this.next !== null) this.receiveFrom(this.next, now)
    this.receiveFrom(this.socket, now)
  }

  private receiveFrom(socket: DatagramSocket, now: number): void {
    const batch = socket.receive()
    if (batch === null) return
    for (let i = 0; i < batch.length; i++) {
      const connection = this.endpoint.receive(batch.datagrams[i]!, batch.paths[i]!, now, batch.ecn[i]!)
      if (connection !== null) this.mark(this.workers.get(connection) ?? this.adoptIncoming(connection, now))
    }
    batch.clear()
    const { dropped } = socket
    if (socket === this.socket && dropped !== this.droppedBefore) {
      this.metrics.count('udp_drop_count', '', dropped - this.droppedBefore)
      this.droppedBefore = dropped
    }
    for (let incoming = this.endpoint.pollIncoming(); incoming !== null; incoming = this.endpoint.pollIncoming()) {
      const worker = this.workers.get(incoming) ?? this.adoptIncoming(incoming, now)
      this.metrics.count('accepted_initial_packet_count')
      this.options.onIncoming?.(worker)
    }
  }

  private mark(worker: IoWorker): void {
    if (worker.queued || worker.isFinished) return
    worker.queued = true
    this.ready.push(worker)
  }

  private runOne(worker: IoWorker, now: number): void {
    worker.queued = false
    let again: boolean
    try {
      again = worker.run(now)
    } catch (error) {
      // A bug must not take the other connections along.
      process.emitWarning(error instanceof Error ? error : new Error(String(error)), 'QuicwireBug')
      worker.discard(error)
      again = false
    }
    if (worker.isFinished) {
      this.drop(worker)
      return
    }
    if (worker.closeReason !== null && this.options.endsWithConnections === true && this.liveConnections() === 0) this.unref()
    this.deadlines.update(worker)
    if (again) this.mark(worker)
  }

  private sendStateless(): void {
    for (;;) {
      this.transmit.buffer = this.socket.acquire()
      if (!this.socket.isWritable() || !this.endpoint.transmitStateless(this.transmit)) return
      if (this.transmit.path !== null) this.send(this.transmit.length, this.transmit.path, this.transmit.ecn)
    }
  }

  private adoptIncoming(connection: Connection, now: number): IoWorker {
    const config = this.options.endpoint.server?.()
    const { handshakeTimeout } = transportSettings(config?.transport)
    return this.adopt(connection, { handshakeTimeout, needs: this.options.needs }, now)
  }

  private adopt(connection: Connection, options: WorkerOptions, now: number): IoWorker {
    const worker = new IoWorker(this, connection, options, now)
    this.workers.set(connection, worker)
    this.schedule(worker)
    return worker
  }

  private drop(worker: IoWorker): void {
    const { connection } = worker
    if (!this.workers.delete(connection)) return
    this.endpoint.forget(connection)
    this.options.traces?.finish(connection.originalDestinationConnectionId, connection.role)
    if (this.workers.size === 0 && this.options.endsWithConnections === true) void this.stop()
  }

  private unref(): void {
    this.isBackground = true
    this.socket.unref?.()
    this.timer?.unref()
  }

  private armTimer(now: number): void {
    const next = this.deadlines.next()
    // A timer that fires too early only looks again.
    if (this.stopped || next >= this.timerAt) return
    if (this.timer !== null) clearTimeout(this.timer)
    this.timerAt = next
    this.timer = setTimeout(() => {
      this.timer = null
      this.timerAt = Infinity
      this.runTimer()
    }, Math.min(LONGEST_DELAY, Math.max(1, Math.ceil(next - now))))
    if (this.isBackground) this.timer.unref()
  }

  private runTimer(): void {
    if (!this.turnDue) this.runTurn()
    // Otherwise the turn that is due serves the deadlines and arms the timer.
  }
}
