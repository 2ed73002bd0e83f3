// One socket, many connections: the only reader of the socket, the only caller of the workers, one timer for all of them.
// Datagrams gather while the event loop polls; one turn (a setImmediate) feeds them all to their connections by connection ID, serves
// timers, lets every marked worker run once, and arms the timer. Nothing runs outside a turn.

import { Endpoint, Transmit, type Connection, type ConnectionConfig, type ConnectionEvent, type EndpointConfig } from '@quicwire/quic'
import { Ring } from '@quicwire/quic/ring'
import type { Clock } from '../io/clock.ts'
import type { DatagramHandler, DatagramSocket } from '../io/datagram-socket.ts'
import type { TraceFiles } from '../io/trace-files.ts'
import type { NeedHandlers } from '../tls/need-answers.ts'
import { IoWorker, type WorkerHost } from '../worker/io-worker.ts'
import { Deadlines } from './deadlines.ts'

export interface RouterOptions {
  readonly socket: DatagramSocket
  readonly endpoint: EndpointConfig
  readonly clock: Clock
  readonly traces: TraceFiles | null
  /** Answers what TLS asks for incoming connections. */
  readonly needs?: NeedHandlers | undefined
  /** A connection the endpoint has accepted. */
  readonly onIncoming?: ((worker: IoWorker) => void) | undefined
  /** The socket lives for its connections alone: it is closed with the last, and a closing period does not keep the process alive. */
  readonly endsWithConnections?: boolean | undefined
}

/** setTimeout counts whole milliseconds, and no more of them than this. */
const LONGEST_DELAY = 2 ** 31 - 1

export class Router implements DatagramHandler, WorkerHost {
  readonly socket: DatagramSocket
  readonly transmit: Transmit
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

  constructor(options: RouterOptions) {
    this.options = options
    this.socket = options.socket
    this.clock = options.clock
    this.transmit = new Transmit()
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

  connect(config: ConnectionConfig, address: string, port: number, needs: NeedHandlers): IoWorker {
    const now = this.clock.now()
    return this.adopt(this.endpoint.connect(config, this.socket.path(address, port), now), needs, now)
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
    await this.socket.close()
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
    if (this.ready.length > 0) this.requestTurn()
    this.armTimer(now)
  }

  private receiveAll(now: number): void {
    const batch = this.socket.receive()
    if (batch === null) return
    for (let i = 0; i < batch.length; i++) {
      const connection = this.endpoint.receive(batch.datagrams[i]!, batch.paths[i]!, now, batch.ecn[i]!)
      if (connection !== null) this.mark(this.workers.get(connection) ?? this.adoptIncoming(connection, now))
    }
    batch.clear()
    for (let incoming = this.endpoint.pollIncoming(); incoming !== null; incoming = this.endpoint.pollIncoming()) {
      const worker = this.workers.get(incoming) ?? this.adoptIncoming(incoming, now)
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
      if (this.transmit.path !== null) this.socket.send(this.transmit.length, this.transmit.path, this.transmit.ecn)
    }
  }

  private adoptIncoming(connection: Connection, now: number): IoWorker {
    return this.adopt(connection, this.options.needs ?? {}, now)
  }

  private adopt(connection: Connection, needs: NeedHandlers, now: number): IoWorker {
    const worker = new IoWorker(this, connection, needs, now)
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
