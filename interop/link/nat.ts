// The address translation of scenario `rebind`: at given times every port of the client gets a new one outside, never used before, and with
// `address` the client a new address. Packets to what it was before are lost.

import { formatIpAddress } from '@quicwire/driver'
import type { SeededRandom } from '@quicwire/quic/testing'
import { addressBytes, CLIENT, SERVER } from './addresses.ts'
import type { IpPacket } from './ip-packet.ts'
import type { Impairment } from './scenario.ts'

export interface NatBinding {
  /** Since the scenario's start. */
  readonly atMs: number
  readonly inside: string
  readonly outside: string
}

const client = addressBytes(CLIENT[4])
const server = addressBytes(SERVER[4])

export class Nat {
  private readonly rules: Extract<Impairment, { kind: 'rebind' }>
  private readonly random: SeededRandom
  private readonly log: (binding: NatBinding) => void
  private address: Uint8Array
  private nextRebind: number
  /** The client's port to its port outside. */
  private readonly outside: Map<number, number>
  /** Every port outside that was ever used, to the client's; null when it is no longer valid. */
  private readonly inside: Map<number, number | null>

  constructor(rules: Extract<Impairment, { kind: 'rebind' }>, random: SeededRandom, log: (binding: NatBinding) => void) {
    this.rules = rules
    this.random = random
    this.log = log
    this.address = client
    this.nextRebind = rules.firstMs
    this.outside = new Map()
    this.inside = new Map()
  }

  /** Rewrites a packet on its way out at `at`. False: it ends here. */
  towardsServer(packet: IpPacket, at: number): boolean {
    this.rebindUntil(at)
    if (packet.version !== 4 || !packet.isUdp) return true
    if (!same(packet.source, client)) return false
    packet.rewriteSource(this.address, this.outside.get(packet.sourcePort) ?? this.bind(packet.sourcePort, at))
    return true
  }

  /** Rewrites a packet on its way in at `at`. False: it ends here. */
  towardsClient(packet: IpPacket, at: number): boolean {
    this.rebindUntil(at)
    if (packet.version !== 4 || !packet.isUdp) return true
    const port = this.inside.get(packet.destinationPort)
    if (port === undefined || port === null || !same(packet.source, server) || !same(packet.destination, this.address)) return false
    packet.rewriteDestination(client, port)
    return true
  }

  private bind(port: number, at: number): number {
    const outside = this.inside.has(port) ? this.unusedPort() : port
    this.use(port, outside, at)
    return outside
  }

  private rebindUntil(at: number): void {
    while (at >= this.nextRebind) {
      const rebindAt = this.nextRebind
      this.nextRebind = this.rules.everyMs === undefined ? Infinity : rebindAt + this.rules.everyMs
      if (this.rules.address) this.address = this.otherAddress()
      for (const [port, old] of this.outside) {
        this.inside.set(old, null)
        this.use(port, this.unusedPort(), rebindAt)
      }
    }
  }

  private use(port: number, outside: number, atMs: number): void {
    this.outside.set(port, outside)
    this.inside.set(outside, port)
    this.log({ atMs, inside: `${CLIENT[4]}:${port}`, outside: `${formatIpAddress(this.address)}:${outside}` })
  }

  private unusedPort(): number {
    for (;;) {
      const port = 1 + this.random.below(65_535)
      if (!this.inside.has(port)) return port
    }
  }

  private otherAddress(): Uint8Array {
    for (;;) {
      const address = Uint8Array.of(client[0]!, client[1]!, client[2]!, 1 + this.random.below(254))
      if (!same(address, client) && !same(address, this.address)) return address
    }
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, index) => byte === b[index])
}
