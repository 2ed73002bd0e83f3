// Whom a certificate speaks for: DNS names with one leading wildcard label, and IP addresses. RFC 9525 §6.3, RFC 5280 §4.2.1.6.
// The common name is not looked at.

import { equalBytes } from '../../base/bytes.ts'
import { TlsUsageError } from '../errors.ts'
import { parseIpAddress } from '../../base/ip-address.ts'
import type { ParsedCertificate } from './parse.ts'

/**
 * The name for the server_name extension, in lower case and without final dot; null for an IP literal, which RFC 6066 §3
 * keeps out. Throws TlsUsageError for what is no host name at all (international names come in their ASCII form).
 */
export function sniName(serverName: string): string | null {
  if (parseIpAddress(serverName) !== null) return null
  const name = normalName(serverName)
  if (!isHostName(name)) throw new TlsUsageError(`'${serverName}' is neither a host name in ASCII nor an IP address`)
  return name
}

/** In lower case and without final dot: how names are compared. */
export function normalName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase()
}

function isHostName(name: string): boolean {
  if (name.length === 0 || name.length > 253) return false
  return name.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label))
}

/** True when the certificate is for this DNS name or IP literal. */
export function matchesName(certificate: ParsedCertificate, serverName: string): boolean {
  const address = parseIpAddress(serverName)
  if (address !== null) return certificate.ipAddresses.some((entry) => equalBytes(entry, address))
  const name = normalName(serverName)
  return certificate.dnsNames.some((pattern) => matchesPattern(normalName(pattern), name))
}

// RFC 9525 §6.3: the wildcard is the whole leftmost label and stands for exactly one label.
function matchesPattern(pattern: string, name: string): boolean {
  if (!pattern.startsWith('*.')) return isHostName(pattern) && pattern === name
  const rest = pattern.slice(2)
  const dot = name.indexOf('.')
  return dot > 0 && rest.includes('.') && isHostName(rest) && name.slice(dot + 1) === rest
}
