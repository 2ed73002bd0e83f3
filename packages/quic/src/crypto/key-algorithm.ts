// Kinds of signing keys as their containers name them (RFC 5480, RFC 8410, RFC 8017 §A.1), and what each signature scheme
// demands of key and hash (RFC 9846 §4.3.3).

import { equalBytes, fromHex } from '../base/bytes.ts'
import { DerTag, derElement, type DerReader } from './der.ts'
import { SignatureScheme, type KeyKind } from './provider.ts'

const EC_PUBLIC_KEY = fromHex('2a8648ce3d0201')
const PRIME256V1 = fromHex('2a8648ce3d030107')
const SECP384R1 = fromHex('2b81040022')
const ED25519 = fromHex('2b6570')
const RSA_ENCRYPTION = fromHex('2a864886f70d010101')

const object = (identifier: Uint8Array): Uint8Array => derElement(DerTag.objectIdentifier, identifier)
const NULL = Uint8Array.of(0x05, 0x00)

const ALGORITHM_IDENTIFIER: Record<KeyKind, Uint8Array> = {
  p256: derElement(DerTag.sequence, object(EC_PUBLIC_KEY), object(PRIME256V1)),
  p384: derElement(DerTag.sequence, object(EC_PUBLIC_KEY), object(SECP384R1)),
  ed25519: derElement(DerTag.sequence, object(ED25519)),
  rsa: derElement(DerTag.sequence, object(RSA_ENCRYPTION), NULL),
}

/** The whole AlgorithmIdentifier, DER. */
export function algorithmIdentifier(kind: KeyKind): Uint8Array {
  return ALGORITHM_IDENTIFIER[kind]
}

/** The curve an OBJECT IDENTIFIER names; null for any other. */
export function curveOf(identifier: Uint8Array): 'p256' | 'p384' | null {
  if (equalBytes(identifier, PRIME256V1)) return 'p256'
  return equalBytes(identifier, SECP384R1) ? 'p384' : null
}

/** The kind of key the content of an AlgorithmIdentifier stands for; null: malformed, or not one of ours. */
export function kindOfAlgorithm(reader: DerReader): KeyKind | null {
  const algorithm = reader.take(DerTag.objectIdentifier)
  if (algorithm === null) return null
  if (equalBytes(algorithm, EC_PUBLIC_KEY)) {
    const curve = reader.take(DerTag.objectIdentifier)
    return curve === null ? null : curveOf(curve)
  }
  if (equalBytes(algorithm, ED25519)) return reader.atEnd() ? 'ed25519' : null
  return equalBytes(algorithm, RSA_ENCRYPTION) ? 'rsa' : null
}

export interface SchemeFacts {
  readonly kind: KeyKind
  /** Null: the algorithm hashes by itself. */
  readonly hash: 'sha256' | 'sha384' | 'sha512' | null
  readonly pss: boolean
}

const SCHEMES: Record<SignatureScheme, SchemeFacts> = {
  [SignatureScheme.rsaPkcs1Sha256]: { kind: 'rsa', hash: 'sha256', pss: false },
  [SignatureScheme.rsaPkcs1Sha384]: { kind: 'rsa', hash: 'sha384', pss: false },
  [SignatureScheme.rsaPkcs1Sha512]: { kind: 'rsa', hash: 'sha512', pss: false },
  [SignatureScheme.ecdsaSecp256r1Sha256]: { kind: 'p256', hash: 'sha256', pss: false },
  [SignatureScheme.ecdsaSecp384r1Sha384]: { kind: 'p384', hash: 'sha384', pss: false },
  [SignatureScheme.rsaPssRsaeSha256]: { kind: 'rsa', hash: 'sha256', pss: true },
  [SignatureScheme.rsaPssRsaeSha384]: { kind: 'rsa', hash: 'sha384', pss: true },
  [SignatureScheme.rsaPssRsaeSha512]: { kind: 'rsa', hash: 'sha512', pss: true },
  [SignatureScheme.ed25519]: { kind: 'ed25519', hash: null, pss: false },
  [SignatureScheme.certificateSecp256r1Sha384]: { kind: 'p256', hash: 'sha384', pss: false },
  [SignatureScheme.certificateSecp384r1Sha256]: { kind: 'p384', hash: 'sha256', pss: false },
}

export function schemeFacts(scheme: SignatureScheme): SchemeFacts {
  return SCHEMES[scheme]
}

const P256_SCHEMES: readonly SignatureScheme[] = [SignatureScheme.ecdsaSecp256r1Sha256]
const P384_SCHEMES: readonly SignatureScheme[] = [SignatureScheme.ecdsaSecp384r1Sha384]
const ED25519_SCHEMES: readonly SignatureScheme[] = [SignatureScheme.ed25519]
// RFC 9846 §4.3.3: PKCS#1 v1.5 is for certificates alone, never for CertificateVerify.
const RSA_SCHEMES: readonly SignatureScheme[] = [
  SignatureScheme.rsaPssRsaeSha256,
  SignatureScheme.rsaPssRsaeSha384,
  SignatureScheme.rsaPssRsaeSha512,
]

/** Schemes a key of this kind signs a handshake with, in order of preference. */
export function handshakeSchemes(kind: KeyKind): readonly SignatureScheme[] {
  switch (kind) {
    case 'p256':
      return P256_SCHEMES
    case 'p384':
      return P384_SCHEMES
    case 'ed25519':
      return ED25519_SCHEMES
    case 'rsa':
      return RSA_SCHEMES
  }
}
