// The simulator's link as a function of packets and time: whole IP packets in, in time those that arrive. Its clock is `now`.

import { Ring } from '@quicwire/quic/ring'
import { SeededRandom } from '@quicwire/quic/testing'
import type { Role } from '../runner/endpoint.ts'
import { isOnSide } from './addresses.ts'
import { impairmentsOf, type Impair, type ImpairmentOptions } from './impairment.ts'
import { IpPacket } from './ip-packet.ts'
import { Line } from './line.ts'
import type { Scenario } from './scenario.ts'

const MTU = 1500
const ROUTERS = 2

export interface NetworkOptions extends Pick<ImpairmentOptions, 'corruption' | 'onBinding'> {
  readonly scenario: Scenario
  readonly seed: number
}

/** Packets towards one role. */
export interface Counters {
  offered: number
  /** Found the queue full. */
  tailDropped: number
  /** By the scenario. */
  dropped: number
  corrupted: number
  marked: number
  delivered: number
}

interface UnderWay {
  readonly packet: IpPacket
  readonly arrivesAt: number
  /** It found a long queue. */
  readonly congested: boolean
}

interface Direction {
  readonly line: Line
  readonly impair: Impair
  readonly underWay: Ring<UnderWay>
  readonly counters: Counters
}

const other: Readonly<Record<Role, Role>> = { client: 'server', server: 'client' }

export class Network {
  private readonly towards: Readonly<Record<Role, Direction>>
  private readonly markAbove: number
  private started: boolean
  private zero: number

  constructor({ scenario, seed, corruption, onBinding }: NetworkOptions) {
    const impairments = impairmentsOf(scenario, { corruption, onBinding, random: new SeededRandom(seed) })
    const direction = (role: Role): Direction => ({
      line: new Line(scenario),
      impair: impairments[role],
      underWay: new Ring(),
      counters: { offered: 0, tailDropped: 0, dropped: 0, corrupted: 0, marked: 0, delivered: 0 },
    })
    this.towards = { server: direction('server'), client: direction('client') }
    this.markAbove = scenario.impairment.kind === 'ecn-mark' ? scenario.impairment.above : Infinity
    this.started = false
    this.zero = Infinity
  }

  /** The scenario begins with the client's next packet. Until then packets pass a line without impairment. */
  start(): void {
    this.started = true
  }

  /** When the scenario began, Infinity before. */
  get startedAt(): number {
    return this.zero
  }

  /** Takes a packet from a host; its bytes stay as they are until it arrives. False for one that is not for the other side. */
  receive(from: Role, bytes: Uint8Array, now: number): boolean {
    const to = other[from]
    const packet = bytes.length > MTU ? null : IpPacket.parse(bytes)
    if (packet === null || !isOnSide(to, packet.destination)) return false
    if (this.started && from === 'client' && this.zero === Infinity) this.zero = now
    const { line, underWay, counters } = this.towards[to]
    counters.offered++
    const congested = line.waiting(now) > this.markAbove
    const arrivesAt = line.offer(bytes.length, now)
    if (arrivesAt === null) {
      counters.tailDropped++
      return true
    }
    underWay.push({ packet, arrivesAt, congested })
    return true
  }

  /** When the next packet arrives somewhere, null when none is under way. */
  nextTimeout(): number | null {
    const next = Math.min(this.towards.server.underWay.peek()?.arrivesAt ?? Infinity, this.towards.client.underWay.peek()?.arrivesAt ?? Infinity)
    return next === Infinity ? null : next
  }

  /** The next packet that has arrived by `now`, null when there is none. */
  poll(now: number): { readonly to: Role; readonly packet: IpPacket } | null {
    for (;;) {
      const due = this.nextTimeout()
      if (due === null || due > now) return null
      const to = this.towards.server.underWay.peek()?.arrivesAt === due ? 'server' : 'client'
      const arrived = this.towards[to].underWay.shift()!
      if (this.arrives(this.towards[to], arrived)) return { to, packet: arrived.packet }
    }
  }

  /** Towards that role. */
  counters(role: Role): Readonly<Counters> {
    return this.towards[role].counters
  }

  private arrives({ impair, counters }: Direction, { packet, arrivesAt, congested }: UnderWay): boolean {
    const fate = arrivesAt < this.zero ? 'pass' : impair(packet, arrivesAt - this.zero)
    if (fate === 'drop' || !packet.passRouters(ROUTERS)) {
      counters.dropped++
      return false
    }
    if (congested && packet.ecn !== 0) {
      packet.markCongestion()
      counters.marked++
    }
    if (fate === 'changed') counters.corrupted++
    counters.delivered++
    return true
  }
}
