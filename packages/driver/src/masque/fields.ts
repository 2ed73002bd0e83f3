// Header fields of tunnels.

import type { Header } from '@quicwire/h3'
import type { UriTemplate } from './uri/uri-template.ts'

export function fieldOf(headers: readonly Header[], name: string): string | null {
  for (const [candidate, value] of headers) if (candidate === name) return value
  return null
}

/** RFC 9298 §3.4, RFC 9484 §4.5. */
export function tunnelRequest(
  protocol: string,
  template: UriTemplate,
  values: Readonly<Record<string, string>>,
  more: readonly Header[] = [],
): readonly Header[] {
  return [
    [':method', 'CONNECT'],
    [':protocol', protocol],
    [':scheme', template.scheme],
    [':authority', template.authority],
    [':path', template.expand(values)],
    ['capsule-protocol', '?1'],
    ...more,
  ]
}

/** Whether a response can start the Capsule Protocol (RFC 9297 §3.2). */
export function startsCapsules(headers: readonly Header[]): boolean {
  const status = Number(fieldOf(headers, ':status'))
  if (status < 200 || status > 299 || (status >= 204 && status <= 206)) return false
  return fieldOf(headers, 'content-length') === null && fieldOf(headers, 'content-type') === null
}
