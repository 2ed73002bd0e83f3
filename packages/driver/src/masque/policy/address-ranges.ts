// Addresses that are nobody's on the public internet (IANA special-purpose registries, RFC 6890): what a proxy has around it.

import { parsePrefix, prefixContains, type IpPrefix } from '../ip/address.ts'

/** Prefix and what it is. */
const RANGES: readonly (readonly [prefix: string, name: string])[] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private use'],
  ['100.64.0.0/10', 'shared address space'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private use'],
  ['192.0.0.0/24', 'protocol assignments'],
  ['192.0.2.0/24', 'documentation'],
  ['192.88.99.0/24', '6to4 relay'],
  ['192.168.0.0/16', 'private use'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved or broadcast'],
  ['::/96', 'unspecified, loopback or IPv4-compatible'],
  ['64:ff9b:1::/48', 'local-use translation'],
  ['100::/64', 'discard only'],
  ['2001::/23', 'protocol assignments, Teredo'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4'],
  ['3fff::/20', 'documentation'],
  ['5f00::/16', 'segment routing'],
  ['fc00::/7', 'unique local'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'site-local'],
  ['ff00::/8', 'multicast'],
]

const SPECIAL: readonly (readonly [IpPrefix, string])[] = RANGES.map(([prefix, name]) => [parsePrefix(prefix)!, name])
const MAPPED: IpPrefix = parsePrefix('::ffff:0:0/96')!
const NAT64: IpPrefix = parsePrefix('64:ff9b::/96')!

/** What kind of special address it is, or null for an ordinary one. Give what `plain` and `translated` say. */
export function specialUse(address: Uint8Array): string | null {
  for (const [prefix, name] of SPECIAL) if (prefixContains(prefix, address)) return name
  return null
}

/** An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2) is the IPv4 address to the system: that one; others as they are. */
export function plain(address: Uint8Array): Uint8Array {
  return prefixContains(MAPPED, address) ? address.slice(12) : address
}

/** The IPv4 address a NAT64 address (RFC 6052 §2.1) leads to; null for others. */
export function translated(address: Uint8Array): Uint8Array | null {
  return prefixContains(NAT64, address) ? address.slice(12) : null
}
