// The two networks of quic-network-simulator: every capture has these addresses, whichever back end carries the packets.

import { parseIpAddress } from '@quicwire/driver'
import type { Role } from '../runner/endpoint.ts'

export type IpFamily = 4 | 6

export const CLIENT: Readonly<Record<IpFamily, string>> = { 4: '193.167.0.100', 6: 'fd00:cafe:cafe::100' }
export const SERVER: Readonly<Record<IpFamily, string>> = { 4: '193.167.100.100', 6: 'fd00:cafe:cafe:100::100' }
/** The simulator's own, on each side. */
export const GATEWAY: Readonly<Record<Role, Readonly<Record<IpFamily, string>>>> = {
  client: { 4: '193.167.0.2', 6: 'fd00:cafe:cafe::2' },
  server: { 4: '193.167.100.2', 6: 'fd00:cafe:cafe:100::2' },
}
/** Of the hosts that send cross traffic. */
export const CROSS_TRAFFIC: Readonly<Record<Role, string>> = { client: '193.167.0.90', server: '193.167.100.110' }

export const SERVER_PORT = 443
/** Of the address that a server prefers its clients to migrate to. */
export const PREFERRED_PORT = 4443

const networks: Readonly<Record<Role, Readonly<Record<IpFamily, Uint8Array>>>> = {
  client: { 4: network('193.167.0.0', 3), 6: network('fd00:cafe:cafe::', 8) },
  server: { 4: network('193.167.100.0', 3), 6: network('fd00:cafe:cafe:100::', 8) },
}

/** Whether the bytes are an address on that side. */
export function isOnSide(side: Role, address: Uint8Array): boolean {
  return networks[side][address.length === 4 ? 4 : 6].every((byte, index) => address[index] === byte)
}

/** Of an address that is written in this program. */
export function addressBytes(text: string): Uint8Array {
  const bytes = parseIpAddress(text)
  if (bytes === null) throw new TypeError(`no IP address: ${text}`)
  return bytes
}

function network(address: string, bytes: number): Uint8Array {
  return addressBytes(address).subarray(0, bytes)
}
