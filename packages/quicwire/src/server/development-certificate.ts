// A self-signed certificate for trying things out on one machine.

import { createDevCertificate, cryptoProvider, type CryptoChoice } from '@quicwire/driver'

export interface DevelopmentCertificateOptions {
  /** Names and addresses it is for, beside localhost, 127.0.0.1 and ::1. */
  readonly names?: readonly string[]
  /** Days of validity. Default 14, the most that browsers accept for a certificate pinned by its hash. */
  readonly days?: number
  readonly crypto?: CryptoChoice
}

/** PEM texts; a client trusts `cert` by giving it as `ca`. */
export interface DevelopmentCertificate {
  readonly cert: string
  readonly key: string
  /** SHA-256 of the DER in hex. */
  readonly sha256: string
}

export async function developmentCertificate(options: DevelopmentCertificateOptions = {}): Promise<DevelopmentCertificate> {
  const names = new Set(['localhost', '127.0.0.1', '::1', ...(options.names ?? [])])
  const made = createDevCertificate(await cryptoProvider(options.crypto), { names: [...names], days: options.days, unixTimeMs: Date.now() })
  return { cert: made.certificatePem, key: made.privateKeyPem, sha256: made.sha256 }
}
