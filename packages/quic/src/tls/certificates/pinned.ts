// A certificate trusted by its hash alone, by the rules WebTransport has for serverCertificateHashes ("custom certificate
// requirements" of the W3C's WebTransport): whoever lost the key is out of the game within two weeks.

import { equalBytes } from '../../base/bytes.ts'
import type { CryptoProvider } from '../../crypto/provider.ts'
import { CertificateError } from '../errors.ts'
import type { ParsedCertificate } from './parse.ts'

const LONGEST_VALIDITY = 14 * 86_400_000
const VERSION_3 = 2

export function isPinned(provider: CryptoProvider, hashes: readonly Uint8Array[], certificate: ParsedCertificate): boolean {
  const hash = provider.hash('sha256', certificate.der)
  return hashes.some((pin) => equalBytes(pin, hash))
}

/** Throws CertificateError. */
export function verifyPinned(provider: CryptoProvider, hashes: readonly Uint8Array[], leaf: ParsedCertificate, unixTimeMs: number): void {
  if (!isPinned(provider, hashes, leaf)) throw new CertificateError('pin-mismatch', 'the certificate has none of the pinned hashes')
  if (leaf.version !== VERSION_3) throw new CertificateError('malformed', 'a pinned certificate has to be X.509 version 3')
  if (leaf.keyKind !== 'p256') throw new CertificateError('unsupported-algorithm', 'a pinned certificate needs an ECDSA key on P-256')
  if (unixTimeMs < leaf.notBefore) throw new CertificateError('not-yet-valid', 'the pinned certificate is not valid yet')
  if (unixTimeMs > leaf.notAfter) throw new CertificateError('expired', 'the pinned certificate has expired')
  if (leaf.notAfter - leaf.notBefore > LONGEST_VALIDITY) {
    throw new CertificateError('validity-too-long', 'a pinned certificate may be valid for 14 days at most')
  }
}
