// What an IP link has to see in a packet: addresses, hop count, and the upper protocol behind IPv6 extension headers (RFC 9484 §4.8, §7).

export interface IpHeader {
  readonly source: Uint8Array
  readonly destination: Uint8Array
  /** TTL or Hop Limit. */
  readonly hops: number
  /** The outermost Internet Protocol Number that is no extension header. */
  readonly protocol: number
}

export const ICMP = 1
export const ICMPV6 = 58

/** Extension headers with a length in units of 8 bytes: Hop-by-Hop, Routing, Destination, Mobility, HIP, Shim6. */
const COUNTED: ReadonlySet<number> = new Set([0, 43, 60, 135, 139, 140])
const FRAGMENT = 44
const AUTHENTICATION = 51

/** Null for what is no whole IP packet. Addresses are views. */
export function parsePacket(packet: Uint8Array): IpHeader | null {
  const version = packet.length === 0 ? 0 : packet[0]! >> 4
  return version === 4 ? parseV4(packet) : version === 6 ? parseV6(packet) : null
}

function parseV4(packet: Uint8Array): IpHeader | null {
  if (packet.length < 20) return null
  const headerLength = (packet[0]! & 0x0f) * 4
  const total = (packet[2]! << 8) | packet[3]!
  if (headerLength < 20 || total < headerLength || total !== packet.length) return null
  return { source: packet.subarray(12, 16), destination: packet.subarray(16, 20), hops: packet[8]!, protocol: packet[9]! }
}

function parseV6(packet: Uint8Array): IpHeader | null {
  if (packet.length < 40 || ((packet[4]! << 8) | packet[5]!) + 40 !== packet.length) return null
  const protocol = upperProtocol(packet)
  if (protocol < 0) return null
  return { source: packet.subarray(8, 24), destination: packet.subarray(24, 40), hops: packet[7]!, protocol }
}

/** -1 when the chain of extension headers leaves the packet. */
function upperProtocol(packet: Uint8Array): number {
  let protocol = packet[6]!
  let at = 40
  while (COUNTED.has(protocol) || protocol === FRAGMENT || protocol === AUTHENTICATION) {
    if (at + 8 > packet.length) return -1
    const size = protocol === FRAGMENT ? 8 : protocol === AUTHENTICATION ? (packet[at + 1]! + 2) * 4 : (packet[at + 1]! + 1) * 8
    protocol = packet[at]!
    at += size
    if (at > packet.length) return -1
  }
  return protocol
}

/** RFC 9484 §7.2: one hop less, right before a forwarded packet goes into a tunnel. False when it has none left: the packet ends here. */
export function decrementHops(packet: Uint8Array): boolean {
  const v4 = packet[0]! >> 4 === 4
  const at = v4 ? 8 : 7
  if (packet[at]! <= 1) return false
  packet[at]!--
  if (v4) {
    // RFC 1624: the checksum of a word that has become 0x0100 less.
    const sum = ((packet[10]! << 8) | packet[11]!) + 0x0100
    const folded = (sum & 0xffff) + (sum >> 16)
    packet[10] = folded >> 8
    packet[11] = folded & 0xff
  }
  return true
}
