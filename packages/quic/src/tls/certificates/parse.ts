// X.509 certificates as the checks need them, decoded with the ASN.1 schemas under @peculiar/x509. RFC 5280 §4.
// (@peculiar/x509 itself wants a global Reflect polyfill, which a library cannot bring along; its schemas do not.)

import { AsnConvert } from '@peculiar/asn1-schema'
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  KeyUsage,
  NameConstraints,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
} from '@peculiar/asn1-x509'
import type { Extension } from '@peculiar/asn1-x509'
import { EMPTY, copyBytes, equalBytes } from '../../base/bytes.ts'
import { schemeFacts } from '../../crypto/key-algorithm.ts'
import { readPublicKey, rsaModulusBits } from '../../crypto/public-key.ts'
import type { KeyKind, SignatureScheme } from '../../crypto/provider.ts'
import { CertificateError } from '../errors.ts'
import { readCertificateNames } from './distinguished-names.ts'
import type { CertificateNames } from './distinguished-names.ts'
import { parseIpAddress } from '../../base/ip-address.ts'

export interface ParsedCertificate {
  readonly der: Uint8Array
  /** As encoded: 2 is version 3. */
  readonly version: number
  /** What the issuer signed. */
  readonly signedBytes: Uint8Array
  readonly signature: Uint8Array
  /** Object identifier of the issuer's signature algorithm, and its parameters. */
  readonly signatureAlgorithm: string
  readonly signatureParameters: Uint8Array | null
  /** Distinguished names as encoded: equal bytes are equal names. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
  /** Null: a kind of key no signature scheme of ours uses. */
  readonly keyKind: KeyKind | null
  /** Bits of an RSA key's modulus; 0 for other kinds. */
  readonly rsaBits: number
  /** Milliseconds since 1970, both inclusive. */
  readonly notBefore: number
  readonly notAfter: number
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly Uint8Array[]
  readonly authority: boolean
  /** How many authorities may stand between this one and the leaf; Infinity: no limit. */
  readonly pathLength: number
  /** Bits of KeyUsageFlags; -1: no such extension. */
  readonly keyUsage: number
  /** Null: no such extension, every purpose. */
  readonly extendedKeyUsage: readonly string[] | null
  readonly nameConstraints: NameConstraints | null
  readonly subjectKeyId: Uint8Array | null
  readonly authorityKeyId: Uint8Array | null
  /** The first critical extension nobody here understands. */
  readonly unknownCritical: string | null
}

// Connections to one server bring the same few certificates again and again; decoding one was a fifth of a handshake's time.
// Decoding depends on the bytes alone, so what was decoded lately is as good as new. Replaced in turn.
const REMEMBERED = 8
const LONGEST_REMEMBERED = 8192
const remembered: ParsedCertificate[] = []
let oldest = 0

/** Decodes one certificate; `what` names it in the error. The result may be shared. Throws CertificateError 'malformed'. */
export function parseCertificate(der: Uint8Array, what: string): ParsedCertificate {
  for (const known of remembered) if (equalBytes(known.der, der)) return known
  const parsed = decodeNamed(der.length > LONGEST_REMEMBERED ? der : copyBytes(der), what)
  if (der.length > LONGEST_REMEMBERED) return parsed
  remembered[oldest] = parsed
  oldest = (oldest + 1) % REMEMBERED
  return parsed
}

function decodeNamed(der: Uint8Array, what: string): ParsedCertificate {
  const names = readCertificateNames(der)
  if (names === null) throw new CertificateError('malformed', `${what} is no certificate in DER`)
  // The one place where foreign code reads bytes of the peer: whatever it throws means that they are no certificate.
  try {
    return decode(der, names)
  } catch (cause) {
    throw new CertificateError('malformed', `${what} cannot be read: ${cause instanceof Error ? cause.message : 'unknown reason'}`)
  }
}

function decode(der: Uint8Array, { issuer, subject }: CertificateNames): ParsedCertificate {
  const certificate = AsnConvert.parse(der, Certificate)
  const { tbsCertificate: tbs, tbsCertificateRaw, signatureAlgorithm } = certificate
  if (tbsCertificateRaw === undefined) throw new Error('no signed part')
  if (!signatureAlgorithm.isEqual(tbs.signature)) throw new Error('two different signature algorithms')
  const spki = new Uint8Array(AsnConvert.serialize(tbs.subjectPublicKeyInfo))
  const key = readPublicKey(spki)
  const { parameters } = signatureAlgorithm
  return {
    der,
    version: tbs.version,
    signedBytes: new Uint8Array(tbsCertificateRaw),
    signature: new Uint8Array(certificate.signatureValue),
    signatureAlgorithm: signatureAlgorithm.algorithm,
    signatureParameters: parameters ? new Uint8Array(parameters) : null,
    issuer,
    subject,
    spki,
    keyKind: key === null ? null : key.kind,
    rsaBits: key?.kind === 'rsa' ? rsaModulusBits(key.key) : 0,
    notBefore: tbs.validity.notBefore.getTime().getTime(),
    notAfter: tbs.validity.notAfter.getTime().getTime(),
    ...decodeExtensions([...(tbs.extensions ?? [])]),
  }
}

type Extensions = Pick<
  ParsedCertificate,
  | 'dnsNames'
  | 'ipAddresses'
  | 'authority'
  | 'pathLength'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'nameConstraints'
  | 'subjectKeyId'
  | 'authorityKeyId'
  | 'unknownCritical'
>

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function decodeExtensions(extensions: readonly Extension[]): Extensions {
  const found: Mutable<Extensions> = {
    dnsNames: [],
    ipAddresses: [],
    authority: false,
    pathLength: Infinity,
    keyUsage: -1,
    extendedKeyUsage: null,
    nameConstraints: null,
    subjectKeyId: null,
    authorityKeyId: null,
    unknownCritical: null,
  }
  const seen: string[] = []
  for (const { extnID, critical, extnValue } of extensions) {
    // RFC 5280 §4.2: each extension once.
    if (seen.includes(extnID)) throw new Error(`extension ${extnID} twice`)
    seen.push(extnID)
    const known = decodeExtension(found, extnID, new Uint8Array(extnValue.buffer))
    if (critical && !known) found.unknownCritical ??= extnID
  }
  return found
}

/** False: not an extension we know. */
function decodeExtension(found: Mutable<Extensions>, id: string, value: Uint8Array): boolean {
  switch (id) {
    case '2.5.29.17': {
      const names = [...AsnConvert.parse(value, SubjectAlternativeName)]
      found.dnsNames = names.flatMap(({ dNSName }) => (dNSName === undefined ? [] : [dNSName]))
      // An address of impossible length stays in, as one nobody has: name constraints still see that there is an address.
      found.ipAddresses = names.flatMap(({ iPAddress }) => (iPAddress === undefined ? [] : [parseIpAddress(iPAddress) ?? EMPTY]))
      return true
    }
    case '2.5.29.19': {
      const { cA, pathLenConstraint } = AsnConvert.parse(value, BasicConstraints)
      found.authority = cA
      found.pathLength = pathLenConstraint ?? Infinity
      return true
    }
    case '2.5.29.15':
      found.keyUsage = AsnConvert.parse(value, KeyUsage).toNumber()
      return true
    case '2.5.29.37':
      found.extendedKeyUsage = [...AsnConvert.parse(value, ExtendedKeyUsage)]
      return true
    case '2.5.29.30':
      found.nameConstraints = AsnConvert.parse(value, NameConstraints)
      return true
    case '2.5.29.14':
      found.subjectKeyId = new Uint8Array(AsnConvert.parse(value, SubjectKeyIdentifier).buffer)
      return true
    case '2.5.29.35': {
      const { keyIdentifier } = AsnConvert.parse(value, AuthorityKeyIdentifier)
      found.authorityKeyId = keyIdentifier === undefined ? null : new Uint8Array(keyIdentifier.buffer)
      return true
    }
    // Certificate policies: with the initial policy set "any" there is nothing to check.
    case '2.5.29.32':
      return true
    default:
      return false
  }
}

/** Whether the key of a certificate can have made a signature of this scheme. */
export function keyFitsScheme(certificate: ParsedCertificate, scheme: SignatureScheme): boolean {
  return schemeFacts(scheme).kind === certificate.keyKind
}
