// Proxy-Status (RFC 9209): why a proxy refused, and where a tunnel leads.

import { isIP } from 'node:net'
import { parseAuthority, type TunnelTarget } from './uri/target.ts'

/** Error types of RFC 9209 §2.3 that a tunnel can end with. */
export type ProxyErrorType =
  | 'dns_timeout'
  | 'dns_error'
  | 'destination_ip_prohibited'
  | 'destination_ip_unroutable'
  | 'connection_refused'
  | 'connection_timeout'
  | 'connection_terminated'
  | 'connection_limit_reached'
  | 'http_request_error'
  | 'http_request_denied'
  | 'proxy_internal_error'

export interface ProxyStatus {
  readonly error?: ProxyErrorType | undefined
  /** RFC 9209 §2.3.2: of a dns_error, such as `NXDOMAIN`. */
  readonly rcode?: string | undefined
  readonly nextHop?: string | undefined
  readonly details?: string | undefined
}

/** One member of the list; `proxy` is this proxy's name. */
export function formatProxyStatus(proxy: string, { error, rcode, nextHop, details }: ProxyStatus): string {
  let text = quoted(proxy)
  if (error !== undefined) text += `;error=${error}`
  if (rcode !== undefined) text += `;rcode=${quoted(rcode)}`
  if (nextHop !== undefined) text += `;next-hop=${quoted(nextHop)}`
  if (details !== undefined) text += `;details=${quoted(details)}`
  return text
}

/** RFC 8941 §3.3.3: a String is printable ASCII. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

const NEXT_HOP = /;\s*next-hop="([0-9A-Fa-f.:[\]]{1,64})"/

/** The IP address and port a tunnel leads to, if the proxy says so; null otherwise. A hint, nothing depends on it. */
export function nextHopOf(proxyStatus: string | null): TunnelTarget | null {
  const text = proxyStatus === null ? undefined : NEXT_HOP.exec(proxyStatus)?.[1]
  const hop = text === undefined ? null : parseAuthority(text)
  return hop === null || isIP(hop.host) === 0 ? null : hop
}
