// Signatures over node:crypto. Public keys of curves go in as JWK: half the price of SubjectPublicKeyInfo (OpenSSL 3).

import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { invariant } from '../../base/assert.ts'
import { handshakeSchemes, schemeFacts, type SchemeFacts } from '../key-algorithm.ts'
import { readPrivateKey } from '../private-key.ts'
import { readPublicKey, type PublicKeyBytes } from '../public-key.ts'
import { KeyImportError, type KeyKind, type KeyPairBytes, type PrivateKey, type SignatureScheme } from '../provider.ts'
import { plainBytes } from './hash.ts'

interface SigningOptions {
  key: KeyObject
  dsaEncoding: 'der'
  padding?: number
  saltLength?: number
}

function signingOptions(key: KeyObject, facts: SchemeFacts): SigningOptions {
  if (facts.kind !== 'rsa') return { key, dsaEncoding: 'der' }
  if (!facts.pss) return { key, dsaEncoding: 'der', padding: constants.RSA_PKCS1_PADDING }
  return { key, dsaEncoding: 'der', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
}

class NodePrivateKey implements PrivateKey {
  readonly kind: KeyKind
  readonly schemes: readonly SignatureScheme[]
  readonly pkcs8: Uint8Array
  private readonly key: KeyObject

  constructor(kind: KeyKind, pkcs8: Uint8Array, key: KeyObject) {
    this.kind = kind
    this.schemes = handshakeSchemes(kind)
    this.pkcs8 = pkcs8
    this.key = key
  }

  sign(scheme: SignatureScheme, message: Uint8Array): Uint8Array {
    const facts = schemeFacts(scheme)
    invariant(facts.kind === this.kind, 'signature scheme of another kind of key')
    return plainBytes(sign(facts.hash, message, signingOptions(this.key, facts)))
  }
}

export function nodeImportPrivateKey(input: string | Uint8Array): PrivateKey {
  const { kind, pkcs8 } = readPrivateKey(input)
  let key: KeyObject
  try {
    key = createPrivateKey({ key: Buffer.from(pkcs8.buffer, pkcs8.byteOffset, pkcs8.length), format: 'der', type: 'pkcs8' })
  } catch (cause) {
    throw new KeyImportError('QUIC_PRIVATE_KEY_MALFORMED', `private key: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  return new NodePrivateKey(kind, pkcs8, key)
}

function importPublicKey({ kind, key }: PublicKeyBytes, spki: Uint8Array): KeyObject {
  const text = (start: number, end: number): string => Buffer.from(key.subarray(start, end)).toString('base64url')
  if (kind === 'rsa') {
    return createPublicKey({ key: Buffer.from(spki.buffer, spki.byteOffset, spki.length), format: 'der', type: 'spki' })
  }
  if (kind === 'ed25519') return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: text(0, 32) }, format: 'jwk' })
  const half = 1 + (key.length - 1) / 2
  const crv = kind === 'p256' ? 'P-256' : 'P-384'
  return createPublicKey({ key: { kty: 'EC', crv, x: text(1, half), y: text(half, key.length) }, format: 'jwk' })
}

export function nodeVerify(scheme: SignatureScheme, spki: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const facts = schemeFacts(scheme)
  const publicKey = readPublicKey(spki)
  if (publicKey === null || publicKey.kind !== facts.kind) return false
  try {
    return verify(facts.hash, message, signingOptions(importPublicKey(publicKey, spki), facts), signature)
  } catch {
    // The peer's key is no key: a point off its curve, an RSA key without sense.
    return false
  }
}

const ENCODING = {
  publicKeyEncoding: { type: 'spki', format: 'der' },
  privateKeyEncoding: { type: 'pkcs8', format: 'der' },
} as const

export function nodeGenerateKeyPair(kind: 'p256' | 'p384' | 'ed25519' | 'rsa2048'): KeyPairBytes {
  const { privateKey, publicKey } = generateDer(kind)
  return { pkcs8: plainBytes(privateKey), spki: plainBytes(publicKey) }
}

function generateDer(kind: 'p256' | 'p384' | 'ed25519' | 'rsa2048'): { privateKey: Buffer; publicKey: Buffer } {
  switch (kind) {
    case 'p256':
      return generateKeyPairSync('ec', { namedCurve: 'prime256v1', ...ENCODING })
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'secp384r1', ...ENCODING })
    case 'ed25519':
      return generateKeyPairSync('ed25519', ENCODING)
    case 'rsa2048':
      return generateKeyPairSync('rsa', { modulusLength: 2048, ...ENCODING })
  }
}
