// Private keys from PEM or DER into one form, so that both providers accept and refuse the same ones: PKCS#8 (RFC 5958), and
// in PEM also SEC1 (RFC 5915) and PKCS#1 (RFC 8017 §A.1.2). Whether the numbers of an RSA key fit is for the provider to find out.

import { fromHex } from '../base/bytes.ts'
import { algorithmIdentifier, curveOf, kindOfAlgorithm } from './key-algorithm.ts'
import { DerReader, DerTag, derContainer, derElement } from './der.ts'
import { pemBlocks } from './pem.ts'
import { KeyImportError, type KeyKind } from './provider.ts'

export interface PrivateKeyBytes {
  readonly kind: KeyKind
  readonly pkcs8: Uint8Array
  /** The scalar (as long as the field), the Ed25519 seed, or an RSAPrivateKey in DER. */
  readonly secret: Uint8Array
}

const VERSION_0 = derElement(DerTag.integer, Uint8Array.of(0))
const VERSION_1 = derElement(DerTag.integer, Uint8Array.of(1))
/** Orders of the curves (SP 800-186 §3.2.1): a private scalar lies between zero and them. */
const ORDER = {
  p256: fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551'),
  p384: fromHex('ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973'),
} as const

function malformed(what: string): KeyImportError {
  return new KeyImportError('QUIC_PRIVATE_KEY_MALFORMED', `private key: ${what}`)
}

function unsupported(what: string): KeyImportError {
  return new KeyImportError('QUIC_PRIVATE_KEY_UNSUPPORTED', `private key: ${what}`)
}

/** Throws KeyImportError. The result does not share memory with the input. */
export function readPrivateKey(input: string | Uint8Array): PrivateKeyBytes {
  if (typeof input !== 'string') return readPkcs8(input.slice())
  for (const block of pemBlocks(input)) {
    if (block.label === 'ENCRYPTED PRIVATE KEY' || block.body.includes('ENCRYPTED')) {
      throw new KeyImportError('QUIC_PRIVATE_KEY_ENCRYPTED', 'private key: encrypted with a passphrase; decrypt it first')
    }
    if (!block.label.endsWith('PRIVATE KEY')) continue
    if (block.der === null) throw malformed('the PEM block is not base64')
    if (block.label === 'PRIVATE KEY') return readPkcs8(block.der)
    if (block.label === 'EC PRIVATE KEY') return readPkcs8(wrapSec1(block.der))
    if (block.label === 'RSA PRIVATE KEY') return readPkcs8(wrapPkcs8('rsa', block.der))
    throw unsupported(`a PEM block '${block.label}' is none of PKCS#8, SEC1 or PKCS#1`)
  }
  throw malformed('no PEM block with a private key')
}

function readPkcs8(der: Uint8Array): PrivateKeyBytes {
  const outer = derContainer(der, DerTag.sequence)
  const version = outer?.take(DerTag.integer) ?? null
  const algorithm = outer?.enter(DerTag.sequence) ?? null
  const content = outer?.take(DerTag.octetString) ?? null
  if (version === null || algorithm === null || content === null) throw malformed('not a PKCS#8 structure')
  if (algorithm.peekTag() !== DerTag.objectIdentifier) throw malformed('no algorithm in the PKCS#8 structure')
  const kind = kindOfAlgorithm(algorithm)
  if (kind === null) throw unsupported('neither P-256, P-384, Ed25519 nor RSA')
  return { kind, pkcs8: der, secret: secretOf(kind, content) }
}

function secretOf(kind: KeyKind, content: Uint8Array): Uint8Array {
  if (kind === 'rsa') {
    if (derContainer(content, DerTag.sequence) === null) throw malformed('not an RSAPrivateKey')
    return content
  }
  if (kind === 'ed25519') {
    const seed = new DerReader(content).take(DerTag.octetString)
    if (seed === null || seed.length !== 32) throw malformed('not an Ed25519 seed')
    return seed
  }
  const ec = derContainer(content, DerTag.sequence)
  const scalar = ec !== null && ec.take(DerTag.integer) !== null ? ec.take(DerTag.octetString) : null
  if (scalar === null || scalar.length !== ORDER[kind].length) throw malformed('not an ECPrivateKey of its curve')
  if (!isScalar(scalar, ORDER[kind])) throw malformed('the scalar is not in the range of its curve')
  return scalar
}

function isScalar(scalar: Uint8Array, order: Uint8Array): boolean {
  const at = scalar.findIndex((byte, i) => byte !== order[i])
  return at >= 0 && scalar[at]! < order[at]! && scalar.some((byte) => byte !== 0)
}

function wrapSec1(sec1: Uint8Array): Uint8Array {
  const ec = derContainer(sec1, DerTag.sequence)
  if (ec === null || ec.take(DerTag.integer) === null || ec.take(DerTag.octetString) === null) throw malformed('not a SEC1 structure')
  const curve = ec.enter(DerTag.context0)?.take(DerTag.objectIdentifier) ?? null
  if (curve === null) throw malformed('the SEC1 structure does not name its curve')
  const kind = curveOf(curve)
  if (kind === null) throw unsupported('an elliptic curve other than P-256 and P-384')
  return wrapPkcs8(kind, sec1)
}

function wrapPkcs8(kind: KeyKind, content: Uint8Array): Uint8Array<ArrayBuffer> {
  return derElement(DerTag.sequence, VERSION_0, algorithmIdentifier(kind), derElement(DerTag.octetString, content))
}

/** PKCS#8 for a scalar with its uncompressed public point, or an Ed25519 seed. */
export function writePrivateKey(kind: 'p256' | 'p384' | 'ed25519', secret: Uint8Array, publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  const octets = derElement(DerTag.octetString, secret)
  if (kind === 'ed25519') return wrapPkcs8(kind, octets)
  const point = derElement(DerTag.context1, derElement(DerTag.bitString, Uint8Array.of(0), publicKey))
  return wrapPkcs8(kind, derElement(DerTag.sequence, VERSION_1, octets, point))
}
