// From a URL to where to connect and what to ask for.

export interface Target {
  /** Name or address without brackets. */
  readonly host: string
  readonly port: number
  /** `:authority`: host, and the port unless it is 443. */
  readonly authority: string
  /** `:path`: path and query. */
  readonly path: string
  /** 'https://host:port', the same for every URL that can share a connection. */
  readonly origin: string
}

export class UrlError extends Error {
  override readonly name: string = 'UrlError'
  readonly code: string = 'QUICWIRE_INVALID_URL'
}

/** Throws UrlError with one clear line. */
export function parseTarget(url: string | URL): Target {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw new UrlError(`'${String(url)}' is not a URL`)
  }
  if (parsed.protocol !== 'https:') throw new UrlError(`'${parsed.href}' is not an https URL: HTTP/3 has no other scheme`)
  if (parsed.username !== '' || parsed.password !== '') throw new UrlError('a user name or password in the URL is not supported: send an authorization header')
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? 443 : Number(parsed.port),
    authority: parsed.host,
    path: parsed.pathname + parsed.search,
    origin: parsed.origin,
  }
}
