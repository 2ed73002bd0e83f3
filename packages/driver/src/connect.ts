// The client's entry: one connection, on a socket of its own or on one shared by many.

import {
  RandomConnectionIdGenerator,
  transportSettings,
  versionSettings,
  type CloseReason,
  type ConnectionConfig,
  type ConnectionIdGenerator,
  type RandomSource,
  type SessionStore,
  type TlsSettings,
  type TokenStore,
} from '@quicwire/quic'
import { isIP } from 'node:net'
import type { ApplicationOverQuic } from './app/application.ts'
import { ConnectionError, OptionError } from './errors.ts'
import { monotonicClock, type Clock } from './io/clock.ts'
import type { DatagramSocket } from './io/datagram-socket.ts'
import { DgramSocket, resolveAddresses } from './io/dgram-socket.ts'
import type { SocketAddress } from './io/socket-address.ts'
import { keyLogger, traceFilesIn } from './io/trace-files.ts'
import { QuicConnection } from './quic-connection.ts'
import { Router } from './router/router.ts'
import { configForSocket, transportPart, versionPart, type QuicSettings } from './settings/quic-settings.ts'
import { processSessions, sessionOrigin, sessionsOf } from './settings/session-store.ts'
import { processTokens, tokensOf } from './settings/token-store.ts'
import { cryptoProvider, type CryptoChoice } from './tls/crypto-choice.ts'
import type { NeedHandlers } from './tls/need-answers.ts'
import { clientTls, type ClientTlsOptions } from './tls/tls-options.ts'
import type { IoWorker } from './worker/io-worker.ts'

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
   * socket of its own.
   */
  readonly socket?: ClientSocket | DatagramSocket | undefined
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
  /** Gives the attempt up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export interface ClientSocketOptions {
  readonly crypto?: CryptoChoice
  readonly clock?: Clock
  readonly qlogDir?: string
  /** Bytes of the connection IDs of all connections on it; with 0 there can be one to each address. Default 8. */
  readonly connectionIdLength?: number
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
    const socket = await DgramSocket.bind({ address: options.address, port: options.port })
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
  const traces = traceFilesIn(settings.qlogDir)
  const host = bare(options.host)
  const tokenStore = options.tokenStore === undefined ? processTokens : options.tokenStore
  const config: ConnectionConfig = {
    provider,
    random: provider.random,
    tls: {
      ...clientTls(options.tls ?? {}, options.serverName ?? host, keyLogger(settings.keylogFile), provider),
      ...clientSessions(options, options.serverName ?? host, port),
    },
    transport,
    ...versionPart(settings),
    connectionIds: clientConnectionIds(provider.random, options),
    // A connected socket sends to one address only.
    preferredAddress: 'ignore',
    ...(tokenStore === null ? {} : { tokenStore: tokensOf(tokenStore, port) }),
    ...(settings.createController === undefined ? {} : { createController: settings.createController }),
    ...(traces === null ? {} : { createTrace: (id: Uint8Array, role: 'client' | 'server') => traces.create(id, role) }),
  }
  const only = options.socket instanceof ClientSocket ? undefined : options.socket?.remoteAddress
  const addresses = only === undefined ? await resolveAddresses(host, options.family ?? 0) : [only.address]
  for (const address of addresses.slice(0, -1)) {
    try {
      return await connectTo(address, port, config, traces, options)
    } catch (error) {
      // Nobody listens there: a name such as localhost may have a better address.
      if (!(error instanceof ConnectionError) || error.code !== 'QUIC_CONNECTION_REFUSED') throw error
    }
  }
  return connectTo(addresses[addresses.length - 1]!, port, config, traces, options)
}

async function connectTo(
  address: string,
  port: number,
  config: ConnectionConfig,
  traces: ReturnType<typeof traceFilesIn>,
  options: ConnectOptions,
): Promise<QuicConnection> {
  const shared = options.socket instanceof ClientSocket ? options.socket : null
  const given = shared === null ? (options.socket as DatagramSocket | undefined) : undefined
  const socket = shared === null ? (given ?? (await DgramSocket.bind({ remote: { address, port } }))) : null
  const router = shared?.router ?? ownRouter(socket as DatagramSocket, config, traces)
  let connection: QuicConnection
  try {
    const forSocket = configForSocket(config, router.socket)
    const needs: NeedHandlers = { verifyPeer: options.tls?.verifyPeer }
    // RFC 9368 §2.1: Version Negotiation is followed once, in a connection of its own.
    const nextAttempt = ({ versions }: CloseReason): IoWorker | null => {
      if (versions === undefined || versions.suggested === null || options.signal?.aborted === true) return null
      return router.connect({ ...forSocket, originalVersion: versions.suggested, afterVersionNegotiation: true }, address, port, needs)
    }
    const worker = router.connect(forSocket, address, port, needs)
    connection = new QuicConnection(worker, router.socket.localAddress, options.application, nextAttempt)
  } catch (error) {
    if (socket !== null) await router.stop()
    throw new OptionError((error as Error).message, error)
  }
  const { signal } = options
  if (signal === undefined) {
    await connection.established
    return connection
  }
  const abort = (): void => void connection.close({ application: false })
  signal.addEventListener('abort', abort, { once: true })
  try {
    await connection.established
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    signal.removeEventListener('abort', abort)
  }
  return connection
}

function clientSessions({ sessionStore, tls }: ConnectOptions, serverName: string, port: number): Partial<TlsSettings> {
  // What a verdict of the application allowed is not for others to resume.
  const usual = tls?.verifyPeer === undefined ? processSessions : null
  const store = sessionStore === undefined ? usual : sessionStore
  if (store === null) return {}
  return { sessions: sessionsOf(store), sessionOrigin: sessionOrigin(serverName, port, tls ?? {}), timeOrigin: performance.timeOrigin }
}

function clientConnectionIds(random: RandomSource, { socket, connectionIdLength }: ConnectOptions): ConnectionIdGenerator {
  try {
    const shared = socket instanceof ClientSocket ? socket.connectionIdLength : undefined
    return new RandomConnectionIdGenerator(random, shared ?? connectionIdLength ?? CONNECTION_ID_LENGTH)
  } catch (error) {
    throw new OptionError(`connectionIdLength: ${(error as Error).message}`, error)
  }
}

function ownRouter(socket: DatagramSocket, config: ConnectionConfig, traces: ReturnType<typeof traceFilesIn>): Router {
  return new Router({
    socket,
    clock: monotonicClock,
    traces,
    endpoint: { random: config.random, connectionIdLength: config.connectionIds.length },
    endsWithConnections: true,
  })
}

/** IPv6 literals come in brackets from URLs. */
function bare(host: string): string {
  return host.startsWith('[') && host.endsWith(']') && isIP(host.slice(1, -1)) === 6 ? host.slice(1, -1) : host
}
