// Issuer and subject of a certificate without decoding the rest: for finding one root among hundreds. RFC 5280 §4.1.

import { DerTag, derContainer } from '../../crypto/der.ts'
import type { DerReader } from '../../crypto/der.ts'

/** The two names as encoded, without their tag: equal bytes are equal names. */
export interface CertificateNames {
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
}

/** Null: not the beginning of a certificate. */
export function readCertificateNames(der: Uint8Array): CertificateNames | null {
  const fields: DerReader | null = derContainer(der, DerTag.sequence)?.enter(DerTag.sequence) ?? null
  if (fields === null) return null
  fields.take(DerTag.context0) // version
  const head = fields.take(DerTag.integer) !== null && fields.take(DerTag.sequence) !== null // serial number, signature algorithm
  const issuer = fields.take(DerTag.sequence)
  const validity = fields.take(DerTag.sequence)
  const subject = fields.take(DerTag.sequence)
  return head && issuer !== null && validity !== null && subject !== null ? { issuer, subject } : null
}
