// Signatures over @noble/curves: ECDSA (deterministic, RFC 6979) and Ed25519. RSA is not there: an RSA key is imported so
// that it can be handed on, and neither signs nor verifies synchronously.

import { ed25519 } from '@noble/curves/ed25519.js'
import { p256, p384 } from '@noble/curves/nist.js'
import { sha256, sha384 } from '@noble/hashes/sha2.js'
import { invariant } from '../../base/assert.ts'
import { handshakeSchemes, schemeFacts, type SchemeFacts } from '../key-algorithm.ts'
import { readPrivateKey, writePrivateKey } from '../private-key.ts'
import { readPublicKey, writePublicKey } from '../public-key.ts'
import {
  KeyImportError,
  type KeyKind,
  type KeyPairBytes,
  type PrivateKey,
  type RandomSource,
  type SignatureScheme,
} from '../provider.ts'

function curveOf(kind: 'p256' | 'p384'): typeof p256 {
  return kind === 'p256' ? p256 : p384
}

function digest(facts: SchemeFacts, message: Uint8Array): Uint8Array {
  return facts.hash === 'sha256' ? sha256(message) : sha384(message)
}

// The hash need not be the curve's own (certificates), so it is made here and handed over finished.
const SIGN_OPTIONS = { prehash: false, lowS: false, format: 'der' } as const

class NoblePrivateKey implements PrivateKey {
  readonly kind: KeyKind
  readonly schemes: readonly SignatureScheme[]
  readonly pkcs8: Uint8Array
  private readonly secret: Uint8Array

  constructor(kind: KeyKind, pkcs8: Uint8Array, secret: Uint8Array) {
    this.kind = kind
    this.schemes = handshakeSchemes(kind)
    this.pkcs8 = pkcs8
    this.secret = secret
  }

  sign(scheme: SignatureScheme, message: Uint8Array): Uint8Array | null {
    const facts = schemeFacts(scheme)
    invariant(facts.kind === this.kind, 'signature scheme of another kind of key')
    if (facts.kind === 'rsa') return null
    if (facts.kind === 'ed25519') return ed25519.sign(message, this.secret)
    return curveOf(facts.kind).sign(digest(facts, message), this.secret, SIGN_OPTIONS)
  }
}

export function nobleImportPrivateKey(input: string | Uint8Array): PrivateKey {
  const { kind, pkcs8, secret } = readPrivateKey(input)
  return new NoblePrivateKey(kind, pkcs8, secret)
}

export function nobleVerify(scheme: SignatureScheme, spki: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean | null {
  const facts = schemeFacts(scheme)
  if (facts.kind === 'rsa') return null
  const publicKey = readPublicKey(spki)
  if (publicKey === null || publicKey.kind !== facts.kind) return false
  try {
    // zip215 off: verification by RFC 8032, as everybody else on the network does it.
    if (facts.kind === 'ed25519') return ed25519.verify(signature, message, publicKey.key, { zip215: false })
    return curveOf(facts.kind).verify(signature, digest(facts, message), publicKey.key, SIGN_OPTIONS)
  } catch {
    // Not a point of the curve, or not a signature in DER.
    return false
  }
}

export function nobleGenerateKeyPair(random: RandomSource, kind: 'p256' | 'p384' | 'ed25519' | 'rsa2048'): KeyPairBytes {
  if (kind === 'rsa2048') throw new KeyImportError('QUIC_PRIVATE_KEY_UNSUPPORTED', 'this provider makes no RSA keys')
  if (kind === 'ed25519') {
    const seed = new Uint8Array(32)
    random.fill(seed)
    const publicKey = ed25519.getPublicKey(seed)
    return { pkcs8: writePrivateKey(kind, seed, publicKey), spki: writePublicKey(kind, publicKey) }
  }
  const curve = curveOf(kind)
  const seed = new Uint8Array(curve.lengths.seed ?? 0)
  random.fill(seed)
  const secret = curve.utils.randomSecretKey(seed)
  const publicKey = curve.getPublicKey(secret, false)
  return { pkcs8: writePrivateKey(kind, secret, publicKey), spki: writePublicKey(kind, publicKey) }
}
