// The server's entry: one UDP port, an async stream of incoming connections.

import {
  RandomConnectionIdGenerator,
  TransportErrorCode,
  checkPreferredAddress,
  checkTokenKeys,
  transportSettings,
  versionSettings,
  type ConnectionConfig,
  type ConnectionIdGenerator,
  type IncomingPolicy,
  type ServerTickets,
  type TlsSettings,
} from '@quicwire/quic'
import type { ApplicationOverQuic } from './app/application.ts'
import type { Receiver } from './channel/receiver.ts'
import { unbounded, type UnboundedSender } from './channel/unbounded.ts'
import { OptionError } from './errors.ts'
import type { EarlyDataPolicy } from './h3/early-data.ts'
import { monotonicClock, type Clock } from './io/clock.ts'
import type { DatagramSocket } from './io/datagram-socket.ts'
import { resolveHost } from './io/dgram-socket.ts'
import { parseSocketAddress, type SocketAddress } from './io/socket-address.ts'
import { bindUdpSocket, kindOf, type SocketKind } from './io/socket-kind.ts'
import { SocketSet } from './io/socket-set.ts'
import { keyLogger, traceFilesIn } from './io/trace-files.ts'
import { noMetrics, type Metrics } from './metrics/metrics.ts'
import { QuicConnection } from './quic-connection.ts'
import { listenerPolicy } from './router/incoming-policy.ts'
import { resetTokenDerivation } from './router/reset-tokens.ts'
import { Router } from './router/router.ts'
import {
  DEFAULT_LISTEN_BACKLOG,
  DEFAULT_MAX_CONNECTIONS,
  configForSocket,
  controllerPart,
  transportPart,
  versionPart,
  type QuicSettings,
} from './settings/quic-settings.ts'
import { cryptoProvider, type CryptoChoice } from './tls/crypto-choice.ts'
import { serverNeeds, serverTls, setCertificates, type CertificateOption, type ServerTlsOptions } from './tls/tls-options.ts'
import type { IoWorker } from './worker/io-worker.ts'

/** Bytes of the connection IDs issued here, unless ListenOptions.connectionIds makes them. */
const CONNECTION_ID_LENGTH = 8

export interface ListenAddress {
  /** Local address or name. Default `0.0.0.0`; `::` takes IPv6 and IPv4. */
  readonly host?: string | undefined
  /** Default 0: any free port. */
  readonly port?: number | undefined
}

export interface ListenOptions {
  /** Local address or name. Default `0.0.0.0`; `::` takes IPv6 and IPv4. */
  readonly host?: string | undefined
  /** Default 0: any free port. */
  readonly port?: number | undefined
  /**
   * Several addresses of one listener, in place of host and port: a connection may go from one to another, as with `preferredAddress` in
   * the settings. Answers leave from the address that was asked.
   */
  readonly addresses?: readonly ListenAddress[] | undefined
  readonly tls: ServerTlsOptions
  /** With `tls.earlyData`: what early data may rely on, such as http3EarlyData(settings). Default: on nothing but the transport parameters. */
  readonly earlyDataPolicy?: EarlyDataPolicy | undefined
  readonly settings?: QuicSettings | undefined
  /** `node`, `noble` or a provider. Default: QUICWIRE_CRYPTO, else `node`. */
  readonly crypto?: CryptoChoice | undefined
  /**
   * `dgram` or `ffi` (QUIC_SOCKET_UNAVAILABLE where ffiSupport() says no). Default: QUICWIRE_SOCKET, else `dgram`. Or sockets of one's own
   * instead of addresses; they are closed with the listener.
   */
  readonly socket?: SocketKind | DatagramSocket | readonly DatagramSocket[] | undefined
  /** Makes the connection IDs, such as a QuicLbGenerator for a load balancer. Default: 8 random bytes. */
  readonly connectionIds?: ConnectionIdGenerator | undefined
  /** Key of the stateless reset tokens, at least 32 bytes. Default: random. */
  readonly resetKey?: Uint8Array | undefined
  /**
   * Asked about every client before anything of it is kept: 'accept', 'retry' (it has to validate its address), 'refuse' or 'ignore'.
   * It runs per packet and must be quick; if it throws, the client is refused. Default: retryAbove(1024).
   */
  readonly policy?: IncomingPolicy | undefined
  /**
   * Keys of address validation tokens, 32 bytes each: the first seals, all of them open. Listeners that stand in for each other share them
   * (and Unix time). Default: a random one, for this listener alone.
   */
  readonly tokenKeys?: readonly Uint8Array[] | undefined
  readonly clock?: Clock | undefined
  /** Default: nothing is counted. */
  readonly metrics?: Metrics | undefined
}

export interface ListenerCloseOptions {
  /** Let connections finish what is under way. Default false: they are closed at once. */
  readonly graceful?: boolean | undefined
  /** Milliseconds until a graceful close becomes an immediate one. Default 30 000. */
  readonly timeout?: number | undefined
}

/** A connection whose first packet has arrived and been authenticated. Nothing is answered until it is started. */
export class IncomingConnection {
  readonly localAddress: SocketAddress
  private readonly worker: IoWorker
  private taken: boolean

  constructor(worker: IoWorker, localAddress: SocketAddress) {
    this.worker = worker
    this.localAddress = parseSocketAddress(worker.connection.localAddress()) ?? localAddress
    this.taken = false
  }

  /** `ip:port`; anybody's claim unless `validated`. */
  get remoteAddress(): string {
    return this.worker.connection.remoteAddress()
  }

  /** The client is known to receive at `remoteAddress`: by a token it was sent there, or because its handshake has come far enough. */
  get validated(): boolean {
    return this.worker.connection.isRemoteAddressValidated()
  }

  /** Runs the connection with this application, handshake first. Once. */
  start(application: ApplicationOverQuic): QuicConnection {
    if (this.taken) throw new OptionError('this incoming connection has been started or refused already')
    this.taken = true
    return new QuicConnection(this.worker, this.localAddress, application)
  }

  /** As start(), resolving when the handshake is complete. Rejects with a ConnectionError. */
  async handshake(application: ApplicationOverQuic): Promise<QuicConnection> {
    const connection = this.start(application)
    await connection.established
    return connection
  }

  /** Answers with CONNECTION_REFUSED. */
  refuse(): void {
    if (this.taken) return
    this.taken = true
    refuse(this.worker)
  }
}

const SILENT_APPLICATION: ApplicationOverQuic = {
  onConnEstablished: () => undefined,
  shouldAct: () => false,
  onTransportEvent: () => undefined,
  processReads: () => undefined,
  processWrites: () => undefined,
  waitForData: () => false,
  nextDeadline: () => Infinity,
  onDeadline: () => undefined,
  onShutdown: () => undefined,
  onConnClose: () => undefined,
}

function refuse(worker: IoWorker): void {
  worker.close(false, TransportErrorCode.connectionRefused, '')
  worker.start(SILENT_APPLICATION, { onEstablished: () => undefined, onClosed: () => undefined, onFinished: () => undefined })
}

const H3_NO_ERROR = 0x100
const DEFAULT_GRACE = 30_000

export class QuicListener implements AsyncIterable<IncomingConnection> {
  private readonly router: Router
  private readonly socket: DatagramSocket
  private readonly tickets: ServerTickets | null
  private readonly incoming: UnboundedSender<IncomingConnection>
  private readonly accepted: Receiver<IncomingConnection>
  private readonly config: ConnectionConfig
  private closing: Promise<void> | null

  /** Use listen(). */
  constructor(socket: DatagramSocket, config: ConnectionConfig, options: ListenOptions, traces: ReturnType<typeof traceFilesIn>) {
    const channel = unbounded<IncomingConnection>()
    const settings = options.settings ?? {}
    const backlog = settings.listenBacklog ?? DEFAULT_LISTEN_BACKLOG
    const maxConnections = settings.maxConnections ?? DEFAULT_MAX_CONNECTIONS
    const metrics = options.metrics ?? noMetrics
    this.socket = socket
    this.tickets = config.tls.tickets ?? null
    this.incoming = channel.sender
    this.accepted = channel.receiver
    this.config = config
    this.closing = null
    const serverConfig = configForSocket(config, socket)
    this.router = new Router({
      socket,
      clock: options.clock ?? monotonicClock,
      traces,
      metrics,
      endpoint: {
        random: config.random,
        connectionIdLength: config.connectionIds.length,
        versions: config.versions,
        server: () => (options.clock === undefined ? byTheClockOfToday(serverConfig) : serverConfig),
        ...(config.resetToken === undefined ? {} : { resetToken: config.resetToken }),
        policy: listenerPolicy(options.policy, () => this.accepted.length >= backlog || this.router.size >= maxConnections, metrics),
        tokenKeys: options.tokenKeys,
        tokenTime: () => Date.now(),
      },
      needs: serverNeeds(options.tls, config.provider),
      onIncoming: (worker) => {
        // Several of one turn may have passed the policy together.
        if (this.accepted.length >= backlog || this.router.size > maxConnections) {
          metrics.count('rejected_initial_packet_count', 'accept queue overflow')
          refuse(worker)
        } else if (!this.incoming.send(new IncomingConnection(worker, socket.localAddress))) refuse(worker)
      },
    })
  }

  /** Where the listener is bound; with several addresses, the first. */
  address(): SocketAddress {
    return this.socket.localAddress
  }

  /** Everywhere it is bound. */
  addresses(): readonly SocketAddress[] {
    return this.socket instanceof SocketSet ? this.socket.localAddresses() : [this.socket.localAddress]
  }

  /** Rotates the keys of address validation tokens: the first seals from now on, all of them open. Throws OptionError. */
  setTokenKeys(keys: readonly Uint8Array[]): void {
    try {
      this.router.setTokenKeys(keys)
    } catch (error) {
      throw new OptionError((error as Error).message, error)
    }
  }

  /** Rotates the keys of session tickets: the first seals from now on, all of them open. Throws OptionError. */
  setTicketKeys(keys: readonly Uint8Array[]): void {
    try {
      this.tickets?.setKeys(keys)
    } catch (error) {
      throw new OptionError((error as Error).message, error)
    }
  }

  /**
   * Replaces `tls.certificates`: handshakes that begin from now on see the new ones, connections go on as they are. Throws OptionError,
   * also where certificates are selected by a function.
   */
  setCertificates(certificates: readonly CertificateOption[]): void {
    setCertificates(this.config.tls, certificates, this.config.provider)
  }

  /** Datagrams dropped because they came faster than they were processed: 4096 wait between two turns, 2048 of one address. */
  get droppedDatagrams(): number {
    return this.socket.dropped
  }

  /** Connections alive, closing ones included. */
  get connections(): number {
    return this.router.size
  }

  /** The next incoming connection, null when the listener is closed. */
  accept(signal?: AbortSignal): Promise<IncomingConnection | null> {
    return this.accepted.recv(signal)
  }

  /** Leaving the loop stops accepting; connections go on. */
  [Symbol.asyncIterator](): AsyncIterator<IncomingConnection> {
    return {
      next: () => this.accepted.next(),
      return: () => {
        this.router.stopAccepting()
        return this.accepted.return()
      },
    }
  }

  /** Stops accepting, ends every connection, frees the port. Resolves when that is done. A second call may be more urgent. */
  close(options: ListenerCloseOptions = {}): Promise<void> {
    if (this.closing === null) this.closing = this.end(options)
    else if (options.graceful !== true) this.router.closeAll(H3_NO_ERROR, '')
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async end(options: ListenerCloseOptions): Promise<void> {
    this.router.stopAccepting()
    this.incoming.close()
    for (let left = this.accepted.tryRecv(); left !== 'empty' && left !== 'disconnected'; left = this.accepted.tryRecv()) left.refuse()
    if (options.graceful === true) {
      this.router.shutdownAll()
      await this.drained(options.timeout ?? DEFAULT_GRACE)
    }
    this.router.closeAll(H3_NO_ERROR, '')
    await this.drained(0)
    await this.router.stop()
  }

  /**
   * Waits until no connection is under way. With 0 only for the CONNECTION_CLOSE packets to leave: a closing period has no one
   * left to serve once the port is given up (RFC 9000 §10.2 permits ending it early).
   */
  private async drained(timeout: number): Promise<void> {
    if (timeout === 0) {
      // One turn sends them.
      for (let i = 0; i < 2; i++) await new Promise<void>((resolve) => setImmediate(resolve))
      return
    }
    if (this.router.liveConnections() === 0) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, timeout)
      const poll = setInterval(() => {
        if (this.router.liveConnections() === 0) done()
      }, 10)
      function done(): void {
        clearTimeout(timer)
        clearInterval(poll)
        resolve()
      }
    })
  }
}

/** Binds and starts a listener. Rejects with SocketError (QUIC_PORT_IN_USE, …), NameError or OptionError. */
export async function listen(options: ListenOptions): Promise<QuicListener> {
  const settings = options.settings ?? {}
  const provider = await cryptoProvider(options.crypto)
  const transport = transportPart(settings)
  const preferredAddress = typeof settings.preferredAddress === 'object' ? settings.preferredAddress : undefined
  try {
    transportSettings(transport)
    versionSettings(settings)
    if (options.connectionIds?.length === 0) throw new RangeError('a server needs connection IDs')
    if (options.tokenKeys !== undefined) checkTokenKeys(options.tokenKeys)
    if (preferredAddress !== undefined) checkPreferredAddress(preferredAddress)
  } catch (error) {
    throw new OptionError((error as Error).message, error)
  }
  const traces = traceFilesIn(settings.qlogDir, settings.qlogCompression)
  const config: ConnectionConfig = {
    provider,
    random: provider.random,
    tls: {
      ...serverTls(options.tls, provider, keyLogger(settings.keylogFile), Date.now() - (options.clock ?? monotonicClock).now()),
      ...earlyDataSettings(options.earlyDataPolicy),
    },
    transport,
    ...versionPart(settings),
    connectionIds: options.connectionIds ?? new RandomConnectionIdGenerator(provider.random, CONNECTION_ID_LENGTH),
    resetToken: resetTokenDerivation(provider, options.resetKey),
    ...(preferredAddress === undefined ? {} : { preferredAddress }),
    ...controllerPart(settings),
    ...(traces === null ? {} : { createTrace: (id: Uint8Array, role: 'client' | 'server') => traces.create(id, role) }),
  }
  return new QuicListener(await socketFor(options), config, options, traces)
}

function earlyDataSettings(policy: EarlyDataPolicy | undefined): Pick<TlsSettings, 'earlyDataContext' | 'acceptEarlyData'> {
  return policy === undefined ? {} : { earlyDataContext: policy.context, acceptEarlyData: policy.accept }
}

async function socketFor(options: ListenOptions): Promise<DatagramSocket> {
  const { socket } = options
  if (socket !== undefined && typeof socket !== 'string') return isSeveral(socket) ? together(socket) : socket
  if (options.addresses === undefined) return bindTo(options, false, kindOf(socket))
  const bound = await Promise.allSettled(options.addresses.map((address) => bindTo(address, true, kindOf(socket))))
  const sockets = bound.filter((one) => one.status === 'fulfilled').map(({ value }) => value)
  const failed = bound.find((one) => one.status === 'rejected')
  if (failed === undefined) return together(sockets)
  await Promise.all(sockets.map((one) => one.close()))
  throw failed.reason
}

function isSeveral(socket: DatagramSocket | readonly DatagramSocket[]): socket is readonly DatagramSocket[] {
  return Array.isArray(socket)
}

function together(sockets: readonly DatagramSocket[]): SocketSet {
  if (sockets.length === 0) throw new OptionError('a listener needs an address')
  return new SocketSet(sockets)
}

async function bindTo(to: ListenAddress, named: boolean, kind: SocketKind | undefined): Promise<DatagramSocket> {
  const { address } = await resolveHost(to.host ?? '0.0.0.0')
  return bindUdpSocket(kind, { address, port: to.port ?? 0, named })
}

// Certificates and tickets are judged by the wall clock, which a process that runs for months, or whose machine slept, has to look at anew: the
// monotonic one stands still meanwhile. Whoever brings a clock brings all of time.
function byTheClockOfToday(config: ConnectionConfig): ConnectionConfig {
  return { ...config, tls: { ...config.tls, timeOrigin: Date.now() - monotonicClock.now() } }
}
