// Certificates for tests: an issuer that can make good ones and every kind of bad one.

import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  KeyIdentifier,
  KeyUsage,
  type NameConstraints,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Time,
  Validity,
} from '@peculiar/asn1-x509'
import { fromHex } from '../../../src/base/bytes.ts'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { SignatureScheme, type KeyPairBytes, type PrivateKey } from '../../../src/crypto/provider.ts'
import { parseIpAddress } from '../../../src/base/ip-address.ts'

export const NOW: number = Date.UTC(2026, 5, 1)
export const DAY = 86_400_000
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

export type KeyChoice = 'p256' | 'p384' | 'ed25519' | 'rsa2048'

export interface Issued {
  readonly der: Uint8Array
  readonly name: string
  readonly kind: KeyChoice
  readonly pair: KeyPairBytes
  readonly key: PrivateKey
}

export interface Wish {
  readonly name?: string
  readonly names?: readonly string[]
  readonly kind?: KeyChoice
  readonly pair?: KeyPairBytes
  /** Absent: self-signed. */
  readonly issuer?: Issued
  readonly ca?: boolean
  readonly pathLength?: number
  readonly keyUsage?: number
  readonly extendedKeyUsage?: readonly string[]
  readonly notBefore?: number
  readonly notAfter?: number
  readonly nameConstraints?: NameConstraints
  readonly extra?: readonly Extension[]
  readonly scheme?: SignatureScheme
  /** Object identifier to claim in place of the one that belongs to the scheme. */
  readonly algorithm?: string
  readonly keyIds?: boolean
}

const ALGORITHMS = new Map<SignatureScheme, AlgorithmIdentifier>([
  [SignatureScheme.ecdsaSecp256r1Sha256, new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })],
  [SignatureScheme.certificateSecp384r1Sha256, new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' })],
  [SignatureScheme.ecdsaSecp384r1Sha384, new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.3' })],
  [SignatureScheme.certificateSecp256r1Sha384, new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.3' })],
  [SignatureScheme.ed25519, new AlgorithmIdentifier({ algorithm: '1.3.101.112' })],
  [SignatureScheme.rsaPkcs1Sha256, new AlgorithmIdentifier({ algorithm: '1.2.840.113549.1.1.11', parameters: null })],
  // RSASSA-PSS-params as OpenSSL writes them.
  [
    SignatureScheme.rsaPssRsaeSha384,
    new AlgorithmIdentifier({
      algorithm: '1.2.840.113549.1.1.10',
      parameters: fromHex(
        '3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130',
      ).buffer,
    }),
  ],
  [SignatureScheme.rsaPkcs1Sha512, new AlgorithmIdentifier({ algorithm: '1.2.840.113549.1.1.13', parameters: null })],
])

const DEFAULT_SCHEME: Record<KeyChoice, SignatureScheme> = {
  p256: SignatureScheme.ecdsaSecp256r1Sha256,
  p384: SignatureScheme.ecdsaSecp384r1Sha384,
  ed25519: SignatureScheme.ed25519,
  rsa2048: SignatureScheme.rsaPkcs1Sha256,
}

const pairs = new Map<string, KeyPairBytes>()

/** RSA keys take long to make: one per name. */
export function keyPair(kind: KeyChoice, label: string): KeyPairBytes {
  const id = `${kind} ${label}`
  const pair = pairs.get(id) ?? nodeProvider.generateKeyPair(kind)
  pairs.set(id, pair)
  return pair
}

export function distinguishedName(text: string): Name {
  const value = new AttributeValue({ utf8String: text })
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: '2.5.4.3', value })])])
}

export function extension(extnID: string, critical: boolean, value: unknown): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })
}

function keyIdOf(pair: KeyPairBytes): KeyIdentifier {
  return new KeyIdentifier(nodeProvider.hash('sha256', pair.spki).slice(0, 20))
}

export function issue(wish: Wish): Issued {
  const { name = 'leaf', kind = 'p256', issuer, ca = false } = wish
  const pair = wish.pair ?? keyPair(kind, name)
  const key = nodeProvider.importPrivateKey(pair.pkcs8)
  const signer = issuer ?? { name, kind, pair, key }
  const scheme = wish.scheme ?? DEFAULT_SCHEME[signer.kind]
  const algorithm = wish.algorithm === undefined ? ALGORITHMS.get(scheme)! : new AlgorithmIdentifier({ algorithm: wish.algorithm })
  const extensions: Extension[] = []
  const constraints = wish.pathLength === undefined ? { cA: ca } : { cA: ca, pathLenConstraint: wish.pathLength }
  extensions.push(extension('2.5.29.19', true, new BasicConstraints(constraints)))
  if (wish.keyUsage !== undefined) extensions.push(extension('2.5.29.15', true, new KeyUsage(wish.keyUsage)))
  if (wish.extendedKeyUsage !== undefined) extensions.push(extension('2.5.29.37', false, new ExtendedKeyUsage([...wish.extendedKeyUsage])))
  if (wish.nameConstraints !== undefined) extensions.push(extension('2.5.29.30', true, wish.nameConstraints))
  if (wish.keyIds === true) {
    extensions.push(extension('2.5.29.14', false, new SubjectKeyIdentifier(keyIdOf(pair).buffer)))
    extensions.push(extension('2.5.29.35', false, new AuthorityKeyIdentifier({ keyIdentifier: keyIdOf(signer.pair) })))
  }
  if (!ca) {
    const names = (wish.names ?? ['localhost']).map(
      (text) => new GeneralName(parseIpAddress(text) === null ? { dNSName: text } : { iPAddress: text }),
    )
    extensions.push(extension('2.5.29.17', false, new SubjectAlternativeName(names)))
  }
  extensions.push(...(wish.extra ?? []))
  const validity = new Validity()
  validity.notBefore = new Time(wish.notBefore ?? NOW - DAY)
  validity.notAfter = new Time(wish.notAfter ?? NOW + DAY)
  const tbs = new TBSCertificate({
    version: 2,
    // An issuer gives a number once (RFC 5280 §4.1.2.2): the first to itself.
    serialNumber: Uint8Array.of(issuer === undefined ? 1 : 2).buffer,
    signature: algorithm,
    issuer: distinguishedName(signer.name),
    validity,
    subject: distinguishedName(name),
    subjectPublicKeyInfo: AsnConvert.parse(pair.spki, SubjectPublicKeyInfo),
    extensions: new Extensions(extensions),
  })
  const signature = signer.key.sign(scheme, new Uint8Array(AsnConvert.serialize(tbs)))!
  const signatureValue = new Uint8Array(signature).buffer
  const certificate = new Certificate({ tbsCertificate: tbs, signatureAlgorithm: algorithm, signatureValue })
  return { der: new Uint8Array(AsnConvert.serialize(certificate)), name, kind, pair, key }
}
