// The server's preferred address (RFC 9000 §9.6, §18.2): from a server's configuration to the transport parameter, and from the
// parameter to the one address a client can use.

import { formatIpAddress, parseIpAddress } from '../base/ip-address.ts'
import type { PreferredAddress } from '../wire/transport-parameters/table.ts'
import { hostOf } from './path-address.ts'

/** Where a server would rather be reached once the handshake is over: `ip:port`, one of each family at most. */
export interface PreferredAddressConfig {
  /** As `192.0.2.1:443`. */
  readonly ipv4?: string
  /** As `[2001:db8::1]:443`. */
  readonly ipv6?: string
}

type AddressPart = Pick<PreferredAddress, 'ipv4Address' | 'ipv4Port' | 'ipv6Address' | 'ipv6Port'>

const MAPPED = '[::ffff:'

/** The addresses of the parameter. Throws RangeError for what is no address of its family, and when neither is given. */
export function preferredAddressPart(config: PreferredAddressConfig): AddressPart {
  if (config.ipv4 === undefined && config.ipv6 === undefined) throw new RangeError('preferredAddress needs ipv4 or ipv6')
  const ipv4 = endpointOf(config.ipv4, 4)
  const ipv6 = endpointOf(config.ipv6, 16)
  return { ipv4Address: ipv4.address, ipv4Port: ipv4.port, ipv6Address: ipv6.address, ipv6Port: ipv6.port }
}

/** Throws RangeError for what no server can send. */
export function checkPreferredAddress(config: PreferredAddressConfig): void {
  preferredAddressPart(config)
}

/**
 * RFC 9000 §9.6.3: the preferred address of the family in which `remote` is written, in the same way of writing; '' when the
 * server has none of that family.
 */
export function preferredRemote(preferred: PreferredAddress, remote: string): string {
  const mapped = remote.startsWith(MAPPED) && remote.includes('.')
  if (remote.startsWith('[') && !mapped) {
    return isNone(preferred.ipv6Address, preferred.ipv6Port) ? '' : `[${formatIpAddress(preferred.ipv6Address)}]:${preferred.ipv6Port}`
  }
  if (isNone(preferred.ipv4Address, preferred.ipv4Port)) return ''
  const host = formatIpAddress(preferred.ipv4Address)
  return mapped ? `${MAPPED}${host}]:${preferred.ipv4Port}` : `${host}:${preferred.ipv4Port}`
}

/** RFC 9000 §18.2: "an all-zero address and port"; a port of 0 alone cannot be sent to either. */
function isNone(address: Uint8Array, port: number): boolean {
  return port === 0 || address.every((byte) => byte === 0)
}

function endpointOf(text: string | undefined, length: number): { address: Uint8Array; port: number } {
  if (text === undefined) return { address: new Uint8Array(length), port: 0 }
  const host = hostOf(text)
  const port = Number(text.slice(host.length + 1))
  const address = parseIpAddress(host)
  if (address === null || address.length !== length || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new RangeError(`preferredAddress must be an IPv${length === 4 ? 4 : 6} address with a port, not ${text}`)
  }
  return { address, port }
}
