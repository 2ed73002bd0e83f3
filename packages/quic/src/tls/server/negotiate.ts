// What a server chooses from a ClientHello: pure functions, its own preference first. RFC 9846 §4.2.1; RFC 9001 §8.1.

import type { CipherSuiteId, NamedGroup, SignatureScheme } from '../../crypto/provider.ts'
import { Alert, alert } from '../alerts.ts'
import { matchesName } from '../certificates/names.ts'
import { parseCertificate } from '../certificates/parse.ts'
import type { ParsedCertificate } from '../certificates/parse.ts'
import type { ClientHello } from '../codec/client-hello.ts'
import type { ServerCertificate, TlsConfig } from '../config.ts'
import { CertificateError, TlsUsageError } from '../errors.ts'
import type { KeyShareEntry } from '../extensions/key-share.ts'
import { HANDSHAKE_SCHEMES } from '../signature-schemes.ts'

export function chooseCipherSuite(own: readonly CipherSuiteId[], hello: ClientHello): CipherSuiteId {
  for (const suite of own) if (hello.cipherSuites.includes(suite)) return suite
  throw alert(Alert.handshakeFailure, 'no common cipher suite')
}

/** A group, and the client's share for it; share null: it has to be asked for with a HelloRetryRequest. */
export interface GroupChoice {
  readonly group: NamedGroup
  readonly share: KeyShareEntry | null
}

/** A share at hand wins over preference: it saves a round trip. */
export function chooseGroup(own: readonly NamedGroup[], hello: ClientHello): GroupChoice {
  for (const share of hello.shares) {
    // RFC 9846 §4.3.8: shares only for groups that are listed.
    if (!hello.groups.includes(share.group)) throw alert(Alert.illegalParameter, `a key share for unlisted group ${share.group}`)
  }
  for (const group of own) {
    const share = hello.shares.find((entry) => entry.group === group)
    if (share !== undefined) return { group, share }
  }
  for (const group of own) if (hello.groups.includes(group)) return { group, share: null }
  throw alert(Alert.handshakeFailure, 'no common key exchange group')
}

export function chooseProtocol(own: readonly string[], hello: ClientHello): string {
  if (hello.alpn === null) throw alert(Alert.noApplicationProtocol, 'ClientHello has no ALPN')
  for (const protocol of own) if (hello.alpn.includes(protocol)) return protocol
  throw alert(Alert.noApplicationProtocol, 'no common application protocol')
}

export interface CertificateChoice {
  readonly certificate: ServerCertificate
  readonly scheme: SignatureScheme
}

export function chooseCertificate(config: TlsConfig, hello: ClientHello): CertificateChoice {
  if (config.selectCertificate !== undefined) {
    const certificate = config.selectCertificate(hello.serverName)
    if (certificate === null) throw alert(Alert.unrecognizedName, `no certificate for ${hello.serverName ?? 'no name'}`)
    const scheme = commonScheme(certificate, hello)
    if (scheme === null) throw alert(Alert.handshakeFailure, 'no common signature scheme')
    return { certificate, scheme }
  }
  let fallback: CertificateChoice | null = null
  const certificates = config.certificates ?? []
  for (const certificate of certificates) {
    const scheme = commonScheme(certificate, hello)
    if (scheme === null) continue
    if (certificates.length === 1 || hello.serverName === null || speaksFor(certificate, hello.serverName)) return { certificate, scheme }
    fallback ??= { certificate, scheme }
  }
  if (fallback === null) throw alert(Alert.handshakeFailure, 'no common signature scheme')
  return fallback
}

function commonScheme({ key }: ServerCertificate, hello: ClientHello): SignatureScheme | null {
  for (const scheme of key.schemes) if (HANDSHAKE_SCHEMES.includes(scheme) && hello.signatureSchemes.includes(scheme)) return scheme
  return null
}

function speaksFor(certificate: ServerCertificate, serverName: string): boolean {
  const leaf = certificate.chain[0]
  return leaf !== undefined && matchesName(ownCertificate(leaf), serverName)
}

function ownCertificate(der: Uint8Array): ParsedCertificate {
  try {
    return parseCertificate(der, 'a configured certificate')
  } catch (error) {
    if (error instanceof CertificateError) throw new TlsUsageError(error.reason)
    throw error
  }
}
