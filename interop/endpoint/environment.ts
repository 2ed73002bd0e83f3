// What the runner tells an endpoint (runner/endpoint.ts), read from environment variables.

import type { ListenAddress } from '@quicwire/driver'
import type { Role } from '../runner/endpoint.ts'

export interface EndpointEnvironment {
  readonly role: Role
  readonly testcase: string
  /** Clients: what to download. */
  readonly requests: readonly URL[]
  readonly www: string
  readonly downloads: string
  readonly certificates: string
  readonly listenAddress: string
  readonly listenPort: number
  /** Servers: `IPv4:PORT`, and with the address in brackets for IPv6, to move clients to. */
  readonly preferredAddresses: { readonly ipv4?: string; readonly ipv6?: string }
  /** Where it listens for them, where that is not the same: behind a relay. */
  readonly preferredListen: readonly ListenAddress[]
}

export class EnvironmentError extends Error {
  override readonly name: string = 'EnvironmentError'
}

/** Throws EnvironmentError for what makes no sense. Key log and qlog are the driver's: it reads the same variables. */
export function endpointEnvironment(env: Readonly<Record<string, string | undefined>>): EndpointEnvironment {
  const role = env['ROLE']
  if (role !== 'client' && role !== 'server') throw new EnvironmentError(`ROLE is client or server, not ${role ?? 'absent'}`)
  const listenPort = Number(env['LISTEN_PORT'] ?? '443')
  if (!Number.isInteger(listenPort) || listenPort < 1 || listenPort > 65_535) throw new EnvironmentError(`LISTEN_PORT is ${env['LISTEN_PORT']}`)
  return {
    role,
    testcase: env['TESTCASE'] ?? '',
    requests: words(env['REQUESTS']).map(requestUrl),
    www: env['WWW'] ?? '/www',
    downloads: env['DOWNLOADS'] ?? '/downloads',
    certificates: env['CERTS'] ?? '/certs',
    listenAddress: env['LISTEN_ADDRESS'] ?? '::',
    listenPort,
    preferredAddresses: addressesOf(words(env['PREFERRED_ADDRESSES'])),
    preferredListen: words(env['PREFERRED_LISTEN'] ?? env['PREFERRED_ADDRESSES']).map(listenAddress),
  }
}

function listenAddress(text: string): ListenAddress {
  const [, host, port] = /^\[?([^\]]*)\]?:([0-9]+)$/.exec(text) ?? []
  if (host === undefined) throw new EnvironmentError(`${text} is no address with a port`)
  return { host, port: Number(port) }
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '')
}

function requestUrl(text: string): URL {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new EnvironmentError(`REQUESTS: ${text} is no URL`)
  }
  if (url.protocol !== 'https:') throw new EnvironmentError(`REQUESTS: ${text} is not https`)
  return url
}

function addressesOf(list: readonly string[]): EndpointEnvironment['preferredAddresses'] {
  const ipv6 = list.find((address) => address.startsWith('['))
  const ipv4 = list.find((address) => !address.startsWith('['))
  return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) }
}
