// PEM for certificates and keys (RFC 7468): writing, and reading the certificates of a bundle.

import { pemBlocks } from '../../crypto/pem.ts'
import { TlsUsageError } from '../errors.ts'

/** One PEM block with 64 characters a line. */
export function encodePem(label: string, der: Uint8Array): string {
  let binary = ''
  for (let i = 0; i < der.length; i++) binary += String.fromCharCode(der[i]!)
  const lines = btoa(binary).match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** All certificates of a PEM text as DER, in order; other blocks are passed over. Throws TlsUsageError when there is none. */
export function certificatesFromPem(text: string): Uint8Array[] {
  const certificates: Uint8Array[] = []
  for (const { label, der } of pemBlocks(text)) {
    if (label !== 'CERTIFICATE') continue
    if (der === null) throw new TlsUsageError('a PEM certificate is not base64')
    certificates.push(der)
  }
  if (certificates.length === 0) throw new TlsUsageError('the PEM text holds no certificate')
  return certificates
}
