// What the TLS engine says to its owner. Pulled with TlsEngine.poll() until null, in this order; nothing is pushed.

import type { CipherSuiteId, PrivateKey, SignatureScheme } from '../crypto/provider.ts'
import type { EncryptionLevel } from '../wire/constants.ts'
import type { ServerContext } from './config.ts'

/** One signature somebody else has to check: the provider could not do it synchronously. */
export interface VerifyItem {
  readonly scheme: SignatureScheme
  /** The signer's SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/** What a client says of itself before anything is chosen. Numbers and names are as it sent them, unknown ones included. */
export interface ClientHelloInfo {
  readonly serverName: string | null
  readonly alpn: readonly string[]
  readonly cipherSuites: readonly number[]
  readonly signatureSchemes: readonly number[]
}

/** A request for work the core cannot do synchronously. The handshake rests until provide() answers it. */
export type TlsNeed =
  /** Answered with provide({ need: 'sign', signature }). */
  | {
      readonly kind: 'need'
      readonly need: 'sign'
      readonly scheme: SignatureScheme
      readonly message: Uint8Array
      readonly key: PrivateKey
    }
  /** Answered with provide({ need: 'verify', valid }), one boolean per item. */
  | { readonly kind: 'need'; readonly need: 'verify'; readonly items: readonly VerifyItem[] }
  /** Answered with provide({ need: 'context', context }). Only with TlsConfig.asksContext. */
  | { readonly kind: 'need'; readonly need: 'context'; readonly hello: ClientHelloInfo }
  /** Is this peer welcome? Answered with provide({ need: 'peer', refusal }). Only with TlsConfig.asksPeer. */
  | {
      readonly kind: 'need'
      readonly need: 'peer'
      /** DER, leaf first; the peer holds the leaf's key. Everything the configuration asks for has been checked. */
      readonly certificates: readonly Uint8Array[]
      /** The name of the server, the client's wish. */
      readonly serverName: string | null
      readonly ocspResponse: Uint8Array | null
      readonly signedCertificateTimestamps: Uint8Array | null
    }

export type TlsEvent =
  /** Handshake bytes to send, in order, in CRYPTO frames of `level`. */
  | { readonly kind: 'crypto'; readonly level: EncryptionLevel; readonly bytes: Uint8Array }
  /** A traffic secret. Comes before the first bytes that need it. */
  | {
      readonly kind: 'keys'
      readonly level: EncryptionLevel
      readonly direction: 'read' | 'write'
      readonly suite: CipherSuiteId
      readonly secret: Uint8Array
    }
  /** The peer's encoded transport parameters; not authenticated before 'complete' (RFC 9001 §8.2). */
  | { readonly kind: 'peer-parameters'; readonly bytes: Uint8Array }
  /**
   * Whether the server takes the early data. Exactly once where it was offered, never elsewhere. A client hears it before
   * 'peer-parameters', or with the HelloRetryRequest that rejects; a server after 'peer-parameters', and before the read key.
   */
  | { readonly kind: 'early-data'; readonly accepted: boolean }
  /** Our Finished is sent and the peer's is verified (RFC 9001 §4.1.1). Exactly once. */
  | { readonly kind: 'complete' }
  | TlsNeed

/** The answer to a TlsNeed. */
export type TlsAnswer =
  /** Null: the signer failed, which ends the handshake with internal_error. */
  | { readonly need: 'sign'; readonly signature: Uint8Array | null }
  | { readonly need: 'verify'; readonly valid: readonly boolean[] }
  /** Null refuses the name with unrecognized_name. */
  | { readonly need: 'context'; readonly context: ServerContext | null }
  /** Null: welcome. A text says why not, and ends the handshake with certificate_unknown. */
  | { readonly need: 'peer'; readonly refusal: string | null }
