// The client's entry: one connection, on a socket of its own or on one shared by many.

import {
  RandomConnectionIdGenerator,
  transportSettings,
  versionSettings,
  type ConnectionConfig,
  type ConnectionIdGenerator,
  type RandomSource,
  type SessionStore,
  type TlsSettings,
  type TokenStore,
} from '@quicwire/quic'
import { isIP } from 'node:net'
import type { ApplicationOverQuic } from './app/application.ts'
import { ConnectionAttempts, DEFAULT_ATTEMPT_DELAY, type OpenAttempt } from './connection-attempts.ts'
import { NameError, OptionError } from './errors.ts'
import { monotonicClock, type Clock } from './io/clock.ts'
import type { DatagramSocket } from './io/datagram-socket.ts'
import { resolveAddresses } from './io/dgram-socket.ts'
import { formatAddress, type SocketAddress } from './io/socket-address.ts'
import { bindUdpSocket, kindOf, type SocketKind } from './io/socket-kind.ts'
import { keyLogger, traceFilesIn } from './io/trace-files.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Migration } from './moves.ts'
import { QuicConnection } from './quic-connection.ts'
import { Router } from './router/router.ts'
import { configForSocket, controllerPart, transportPart, versionPart, type QuicSettings } from './settings/quic-settings.ts'
import { ConnectionSessions, processSessions, sessionOrigin } from './settings/session-store.ts'
import { processTokens, tokensOf } from './settings/token-store.ts'
import { cryptoProvider, type CryptoChoice } from './tls/crypto-choice.ts'
import { clientTls, type ClientTlsOptions } from './tls/tls-options.ts'

/** Default of ConnectOptions.connectionIdLength. */
const CONNECTION_ID_LENGTH = 8

export interface ConnectOptions {
  /** Name or address of the server. */
  readonly host: string
  /** Default 443. */
  readonly port?: number | undefined
  /** The name the certificate has to be for, and SNI. Default: `host`. */
  readonly serverName?: string | undefined
  /** 4 or 6 to insist on one IP version. */
  readonly family?: 4 | 6 | undefined
  readonly tls?: ClientTlsOptions | undefined
  readonly settings?: QuicSettings | undefined
  /** What runs on the connection, such as the driver of clientH3Driver(). */
  readonly application: ApplicationOverQuic
  /**
   * A socket to share, or a DatagramSocket such as UdpTunnel.datagramSocket() for this connection alone, closed with it. Default: a UDP
   * socket of its own, of the kind that is named here or by QUICWIRE_SOCKET, else `dgram`.
   */
  readonly socket?: SocketKind | ClientSocket | DatagramSocket | undefined
  /**
   * Bytes of this side's connection IDs, 0 to 20; with a shared socket the socket's own count. 0 saves them in every packet received, and
   * gives up surviving a change of address. Default 8.
   */
  readonly connectionIdLength?: number | undefined
  readonly crypto?: CryptoChoice | undefined
  /**
   * Where address validation tokens of servers are kept, as `name:port`: they save a round trip where a server asks for a Retry, and let it
   * recognise a returning client. Default: one store in memory for the process. Null keeps and sends none.
   */
  readonly tokenStore?: TokenStore | null | undefined
  /**
   * Where sessions are kept, as `name:port`: they save the server's certificate, and its verification, on the next connection. Default: one
   * store in memory for the process, and none with `tls.verifyPeer`. Null keeps none. A session file is as secret as a private key.
   */
  readonly sessionStore?: SessionStore | null | undefined
  /**
   * Resolves as soon as the application may begin with 0-RTT (RFC 9001 §4.6), if there is a session that allows it and the application
   * wants to, as clientH3Driver() does with `earlyData`: what it sends before `established` may be replayed. Default false.
   */
  readonly earlyData?: boolean | undefined
  /** Milliseconds between attempts at the addresses of a host (RFC 8305 §5). Default 250. */
  readonly attemptDelay?: number | undefined
  /** The addresses of a host. Default: the system's. */
  readonly lookup?: ((host: string, family: 0 | 4 | 6) => Promise<readonly string[]>) | undefined
  /** On a socket of its own; with a shared one its own count. Default: none. */
  readonly metrics?: Metrics | undefined
  /** The destination connection ID of the first packet, 8 to 20 unpredictable bytes (RFC 9000 §7.2), for who wants to choose it. */
  readonly destinationConnectionId?: Uint8Array | undefined
  /** Gives the attempt up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export interface ClientSocketOptions {
  readonly crypto?: CryptoChoice
  readonly clock?: Clock
  readonly qlogDir?: string
  /** Bytes of the connection IDs of all connections on it; with 0 there can be one to each address. Default 8. */
  readonly connectionIdLength?: number
  readonly metrics?: Metrics
  /** What bind() opens. Default: QUICWIRE_SOCKET, else `dgram`. */
  readonly socket?: SocketKind
}

/** A UDP socket many client connections share. Unconnected: an ICMP error says nothing on it. */
export class ClientSocket {
  readonly localAddress: SocketAddress
  /** Bytes of the connection IDs of all its connections. */
  readonly connectionIdLength: number
  private readonly routers: Router

  constructor(socket: DatagramSocket, router: Router, connectionIdLength: number = CONNECTION_ID_LENGTH) {
    this.localAddress = socket.localAddress
    this.connectionIdLength = connectionIdLength
    this.routers = router
  }

  /** `address` decides the IP version; `::` reaches IPv4 too. Rejects with SocketError. */
  static async bind(options: ClientSocketOptions & { readonly address?: string; readonly port?: number } = {}): Promise<ClientSocket> {
    const socket = await bindUdpSocket(options.socket, { address: options.address, port: options.port })
    return ClientSocket.over(socket, options)
  }

  /** On a socket of any kind. */
  static async over(socket: DatagramSocket, options: ClientSocketOptions = {}): Promise<ClientSocket> {
    const connectionIdLength = options.connectionIdLength ?? CONNECTION_ID_LENGTH
    const provider = await cryptoProvider(options.crypto)
    const router = new Router({
      socket,
      clock: options.clock ?? monotonicClock,
      traces: traceFilesIn(options.qlogDir),
      metrics: options.metrics,
      endpoint: { random: provider.random, connectionIdLength },
    })
    return new ClientSocket(socket, router, connectionIdLength)
  }

  /** @internal */
  get router(): Router {
    return this.routers
  }

  get connections(): number {
    return this.routers.size
  }

  /** Closes every connection and the socket. */
  async close(): Promise<void> {
    this.routers.closeAll(0x100, '')
    for (let i = 0; i < 2; i++) await new Promise<void>((resolve) => setImmediate(resolve))
    await this.routers.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * Connects; resolves when the handshake is complete. Rejects with NameError, SocketError, OptionError, ConnectTimeoutError, HandshakeError
 * (which names the TLS alert or the certificate check that failed) or another ConnectionError.
 */
export async function connect(options: ConnectOptions): Promise<QuicConnection> {
  options.signal?.throwIfAborted()
  const settings = options.settings ?? {}
  const port = options.port ?? 443
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new OptionError(`port must be 1 to 65535, not ${port}`)
  const provider = await cryptoProvider(options.crypto)
  const transport = transportPart(settings)
  try {
    transportSettings(transport)
    versionSettings(settings)
  } catch (error) {
    throw new OptionError((error as Error).message, error)
  }
  const traces = traceFilesIn(settings.qlogDir, settings.qlogCompression)
  const host = bare(options.host)
  const tokenStore = options.tokenStore === undefined ? processTokens : options.tokenStore
  const sessions = connectionSessions(options)
  const config: ConnectionConfig = {
    provider,
    random: provider.random,
    tls: {
      ...clientTls(options.tls ?? {}, options.serverName ?? host, keyLogger(settings.keylogFile), provider),
      ...sessionSettings(sessions, options, options.serverName ?? host, port),
    },
    transport,
    ...versionPart(settings),
    connectionIds: clientConnectionIds(provider.random, options),
    ...(options.destinationConnectionId === undefined ? {} : { firstDestination: options.destinationConnectionId }),
    // It takes another path, and often another socket, to go there: see Moves.
    preferredAddress: 'ignore',
    ...(tokenStore === null ? {} : { tokenStore: tokensOf(tokenStore, port) }),
    ...controllerPart(settings),
    ...(traces === null ? {} : { createTrace: (id: Uint8Array, role: 'client' | 'server') => traces.create(id, role) }),
  }
  const addresses = await addressesFor(host, options)
  options.signal?.throwIfAborted()
  if (addresses.length === 0) throw new NameError(host, new Error('no addresses'))
  let attempted = config
  const attempts = new ConnectionAttempts(addresses, options.attemptDelay ?? DEFAULT_ATTEMPT_DELAY, (address) => {
    const opening = openAttempt(address, port, attempted, traces, sessions, options)
    const { firstDestination: _, ...others } = config
    attempted = others
    return opening
  })
  const { worker, localAddress } = await attempts.first()
  const connection = new QuicConnection(worker, localAddress, options.application, attempts)
  attempts.begin(connection)
  await usable(connection, options.signal)
  return connection
}

async function addressesFor(host: string, { socket, lookup, family }: ConnectOptions): Promise<readonly string[]> {
  const only = socket instanceof ClientSocket || typeof socket === 'string' ? undefined : socket?.remoteAddress
  if (only !== undefined) return [only.address]
  const addresses = await (lookup ?? resolveAddresses)(host, family ?? 0)
  // A socket that was given for this connection alone ends with the first attempt.
  return socket === undefined || typeof socket === 'string' || socket instanceof ClientSocket ? addresses : addresses.slice(0, 1)
}

async function openAttempt(
  address: string,
  port: number,
  config: ConnectionConfig,
  traces: ReturnType<typeof traceFilesIn>,
  sessions: ConnectionSessions | undefined,
  options: ConnectOptions,
): Promise<OpenAttempt> {
  const shared = options.socket instanceof ClientSocket ? options.socket : null
  const kind = kindOf(options.socket)
  const given = shared === null && kind === undefined ? (options.socket as DatagramSocket | undefined) : undefined
  const socket = shared === null ? (given ?? (await bindUdpSocket(kind, { remote: { address, port } }))) : null
  const router = shared?.router ?? ownRouter(socket as DatagramSocket, config, traces, options.metrics)
  const forSocket = configForSocket(config, router.socket)
  const follows = options.settings?.preferredAddress !== 'ignore'
  try {
    const ways = { sessions, needs: { verifyPeer: options.tls?.verifyPeer } }
    return {
      worker: router.connect(forSocket, address, port, ways),
      localAddress: router.socket.localAddress,
      migration: socket === null || given !== undefined ? sameSocket(router.socket, follows) : newSocket(router, kind, follows),
      restart: (version) =>
        router.connect({ ...forSocket, originalVersion: version, afterVersionNegotiation: true }, address, port, ways),
    }
  } catch (error) {
    if (socket !== null) await router.stop()
    throw new OptionError((error as Error).message, error)
  }
}

/** Of a connection with a socket of its own, which is connected to one address: each path has another one. */
function newSocket(router: Router, kind: SocketKind | undefined, followsPreferred: boolean): Migration {
  return {
    changesSocket: true,
    followsPreferred,
    async open(local, { address, port }) {
      const socket = await bindUdpSocket(kind, { ...local, remote: { address, port }, named: true })
      return router.openNext(socket, address, port)
    },
    settle: (moved) => router.settleNext(moved),
  }
}

function sameSocket(socket: DatagramSocket, followsPreferred: boolean): Migration | null {
  if (socket.remoteAddress !== undefined) return null
  return {
    changesSocket: false,
    followsPreferred,
    open(_local, { address, port }) {
      const path = socket.path(address, port)
      // A connected socket knows one path only.
      return Promise.resolve(path.remote === formatAddress(address, port) ? path : null)
    },
    settle: () => undefined,
  }
}

async function usable(connection: QuicConnection, signal: AbortSignal | undefined): Promise<void> {
  const abort = (): void => void connection.close({ application: false })
  if (signal?.aborted === true) abort()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    await connection.usable
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

function connectionSessions({ sessionStore, tls }: ConnectOptions): ConnectionSessions | undefined {
  // What a verdict of the application allowed is not for others to resume.
  const usual = tls?.verifyPeer === undefined ? processSessions : null
  const store = sessionStore === undefined ? usual : sessionStore
  return store === null ? undefined : new ConnectionSessions(store)
}

function sessionSettings(
  sessions: ConnectionSessions | undefined,
  { tls, earlyData }: ConnectOptions,
  serverName: string,
  port: number,
): Partial<TlsSettings> {
  if (sessions === undefined) return {}
  return {
    sessions,
    ...(earlyData === true ? { earlyData } : {}),
    sessionOrigin: sessionOrigin(serverName, port, tls ?? {}),
    timeOrigin: performance.timeOrigin,
  }
}

function clientConnectionIds(random: RandomSource, { socket, connectionIdLength }: ConnectOptions): ConnectionIdGenerator {
  try {
    const shared = socket instanceof ClientSocket ? socket.connectionIdLength : undefined
    return new RandomConnectionIdGenerator(random, shared ?? connectionIdLength ?? CONNECTION_ID_LENGTH)
  } catch (error) {
    throw new OptionError(`connectionIdLength: ${(error as Error).message}`, error)
  }
}

function ownRouter(
  socket: DatagramSocket,
  config: ConnectionConfig,
  traces: ReturnType<typeof traceFilesIn>,
  metrics: Metrics | undefined,
): Router {
  return new Router({
    socket,
    clock: monotonicClock,
    traces,
    metrics,
    endpoint: { random: config.random, connectionIdLength: config.connectionIds.length },
    endsWithConnections: true,
  })
}

/** IPv6 literals come in brackets from URLs. */
function bare(host: string): string {
  return host.startsWith('[') && host.endsWith(']') && isIP(host.slice(1, -1)) === 6 ? host.slice(1, -1) : host
}
