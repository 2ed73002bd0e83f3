// Which certificate a client answers a CertificateRequest with. RFC 9846 §4.3.5, §4.4.2, §4.5.1.2.

import { equalBytes } from '../../base/bytes.ts'
import { DerTag, derElement } from '../../crypto/der.ts'
import { commonScheme } from '../authentication/own-certificate.ts'
import type { CertificateChoice } from '../authentication/own-certificate.ts'
import { readCertificateNames } from '../certificates/distinguished-names.ts'
import type { CertificateRequest } from '../codec/certificate-request.ts'
import type { ClientCertificate } from '../config.ts'
import { passesFilters } from '../extensions/oid-filters.ts'
import type { Handshake } from '../handshake.ts'

/** Null: none fits, so the client stays anonymous. */
export function chooseClientCertificate({ config }: Handshake, request: CertificateRequest): CertificateChoice | null {
  for (const certificate of config.clientCertificates ?? []) {
    const scheme = commonScheme(certificate, request.signatureSchemes)
    if (scheme === null || !isIssuedByOne(certificate, request.authorities)) continue
    if (!passesFilters(certificate.chain[0]!, request.filters)) continue
    return { certificate, scheme, statusRequest: false, certificateTimestamps: false, compression: request.compression }
  }
  return null
}

// "at least one of the certificates in the certificate chain SHOULD be issued by one of the listed CAs"
function isIssuedByOne({ chain }: ClientCertificate, authorities: readonly Uint8Array[]): boolean {
  if (authorities.length === 0) return true
  return chain.some((der) => {
    const names = readCertificateNames(der)
    if (names === null) return false
    const issuer = derElement(DerTag.sequence, names.issuer)
    return authorities.some((authority) => equalBytes(authority, issuer))
  })
}
