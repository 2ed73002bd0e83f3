// The target of a tunnel: what target_host and target_port may say (RFC 9298 §3), and the authority of a plain CONNECT (RFC 9114 §4.4).

import { isIP } from 'node:net'
import { MasqueError } from '../errors.ts'

export interface TunnelTarget {
  /** A DNS name, or an IP address without brackets. */
  readonly host: string
  /** 1 to 65535. */
  readonly port: number
}

/** RFC 1035 §2.3.4, and what names in use contain. */
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/
const MAX_NAME = 253

/** Null when it is none. IPv6 zone identifiers are not supported (RFC 9298 §3). */
export function parseTarget(host: string, port: string): TunnelTarget | null {
  if (!/^[0-9]{1,5}$/.test(port)) return null
  const number = Number(port)
  return number >= 1 && number <= 65_535 && isHost(host) ? { host, port: number } : null
}

/** `host:port`, IPv6 in brackets. Null when it is none. */
export function parseAuthority(authority: string): TunnelTarget | null {
  const colon = authority.lastIndexOf(':')
  if (colon < 0) return null
  const host = authority.slice(0, colon)
  const port = authority.slice(colon + 1)
  if (!host.startsWith('[')) return isIP(host) === 6 ? null : parseTarget(host, port)
  const inner = host.slice(1, -1)
  return host.endsWith(']') && isIP(inner) === 6 ? parseTarget(inner, port) : null
}

export function isHost(host: string): boolean {
  if (host.includes('%')) return false
  return isIP(host) !== 0 || isName(host)
}

function isName(host: string): boolean {
  const name = host.endsWith('.') ? host.slice(0, -1) : host
  return name.length > 0 && name.length <= MAX_NAME && name.split('.').every((label) => LABEL.test(label))
}

/** What callers give: `host:port`, or the parts. Throws MasqueError. */
export function targetFrom(given: string | TunnelTarget): TunnelTarget {
  const host = typeof given === 'string' ? '' : given.host.replace(/^\[(.*)\]$/, '$1')
  const target = typeof given === 'string' ? parseAuthority(given) : parseTarget(host, String(given.port))
  if (target === null) {
    throw new MasqueError('MASQUE_INVALID_TARGET', `${JSON.stringify(given)} is no target: a host name or IP address, and a port from 1 to 65535`)
  }
  return target
}

export function formatAuthority({ host, port }: TunnelTarget): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
