// Addresses as the operating system knows them, and their interned form as QUIC paths. A path object keeps the parsed parts beside
// the strings the core compares, so that sending does no parsing.

import type { PathAddress } from '@quicwire/quic'
import { isIPv6 } from 'node:net'

export interface SocketAddress {
  readonly address: string
  readonly port: number
  readonly family: 'IPv4' | 'IPv6'
}

/** `ip:port`, IPv6 as `[ip]:port`. */
export function formatAddress(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
}

export class UdpPath implements PathAddress {
  readonly local: string
  readonly remote: string
  readonly remoteAddress: string
  readonly remotePort: number

  constructor(local: string, remoteAddress: string, remotePort: number) {
    this.local = local
    this.remote = formatAddress(remoteAddress, remotePort)
    this.remoteAddress = remoteAddress
    this.remotePort = remotePort
  }
}

/** Paths remembered for their identity. Beyond this the table starts anew; the core then compares strings once per path. */
const MAX_INTERNED = 4096

/** Gives the same path object for the same remote address. One per socket. */
export class PathTable {
  private readonly local: string
  private readonly byRemote: Map<string, UdpPath>
  private last: UdpPath | null

  constructor(local: string) {
    this.local = local
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
      path = new UdpPath(this.local, address, port)
      this.byRemote.set(key, path)
    }
    this.last = path
    return path
  }
}
