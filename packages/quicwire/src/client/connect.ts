// The client's entry: an HTTP/3 connection to the origin of a URL, or one request on a connection of its own.

import { createHash } from 'node:crypto'
import {
  cipherSuiteName,
  clientH3Driver,
  connect as connectQuic,
  groupName,
  type CertificateInput,
  type ClientTlsOptions,
  type CryptoChoice,
  type Http3Settings,
  type QuicConnection,
  type QuicSettings,
  type SessionStore,
  type UdpTunnel,
} from '@quicwire/driver'
import { H3Session } from './h3-session.ts'
import type { IncomingResponse, RequestInit, Session, SessionInfo } from './session.ts'
import { parseTarget, type Target } from './target.ts'

export interface ConnectOptions {
  /** Accept any certificate. Default false. */
  readonly insecure?: boolean
  /** Certificates to trust instead of the roots that Node trusts: PEM or DER. */
  readonly ca?: CertificateInput
  /** Everything else of TLS: certificates of one's own, pinned hashes, the system's roots, cipher suites, groups. */
  readonly tls?: ClientTlsOptions
  /** The name the certificate must be for. Default: the host of the URL. */
  readonly serverName?: string
  /** Give up connecting after this many milliseconds. Default 10 000. */
  readonly timeoutMs?: number
  /** Aborting gives up connecting. */
  readonly signal?: AbortSignal
  /**
   * With 0-RTT where the server is known and takes it: resolves before the handshake is complete, and safe requests go out at once; the
   * others wait. What is sent early may be replayed by others, and is protected less (RFC 8470). Default false.
   */
  readonly earlyData?: boolean
  /** Where sessions for resumption are kept. Default: in this process; null: nowhere. `FileSessionStore` keeps them in a file. */
  readonly sessionStore?: SessionStore | null
  /** Called with `session.origins` whenever the server has named origins (ORIGIN, RFC 9412). */
  readonly onOrigins?: (origins: readonly string[]) => void
  readonly settings?: QuicSettings
  readonly http3?: Http3Settings
  readonly crypto?: CryptoChoice
  /**
   * The connection runs inside this tunnel, whose target it connects to; the URL says which name the certificate has to be for. The tunnel
   * ends with the connection.
   */
  readonly tunnel?: UdpTunnel
}

/**
 * Connects to the origin of an https URL. Rejects with the driver's errors: NameError, SocketError, ConnectTimeoutError,
 * HandshakeError (which says which certificate check failed), ConnectionError; with UrlError for other URLs.
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Session> {
  return connectTarget(parseTarget(url), options)
}

/** One request on a connection of its own, which closes when the response has been read. */
export async function request(url: string | URL, options: ConnectOptions & RequestInit = {}): Promise<IncomingResponse> {
  const target = parseTarget(url)
  const session = await connectTarget(target, options)
  try {
    return await session.request(target.path, options)
  } finally {
    // Lets the response finish first.
    void session.close()
  }
}

export async function connectTarget(target: Target, options: ConnectOptions): Promise<Session> {
  const { driver, controller } = clientH3Driver({ initialOrigin: initialOrigin(target, options.serverName), ...options.http3 })
  const connection = await connectQuic({
    host: target.host,
    port: target.port,
    serverName: options.serverName,
    tls: { ...options.tls, insecure: options.insecure ?? options.tls?.insecure, ca: options.ca ?? options.tls?.ca },
    settings: { handshakeTimeout: options.timeoutMs ?? 10_000, ...options.settings },
    application: driver,
    crypto: options.crypto,
    socket: options.tunnel?.datagramSocket(),
    earlyData: options.earlyData,
    sessionStore: options.sessionStore,
    signal: options.signal,
  })
  return new H3Session(driver, controller, connection, {
    describe: () => sessionInfo(connection, options.serverName ?? target.host),
    authority: target.authority,
    onOrigins: options.onOrigins,
  })
}

/** RFC 8336 §2.3: https, the host sent in SNI, the port of the connection. */
function initialOrigin({ origin, port }: Target, serverName: string | undefined): string {
  if (serverName === undefined) return origin
  return `https://${serverName.toLowerCase()}${port === 443 ? '' : `:${port}`}`
}

function sessionInfo(connection: QuicConnection, serverName: string): SessionInfo {
  const info = connection.handshakeInfo
  const leaf = info?.peerCertificates[0]
  return {
    remoteAddress: connection.remoteAddress,
    serverName,
    cipher: info === null ? '' : cipherSuiteName(info.cipherSuite),
    keyExchange: info === null ? '' : groupName(info.group),
    alpn: info?.alpn ?? '',
    certificateSha256: leaf === undefined ? '' : createHash('sha256').update(leaf).digest('hex'),
    resumed: info?.resumed ?? false,
    handshakeMs: connection.handshakeDuration,
  }
}
