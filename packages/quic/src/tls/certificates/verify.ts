// Judging a peer's chain: the leaf by itself, then a path from it to a trust anchor. RFC 5280 §6.1, RFC 9525.
// The path is searched depth first with a bound on the work; the first fault found on the way is the one reported. Signatures the
// provider cannot check synchronously count as good here and are handed back to be checked by somebody else.

import type { CryptoProvider } from '../../crypto/provider.ts'
import { equalBytes } from '../../base/bytes.ts'
import { CertificateError } from '../errors.ts'
import type { VerifyItem } from '../events.ts'
import { checkNameConstraints } from './name-constraints.ts'
import { matchesName } from './names.ts'
import type { ParsedCertificate } from './parse.ts'
import type { TrustAnchors } from './roots.ts'
import { certificateScheme, signatureFault } from './signature-algorithms.ts'

const DIGITAL_SIGNATURE = 1
const KEY_CERT_SIGN = 32
/** Extended key usages (RFC 5280 §4.2.1.12). */
const PURPOSE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const
const ANY_PURPOSE = '2.5.29.37.0'

const MIN_RSA_BITS = 2048

/** Authorities between leaf and root, root included. */
const MAX_DEPTH = 10
const MAX_SIGNATURES = 32

export interface ChainInput {
  readonly provider: CryptoProvider
  readonly leaf: ParsedCertificate
  /** In any order; those that do not belong are ignored. */
  readonly intermediates: readonly ParsedCertificate[]
  readonly roots: TrustAnchors
  /** Whose chain it is: what its certificates have to be for. */
  readonly peer: 'client' | 'server'
  /** Null: for whom the certificate speaks is not looked at. */
  readonly serverName: string | null
  readonly unixTimeMs: number
}

/** Throws CertificateError; gives the signatures that are still to be checked. */
export function verifyChain(input: ChainInput): readonly VerifyItem[] {
  const { leaf, serverName, roots, peer } = input
  const what = `the certificate of the ${peer}`
  checkCommon(leaf, input.unixTimeMs, what)
  checkPurpose(leaf, peer, what)
  if (leaf.keyUsage !== -1 && (leaf.keyUsage & DIGITAL_SIGNATURE) === 0) {
    throw new CertificateError('wrong-usage', `the key of the ${peer} may not sign (key usage)`)
  }
  if (serverName !== null && !matchesName(leaf, serverName)) {
    throw new CertificateError('name-mismatch', `the certificate is not for ${serverName}${namesOf(leaf)}`)
  }
  if (roots.has(leaf)) return []
  const search: Search = { input, failure: null, signatures: 0 }
  const items = climb(search, leaf, [leaf])
  if (items !== null) return items
  const selfIssued = equalBytes(leaf.issuer, leaf.subject)
  // A root of its name that is no authority is a certificate such as this one, made earlier: no issuer that is at fault.
  if (search.failure !== null && !(selfIssued && search.failure.check === 'invalid-authority')) throw search.failure
  if (selfIssued) throw new CertificateError('self-signed', `${what} is self-signed and not trusted`)
  throw new CertificateError('unknown-issuer', 'no path to a trusted root')
}

/** From the leaf upwards. */
type Path = readonly ParsedCertificate[]

interface Search {
  readonly input: ChainInput
  failure: CertificateError | null
  signatures: number
}

/** Signatures left open on a path from `child` to a root, or null when there is no path. */
function climb(search: Search, child: ParsedCertificate, path: Path): VerifyItem[] | null {
  if (path.length > MAX_DEPTH) return null
  const { roots, intermediates } = search.input
  for (const root of roots.named(child.issuer)) {
    const items = step(search, child, root, path)
    if (items !== null) return items
  }
  for (const issuer of intermediates) {
    if (!equalBytes(issuer.subject, child.issuer) || path.some((other) => equalBytes(other.der, issuer.der))) continue
    const items = step(search, child, issuer, path)
    if (items === null) continue
    const above = climb(search, issuer, [...path, issuer])
    if (above !== null) return [...items, ...above]
  }
  return null
}

/** One edge of the path: may `issuer` have issued `child`, and did it? Null: no, with the reason in `search`. */
function step(search: Search, child: ParsedCertificate, issuer: ParsedCertificate, path: Path): VerifyItem[] | null {
  const { authorityKeyId } = child
  const { subjectKeyId } = issuer
  if (authorityKeyId !== null && subjectKeyId !== null && !equalBytes(authorityKeyId, subjectKeyId)) return null
  if (search.signatures === MAX_SIGNATURES) return null
  const fault = authorityFault(search.input, issuer, path)
  const item = fault === null ? signedBy(child, issuer) : null
  if (fault !== null || item === null) {
    search.failure ??= fault ?? new CertificateError(signatureFault(child), `a certificate is signed with ${child.signatureAlgorithm}`)
    return null
  }
  search.signatures++
  const valid = search.input.provider.verify(item.scheme, item.spki, item.message, item.signature)
  if (valid === false) {
    search.failure ??= new CertificateError('bad-signature', 'a signature in the certificate chain is wrong')
    return null
  }
  return valid === null ? [item] : []
}

function signedBy(child: ParsedCertificate, issuer: ParsedCertificate): VerifyItem | null {
  const scheme = certificateScheme(child, issuer.keyKind)
  return scheme === null ? null : { scheme, spki: issuer.spki, message: child.signedBytes, signature: child.signature }
}

/** What forbids this certificate to be the issuer of the last one of `path`. */
function authorityFault({ unixTimeMs, peer }: ChainInput, issuer: ParsedCertificate, path: Path): CertificateError | null {
  const what = 'an issuing certificate'
  // RFC 5280 §6.1.4 (k)–(n). A self-issued certificate does not count into the path length.
  if (!issuer.authority) return new CertificateError('invalid-authority', `${what} is not an authority (basic constraints)`)
  if (issuer.keyUsage !== -1 && (issuer.keyUsage & KEY_CERT_SIGN) === 0) {
    return new CertificateError('invalid-authority', `${what} may not sign certificates (key usage)`)
  }
  const between = path.slice(1).filter((entry) => !equalBytes(entry.issuer, entry.subject)).length
  if (between > issuer.pathLength) {
    return new CertificateError('path-too-long', `${what} allows only ${issuer.pathLength} authorities below it`)
  }
  try {
    checkCommon(issuer, unixTimeMs, what)
    checkPurpose(issuer, peer, what)
  } catch (error) {
    if (error instanceof CertificateError) return error
    throw error
  }
  if (issuer.nameConstraints !== null) {
    const verdict = checkNameConstraints(issuer.nameConstraints, path[0]!)
    if (verdict === 'violated') return new CertificateError('name-constraints', `${what} may not speak for a name of the ${peer}`)
    if (verdict === 'unsupported') return new CertificateError('unsupported-extension', `${what} has unsupported name constraints`)
  }
  return null
}

function checkCommon(certificate: ParsedCertificate, unixTimeMs: number, what: string): void {
  if (unixTimeMs < certificate.notBefore) throw new CertificateError('not-yet-valid', `${what} is not valid yet`)
  if (unixTimeMs > certificate.notAfter) throw new CertificateError('expired', `${what} has expired`)
  if (certificate.unknownCritical !== null) {
    throw new CertificateError('unsupported-extension', `${what} has the critical extension ${certificate.unknownCritical}`)
  }
  if (certificate.keyKind === null) throw new CertificateError('unsupported-algorithm', `${what} has a kind of key that is not supported`)
  if (certificate.keyKind === 'rsa' && certificate.rsaBits < MIN_RSA_BITS) {
    throw new CertificateError('weak-key', `${what} has an RSA key of less than ${MIN_RSA_BITS} bits`)
  }
}

function checkPurpose({ extendedKeyUsage }: ParsedCertificate, peer: 'client' | 'server', what: string): void {
  if (extendedKeyUsage === null || extendedKeyUsage.includes(PURPOSE[peer]) || extendedKeyUsage.includes(ANY_PURPOSE)) return
  throw new CertificateError('wrong-usage', `${what} is not for TLS ${peer}s (extended key usage)`)
}

function namesOf({ dnsNames }: ParsedCertificate): string {
  return dnsNames.length === 0 ? '' : ` but for ${dnsNames.slice(0, 3).join(', ')}${dnsNames.length > 3 ? ', …' : ''}`
}
