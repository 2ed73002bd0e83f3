// Certificates as users give them: PEM or DER.

import { OptionError } from '../errors.ts'

/** PEM text (any number of certificates) or DER, one or several. */
export type CertificateInput = string | Uint8Array | readonly (string | Uint8Array)[]

const PEM_CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

/** DER of every certificate in the input. Throws OptionError when there is none. */
export function certificatesFrom(input: CertificateInput): Uint8Array[] {
  const parts = typeof input === 'string' || input instanceof Uint8Array ? [input] : input
  const certificates: Uint8Array[] = []
  for (const part of parts) {
    const text = typeof part === 'string' ? part : looksLikePem(part) ? Buffer.from(part).toString('latin1') : null
    if (text === null) {
      certificates.push(part as Uint8Array)
      continue
    }
    for (const match of text.matchAll(PEM_CERTIFICATE)) certificates.push(new Uint8Array(Buffer.from(match[1]!, 'base64')))
  }
  if (certificates.length === 0) throw new OptionError('no certificate found: expected PEM with BEGIN CERTIFICATE, or DER')
  return certificates
}

export function looksLikePem(bytes: Uint8Array): boolean {
  // DER of a certificate begins with a SEQUENCE.
  return bytes[0] !== 0x30
}
