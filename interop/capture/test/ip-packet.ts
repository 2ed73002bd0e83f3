// IP packets around datagrams, for captures made in tests.

import { parseIpAddress } from '../../../packages/quic/src/base/ip-address.ts'
import { IpPacket, type SocketAddress } from '../../link/ip-packet.ts'

/** Addresses are `ADDRESS:PORT`, IPv6 in brackets. The header checksum is that of a packet without ECN. */
export function ipPacket(source: string, destination: string, payload: Uint8Array, ecn: number = 0): Uint8Array {
  const { bytes, version } = IpPacket.udp(split(source), split(destination), payload)
  bytes[1]! |= version === 4 ? ecn : ecn << 4
  return bytes
}

function split(name: string): SocketAddress {
  const colon = name.lastIndexOf(':')
  const address = parseIpAddress(name.slice(0, colon).replace(/^\[|\]$/g, ''))
  if (address === null) throw new RangeError(`${name} is not ADDRESS:PORT`)
  return { address, port: Number(name.slice(colon + 1)) }
}
