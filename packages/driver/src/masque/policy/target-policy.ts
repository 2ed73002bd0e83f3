// Where a proxy lets its clients go (RFC 9298 §7). Names and ports are judged before they are resolved, addresses afterwards:
// what a name resolves to is its owner's choice, and may be the proxy's own network.

import { networkInterfaces } from 'node:os'
import { MasqueError } from '../errors.ts'
import { formatAddress, parseAddress, parsePrefix, prefixContains, type IpPrefix } from '../ip/address.ts'
import type { TunnelTarget } from '../uri/target.ts'
import { plain, specialUse, translated } from './address-ranges.ts'

export interface TargetPolicyOptions {
  /**
   * Addresses (`192.0.2.7`), prefixes (`10.1.0.0/16`) and names (`example.org`, `*.example.org`). An address or prefix also opens what is
   * closed by default; a name does not: what it resolves to is still checked.
   */
  readonly allow?: readonly string[] | undefined
  /** As `allow`; wins over it. */
  readonly deny?: readonly string[] | undefined
  /** Ports that may be reached. Default: all. */
  readonly ports?: readonly number[] | undefined
  /**
   * What is in neither list: 'public' is all but special-purpose addresses (private, loopback, link-local, multicast, …) and this
   * machine's own; 'none' is nothing. Default 'public'.
   */
  readonly others?: 'public' | 'none' | undefined
}

interface Names {
  readonly exact: ReadonlySet<string>
  /** With their leading dot. */
  readonly suffixes: readonly string[]
}

/** Each verb answers why not, or null. */
export class TargetPolicy {
  private readonly allowed: readonly IpPrefix[]
  private readonly denied: readonly IpPrefix[]
  private readonly allowedNames: Names
  private readonly deniedNames: Names
  private readonly ports: ReadonlySet<number> | null
  private readonly closed: boolean

  /** Throws MasqueError for an entry that does not parse. */
  constructor(options: TargetPolicyOptions = {}) {
    this.allowed = prefixesOf(options.allow ?? [])
    this.denied = prefixesOf(options.deny ?? [])
    this.allowedNames = namesOf(options.allow ?? [])
    this.deniedNames = namesOf(options.deny ?? [])
    this.ports = options.ports === undefined ? null : new Set(options.ports)
    this.closed = options.others === 'none'
  }

  checkTarget({ host, port }: TunnelTarget): string | null {
    if (this.ports !== null && !this.ports.has(port)) return `port ${port} is not allowed`
    return parseAddress(host) === null && isListed(this.deniedNames, host) ? `the name ${host} is denied` : null
  }

  /** `host`: the name the address came from, or the address itself. */
  checkAddress(given: Uint8Array, host: string): string | null {
    const address = plain(given)
    const inner = translated(address)
    return this.check(address, host) ?? (inner === null ? null : this.check(inner, host))
  }

  private check(address: Uint8Array, host: string): string | null {
    if (this.denied.some((prefix) => prefixContains(prefix, address))) return `${formatAddress(address)} is denied`
    if (this.allowed.some((prefix) => prefixContains(prefix, address))) return null
    const special = specialUse(address)
    if (special !== null) return `${formatAddress(address)} is not public: ${special}`
    if (isOwn(address)) return `${formatAddress(address)} is the proxy's own address`
    if (this.closed && !isListed(this.allowedNames, host)) return `${formatAddress(address)} is not on the list`
    return null
  }
}

function prefixesOf(entries: readonly string[]): readonly IpPrefix[] {
  const prefixes: IpPrefix[] = []
  for (const entry of entries) {
    const prefix = parsePrefix(entry)
    if (prefix !== null) prefixes.push(unmapped(prefix))
    else if (/[/:]/.test(entry)) {
      throw new MasqueError('MASQUE_INVALID_ARGUMENT', `policy entry "${entry}" is no prefix: an address, "/", and as many bits as are not zero`)
    }
  }
  return prefixes
}

/** Addresses are compared as `plain` gives them. */
function unmapped(prefix: IpPrefix): IpPrefix {
  const address = plain(prefix.address)
  return address === prefix.address || prefix.length < 96 ? prefix : { address, length: prefix.length - 96 }
}

function namesOf(entries: readonly string[]): Names {
  const names = entries.filter((entry) => parsePrefix(entry) === null).map(canonical)
  return {
    exact: new Set(names.filter((name) => !name.startsWith('*.'))),
    suffixes: names.filter((name) => name.startsWith('*.')).map((name) => name.slice(1)),
  }
}

function isListed(names: Names, host: string): boolean {
  const name = canonical(host)
  return names.exact.has(name) || names.suffixes.some((suffix) => name.endsWith(suffix))
}

function canonical(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}

function isOwn(address: Uint8Array): boolean {
  const text = formatAddress(address)
  for (const addresses of Object.values(networkInterfaces())) {
    for (const own of addresses ?? []) if (own.address === text || formatted(own.address) === text) return true
  }
  return false
}

function formatted(text: string): string | null {
  const address = parseAddress(text)
  return address === null ? null : formatAddress(address)
}
