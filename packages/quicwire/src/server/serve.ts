// The server's entry: listens, runs an HTTP/3 driver on every connection, hands requests to the handler.

import { createPrivateKey, X509Certificate } from 'node:crypto'
import {
  http3EarlyData,
  listen,
  MasqueProxy,
  serverH3Driver,
  type CryptoChoice,
  type Http3Settings,
  type ListenAddress,
  type MasqueProxyOptions,
  type ProxyConnection,
  type QuicConnection,
  type QuicListener,
  type QuicSettings,
  type ServerH3Controller,
  type ServerH3Driver,
} from '@quicwire/driver'
import { NO_HEADER_COMPRESSION, headerCompression, sumHeaderCompression, type HeaderCompressionStats } from '../http/header-compression.ts'
import type { Handler, IncomingRequest } from '../http/message.ts'
import { CertificateFileError } from '../tls/certificate-files.ts'
import { TUNNEL_DATAGRAM_SIZE } from '../masque/tunnel-settings.ts'
import { answerRequest, takesSafe, type Answerer } from './answer-request.ts'
import { developmentCertificate } from './development-certificate.ts'

export interface ServeOptions {
  /** Default 127.0.0.1; '0.0.0.0' or '::' for every address. */
  readonly host?: string
  /** Default 4433; 0 for any free port. */
  readonly port?: number
  /** Several addresses in place of host and port, as for `settings.preferredAddress`; `url` names the first. */
  readonly addresses?: readonly ListenAddress[]
  /** PEM texts. Default: a development certificate. */
  readonly certificate?: { readonly cert: string; readonly key: string }
  /** Called for each request. What it throws becomes status 500. */
  readonly handler: Handler
  /**
   * Serves tunnels too: CONNECT-UDP (RFC 9298), CONNECT (RFC 9114 §4.4) and, with its `ip`, CONNECT-IP (RFC 9484). By default to public
   * addresses, for everybody: see `authorize`. Default: no tunnels.
   */
  readonly proxy?: MasqueProxyOptions | MasqueProxy
  /**
   * Take 0-RTT: requests of returning clients then arrive a round trip earlier, and may be replays (RFC 8470). Safe methods reach the
   * handler, with `early` true; the others, and tunnels, are answered 425 and come again. Default false.
   */
  readonly earlyData?: boolean
  /** Which early requests reach the handler, in place of those with safe methods. Whoever says more must be immune to replays. */
  readonly takesEarly?: (request: IncomingRequest) => boolean
  /** What went wrong with one request. Default: nothing is said. */
  readonly onError?: (error: Error) => void
  /** Origins to offer the connections for as well, such as 'https://example.com' (ORIGIN, RFC 9412). The certificate has to be for them. Default: none. */
  readonly origins?: readonly string[]
  readonly settings?: QuicSettings
  readonly http3?: Http3Settings
  readonly crypto?: CryptoChoice
}

export interface ServerCloseOptions {
  /** True closes every connection at once. Default: running responses finish first. */
  readonly immediately?: boolean
  /** How long they may take, in milliseconds. Default 600 000. */
  readonly graceMs?: number
}

export interface ServerStats {
  /** Connections taken so far. */
  readonly connections: number
  /** Those that live. */
  readonly openConnections: number
  /** Of all connections together. */
  readonly qpack: HeaderCompressionStats
}

export interface Server {
  /** 'https://host:port/' */
  readonly url: string
  readonly port: number
  /** SHA-256 of the certificate's DER in hex. */
  readonly certificateSha256: string
  /** Counters so far; they stay readable after close(). */
  stats(): ServerStats
  /** GOAWAY, running responses finish, CONNECTION_CLOSE; resolves when the port is free. A second call may be more urgent. */
  close(options?: ServerCloseOptions): Promise<void>
}

/** Listens. Rejects when the port is taken, the host is not ours, or certificate and key do not fit. */
export async function serve(options: ServeOptions): Promise<Server> {
  const host = options.addresses?.[0]?.host ?? options.host ?? '127.0.0.1'
  const wildcard = host === '0.0.0.0' || host === '::'
  const certificate = options.certificate ?? (await developmentCertificate({ names: wildcard ? [] : [host], ...cryptoOf(options) }))
  const certificateSha256 = checkCertificate(certificate)
  const listener = await listen({
    host,
    port: options.port ?? 4433,
    addresses: options.addresses,
    tls: { certificates: [certificate], earlyData: options.earlyData },
    earlyDataPolicy: http3EarlyData(http3Settings(options)),
    settings: options.proxy === undefined ? options.settings : { datagramSize: TUNNEL_DATAGRAM_SIZE, ...options.settings },
    crypto: options.crypto,
  })
  const { port } = listener.address()
  const name = wildcard ? 'localhost' : host.includes(':') ? `[${host}]` : host
  return new H3Server(listener, options, `https://${name}${port === 443 ? '' : `:${port}`}/`, port, certificateSha256)
}

/** RFC 9114 §8.1: a body that broke on its way is the server's fault, not a change of mind. */
const H3_INTERNAL_ERROR = 0x102

class H3Server implements Server {
  readonly url: string
  readonly port: number
  readonly certificateSha256: string
  private readonly listener: QuicListener
  private readonly options: ServeOptions
  private readonly connections: Map<QuicConnection, ServerH3Driver>
  private accepted: number
  /** Of the connections that have ended. */
  private ended: HeaderCompressionStats
  private readonly proxy: MasqueProxy | null
  private readonly tunnels: Set<ProxyConnection>

  constructor(listener: QuicListener, options: ServeOptions, url: string, port: number, certificateSha256: string) {
    this.url = url
    this.port = port
    this.certificateSha256 = certificateSha256
    this.listener = listener
    this.options = options
    this.connections = new Map()
    this.accepted = 0
    this.ended = NO_HEADER_COMPRESSION
    this.tunnels = new Set()
    const { proxy } = options
    this.proxy = proxy === undefined ? null : proxy instanceof MasqueProxy ? proxy : new MasqueProxy(proxy)
    void this.accept()
  }

  stats(): ServerStats {
    let qpack = this.ended
    for (const driver of this.connections.values()) qpack = sumHeaderCompression(qpack, headerCompression(driver))
    return { connections: this.accepted, openConnections: this.connections.size, qpack }
  }

  async close(options: ServerCloseOptions = {}): Promise<void> {
    const closing = this.listener.close({ graceful: options.immediately !== true, timeout: options.graceMs ?? 600_000 })
    if (options.immediately === true) for (const connection of this.connections.keys()) void connection.close()
    else for (const tunnels of this.tunnels) tunnels.shutdown()
    await closing
  }

  private async accept(): Promise<void> {
    for await (const incoming of this.listener) {
      const { driver, controller } = serverH3Driver(http3Settings(this.options))
      const connection = incoming.start(driver)
      this.accepted += 1
      this.connections.set(connection, driver)
      void connection.closed.then(() => {
        this.connections.delete(connection)
        this.ended = sumHeaderCompression(this.ended, headerCompression(driver))
      })
      void this.run(controller)
    }
  }

  private async run(controller: ServerH3Controller): Promise<void> {
    const { handler, onError = () => undefined, takesEarly = takesSafe } = this.options
    const answerer: Answerer = { handler, onError, takesEarly }
    const tunnels = this.proxy?.connection(controller) ?? null
    if (tunnels !== null) this.tunnels.add(tunnels)
    for await (const event of controller.events) {
      // RFC 8470: a tunnel that may be a replay is not opened; it gets its 425 like other requests.
      const early = event.kind === 'Headers' && event.isInEarlyData
      if (!early && tunnels?.on(event) === true) continue
      if (event.kind !== 'Headers') continue
      const { streamId } = event.incoming
      void answerRequest(event.incoming, early, answerer, {
        abort: () => controller.shutdownStream(streamId, { kind: 'Write', errorCode: H3_INTERNAL_ERROR }),
        setPriority: (priority) => controller.setPriority(streamId, priority),
      })
    }
    if (tunnels !== null) this.tunnels.delete(tunnels)
  }
}

/** RFC 9297 §2.1.1: HTTP Datagrams are not offered without QUIC's; tunnels then use capsules. */
function http3Settings({ origins, proxy, settings, http3 }: ServeOptions): Http3Settings {
  if (proxy === undefined) return { origins, ...http3 }
  return { origins, enableExtendedConnect: true, enableDatagrams: settings?.enableDgram !== false, ...http3 }
}

function cryptoOf(options: ServeOptions): { crypto?: CryptoChoice } {
  return options.crypto === undefined ? {} : { crypto: options.crypto }
}

/** One clear line now instead of failing handshakes later; gives the hash of the leaf. */
function checkCertificate({ cert, key }: { readonly cert: string; readonly key: string }): string {
  const leaf = usable('certificate', () => new X509Certificate(cert))
  const privateKey = usable('private key', () => createPrivateKey(key))
  if (!leaf.checkPrivateKey(privateKey)) throw new CertificateFileError('the private key does not belong to the certificate')
  return leaf.fingerprint256.replaceAll(':', '').toLowerCase()
}

function usable<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new CertificateFileError(`the ${what} cannot be used: ${(error as Error).message}`, { cause: error })
  }
}
