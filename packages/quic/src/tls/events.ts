// What the TLS engine says to its owner. Pulled with TlsEngine.poll() until null, in this order; nothing is pushed.

import type { CipherSuiteId, PrivateKey, SignatureScheme } from '../crypto/provider.ts'
import type { EncryptionLevel } from '../wire/constants.ts'

/** One signature somebody else has to check: the provider could not do it synchronously. */
export interface VerifyItem {
  readonly scheme: SignatureScheme
  /** The signer's SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
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
  | { readonly need: 'sign'; readonly signature: Uint8Array }
  | { readonly need: 'verify'; readonly valid: readonly boolean[] }
