// X25519MLKEM768: two key exchanges side by side, ML-KEM first in every share and in the secret, plainly concatenated.
// draft-ietf-tls-ecdhe-mlkem §4.1–4.3. Secure as long as either half is. The halves come from the provider.

import { concatBytes } from '../base/bytes.ts'
import { NamedGroup, type KeyAgreement, type KeyExchange } from './provider.ts'

export const ML_KEM_PUBLIC_KEY_LENGTH = 1184
export const ML_KEM_CIPHERTEXT_LENGTH = 1088
const X25519_LENGTH = 32

/** An ML-KEM-768 decapsulation key with its public half. */
export interface MlKemKey {
  readonly publicKey: Uint8Array
  /** Null: not a ciphertext of this length. A wrong one of the right length gives a secret nobody else has (FIPS 203 §6.3). */
  decapsulate(ciphertext: Uint8Array): Uint8Array | null
}

/** What a provider has of ML-KEM-768. */
export interface MlKem {
  generate(): MlKemKey
  /** `share` is the ciphertext. Null: `publicKey` fails the checks of FIPS 203 §7.2. */
  encapsulate(publicKey: Uint8Array): KeyAgreement | null
}

export class X25519MlKem implements KeyExchange {
  readonly group: NamedGroup
  readonly publicKey: Uint8Array
  private readonly mlKem: MlKemKey
  private readonly x25519: KeyExchange

  constructor(mlKem: MlKem, x25519: KeyExchange) {
    this.group = NamedGroup.x25519MlKem768
    this.mlKem = mlKem.generate()
    this.x25519 = x25519
    this.publicKey = concatBytes(this.mlKem.publicKey, x25519.publicKey)
  }

  sharedSecret(peerPublic: Uint8Array): Uint8Array | null {
    if (peerPublic.length !== ML_KEM_CIPHERTEXT_LENGTH + X25519_LENGTH) return null
    const first = this.mlKem.decapsulate(peerPublic.subarray(0, ML_KEM_CIPHERTEXT_LENGTH))
    const second = this.x25519.sharedSecret(peerPublic.subarray(ML_KEM_CIPHERTEXT_LENGTH))
    return first === null || second === null ? null : concatBytes(first, second)
  }
}

/** Answers the share of an X25519MlKem. `x25519`: a fresh key. */
export function answerX25519MlKem(mlKem: MlKem, x25519: KeyExchange, peerPublic: Uint8Array): KeyAgreement | null {
  if (peerPublic.length !== ML_KEM_PUBLIC_KEY_LENGTH + X25519_LENGTH) return null
  const first = mlKem.encapsulate(peerPublic.subarray(0, ML_KEM_PUBLIC_KEY_LENGTH))
  const second = x25519.sharedSecret(peerPublic.subarray(ML_KEM_PUBLIC_KEY_LENGTH))
  if (first === null || second === null) return null
  return { share: concatBytes(first.share, x25519.publicKey), sharedSecret: concatBytes(first.sharedSecret, second) }
}

/** Answers a share of a group whose own share does not depend on it. */
export function answerWith(exchange: KeyExchange, peerPublic: Uint8Array): KeyAgreement | null {
  const sharedSecret = exchange.sharedSecret(peerPublic)
  return sharedSecret === null ? null : { share: exchange.publicKey, sharedSecret }
}
