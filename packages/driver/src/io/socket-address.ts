// Addresses as the operating system knows them, and their interned form as QUIC paths. A path object keeps the parsed parts beside
// the strings the core compares, so that sending does no parsing.

import type { PathAddress } from '@quicwire/quic'
import { isIP, isIPv6 } from 'node:net'

export interface SocketAddress {
  readonly address: string
  readonly port: number
  readonly family: 'IPv4' | 'IPv6'
}

/** `ip:port`, IPv6 as `[ip]:port`. */
export function formatAddress(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
}

/** The parts of what formatAddress() has written; null for anything else. */
export function parseSocketAddress(text: string): SocketAddress | null {
  const colon = text.lastIndexOf(':')
  const host = text.slice(0, Math.max(colon, 0))
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  const version = isIP(address)
  return version === 0 ? null : { address, port: Number(text.slice(colon + 1)), family: version === 6 ? 'IPv6' : 'IPv4' }
}

/** UDP payload of a full Ethernet frame. Where one stack cannot forbid fragmentation, larger is not worth asking for. */
const ETHERNET_PAYLOAD_V4 = 1500 - 20 - 8
const ETHERNET_PAYLOAD_V6 = 1500 - 40 - 8
/** The most an IPv4 packet carries, and the most Linux's loopback device (MTU 65 536) carries over IPv6 in one piece. */
const LOOPBACK_PAYLOAD_V4 = 65_535 - 20 - 8
const LOOPBACK_PAYLOAD_V6 = 65_536 - 40 - 8
/** IPv6 counts its header apart. */
const LARGEST_PAYLOAD_V6 = 65_535 - 8

/** The largest UDP payload worth probing for on the way to an address: docs/decisions/0005-mtu-discovery-without-df.md. */
export function probeCeiling(address: string): number {
  // An IPv4 address that an IPv6 socket writes as ::ffff:192.0.2.1 is reached over IPv4.
  const v4 = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
  if (v4.includes(':')) return v4 === '::1' ? LOOPBACK_PAYLOAD_V6 : ETHERNET_PAYLOAD_V6
  return v4.startsWith('127.') ? LOOPBACK_PAYLOAD_V4 : ETHERNET_PAYLOAD_V4
}

/** The same on a socket that sets DF and hears EMSGSIZE: what the interface cannot carry in one piece it refuses, so nothing bounds it but IP. */
export function unfragmentedCeiling(address: string): number {
  const ceiling = probeCeiling(address)
  if (ceiling === ETHERNET_PAYLOAD_V4) return LOOPBACK_PAYLOAD_V4
  return ceiling === ETHERNET_PAYLOAD_V6 ? LARGEST_PAYLOAD_V6 : ceiling
}

export class UdpPath implements PathAddress {
  readonly local: string
  readonly remote: string
  readonly maxProbeSize: number
  readonly remoteAddress: string
  readonly remotePort: number
  /** Kept by ReceiveQueue: how many datagrams of the batch with this number have come from here. */
  queued: number
  batch: number

  constructor(local: string, remoteAddress: string, remotePort: number, maxProbeSize: number = probeCeiling(remoteAddress)) {
    this.local = local
    this.remote = formatAddress(remoteAddress, remotePort)
    this.maxProbeSize = maxProbeSize
    this.remoteAddress = remoteAddress
    this.remotePort = remotePort
    this.queued = 0
    this.batch = -1
  }
}

/** Paths remembered for their identity. Beyond this the table starts anew; the core then compares strings once per path. */
const MAX_INTERNED = 4096

/** Gives the same path object for the same remote address. One per socket. */
export class PathTable {
  private readonly local: string
  private readonly ceiling: (address: string) => number
  private readonly byRemote: Map<string, UdpPath>
  private last: UdpPath | null

  constructor(local: string, ceiling: (address: string) => number = probeCeiling) {
    this.local = local
    this.ceiling = ceiling
    this.byRemote = new Map()
    this.last = null
  }

  intern(address: string, port: number): UdpPath {
    const last = this.last
    // Datagrams come in runs from one peer.
    if (last !== null && last.remotePort === port && last.remoteAddress === address) return last
    const key = formatAddress(address, port)
    let path = this.byRemote.get(key)
    if (path === undefined) {
      if (this.byRemote.size >= MAX_INTERNED) this.byRemote.clear()
      path = new UdpPath(this.local, address, port, this.ceiling(address))
      this.byRemote.set(key, path)
    }
    this.last = path
    return path
  }
}
