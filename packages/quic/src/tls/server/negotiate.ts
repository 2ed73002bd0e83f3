// What a server chooses from a ClientHello: pure functions, its own preference first. RFC 9846 §4.2.1; RFC 9001 §8.1.

import type { CipherSuiteId, NamedGroup } from '../../crypto/provider.ts'
import { Alert, alert } from '../alerts.ts'
import { commonScheme } from '../authentication/own-certificate.ts'
import type { CertificateChoice } from '../authentication/own-certificate.ts'
import { CertificateSet } from '../certificates/certificate-set.ts'
import { matchesName } from '../certificates/names.ts'
import { parseCertificate } from '../certificates/parse.ts'
import type { ParsedCertificate } from '../certificates/parse.ts'
import type { ClientHello } from '../codec/client-hello.ts'
import type { ServerCertificate, ServerContext } from '../config.ts'
import { CertificateError, TlsUsageError } from '../errors.ts'
import type { KeyShareEntry } from '../extensions/key-share.ts'
import type { Handshake } from '../handshake.ts'

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

/** RFC 7301 §3.2: nothing in common is no_application_protocol. */
export function chooseProtocol({ config, context }: Handshake, hello: ClientHello): string {
  const { alpn: offered, serverName } = hello
  if (offered === null) throw alert(Alert.noApplicationProtocol, 'ClientHello has no ALPN')
  const own = context?.alpn ?? config.alpn
  const chosen =
    config.selectProtocol === undefined
      ? own.find((protocol) => offered.includes(protocol))
      : config.selectProtocol(offered, serverName)
  if (chosen === undefined || chosen === null) throw alert(Alert.noApplicationProtocol, 'no common application protocol')
  if (!offered.includes(chosen)) throw new TlsUsageError(`selectProtocol gave '${chosen}', which the client does not offer`)
  return chosen
}

export function chooseCertificate(context: ServerContext, hello: ClientHello): CertificateChoice {
  const certificates = context.certificates instanceof CertificateSet ? context.certificates.certificates : context.certificates
  const { statusRequest, certificateTimestamps, compression, serverName } = hello
  let fallback: CertificateChoice | null = null
  for (const certificate of certificates) {
    const scheme = commonScheme(certificate, hello.signatureSchemes)
    if (scheme === null) continue
    const choice = { certificate, scheme, statusRequest, certificateTimestamps, compression }
    if (certificates.length === 1 || serverName === null || speaksFor(certificate, serverName)) return choice
    fallback ??= choice
  }
  if (fallback === null) throw alert(Alert.handshakeFailure, 'no common signature scheme')
  return fallback
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
