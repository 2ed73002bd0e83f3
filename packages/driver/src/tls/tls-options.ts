// TLS options as users give them, turned into the engine's settings: PEM into DER, keys imported, roots chosen.

import { rootCertificates } from 'node:tls'
import { ServerTickets, TrustAnchors, type CryptoProvider, type PrivateKey, type ServerCertificate, type TlsSettings } from '@quicwire/quic'
import { OptionError } from '../errors.ts'

/** PEM text (any number of certificates) or DER, one or several. */
export type CertificateInput = string | Uint8Array | readonly (string | Uint8Array)[]

export interface CertificateOption {
  /** The chain, leaf first. */
  readonly cert: CertificateInput
  /** The leaf's key: PEM, PKCS#8 DER, or an object that signs. */
  readonly key: string | Uint8Array | PrivateKey
}

export interface CommonTlsOptions {
  /** Application protocols in order of preference. Default `['h3']`. */
  readonly alpn?: readonly string[] | undefined
  readonly cipherSuites?: TlsSettings['cipherSuites']
  readonly groups?: TlsSettings['groups']
}

export interface ServerTlsOptions extends CommonTlsOptions {
  readonly certificates?: readonly CertificateOption[] | undefined
  /** Asked instead of `certificates`; null refuses the name. */
  readonly selectCertificate?: ((serverName: string | null) => CertificateOption | null) | undefined
  /** Whether clients are given session tickets, and may come back with them (RFC 9001 §4.5). Default true. */
  readonly tickets?: boolean | undefined
  /**
   * Keys of session tickets, 32 bytes each: the first seals, all of them open. Whoever has one reads the 0-RTT packets of its clients:
   * rotate them with QuicListener.setTicketKeys(). Listeners that stand in for each other share them. Default: a random one.
   */
  readonly ticketKeys?: readonly Uint8Array[] | undefined
  /**
   * Whether 0-RTT packets are taken (RFC 9001 §4.6). The application sees what came in them when the handshake is complete, which proves
   * that it is no replay. Default false.
   */
  readonly earlyData?: boolean | undefined
}

export interface ClientTlsOptions extends CommonTlsOptions {
  /** Accept any certificate. Default false. */
  readonly insecure?: boolean | undefined
  /** Roots to trust instead of those that Node carries. */
  readonly ca?: CertificateInput | undefined
  /** The time certificates are judged at, Unix milliseconds. Default: now. */
  readonly verifyTime?: number | undefined
}

export const DEFAULT_ALPN: readonly string[] = ['h3']

const PEM_CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

/** DER of every certificate in the input. Throws OptionError when there is none. */
export function certificatesFrom(input: CertificateInput): Uint8Array[] {
  const parts = typeof input === 'string' || input instanceof Uint8Array ? [input] : input
  const certificates: Uint8Array[] = []
  for (const part of parts) {
    const text = typeof part === 'string' ? part : looksLikePem(part) ? Buffer.from(part).toString('latin1') : null
    if (text === null) {
      certificates.push(part as Uint8Array)
      continue
    }
    for (const match of text.matchAll(PEM_CERTIFICATE)) certificates.push(new Uint8Array(Buffer.from(match[1]!, 'base64')))
  }
  if (certificates.length === 0) throw new OptionError('no certificate found: expected PEM with BEGIN CERTIFICATE, or DER')
  return certificates
}

function looksLikePem(bytes: Uint8Array): boolean {
  // DER of a certificate begins with a SEQUENCE.
  return bytes[0] !== 0x30
}

function privateKeyFrom(key: string | Uint8Array | PrivateKey, provider: CryptoProvider): PrivateKey {
  if (typeof key !== 'string' && !(key instanceof Uint8Array)) return key
  const given = key instanceof Uint8Array && looksLikePem(key) ? Buffer.from(key).toString('latin1') : key
  try {
    return provider.importPrivateKey(given)
  } catch (error) {
    throw new OptionError(`private key: ${(error as Error).message}`, error)
  }
}

export function serverCertificate(option: CertificateOption, provider: CryptoProvider): ServerCertificate {
  return { chain: certificatesFrom(option.cert), key: privateKeyFrom(option.key, provider) }
}

/** What both roles share; a member that was not given stays absent. */
function common(options: CommonTlsOptions, keylog: ((line: string) => void) | null): TlsSettings {
  return {
    alpn: options.alpn ?? DEFAULT_ALPN,
    ...(options.cipherSuites === undefined ? {} : { cipherSuites: options.cipherSuites }),
    ...(options.groups === undefined ? {} : { groups: options.groups }),
    ...(keylog === null ? {} : { keylog }),
  }
}

export function serverTls(options: ServerTlsOptions, provider: CryptoProvider, keylog: ((line: string) => void) | null): TlsSettings {
  const select = options.selectCertificate
  if (select !== undefined) {
    const known = new WeakMap<CertificateOption, ServerCertificate>()
    return {
      ...common(options, keylog),
      ...serverSessions(options, provider),
      selectCertificate: (serverName) => {
        const option = select(serverName)
        if (option === null) return null
        let certificate = known.get(option)
        if (certificate === undefined) {
          certificate = serverCertificate(option, provider)
          known.set(option, certificate)
        }
        return certificate
      },
    }
  }
  const certificates = options.certificates ?? []
  if (certificates.length === 0) throw new OptionError('a server needs tls.certificates or tls.selectCertificate')
  return {
    ...common(options, keylog),
    ...serverSessions(options, provider),
    certificates: certificates.map((option) => serverCertificate(option, provider)),
  }
}

function serverSessions(options: ServerTlsOptions, provider: CryptoProvider): Pick<TlsSettings, 'tickets' | 'timeOrigin'> {
  if (options.tickets === false) return {}
  const { ticketKeys, earlyData } = options
  try {
    // RFC 9846 §8.2: keys that were given may have served another process, which keeps its own record of replays.
    const startedAt = ticketKeys === undefined ? undefined : performance.timeOrigin + performance.now()
    return { tickets: new ServerTickets(provider, { keys: ticketKeys, earlyData, startedAt }), timeOrigin: performance.timeOrigin }
  } catch (error) {
    throw new OptionError(`tls.ticketKeys: ${(error as Error).message}`, error)
  }
}

let systemRoots: TrustAnchors | null = null

function rootsOf(options: ClientTlsOptions): TrustAnchors {
  if (options.ca !== undefined) {
    const roots = certificatesFrom(options.ca)
    try {
      return TrustAnchors.from(roots)
    } catch (error) {
      throw new OptionError(`tls.ca: ${(error as Error).message}`, error)
    }
  }
  systemRoots ??= TrustAnchors.from(certificatesFrom(rootCertificates))
  return systemRoots
}

export function clientTls(options: ClientTlsOptions, serverName: string, keylog: ((line: string) => void) | null): TlsSettings {
  return {
    ...common(options, keylog),
    serverName,
    verify:
      options.insecure === true
        ? { mode: 'insecure' }
        : { mode: 'chain', roots: rootsOf(options), unixTimeMs: options.verifyTime ?? Date.now() },
  }
}
