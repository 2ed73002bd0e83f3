// What an IP proxying request is limited to: target and ipproto (RFC 9484 §4.6).

import { isHost } from '../uri/target.ts'
import { parseAddress, parsePrefix, type IpPrefix } from './address.ts'

export interface IpScope {
  /** Null: any host. */
  readonly target: { readonly kind: 'prefix'; readonly prefix: IpPrefix } | { readonly kind: 'name'; readonly name: string } | null
  /** Internet Protocol Number; null: any. */
  readonly protocol: number | null
}

/** Values as decoded from the request; left out, they are wildcards. Null when they are malformed. */
export function parseScope(target: string | undefined, ipproto: string | undefined): IpScope | null {
  const protocol = parseProtocol(ipproto ?? '*')
  if (protocol === -1) return null
  const scope = { protocol: protocol === -2 ? null : protocol }
  if (target === undefined || target === '*') return { target: null, ...scope }
  if (parseAddress(target) !== null || target.includes('/')) {
    const prefix = parsePrefix(target)
    return prefix === null ? null : { target: { kind: 'prefix', prefix }, ...scope }
  }
  return isHost(target) ? { target: { kind: 'name', name: target }, ...scope } : null
}

/** -1: malformed, -2: any. */
function parseProtocol(text: string): number {
  if (text === '*') return -2
  if (!/^[0-9]{1,3}$/.test(text)) return -1
  const value = Number(text)
  return value <= 255 ? value : -1
}
