// Name constraints of an authority against the names of a leaf: DNS names and IP addresses. RFC 5280 §4.2.1.10.

import type { GeneralName, GeneralSubtrees, NameConstraints } from '@peculiar/asn1-x509'
import { parseIpAddress } from '../../base/ip-address.ts'
import { normalName } from './names.ts'
import type { ParsedCertificate } from './parse.ts'

/** What the constraints say about a leaf. 'unsupported': they limit kinds of names that are not looked at here. */
export type ConstraintVerdict = 'allowed' | 'violated' | 'unsupported'

export function checkNameConstraints(constraints: NameConstraints, leaf: ParsedCertificate): ConstraintVerdict {
  const permitted = bases(constraints.permittedSubtrees)
  const excluded = bases(constraints.excludedSubtrees)
  for (const base of excluded) if (base.dNSName === undefined && parseRange(base) === null) return 'unsupported'
  // A permitted subtree of another kind limits only names of that kind; a subject name is the one every leaf may have.
  for (const base of permitted) {
    if (base.directoryName !== undefined || (base.iPAddress !== undefined && parseRange(base) === null)) return 'unsupported'
  }
  const permittedDns = permitted.filter((base) => base.dNSName !== undefined)
  const permittedIp = permitted.filter((base) => base.iPAddress !== undefined)
  for (const name of leaf.dnsNames) {
    if (excluded.some((base) => coversDns(base, name) || meetsWildcard(base, name))) return 'violated'
    if (permittedDns.length > 0 && !permittedDns.some((base) => coversDns(base, name))) return 'violated'
  }
  for (const address of leaf.ipAddresses) {
    if (excluded.some((base) => coversIp(base, address))) return 'violated'
    if (permittedIp.length > 0 && !permittedIp.some((base) => coversIp(base, address))) return 'violated'
  }
  return 'allowed'
}

function bases(subtrees: GeneralSubtrees | undefined): GeneralName[] {
  return subtrees === undefined ? [] : [...subtrees].map((subtree) => subtree.base)
}

// Any number of labels may be added on the left. A leading dot, as some authorities write it, asks for at least one.
function coversDns({ dNSName }: GeneralName, name: string): boolean {
  if (dNSName === undefined) return false
  const base = normalName(dNSName)
  const normal = normalName(name)
  if (base === '' || normal === base) return true
  return normal.endsWith(base.startsWith('.') ? base : `.${base}`)
}

// A wildcard also speaks for an excluded name one label below the rest of it.
function meetsWildcard({ dNSName }: GeneralName, name: string): boolean {
  if (dNSName === undefined || !name.startsWith('*.')) return false
  const base = normalName(dNSName)
  return base.indexOf('.') > 0 && base.slice(base.indexOf('.') + 1) === normalName(name.slice(2))
}

interface AddressRange {
  readonly address: Uint8Array
  readonly prefix: number
}

function parseRange({ iPAddress }: GeneralName): AddressRange | null {
  const match = iPAddress === undefined ? null : /^([^/]+)\/([0-9]+)$/.exec(iPAddress)
  if (match === null) return null
  const address = parseIpAddress(match[1]!)
  return address === null ? null : { address, prefix: Number(match[2]) }
}

function coversIp(base: GeneralName, address: Uint8Array): boolean {
  const range = parseRange(base)
  if (range === null || range.address.length !== address.length) return false
  for (let bit = 0; bit < range.prefix; bit += 8) {
    const mask = range.prefix - bit >= 8 ? 0xff : (0xff << (8 - (range.prefix - bit))) & 0xff
    if (((range.address[bit >> 3]! ^ address[bit >> 3]!) & mask) !== 0) return false
  }
  return true
}
