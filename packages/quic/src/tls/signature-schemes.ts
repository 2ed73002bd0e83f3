// The signature schemes a client accepts, most preferred first. RFC 9846 §4.3.3.

import { SignatureScheme } from '../crypto/provider.ts'

/** For CertificateVerify: RSASSA-PKCS1-v1_5 is not allowed there. */
export const HANDSHAKE_SCHEMES: readonly SignatureScheme[] = [
  SignatureScheme.ecdsaSecp256r1Sha256,
  SignatureScheme.ed25519,
  SignatureScheme.ecdsaSecp384r1Sha384,
  SignatureScheme.rsaPssRsaeSha256,
  SignatureScheme.rsaPssRsaeSha384,
  SignatureScheme.rsaPssRsaeSha512,
]

/** For signatures in certificates. */
export const CERTIFICATE_SCHEMES: readonly SignatureScheme[] = [
  ...HANDSHAKE_SCHEMES,
  SignatureScheme.rsaPkcs1Sha256,
  SignatureScheme.rsaPkcs1Sha384,
  SignatureScheme.rsaPkcs1Sha512,
]
