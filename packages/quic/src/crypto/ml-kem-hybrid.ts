// X25519MLKEM768 and SecP256r1MLKEM768: two key exchanges side by side, plainly concatenated in every share and in the secret.
// draft-ietf-tls-ecdhe-mlkem §4.1–4.3. Secure as long as either half is. The halves come from the provider.

import { concatBytes } from '../base/bytes.ts'
import { NamedGroup, type KeyAgreement, type KeyExchange } from './provider.ts'

export const ML_KEM_PUBLIC_KEY_LENGTH = 1184
export const ML_KEM_CIPHERTEXT_LENGTH = 1088

/** An ML-KEM-768 decapsulation key with its public half. */
export interface MlKemKey {
  readonly publicKey: Uint8Array
  /** Null: not a ciphertext of this length. A wrong one of the right length gives a secret nobody else has (FIPS 203 §6.3). */
  decapsulate(ciphertext: Uint8Array): Uint8Array | null
  destroy(): void
}

/** What a provider has of ML-KEM-768. */
export interface MlKem {
  generate(): MlKemKey
  /** `share` is the ciphertext. Null: `publicKey` fails the checks of FIPS 203 §7.2. */
  encapsulate(publicKey: Uint8Array): KeyAgreement | null
}

/** The groups made of ML-KEM-768 and a curve. */
export type MlKemHybridGroup = typeof NamedGroup.x25519MlKem768 | typeof NamedGroup.secp256r1MlKem768

export class MlKemHybrid implements KeyExchange {
  readonly group: NamedGroup
  readonly publicKey: Uint8Array
  private readonly mlKem: MlKemKey
  private readonly curve: KeyExchange
  private readonly mlKemFirst: boolean

  constructor(group: MlKemHybridGroup, mlKem: MlKem, curve: KeyExchange) {
    this.group = group
    this.mlKem = mlKem.generate()
    this.curve = curve
    this.mlKemFirst = isMlKemFirst(group)
    this.publicKey = inOrder(this.mlKemFirst, this.mlKem.publicKey, curve.publicKey)
  }

  sharedSecret(peerPublic: Uint8Array): Uint8Array | null {
    const halves = split(this.mlKemFirst, peerPublic, ML_KEM_CIPHERTEXT_LENGTH, this.curve.publicKey.length)
    if (halves === null) return null
    const quantum = this.mlKem.decapsulate(halves.mlKem)
    const classic = this.curve.sharedSecret(halves.curve)
    return quantum === null || classic === null ? null : combined(this.mlKemFirst, quantum, classic)
  }

  destroy(): void {
    this.mlKem.destroy()
    this.curve.destroy()
  }
}

/** Answers the share of an MlKemHybrid. `curve`: a fresh key. */
export function answerMlKemHybrid(group: MlKemHybridGroup, mlKem: MlKem, curve: KeyExchange, peerPublic: Uint8Array): KeyAgreement | null {
  const mlKemFirst = isMlKemFirst(group)
  const halves = split(mlKemFirst, peerPublic, ML_KEM_PUBLIC_KEY_LENGTH, curve.publicKey.length)
  if (halves === null) return null
  const quantum = mlKem.encapsulate(halves.mlKem)
  const classic = curve.sharedSecret(halves.curve)
  curve.destroy()
  if (quantum === null || classic === null) return null
  const share = inOrder(mlKemFirst, quantum.share, curve.publicKey)
  return { share, sharedSecret: combined(mlKemFirst, quantum.sharedSecret, classic) }
}

// §4.1: X25519MLKEM768 has ML-KEM first, SecP256r1MLKEM768 the curve.
function isMlKemFirst(group: MlKemHybridGroup): boolean {
  return group === NamedGroup.x25519MlKem768
}

function inOrder(mlKemFirst: boolean, mlKem: Uint8Array, curve: Uint8Array): Uint8Array {
  return mlKemFirst ? concatBytes(mlKem, curve) : concatBytes(curve, mlKem)
}

function combined(mlKemFirst: boolean, mlKem: Uint8Array, curve: Uint8Array): Uint8Array {
  const secret = inOrder(mlKemFirst, mlKem, curve)
  mlKem.fill(0)
  curve.fill(0)
  return secret
}

interface Halves {
  readonly mlKem: Uint8Array
  readonly curve: Uint8Array
}

function split(mlKemFirst: boolean, share: Uint8Array, mlKemLength: number, curveLength: number): Halves | null {
  if (share.length !== mlKemLength + curveLength) return null
  if (mlKemFirst) return { mlKem: share.subarray(0, mlKemLength), curve: share.subarray(mlKemLength) }
  return { mlKem: share.subarray(curveLength), curve: share.subarray(0, curveLength) }
}

/** Answers a share of a group whose own share does not depend on it. */
export function answerWith(exchange: KeyExchange, peerPublic: Uint8Array): KeyAgreement | null {
  const sharedSecret = exchange.sharedSecret(peerPublic)
  exchange.destroy()
  return sharedSecret === null ? null : { share: exchange.publicKey, sharedSecret }
}
