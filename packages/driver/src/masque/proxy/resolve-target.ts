// From a target to the addresses the proxy may use for it: name and port by policy, DNS, addresses by policy (RFC 9298 §3.1, §7).

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { formatAddress, parseAddress } from '../ip/address.ts'
import { plain } from '../policy/address-ranges.ts'
import type { TargetPolicy } from '../policy/target-policy.ts'
import type { TunnelTarget } from '../uri/target.ts'
import { refusal } from './refusal.ts'

/** The addresses of a name; rejects as dns.lookup does. */
export type Resolver = (name: string) => Promise<readonly string[]>

export interface ResolveContext {
  readonly policy: TargetPolicy
  readonly resolve: Resolver
  /** Milliseconds. */
  readonly dnsTimeout: number
}

export async function systemResolver(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true, verbatim: true })
  return found.map(({ address }) => address)
}

/** At least one address, in the resolver's order. Rejects with Refusal. */
export async function resolveTarget(target: TunnelTarget, context: ResolveContext): Promise<readonly string[]> {
  const { policy } = context
  const denied = policy.checkTarget(target)
  if (denied !== null) throw refusal('http_request_denied', denied)
  const texts = isIP(target.host) === 0 ? await resolveName(target.host, context) : [target.host]
  let why = ''
  const allowed: string[] = []
  for (const text of texts) {
    const address = parseAddress(text)
    if (address === null) continue
    const prohibited = policy.checkAddress(address, target.host)
    if (prohibited !== null) why = prohibited
    else allowed.push(formatAddress(plain(address)))
  }
  if (allowed.length > 0) return allowed
  if (why !== '') throw refusal('destination_ip_prohibited', why)
  throw refusal('dns_error', `${target.host} has no address`, { rcode: 'NOERROR' })
}

async function resolveName(name: string, { resolve, dnsTimeout }: ResolveContext): Promise<readonly string[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(refusal('dns_timeout', `no address of ${name} within ${dnsTimeout} ms`)), dnsTimeout)
  })
  try {
    return await Promise.race([resolve(name).catch((error: unknown) => Promise.reject(dnsRefusal(name, error))), late])
  } finally {
    clearTimeout(timer)
  }
}

function dnsRefusal(name: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (code === 'ETIMEOUT' || code === 'EAI_AGAIN') return refusal('dns_timeout', `${name}: ${code}`)
  return refusal('dns_error', `${name}: ${code}`, { rcode: code === 'ENOTFOUND' || code === 'EAI_NONAME' ? 'NXDOMAIN' : 'SERVFAIL' })
}
