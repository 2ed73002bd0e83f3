// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7): reading the peer's public key and writing our own.

import { algorithmIdentifier, kindOfAlgorithm } from './key-algorithm.ts'
import { DerTag, derContainer, derElement } from './der.ts'
import type { KeyKind } from './provider.ts'

/** Bounds the work one RSA signature can ask for: 8192 bits of modulus. */
const MAX_RSA_KEY_BYTES = 1060

const KEY_LENGTH: Record<Exclude<KeyKind, 'rsa'>, number> = { p256: 65, p384: 97, ed25519: 32 }

export interface PublicKeyBytes {
  readonly kind: KeyKind
  /** An uncompressed point, an Ed25519 key, or an RSAPublicKey in DER. */
  readonly key: Uint8Array
}

/** Null: malformed, or a kind of key that no scheme of ours uses. */
export function readPublicKey(spki: Uint8Array): PublicKeyBytes | null {
  const outer = derContainer(spki, DerTag.sequence)
  const algorithm = outer?.enter(DerTag.sequence) ?? null
  if (outer === null || algorithm === null) return null
  const kind = kindOfAlgorithm(algorithm)
  const bits = outer.take(DerTag.bitString)
  if (kind === null || bits === null || bits[0] !== 0 || !outer.atEnd()) return null
  const key = bits.subarray(1)
  if (kind === 'rsa') return key.length <= MAX_RSA_KEY_BYTES ? { kind, key } : null
  if (key.length !== KEY_LENGTH[kind]) return null
  if (kind !== 'ed25519' && key[0] !== 0x04) return null
  return { kind, key }
}

export function writePublicKey(kind: KeyKind, key: Uint8Array): Uint8Array<ArrayBuffer> {
  return derElement(DerTag.sequence, algorithmIdentifier(kind), derElement(DerTag.bitString, Uint8Array.of(0), key))
}

/** Bits of the modulus of an RSAPublicKey (RFC 8017 §A.1.1); 0: it is none. */
export function rsaModulusBits(key: Uint8Array): number {
  const modulus = derContainer(key, DerTag.sequence)?.take(DerTag.integer) ?? null
  const first = modulus?.findIndex((byte) => byte !== 0) ?? -1
  if (modulus === null || first < 0 || modulus[0]! >= 0x80) return 0
  return (modulus.length - first) * 8 - (Math.clz32(modulus[first]!) - 24)
}
