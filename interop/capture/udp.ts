// UDP datagrams in IP packets (RFC 791, RFC 8200, RFC 768), with the ECN field (RFC 3168 §5). Fragments are not put together:
// QUIC forbids them (RFC 9000 §14).

import { formatIpAddress } from '../../packages/quic/src/base/ip-address.ts'

const UDP = 17
const UDP_HEADER = 8
const IPV6_HEADER = 40
/** Extension headers that may stand in front of UDP: hop-by-hop, routing, destination options. */
const IPV6_EXTENSIONS: readonly number[] = [0, 43, 60]

export interface UdpDatagram {
  readonly ipVersion: 4 | 6
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
  /** 0 Not-ECT, 1 ECT(1), 2 ECT(0), 3 CE. */
  readonly ecn: number
  /** A view of the IP packet. */
  readonly payload: Uint8Array
}

/** Null for anything that is not a whole UDP datagram. */
export function readUdpDatagram(packet: Uint8Array): UdpDatagram | null {
  const version = (packet[0] ?? 0) >> 4
  if (version === 4) return readIpv4(packet)
  return version === 6 ? readIpv6(packet) : null
}

function readIpv4(packet: Uint8Array): UdpDatagram | null {
  const headerLength = (packet[0]! & 0x0f) * 4
  if (headerLength < 20 || packet.length < headerLength || packet[9] !== UDP) return null
  // More Fragments or a fragment offset.
  if ((u16(packet, 6) & 0x3fff) !== 0) return null
  const end = Math.min(u16(packet, 2), packet.length)
  const source = formatIpAddress(packet.subarray(12, 16))
  const destination = formatIpAddress(packet.subarray(16, 20))
  return readUdp(packet, headerLength, end, { ipVersion: 4, source, destination, ecn: packet[1]! & 3 })
}

function readIpv6(packet: Uint8Array): UdpDatagram | null {
  if (packet.length < IPV6_HEADER) return null
  const end = Math.min(IPV6_HEADER + u16(packet, 4), packet.length)
  let next = packet[6]!
  let at = IPV6_HEADER
  while (IPV6_EXTENSIONS.includes(next)) {
    if (at + 8 > end) return null
    next = packet[at]!
    at += (packet[at + 1]! + 1) * 8
  }
  if (next !== UDP) return null
  const source = formatIpAddress(packet.subarray(8, 24))
  const destination = formatIpAddress(packet.subarray(24, 40))
  return readUdp(packet, at, end, { ipVersion: 6, source, destination, ecn: (packet[1]! >> 4) & 3 })
}

function readUdp(packet: Uint8Array, at: number, end: number, ip: Pick<UdpDatagram, 'ipVersion' | 'source' | 'destination' | 'ecn'>): UdpDatagram | null {
  if (at + UDP_HEADER > end) return null
  const length = u16(packet, at + 4)
  if (length < UDP_HEADER || at + length > end) return null
  return { ...ip, sourcePort: u16(packet, at), destinationPort: u16(packet, at + 2), payload: packet.subarray(at + UDP_HEADER, at + length) }
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}
