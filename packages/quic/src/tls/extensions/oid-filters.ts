// oid_filters: certificate extensions, with values, that a server wants to see in the client's certificate. RFC 9846 §4.3.5, which has
// rules for two of them; the others are skipped, as a client must.

import { AsnConvert } from '@peculiar/asn1-schema'
import { ExtendedKeyUsage, KeyUsage } from '@peculiar/asn1-x509'
import { copyBytes, toHex } from '../../base/bytes.ts'
import { Alert, alert } from '../alerts.ts'
import { parseCertificate } from '../certificates/parse.ts'
import type { ParsedCertificate } from '../certificates/parse.ts'
import { finish, open, vector16, vector8 } from '../codec/block.ts'
import { CertificateError } from '../errors.ts'

export interface OidFilters {
  /** KeyUsageFlags that have to be set; null: no matter. */
  readonly keyUsage: number | null
  /** Purposes that have to be there; null: no matter. */
  readonly extendedKeyUsage: readonly string[] | null
}

export const NO_FILTERS: OidFilters = { keyUsage: null, extendedKeyUsage: null }

// Object identifiers 2.5.29.15 and 2.5.29.37, DER in hexadecimal.
const KEY_USAGE = '0603551d0f'
const EXTENDED_KEY_USAGE = '0603551d25'
const ANY_PURPOSE = '2.5.29.37.0'

/** A request of 64 KiB could hold thousands, each compared with all before it. */
const MAX_FILTERS = 64

export function readOidFilters(body: Uint8Array): OidFilters {
  const reader = open(body)
  const list = open(vector16(reader))
  finish(reader, 'oid_filters')
  const seen: string[] = []
  let { keyUsage, extendedKeyUsage } = NO_FILTERS
  while (!list.failed && list.remaining > 0) {
    const identifier = toHex(vector8(list))
    const values = vector16(list)
    if (list.failed) break
    if (identifier === '') throw alert(Alert.decodeError, 'oid_filters has an empty object identifier')
    if (seen.includes(identifier)) throw alert(Alert.illegalParameter, 'oid_filters has an object identifier twice')
    if (seen.length === MAX_FILTERS) throw alert(Alert.decodeError, `oid_filters has more than ${MAX_FILTERS} filters`)
    seen.push(identifier)
    if (identifier === KEY_USAGE) keyUsage = decoded(values, (bytes) => AsnConvert.parse(bytes, KeyUsage).toNumber())
    if (identifier === EXTENDED_KEY_USAGE) extendedKeyUsage = decoded(values, (bytes) => [...AsnConvert.parse(bytes, ExtendedKeyUsage)])
  }
  finish(list, 'oid_filters')
  // "The special anyExtendedKeyUsage OID MUST NOT be used in the request."
  if (extendedKeyUsage?.includes(ANY_PURPOSE) === true) throw alert(Alert.illegalParameter, 'oid_filters asks for anyExtendedKeyUsage')
  return { keyUsage, extendedKeyUsage }
}

// Foreign code reads bytes of the peer: whatever it throws means that they are no value of this extension.
function decoded<Value>(values: Uint8Array, decode: (bytes: Uint8Array) => Value): Value {
  try {
    return decode(copyBytes(values))
  } catch {
    throw alert(Alert.decodeError, 'a value in oid_filters cannot be read')
  }
}

/** `leaf`: a certificate of our own, DER. One that cannot be read has nothing of what is asked for. */
export function passesFilters(leaf: Uint8Array, { keyUsage, extendedKeyUsage }: OidFilters): boolean {
  if (keyUsage === null && extendedKeyUsage === null) return true
  const certificate = ownCertificate(leaf)
  if (certificate === null) return false
  if (keyUsage !== null && (certificate.keyUsage < 0 || (certificate.keyUsage & keyUsage) !== keyUsage)) return false
  const purposes = certificate.extendedKeyUsage ?? []
  return extendedKeyUsage === null || (certificate.extendedKeyUsage !== null && extendedKeyUsage.every((purpose) => purposes.includes(purpose)))
}

function ownCertificate(der: Uint8Array): ParsedCertificate | null {
  try {
    return parseCertificate(der, 'our certificate')
  } catch (error) {
    if (error instanceof CertificateError) return null
    throw error
  }
}
