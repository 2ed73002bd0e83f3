// Two or more nodes in memory on a virtual clock. Every pair of nodes has one Link per direction. run() goes from event
// to event (arrival, timer, scripted action) until a goal holds; what fails carries seed, scenario and last events.
// Order after any input, as for a real driver: act, transmit until false, ask for the next timeout.

import { Clock } from './clock.ts'
import { SimulationFailure } from './failure.ts'
import type { DropReason, EcnCodepoint, LinkConditions } from './link.ts'
import { Link } from './link.ts'
import type { SimulatedNode, SimulatedPath } from './node.ts'
import { TransmitSlot } from './node.ts'
import { Schedule } from './schedule.ts'
import { SeededRandom } from './seeded-random.ts'
import { TraceLog } from './trace-log.ts'

export interface NetworkOptions {
  /** Repeats a run exactly. Default 1. */
  readonly seed?: number
  /** Named in reports. */
  readonly scenario?: string
  /** Conditions of every link that link() does not set. */
  readonly conditions?: Partial<LinkConditions>
  /** Virtual time of the start in ms. Default 1000, so that no time is 0 by accident. */
  readonly start?: number
  /** Events kept for reports. Default 50. */
  readonly traceLength?: number
}

export interface RunLimits {
  /** Virtual ms from the call on. Default 60 000. */
  readonly time?: number
  /** Arrivals, timers and actions. Default 2 000 000. */
  readonly events?: number
}

/** A datagram as observers see it. */
export interface ObservedDatagram {
  readonly time: number
  readonly from: string
  readonly to: string
  /** A view; copy it to keep it. */
  readonly bytes: Uint8Array
  readonly ecn: EcnCodepoint
  /** Null when it goes through. `nowhere`: no node has the address; `filter`: a filter took it. */
  readonly dropped: DropReason | 'nowhere' | 'filter' | null
}

/** May change or swallow a datagram on its way: return the bytes to send on, or null to drop it. */
export type DatagramFilter = (bytes: Uint8Array, from: string, to: string, now: number) => Uint8Array | null

interface Host {
  readonly name: string
  readonly node: SimulatedNode
  /** Addresses the node itself knows, first is primary. */
  readonly addresses: string[]
  /** How others see an own address behind a NAT. */
  readonly publicAddress: Map<string, string>
  deadline: number
  /** Timeouts in a row without virtual time passing. */
  timeoutsNow: number
}

const MAX_DATAGRAMS_PER_TURN = 100_000
const MAX_TIMEOUTS_PER_INSTANT = 1000

export class Network {
  readonly seed: number
  readonly scenario: string
  readonly random: SeededRandom
  readonly clock: Clock
  readonly trace: TraceLog
  private readonly conditions: Partial<LinkConditions>
  private readonly hosts: Host[] = []
  private readonly hostByAddress = new Map<string, { readonly host: Host; readonly own: string }>()
  private readonly links = new Map<string, Link>()
  private readonly routes = new Map<string, Link>()
  private readonly paths = new Map<string, SimulatedPath>()
  private readonly agenda = new Schedule<() => void>()
  private readonly slot = new TransmitSlot()
  private readonly observers: ((datagram: ObservedDatagram) => void)[] = []
  private filter: DatagramFilter | null = null

  constructor(options: NetworkOptions = {}) {
    this.seed = (options.seed ?? 1) >>> 0
    this.scenario = options.scenario ?? 'unnamed'
    this.random = new SeededRandom(this.seed)
    this.clock = new Clock(options.start ?? 1000)
    this.trace = new TraceLog(options.traceLength)
    this.conditions = options.conditions ?? {}
  }

  get now(): number {
    return this.clock.now
  }

  /** Puts a node on the network under one or more addresses ('ip:port'), the first being its primary one. */
  add(name: string, node: SimulatedNode, ...addresses: readonly string[]): void {
    if (addresses.length === 0) throw new RangeError(`node '${name}' needs an address`)
    const host: Host = { name, node, addresses: [...addresses], publicAddress: new Map(), deadline: Infinity, timeoutsNow: 0 }
    for (const address of addresses) {
      if (this.hostByAddress.has(address)) throw new RangeError(`address ${address} is taken`)
      this.hostByAddress.set(address, { host, own: address })
    }
    this.hosts.push(host)
  }

  /** Takes a node off the network; datagrams to it go nowhere. */
  remove(name: string): void {
    const host = this.host(name)
    this.hosts.splice(this.hosts.indexOf(host), 1)
    for (const [address, entry] of this.hostByAddress) if (entry.host === host) this.hostByAddress.delete(address)
  }

  /** The path object of an address pair: the same object for the same pair. */
  path(local: string, remote: string): SimulatedPath {
    const key = `${local} ${remote}`
    let path = this.paths.get(key)
    if (path === undefined) this.paths.set(key, (path = { local, remote }))
    return path
  }

  /** The link of one direction, by node names; made on first use, with `conditions` changed from now on. */
  link(from: string, to: string, conditions?: Partial<LinkConditions>): Link {
    const key = `${from} > ${to}`
    let link = this.links.get(key)
    if (link === undefined) {
      link = new Link(this.conditions, this.random.fork(key))
      this.links.set(key, link)
    }
    if (conditions !== undefined) link.change(conditions)
    return link
  }

  /**
   * A link of its own for one direction of one address pair, as when a node's addresses are on different networks; made on first
   * use. Without one, the link of the nodes carries the pair.
   */
  route(from: string, to: string, conditions: Partial<LinkConditions>): Link {
    const key = `${from} > ${to}`
    let link = this.routes.get(key)
    if (link === undefined) {
      link = new Link(this.conditions, this.random.fork(key))
      this.routes.set(key, link)
    }
    link.change(conditions)
    return link
  }

  /** One more address for a node: another interface, another socket. */
  addAddress(name: string, address: string): void {
    const host = this.host(name)
    if (this.hostByAddress.has(address)) throw new RangeError(`address ${address} is taken`)
    host.addresses.push(address)
    this.hostByAddress.set(address, { host, own: address })
  }

  /** Both directions at once. */
  between(one: string, other: string, conditions: Partial<LinkConditions>): void {
    this.link(one, other, conditions)
    this.link(other, one, conditions)
  }

  /** A NAT gives an address of the node, by default the first, a new public one; the old one leads nowhere from now on. */
  rebind(name: string, publicAddress: string, address?: string): void {
    const host = this.host(name)
    const own = address ?? host.addresses[0]!
    this.hostByAddress.delete(host.publicAddress.get(own) ?? own)
    if (this.hostByAddress.has(publicAddress)) throw new RangeError(`address ${publicAddress} is taken`)
    host.publicAddress.set(own, publicAddress)
    this.hostByAddress.set(publicAddress, { host, own })
    this.trace.add(this.now, `${name} rebound to ${publicAddress}`)
  }

  /** Runs `action` at a virtual time (absolute ms); nodes get a turn afterwards. */
  at(time: number, action: () => void): void {
    this.agenda.add(Math.max(time, this.now), () => {
      action()
      this.turnAll()
    })
  }

  observe(observer: (datagram: ObservedDatagram) => void): void {
    this.observers.push(observer)
  }

  /** One filter for the whole network; null removes it. */
  setFilter(filter: DatagramFilter | null): void {
    this.filter = filter
  }

  /** Sends a datagram as if it came from `from`: for forged and replayed ones. It passes no link and arrives after `delay` ms. */
  inject(bytes: Uint8Array, from: string, to: string, delay: number = 0): void {
    const copy = bytes.slice()
    this.agenda.add(this.now + delay, () => this.deliver(copy, from, to, 0))
  }

  /** Adds a line to the trace, for what the test itself does or sees. */
  note(text: string): void {
    this.trace.add(this.now, text)
  }

  /** Runs until `goal` holds; throws SimulationFailure at a limit, or when nothing can happen any more. */
  run(goal: () => boolean, limits: RunLimits = {}): void {
    const end = this.now + (limits.time ?? 60_000)
    const maxEvents = limits.events ?? 2_000_000
    this.explain(() => {
      this.turnAll()
      for (let events = 0; !goal(); events++) {
        if (events >= maxEvents) throw new Error(`goal not reached after ${maxEvents} events`)
        const next = this.nextTime()
        if (next === Infinity) throw new Error('goal not reached and nothing left to happen')
        if (next > end) throw new Error(`goal not reached within ${end - (limits.time ?? 60_000)}–${end} ms of virtual time`)
        this.step(next)
      }
    })
  }

  /** Lets `duration` ms of virtual time pass. */
  runFor(duration: number, limits: RunLimits = {}): void {
    const end = this.now + duration
    const maxEvents = limits.events ?? 2_000_000
    this.explain(() => {
      this.turnAll()
      for (let events = 0; this.nextTime() <= end; events++) {
        if (events >= maxEvents) throw new Error(`${maxEvents} events within ${duration} ms of virtual time`)
        this.step(this.nextTime())
      }
      this.clock.advanceTo(end)
    })
  }

  /** Runs `body`; whatever it throws comes out as a SimulationFailure with seed, scenario and the last events. */
  explain<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      if (error instanceof SimulationFailure) throw error
      const message = error instanceof Error ? error.message : String(error)
      throw new SimulationFailure(message, this.seed, this.scenario, this.now, this.trace.format(), error)
    }
  }

  /** Gives every node a turn: for changes made from outside between runs. */
  turnAll(): void {
    for (const host of this.hosts.slice()) this.turn(host)
  }

  private host(name: string): Host {
    const host = this.hosts.find((candidate) => candidate.name === name)
    if (host === undefined) throw new RangeError(`no node '${name}'`)
    return host
  }

  private nextTime(): number {
    let next = this.agenda.nextTime()
    for (const host of this.hosts) if (host.deadline < next) next = host.deadline
    return Math.max(next, this.now)
  }

  private step(time: number): void {
    if (time > this.now) for (const host of this.hosts) host.timeoutsNow = 0
    this.clock.advanceTo(time)
    if (this.agenda.nextTime() <= time) {
      this.agenda.take()!()
      return
    }
    for (const host of this.hosts) {
      if (host.deadline > time) continue
      if (++host.timeoutsNow > MAX_TIMEOUTS_PER_INSTANT) {
        throw new Error(`node '${host.name}' asks for a timeout at ${host.deadline} again and again without time passing`)
      }
      this.trace.add(time, `${host.name} timeout`)
      host.node.onTimeout(time)
      this.turn(host)
      return
    }
  }

  private turn(host: Host): void {
    const { slot } = this
    host.node.act?.(this.now)
    for (let sent = 0; ; sent++) {
      if (sent > MAX_DATAGRAMS_PER_TURN) throw new Error(`node '${host.name}' does not stop transmitting`)
      slot.length = 0
      slot.path = null
      slot.ecn = 0
      if (!host.node.transmit(slot, this.now)) break
      this.send(host, slot)
    }
    host.deadline = host.node.nextTimeout()
    if (Number.isNaN(host.deadline)) throw new Error(`nextTimeout() of node '${host.name}' is NaN`)
  }

  private send(host: Host, out: TransmitSlot): void {
    if (out.length <= 0 || out.length > out.buffer.length) throw new Error(`node '${host.name}' transmits ${out.length} bytes`)
    if (out.path === null) throw new Error(`node '${host.name}' transmits without a path`)
    const own = host.addresses.includes(out.path.local) ? out.path.local : host.addresses[0]!
    const from = host.publicAddress.get(own) ?? own
    const to = out.path.remote
    const ecn = (out.ecn & 3) as EcnCodepoint
    const target = this.hostByAddress.get(to)
    let bytes: Uint8Array | null = out.buffer.subarray(0, out.length)
    if (this.filter !== null) bytes = this.filter(bytes, from, to, this.now)
    if (bytes === null) return this.dropped(out.buffer.subarray(0, out.length), host.name, to, from, ecn, 'filter')
    if (target === undefined) return this.dropped(bytes, host.name, to, from, ecn, 'nowhere')
    const link = this.routes.get(`${from} > ${to}`) ?? this.link(host.name, target.host.name)
    const verdict = link.offer(bytes.length, ecn, this.now)
    if (verdict.dropped !== null) return this.dropped(bytes, host.name, target.host.name, from, ecn, verdict.dropped)
    const corrupt = verdict.corruptAt >= 0 ? ', corrupted' : ''
    const marked = verdict.ecn === 3 && ecn !== 3 ? ', marked CE' : ''
    this.trace.add(this.now, `${host.name} → ${target.host.name} ${describe(bytes)}${corrupt}${marked}${verdict.arrivals.length > 1 ? ', duplicated' : ''}`)
    this.tell(bytes, from, to, ecn, null)
    const arrivesAs = verdict.ecn
    for (const arrival of verdict.arrivals) {
      const copy = bytes.slice()
      if (verdict.corruptAt >= 0) copy[verdict.corruptAt]! ^= verdict.corruptMask
      this.agenda.add(arrival, () => this.deliver(copy, from, to, arrivesAs))
    }
  }

  private dropped(bytes: Uint8Array, name: string, to: string, from: string, ecn: EcnCodepoint, reason: DropReason | 'nowhere' | 'filter'): void {
    this.trace.add(this.now, `${name} → ${to} ${describe(bytes)} dropped (${reason})`)
    this.tell(bytes, from, to, ecn, reason)
  }

  private tell(bytes: Uint8Array, from: string, to: string, ecn: EcnCodepoint, dropped: ObservedDatagram['dropped']): void {
    for (const observer of this.observers) observer({ time: this.now, from, to, bytes, ecn, dropped })
  }

  private deliver(bytes: Uint8Array, from: string, to: string, ecn: EcnCodepoint): void {
    const target = this.hostByAddress.get(to)
    if (target === undefined) {
      this.trace.add(this.now, `${from} → ${to} ${describe(bytes)} arrives nowhere`)
      return
    }
    this.trace.add(this.now, `${target.host.name} receives ${describe(bytes)} from ${from}`)
    target.host.node.receive(bytes, this.path(target.own, from), this.now, ecn)
    this.turn(target.host)
  }
}

/** Size and first packet type, from the first bytes alone (RFC 9000 §17). */
function describe(bytes: Uint8Array): string {
  const first = bytes[0] ?? 0
  if ((first & 0x80) === 0) return `${bytes.length} B short`
  const versionZero = bytes.length >= 5 && bytes[1] === 0 && bytes[2] === 0 && bytes[3] === 0 && bytes[4] === 0
  return `${bytes.length} B ${versionZero ? 'Version Negotiation' : ['Initial', '0-RTT', 'Handshake', 'Retry'][(first >> 4) & 3]!}`
}
