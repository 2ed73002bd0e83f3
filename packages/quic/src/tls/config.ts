// Configuration of one handshake and what it negotiated. All byte strings are owned by the engine once given.

import type { CipherSuiteId, CryptoProvider, NamedGroup, PrivateKey, SignatureScheme } from '../crypto/provider.ts'
import type { RandomSource } from '../base/random.ts'
import type { TrustAnchors } from './certificates/roots.ts'

/** A server's certificate chain, leaf first, and the key of the leaf. */
export interface ServerCertificate {
  readonly chain: readonly Uint8Array[]
  readonly key: PrivateKey
}

export type VerifyPolicy =
  /** No check of the chain; the server still has to prove that it holds the leaf's key. */
  | { readonly mode: 'insecure' }
  /** Chain to one of the roots (DER each, or parsed once with TrustAnchors.from), valid at `unixTimeMs`, for `serverName`. */
  | { readonly mode: 'chain'; readonly roots: readonly Uint8Array[] | TrustAnchors; readonly unixTimeMs: number }

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
  /** Server: the first certificate that fits the server name and the client's signature schemes is used. */
  readonly certificates?: readonly ServerCertificate[] | undefined
  /** Server: asked instead of `certificates`; null refuses the name with unrecognized_name. */
  readonly selectCertificate?: ((serverName: string | null) => ServerCertificate | null) | undefined
  /** In order of preference. Default: 0x1301, 0x1302, 0x1303. */
  readonly cipherSuites?: readonly CipherSuiteId[] | undefined
  /** In order of preference; a client sends one key share, for the first. Default: all of the provider's. */
  readonly groups?: readonly NamedGroup[] | undefined
  /** The encoded quic_transport_parameters; a server may give them later with setTransportParameters(). */
  readonly transportParameters?: Uint8Array | undefined
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
  /** DER, leaf first; empty on a server. */
  readonly peerCertificates: readonly Uint8Array[]
  /** The scheme of the server's CertificateVerify. */
  readonly signatureScheme: SignatureScheme
  readonly helloRetry: boolean
}
