// The certificates of this side, and a set of them that changes while a server runs, as short-lived ones do every few days.

import type { PrivateKey } from '../../crypto/provider.ts'
import { TlsUsageError } from '../errors.ts'

/** A certificate chain in DER, leaf first, and the key of the leaf. */
export interface ClientCertificate {
  readonly chain: readonly Uint8Array[]
  readonly key: PrivateKey
}

/** What a server shows of itself. */
export interface ServerCertificate extends ClientCertificate {
  /** An OCSPResponse in DER (RFC 6960), for clients that ask for one. */
  readonly ocspResponse?: Uint8Array | undefined
  /** An encoded SignedCertificateTimestampList (RFC 6962 §3.3), for clients that ask. */
  readonly signedCertificateTimestamps?: Uint8Array | undefined
}

export class CertificateSet {
  #certificates: readonly ServerCertificate[]

  /** Throws TlsUsageError when there is none, or one has no chain. */
  constructor(certificates: readonly ServerCertificate[]) {
    this.#certificates = checked(certificates)
  }

  get certificates(): readonly ServerCertificate[] {
    return this.#certificates
  }

  /** Handshakes that choose from now on have these. Throws TlsUsageError as the constructor does, and keeps the old ones then. */
  replace(certificates: readonly ServerCertificate[]): void {
    this.#certificates = checked(certificates)
  }
}

function checked(certificates: readonly ServerCertificate[]): readonly ServerCertificate[] {
  if (certificates.length === 0) throw new TlsUsageError('a server needs at least one certificate')
  for (const { chain } of certificates) {
    if (chain.length === 0) throw new TlsUsageError('a server certificate has an empty chain')
  }
  return certificates
}
