// Configuration of one handshake and what it negotiated. All byte strings are owned by the engine once given.

import type { CipherSuiteId, CryptoProvider, NamedGroup, SignatureScheme } from '../crypto/provider.ts'
import type { RandomSource } from '../base/random.ts'
import type { CertificateSet, ClientCertificate, ServerCertificate } from './certificates/certificate-set.ts'
import type { TrustAnchors } from './certificates/roots.ts'
import type { ServerTickets } from './resumption/server-tickets.ts'
import type { SessionStore } from './resumption/session-store.ts'

export type { ClientCertificate, ServerCertificate } from './certificates/certificate-set.ts'

/** How the peer's certificates are judged. `unixTimeMs`: the moment that counts; default: `timeOrigin` with the time of the input. */
export type VerifyPolicy =
  /** No check of the chain; the peer still has to prove that it holds the leaf's key. */
  | { readonly mode: 'insecure' }
  /** Chain to one of the roots (DER each, or parsed once with TrustAnchors.from); a server's is for `serverName`. */
  | { readonly mode: 'chain'; readonly roots: readonly Uint8Array[] | TrustAnchors; readonly unixTimeMs?: number | undefined }
  /**
   * The leaf's DER has one of these SHA-256 hashes (32 bytes each); no chain, no name. As WebTransport's serverCertificateHashes:
   * X.509 v3, an ECDSA P-256 key, valid now and for at most 14 days altogether.
   */
  | { readonly mode: 'pinned'; readonly hashes: readonly Uint8Array[]; readonly unixTimeMs?: number | undefined }

/** A server's wish for a certificate of the client (RFC 9846 §4.4.2). Connections with it are never resumed. */
export interface ClientAuthentication {
  /** Refuse clients that have none, with certificate_required. Default false. */
  readonly required?: boolean | undefined
  /** Names are not looked at: what a client may do is the application's to decide, from HandshakeInfo.peerCertificates. */
  readonly verify: VerifyPolicy
  /** Distinguished names (DER) told to clients, to choose by. Default: those of `verify.roots`, if they are at most 64. */
  readonly authorities?: readonly Uint8Array[] | undefined
}

/** What a server answers a ClientHello with. */
export interface ServerContext {
  /** The first that fits the server name and the client's signature schemes is used. */
  readonly certificates: readonly ServerCertificate[] | CertificateSet
  /** In order of preference. Default: TlsConfig.alpn. */
  readonly alpn?: readonly string[] | undefined
  /** Default: TlsConfig.clientAuthentication. */
  readonly clientAuthentication?: ClientAuthentication | undefined
}

export interface TlsConfig {
  readonly role: 'client' | 'server'
  readonly provider: CryptoProvider
  readonly random: RandomSource
  /** Application protocols in order of preference, at least one (RFC 9001 §8.1). */
  readonly alpn: readonly string[]
  /** Client: DNS name or IP literal; needed when `verify.mode` is 'chain'. Names go out as SNI, IP literals do not. */
  readonly serverName?: string | undefined
  /** Client: how the server's certificate is judged. Required for a client. */
  readonly verify?: VerifyPolicy | undefined
  /** Client: those to choose from when the server asks; it gets the first that fits its request, or none. */
  readonly clientCertificates?: readonly ClientCertificate[] | undefined
  /** Client: ask the server for an OCSP response, see HandshakeInfo. Default false. */
  readonly statusRequest?: boolean | undefined
  /** Client: ask the server for signed certificate timestamps, see HandshakeInfo. Default false. */
  readonly certificateTimestamps?: boolean | undefined
  /**
   * Server: the first certificate that fits the server name and the client's signature schemes is used. A CertificateSet can be
   * filled anew while connections come.
   */
  readonly certificates?: readonly ServerCertificate[] | CertificateSet | undefined
  /** Server: asked instead of `certificates`; null refuses the name with unrecognized_name. */
  readonly selectCertificate?: ((serverName: string | null) => ServerCertificate | null) | undefined
  /** Server: the owner is asked for the ServerContext of every ClientHello, with a need 'context'. Default false. */
  readonly asksContext?: boolean | undefined
  /** Server: chooses among the client's protocols instead of `alpn`; null refuses with no_application_protocol. */
  readonly selectProtocol?: ((offered: readonly string[], serverName: string | null) => string | null) | undefined
  /** Server: ask clients for a certificate. Absent: they are not asked. */
  readonly clientAuthentication?: ClientAuthentication | undefined
  /** The owner judges the peer's certificates too, once everything else is right, with a need 'peer'. Default false. */
  readonly asksPeer?: boolean | undefined
  /** Offer and use certificate compression (RFC 8879), where the provider has it. Default true. */
  readonly certificateCompression?: boolean | undefined
  /**
   * Server: a HelloRetryRequest carries a cookie sealed with the first of these keys (32 bytes each; all of them open) and bound to
   * the first ClientHello. Absent: no cookie, for the connection remembers by itself.
   */
  readonly cookieKeys?: readonly Uint8Array[] | undefined
  /** In order of preference. Default: 0x1301, 0x1302, 0x1303. */
  readonly cipherSuites?: readonly CipherSuiteId[] | undefined
  /** In order of preference. Default: all of the provider's. */
  readonly groups?: readonly NamedGroup[] | undefined
  /** Client: the groups to send shares for, some of `groups`. Default: the first, and when that is a hybrid the second too. */
  readonly keyShares?: readonly NamedGroup[] | undefined
  /** Client: values nobody may choose among those offered (RFC 8701), and an encrypted_client_hello that is none (RFC 9849 §6.2). Default true. */
  readonly grease?: boolean | undefined
  /** The encoded quic_transport_parameters; a server may give them later with setTransportParameters(). */
  readonly transportParameters?: Uint8Array | undefined
  /**
   * Unix milliseconds when `now` is 0, as performance.timeOrigin: tickets carry times from one process to another. Default 0,
   * which does for sessions that do not leave the process.
   */
  readonly timeOrigin?: number | undefined
  /**
   * The QUIC version sessions are resumed under, at first also the one they are given under; see setSessionVersion(). A session of
   * another version is never resumed (RFC 9369 §5). Default: version 1.
   */
  readonly sessionVersion?: number | undefined
  /** Client: where sessions are kept. Absent: no resumption, and servers are not asked for tickets. */
  readonly sessions?: SessionStore | undefined
  /**
   * Client: the key in `sessions`. Default: `serverName`. Sessions of another version than 1 are kept apart, under this name with a
   * space and the version.
   */
  readonly sessionOrigin?: string | undefined
  /** Client: offer early data when the session allows it. What is sent early may be replayed (RFC 9846 §8). Default false. */
  readonly earlyData?: boolean | undefined
  /** Server: gives and takes session tickets; one object for all connections. Absent: no resumption. */
  readonly tickets?: ServerTickets | undefined
  /**
   * Opaque bytes sealed into tickets (server) or stored beside them (client), at most 4096, of
   * which a server's connection takes some 80 itself; see setEarlyDataContext().
   */
  readonly earlyDataContext?: Uint8Array | undefined
  /**
   * Server: the last word on early data, given the context of the ticket. Must not throw. Absent: refuses; in the configuration of a
   * connection: accepts what its transport parameters can bear.
   */
  readonly acceptEarlyData?: ((context: Uint8Array) => boolean) | undefined
  /** Called with one NSS key log line (no line end) per secret. */
  readonly keylog?: ((line: string) => void) | undefined
}

/** What a handshake negotiated. Stable once the engine is complete. */
export interface HandshakeInfo {
  readonly cipherSuite: CipherSuiteId
  readonly group: NamedGroup
  readonly alpn: string
  /** The name the client asked for, or null. */
  readonly serverName: string | null
  /**
   * DER, leaf first; empty on a server whose client showed none. On a client that resumed those of the handshake the session
   * began with.
   */
  readonly peerCertificates: readonly Uint8Array[]
  /** The peer's certificates passed `verify` (other than 'insecure') or the owner; here or in the handshake that is resumed. */
  readonly peerVerified: boolean
  /** Client: the OCSPResponse (DER) the server sent; not looked into. Null: none, or not asked for. */
  readonly ocspResponse: Uint8Array | null
  /** Client: the encoded SignedCertificateTimestampList the server sent; not looked into. */
  readonly signedCertificateTimestamps: Uint8Array | null
  /** The scheme of the server's CertificateVerify; null when the session was resumed. */
  readonly signatureScheme: SignatureScheme | null
  readonly helloRetry: boolean
  /** A session was resumed: no certificates were sent. */
  readonly resumed: boolean
  /** Early data was offered and accepted. */
  readonly earlyData: boolean
}
