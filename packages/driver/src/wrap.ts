// A Connection of the engine that somebody else has made and feeds: over a tunnel, a socket of another kind, a simulator. It gets a worker
// and an application as any other; what it sends goes to a function, what arrives is handed in.

import { Transmit, type Connection, type ConnectionEvent, type PathAddress } from '@quicwire/quic'
import type { ApplicationOverQuic } from './app/application.ts'
import { monotonicClock, type Clock } from './io/clock.ts'
import { DatagramBatch, SEND_BUFFER_SIZE, type DatagramSocket } from './io/datagram-socket.ts'
import type { SocketAddress } from './io/socket-address.ts'
import { noMetrics, type Metrics } from './metrics/metrics.ts'
import { QuicConnection } from './quic-connection.ts'
import { IoWorker, type WorkerHost } from './worker/io-worker.ts'

export interface WrapOptions {
  /** Nobody else calls its verbs from here on but through the application. */
  readonly connection: Connection
  readonly application: ApplicationOverQuic
  /** Takes a datagram to be sent; it is the receiver's own. */
  readonly send: (datagram: Uint8Array, path: PathAddress, ecn: number) => void
  /** Connection IDs that were issued and retired, for who routes packets. */
  readonly onConnectionId?: ((event: Extract<ConnectionEvent, { connectionId: Uint8Array }>) => void) | undefined
  /** The clock the connection was made with. Default: monotonicClock. */
  readonly clock?: Clock | undefined
  readonly metrics?: Metrics | undefined
  /** What QuicConnection.localAddress says. Default: `0.0.0.0:0`. */
  readonly localAddress?: SocketAddress | undefined
}

export interface WrappedConnection {
  readonly connection: QuicConnection
  /** A datagram for this connection has arrived; its bytes are the connection's from here on. */
  receive(datagram: Uint8Array, path: PathAddress, ecn?: number): void
}

const NOWHERE: SocketAddress = { address: '0.0.0.0', port: 0, family: 'IPv4' }
const LONGEST_DELAY = 2 ** 31 - 1

/** The one-connection counterpart of the router. */
class Wrapper implements WorkerHost {
  readonly socket: DatagramSocket
  readonly transmit: Transmit
  readonly metrics: Metrics
  readonly worker: IoWorker
  private readonly options: WrapOptions
  private readonly clock: Clock
  private readonly arrived: DatagramBatch
  private turnDue: boolean
  private timer: NodeJS.Timeout | null

  constructor(options: WrapOptions) {
    const buffer = new Uint8Array(SEND_BUFFER_SIZE)
    this.options = options
    this.clock = options.clock ?? monotonicClock
    this.transmit = new Transmit()
    this.metrics = options.metrics ?? noMetrics
    this.arrived = new DatagramBatch()
    this.turnDue = false
    this.timer = null
    this.socket = {
      features: { ecn: false, segmentation: false },
      localAddress: options.localAddress ?? NOWHERE,
      dropped: 0,
      open: () => undefined,
      receive: () => null,
      path: () => {
        throw new TypeError('a wrapped connection has the paths of its datagrams')
      },
      isWritable: () => true,
      acquire: () => buffer,
      send: () => undefined,
      flush: () => undefined,
      close: () => Promise.resolve(),
    }
    // The engine watches the handshake's timeout, which only its maker knows.
    this.worker = new IoWorker(this, options.connection, { handshakeTimeout: Infinity }, this.clock.now())
  }

  now(): number {
    return this.clock.now()
  }

  receive(datagram: Uint8Array, path: PathAddress, ecn: number): void {
    this.arrived.push(datagram, path, ecn)
    this.requestTurn()
  }

  send(length: number, path: PathAddress, ecn: number): void {
    this.options.send(this.transmit.buffer.slice(0, length), path, ecn)
  }

  schedule(): void {
    this.requestTurn()
  }

  onConnectionEvent(_worker: IoWorker, event: ConnectionEvent): void {
    if (event.kind === 'connection-id-issued' || event.kind === 'connection-id-retired') this.options.onConnectionId?.(event)
  }

  private requestTurn(): void {
    if (this.turnDue || this.worker.isFinished) return
    this.turnDue = true
    setImmediate(() => this.turn())
  }

  private turn(): void {
    this.turnDue = false
    const { worker, arrived } = this
    if (worker.isFinished) return
    const now = this.clock.now()
    for (let i = 0; i < arrived.length; i++) worker.connection.receive(arrived.datagrams[i]!, arrived.paths[i]!, now, arrived.ecn[i]!)
    arrived.clear()
    if (worker.deadline() <= now) worker.onTimeout(now)
    if (worker.run(now)) this.requestTurn()
    if (this.timer !== null) clearTimeout(this.timer)
    const next = worker.deadline()
    this.timer = worker.isFinished || next === Infinity ? null : setTimeout(() => this.requestTurn(), Math.min(LONGEST_DELAY, Math.max(1, Math.ceil(next - now))))
  }
}

/** Gives a connection its worker and application; the handshake goes on in the next turn. */
export function wrapConnection(options: WrapOptions): WrappedConnection {
  const wrapper = new Wrapper(options)
  return {
    connection: new QuicConnection(wrapper.worker, wrapper.socket.localAddress, options.application),
    receive: (datagram, path, ecn = 0) => wrapper.receive(datagram, path, ecn),
  }
}
