// From the signature algorithm of a certificate to a scheme of the provider. RFC 3279, RFC 5758, RFC 8410, RFC 4055.
// SHA-1 and MD5 are refused by name (RFC 9846 §4.5.1.3).

import { toHex } from '../../base/bytes.ts'
import { SignatureScheme } from '../../crypto/provider.ts'
import type { KeyKind } from '../../crypto/provider.ts'
import type { ParsedCertificate } from './parse.ts'

/** The three usual choices: a hash, MGF1 with the same hash, a salt as long as the hash. DER in hex. */
const PSS_PARAMETERS: readonly (readonly [hash: string, saltLength: string, SignatureScheme])[] = [
  ['0609608648016503040201', '20', SignatureScheme.rsaPssRsaeSha256],
  ['0609608648016503040202', '30', SignatureScheme.rsaPssRsaeSha384],
  ['0609608648016503040203', '40', SignatureScheme.rsaPssRsaeSha512],
]
const MGF1 = '06092a864886f70d010108'

/** With MD2, MD5 or SHA-1: RSA, ECDSA, DSA. */
const BROKEN_HASHES: readonly string[] = [
  '1.2.840.113549.1.1.2',
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.2.840.10045.4.1',
  '1.2.840.10040.4.3',
]

/** Why `certificate` cannot be judged by its signature; for those certificateScheme() answers with null. */
export function signatureFault({ signatureAlgorithm }: ParsedCertificate): 'weak-signature' | 'unsupported-algorithm' {
  return BROKEN_HASHES.includes(signatureAlgorithm) ? 'weak-signature' : 'unsupported-algorithm'
}

/** How `certificate` is signed, by a key of `issuerKind`; null: not a way that is supported, or not one for such a key. */
export function certificateScheme(certificate: ParsedCertificate, issuerKind: KeyKind | null): SignatureScheme | null {
  switch (certificate.signatureAlgorithm) {
    case '1.2.840.10045.4.3.2': // ecdsa-with-SHA256
      if (issuerKind === 'p256') return SignatureScheme.ecdsaSecp256r1Sha256
      return issuerKind === 'p384' ? SignatureScheme.certificateSecp384r1Sha256 : null
    case '1.2.840.10045.4.3.3': // ecdsa-with-SHA384
      if (issuerKind === 'p384') return SignatureScheme.ecdsaSecp384r1Sha384
      return issuerKind === 'p256' ? SignatureScheme.certificateSecp256r1Sha384 : null
    case '1.3.101.112':
      return issuerKind === 'ed25519' ? SignatureScheme.ed25519 : null
    case '1.2.840.113549.1.1.11':
      return issuerKind === 'rsa' ? SignatureScheme.rsaPkcs1Sha256 : null
    case '1.2.840.113549.1.1.12':
      return issuerKind === 'rsa' ? SignatureScheme.rsaPkcs1Sha384 : null
    case '1.2.840.113549.1.1.13':
      return issuerKind === 'rsa' ? SignatureScheme.rsaPkcs1Sha512 : null
    case '1.2.840.113549.1.1.10':
      return issuerKind === 'rsa' ? pssScheme(certificate.signatureParameters) : null
    default:
      return null
  }
}

// RSASSA-PSS-params is of fixed length for these; the parameters of the hash are NULL or absent, both times alike.
function pssScheme(parameters: Uint8Array | null): SignatureScheme | null {
  if (parameters === null) return null
  const hex = toHex(parameters)
  for (const [hash, salt, scheme] of PSS_PARAMETERS) {
    if (hex === `3034a00f300d${hash}0500a11c301a${MGF1}300d${hash}0500a2030201${salt}`) return scheme
    if (hex === `3030a00d300b${hash}a11a3018${MGF1}300b${hash}a2030201${salt}`) return scheme
  }
  return null
}
