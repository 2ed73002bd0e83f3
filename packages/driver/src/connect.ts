// The client's entry: one connection, on a socket of its own or on one shared by many.

import { RandomConnectionIdGenerator, transportSettings, type ConnectionConfig } from '@quicwire/quic'
import { isIP } from 'node:net'
import type { ApplicationOverQuic } from './app/application.ts'
import { OptionError } from './errors.ts'
import { monotonicClock, type Clock } from './io/clock.ts'
import type { DatagramSocket } from './io/datagram-socket.ts'
import { DgramSocket, resolveHost } from './io/dgram-socket.ts'
import type { SocketAddress } from './io/socket-address.ts'
import { keyLogger, traceFilesIn } from './io/trace-files.ts'
import { QuicConnection } from './quic-connection.ts'
import { Router } from './router/router.ts'
import { transportPart, type QuicSettings } from './settings/quic-settings.ts'
import { cryptoProvider, type CryptoChoice } from './tls/crypto-choice.ts'
import { clientTls, type ClientTlsOptions } from './tls/tls-options.ts'

/** Bytes of a client's own connection IDs. */
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
  /** A socket to share. Default: one of its own, closed with the connection. */
  readonly socket?: ClientSocket | undefined
  readonly crypto?: CryptoChoice | undefined
  /** Gives the attempt up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** A UDP socket many client connections share. Unconnected: an ICMP error says nothing on it. */
export class ClientSocket {
  readonly localAddress: SocketAddress
  private readonly routers: Router

  constructor(socket: DatagramSocket, router: Router) {
    this.localAddress = socket.localAddress
    this.routers = router
  }

  /** `address` decides the IP version; `::` reaches IPv4 too. Rejects with SocketError. */
  static async bind(options: { address?: string; port?: number; crypto?: CryptoChoice; clock?: Clock; qlogDir?: string } = {}): Promise<ClientSocket> {
    const socket = await DgramSocket.bind({ address: options.address, port: options.port })
    return ClientSocket.over(socket, options)
  }

  /** On a socket of any kind. */
  static async over(socket: DatagramSocket, options: { crypto?: CryptoChoice; clock?: Clock; qlogDir?: string } = {}): Promise<ClientSocket> {
    const provider = await cryptoProvider(options.crypto)
    const router = new Router({
      socket,
      clock: options.clock ?? monotonicClock,
      traces: traceFilesIn(options.qlogDir),
      endpoint: { random: provider.random, connectionIdLength: CONNECTION_ID_LENGTH },
    })
    return new ClientSocket(socket, router)
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
  } catch (error) {
    throw new OptionError((error as Error).message, error)
  }
  const traces = traceFilesIn(settings.qlogDir)
  const host = bare(options.host)
  const config: ConnectionConfig = {
    provider,
    random: provider.random,
    tls: clientTls(options.tls ?? {}, options.serverName ?? host, keyLogger(settings.keylogFile)),
    transport,
    connectionIds: new RandomConnectionIdGenerator(provider.random, CONNECTION_ID_LENGTH),
    ...(settings.createController === undefined ? {} : { createController: settings.createController }),
    ...(traces === null ? {} : { createTrace: (id: Uint8Array, role: 'client' | 'server') => traces.create(id, role) }),
  }
  const { address } = await resolveHost(host, options.family ?? 0)
  const socket = options.socket === undefined ? await DgramSocket.bind({ remote: { address, port } }) : null
  const router = options.socket?.router ?? ownRouter(socket as DatagramSocket, config, traces)
  let connection: QuicConnection
  try {
    connection = new QuicConnection(router.connect(config, address, port), router.socket.localAddress, options.application)
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

function ownRouter(socket: DatagramSocket, config: ConnectionConfig, traces: ReturnType<typeof traceFilesIn>): Router {
  return new Router({
    socket,
    clock: monotonicClock,
    traces,
    endpoint: { random: config.random, connectionIdLength: CONNECTION_ID_LENGTH },
    endsWithConnections: true,
  })
}

/** IPv6 literals come in brackets from URLs. */
function bare(host: string): string {
  return host.startsWith('[') && host.endsWith(']') && isIP(host.slice(1, -1)) === 6 ? host.slice(1, -1) : host
}
