// A self-signed certificate for development: ECDSA P-256 with SHA-256, server authentication only, short-lived. With the
// default of 14 days it may be pinned by hash in a browser (WebTransport's serverCertificateHashes).

import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Time,
  Validity,
} from '@peculiar/asn1-x509'
import { toHex } from '../../base/bytes.ts'
import { invariant } from '../../base/assert.ts'
import { SignatureScheme } from '../../crypto/provider.ts'
import type { CryptoProvider } from '../../crypto/provider.ts'
import { TlsUsageError } from '../errors.ts'
import { parseIpAddress } from '../../base/ip-address.ts'
import { sniName } from './names.ts'
import { encodePem } from './pem.ts'

export interface DevCertificateOptions {
  /** DNS names and IP addresses, at least one. */
  readonly names: readonly string[]
  /** Days of validity. Default 14. */
  readonly days?: number | undefined
  /** Now; the certificate is valid from an hour before it. */
  readonly unixTimeMs: number
}

export interface DevCertificate {
  readonly certificate: Uint8Array
  readonly certificatePem: string
  /** PKCS#8. */
  readonly privateKey: Uint8Array
  readonly privateKeyPem: string
  /** Of the certificate's DER, 64 hex digits. */
  readonly sha256: string
}

const HOUR = 3_600_000
const DAY = 24 * HOUR
const VERSION_3 = 2
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'

/** Throws TlsUsageError for what is neither a host name nor an IP address. */
export function createDevCertificate(provider: CryptoProvider, options: DevCertificateOptions): DevCertificate {
  const { names, unixTimeMs, days = 14 } = options
  if (names.length === 0) throw new TlsUsageError('a certificate needs at least one name')
  if (!(days > 0)) throw new TlsUsageError('a certificate needs a validity of more than 0 days')
  const pair = provider.generateKeyPair('p256')
  const tbs = new TBSCertificate({
    version: VERSION_3,
    serialNumber: serialNumber(provider),
    signature: new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 }),
    issuer: commonName(names[0]!),
    validity: validity(unixTimeMs - HOUR, unixTimeMs - HOUR + days * DAY),
    subject: commonName(names[0]!),
    subjectPublicKeyInfo: AsnConvert.parse(pair.spki, SubjectPublicKeyInfo),
    extensions: new Extensions([
      extension('2.5.29.19', true, new BasicConstraints({ cA: false })),
      extension('2.5.29.15', true, new KeyUsage(KeyUsageFlags.digitalSignature)),
      extension('2.5.29.37', false, new ExtendedKeyUsage(['1.3.6.1.5.5.7.3.1'])),
      extension('2.5.29.17', false, new SubjectAlternativeName(names.map(generalName))),
    ]),
  })
  const key = provider.importPrivateKey(pair.pkcs8)
  const signature = key.sign(SignatureScheme.ecdsaSecp256r1Sha256, new Uint8Array(AsnConvert.serialize(tbs)))
  invariant(signature !== null, 'a provider signs with its own P-256 keys')
  const signed = new Certificate({ tbsCertificate: tbs, signatureAlgorithm: tbs.signature, signatureValue: bufferOf(signature) })
  const certificate = new Uint8Array(AsnConvert.serialize(signed))
  return {
    certificate,
    certificatePem: encodePem('CERTIFICATE', certificate),
    privateKey: pair.pkcs8,
    privateKeyPem: encodePem('PRIVATE KEY', pair.pkcs8),
    sha256: toHex(provider.hash('sha256', certificate)),
  }
}

// RFC 5280 §4.1.2.2: positive, at most 20 bytes.
function serialNumber(provider: CryptoProvider): ArrayBuffer {
  const serial = new Uint8Array(16)
  provider.random.fill(serial)
  serial[0] = (serial[0]! & 0x3f) | 0x40
  return serial.buffer
}

function commonName(text: string): Name {
  const value = new AttributeValue({ utf8String: text.slice(0, 64) })
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })])])
}

function validity(notBefore: number, notAfter: number): Validity {
  const result = new Validity()
  result.notBefore = new Time(notBefore)
  result.notAfter = new Time(notAfter)
  return result
}

function generalName(name: string): GeneralName {
  const address = parseIpAddress(name)
  if (address !== null) return new GeneralName({ iPAddress: name.replace(/^\[|\]$/g, '') })
  // A wildcard is for the leftmost label only; the rest is an ordinary name.
  const host = sniName(name.startsWith('*.') ? name.slice(2) : name)
  if (host === null) throw new TlsUsageError(`'${name}' cannot be certified`)
  return new GeneralName({ dNSName: name.startsWith('*.') ? `*.${host}` : host })
}

function extension(extnID: string, critical: boolean, value: unknown): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
