import { describe, expect, test } from 'vitest'
import type { Role } from '../../runner/endpoint.ts'
import type { IpPacket } from '../ip-packet.ts'
import type { NatBinding } from '../nat.ts'
import { Network } from '../network.ts'
import { parseScenario } from '../scenario.ts'
import { CLIENT_PORT, toClient, toServer, wrongChecksums } from './packets.ts'

const P2P = '--delay=15ms --bandwidth=10Mbps --queue=25'
/** What a packet of 1200 bytes takes on the line: (1200 + 2) · 8 / 10 Mbit/s. */
const ON_LINE = 0.9616

interface Arrival {
  readonly at: number
  readonly to: Role
  readonly packet: IpPacket
}

/** A started network on a virtual clock. */
class Bench {
  readonly network: Network
  readonly bindings: NatBinding[] = []
  readonly arrivals: Arrival[] = []

  constructor(scenario: string, options: { readonly seed?: number; readonly corruption?: 'drop' | 'deliver' } = {}) {
    const { seed = 1, corruption = 'deliver' } = options
    this.network = new Network({ scenario: parseScenario(scenario), seed, corruption, onBinding: (binding) => this.bindings.push(binding) })
    this.network.start()
  }

  /** Everything that arrives up to that time. */
  until(time: number): Arrival[] {
    const arrivals: Arrival[] = []
    for (;;) {
      const at = this.network.nextTimeout()
      if (at === null || at > time) break
      const arrival = this.network.poll(at)
      if (arrival !== null) arrivals.push({ at, ...arrival })
    }
    this.arrivals.push(...arrivals)
    return arrivals
  }

  /** Packets to the server far enough apart not to wait; true for those that arrive. */
  spaced(count: number, make: () => Uint8Array = () => toServer()): boolean[] {
    const before = this.arrivals.length
    const sent: number[] = []
    for (let i = 0; i < count; i++) {
      sent.push(10 * i)
      this.network.receive('client', make(), 10 * i)
      this.until(10 * i)
    }
    this.until(Infinity)
    const arrived = this.arrivals.slice(before).map(({ at }) => Math.round(at / 10))
    const first = Math.round((15 + ON_LINE) / 10)
    return sent.map((_, index) => arrived.includes(index + first))
  }
}

function longestRun(values: readonly boolean[], value: boolean): number {
  let run = 0
  return values.reduce((longest, one) => Math.max(longest, (run = one === value ? run + 1 : 0)), 0)
}

describe('queue, line and delay', () => {
  test('a packet takes (length + 2) · 8 / bandwidth on the line, then the delay; two hops less', () => {
    const bench = new Bench(`simple-p2p ${P2P}`)
    bench.network.receive('client', toServer(1500), 100)
    bench.network.receive('server', toClient(40), 100)
    const arrivals = bench.until(Infinity)
    expect(arrivals.map(({ to, at, packet }) => [to, at.toFixed(4), packet.hops])).toEqual([
      ['client', (100 + 0.0336 + 15).toFixed(4), 62],
      ['server', (100 + 1.2016 + 15).toFixed(4), 62],
    ])
    for (const { packet } of arrivals) expect(wrongChecksums(packet.bytes)).toEqual([])
  })

  test('27 packets are in the system at queue=25; the line goes on without a gap; the next finds place when one has left', () => {
    const bench = new Bench(`simple-p2p ${P2P}`)
    for (let i = 0; i < 40; i++) bench.network.receive('client', toServer(), 0)
    // Directions do not share a queue.
    bench.network.receive('server', toClient(), 0)
    bench.network.receive('client', toServer(), ON_LINE - 0.001)
    bench.network.receive('client', toServer(), ON_LINE + 0.001)
    bench.network.receive('client', toServer(), ON_LINE + 0.002)
    const times = bench.until(Infinity).filter(({ to }) => to === 'server').map(({ at }) => at)
    expect(times.length).toBe(28)
    for (const [index, at] of times.entries()) expect(at).toBeCloseTo(15 + (index + 1) * ON_LINE, 6)
    expect(bench.network.counters('server')).toMatchObject({ offered: 43, tailDropped: 15, delivered: 28 })
    expect(bench.network.counters('client')).toMatchObject({ offered: 1, tailDropped: 0, delivered: 1 })
  })

  test('a saturated link of 10 Mbit/s carries 10 Mbit/s, of which 2 bytes a packet are framing', () => {
    const bench = new Bench(`simple-p2p ${P2P}`)
    // 12 Mbit/s for ten seconds.
    for (let i = 0; i < 10_000; i++) bench.network.receive('client', toServer(1500), i)
    const arrivals = bench.until(10_000 + 15)
    const kilobits = arrivals.reduce((sum, { packet }) => sum + packet.bytes.length * 8, 0) / 1000
    expect(kilobits / 10).toBeGreaterThan(9980)
    expect(kilobits / 10).toBeLessThan(9990)
  })

  test('what is not for the other side, or larger than 1500 bytes, does not pass', () => {
    const { network } = new Bench(`simple-p2p ${P2P}`)
    expect(network.receive('client', toClient(), 0)).toBe(false)
    expect(network.receive('server', toServer(), 0)).toBe(false)
    expect(network.receive('client', toServer(1501), 0)).toBe(false)
    expect(network.receive('client', Uint8Array.of(1, 2, 3), 0)).toBe(false)
    expect(network.nextTimeout()).toBeNull()
  })

  test('before the start there is a line, but no impairment', () => {
    const network = new Network({ scenario: parseScenario(`droplist ${P2P} --drops_to_server=1`), seed: 1, corruption: 'drop', onBinding: () => undefined })
    network.receive('client', toServer(), 0)
    expect(network.poll(20)?.to).toBe('server')
    network.start()
    network.receive('client', toServer(), 20)
    expect(network.poll(40)).toBeNull()
    network.receive('client', toServer(), 40)
    expect(network.poll(60)?.to).toBe('server')
  })
})

describe('loss', () => {
  const rates = '--rate_to_server=30 --rate_to_client=0 --burst_to_server=3 --burst_to_client=3'

  test('about the rate is lost in that direction, the seed says which', () => {
    const bench = new Bench(`drop-rate ${P2P} ${rates}`)
    const arrived = bench.spaced(3000)
    const lost = arrived.filter((one) => !one).length
    expect(lost).toBeGreaterThan(780)
    expect(lost).toBeLessThan(960)
    expect(bench.network.counters('server').dropped).toBe(lost)
    for (let i = 0; i < 100; i++) bench.network.receive('server', toClient(), 40_000 + 10 * i)
    expect(bench.until(Infinity).length).toBe(100)
    expect(new Bench(`drop-rate ${P2P} ${rates}`).spaced(3000)).toEqual(arrived)
    expect(new Bench(`drop-rate ${P2P} ${rates}`, { seed: 2 }).spaced(3000)).not.toEqual(arrived)
  })

  test('never more than a burst in a row', () => {
    const everything = new Bench(`drop-rate ${P2P} --rate_to_server=100 --rate_to_client=0 --burst_to_server=3`).spaced(12)
    expect(everything).toEqual([false, false, false, true, false, false, false, true, false, false, false, true])
    expect(longestRun(new Bench(`drop-rate ${P2P} ${rates}`).spaced(3000), false)).toBe(3)
    expect(new Bench(`drop-rate ${P2P} --rate_to_server=100 --rate_to_client=0`).spaced(50)).not.toContain(true)
  })

  test('a lost packet has used the line', () => {
    const bench = new Bench(`droplist ${P2P} --drops_to_server=1`)
    bench.network.receive('client', toServer(), 0)
    bench.network.receive('client', toServer(), 0)
    expect(bench.until(Infinity).map(({ at }) => at.toFixed(4))).toEqual([(15 + 2 * ON_LINE).toFixed(4)])
  })

  test('a list counts UDP packets of both IP versions from 1 in its direction', () => {
    const bench = new Bench(`droplist ${P2P} --drops_to_server=2,4 --drops_to_client=1`)
    const icmp = (): Uint8Array => {
      const packet = toServer()
      packet[9] = 1
      return packet
    }
    const packets = [toServer(), icmp(), toServer(), icmp(), toServer(1200, 6), toServer(), toServer()]
    expect(bench.spaced(7, () => packets.shift()!)).toEqual([true, true, false, true, true, false, true])
    bench.network.receive('server', toClient(), 1000)
    expect(bench.until(Infinity)).toEqual([])
  })

  test('a black hole takes what arrives while it is on, of any kind, as often as it repeats', () => {
    const arrivals = (options: string): number[] => {
      const bench = new Bench(`blackhole --delay=15ms --bandwidth=10Mbps --queue=25 --on=5s --off=2s ${options}`)
      for (let second = 0; second < 16; second += 0.5) {
        const packet = toServer()
        packet[9] = second % 1 === 0 ? 17 : 1
        bench.network.receive('client', packet, 1000 * second)
      }
      return bench.until(Infinity).map(({ at }) => Math.floor(at / 500) / 2)
    }
    const all = Array.from({ length: 32 }, (_, index) => index / 2)
    const without = (...windows: readonly (readonly [number, number])[]): number[] => all.filter((at) => windows.every(([from, to]) => at < from || at >= to))
    expect(arrivals('')).toEqual(without([5, 7]))
    expect(arrivals('--repeat=2')).toEqual(without([5, 7], [12, 14]))
    expect(arrivals('--direction=toserver')).toEqual(without([5, 7]))
    expect(arrivals('--direction=toclient')).toEqual(all)
  })

  test("the scenario's time is counted from the client's first packet", () => {
    const bench = new Bench(`blackhole ${P2P} --on=5s --off=2s`)
    bench.network.receive('server', toClient(), 1000)
    for (let second = 3; second < 12; second++) bench.network.receive('client', toServer(), 1000 * second)
    expect(bench.until(Infinity).map(({ at }) => Math.floor(at / 1000))).toEqual([1, 3, 4, 5, 6, 7, 10, 11])
    expect(bench.network.startedAt).toBe(3000)
  })

  test("the black hole's edges are those of the arrival", () => {
    const bench = new Bench(`blackhole --delay=10ms --bandwidth=9616kbps --queue=25 --on=1s --off=1s`)
    // On the line for 1 ms, arriving 11 ms after.
    for (const at of [0, 988.9, 990, 1987, 1989.1]) bench.network.receive('client', toServer(), at)
    expect(bench.until(Infinity).map(({ at }) => Math.round(at * 10) / 10)).toEqual([11, 999.9, 2000.1])
  })
})

describe('corruption', () => {
  const rates = '--rate_to_server=30 --rate_to_client=30 --burst_to_server=3 --burst_to_client=3'

  test('delivered: one byte among the first 51 of the payload is another, the checksum is right', () => {
    const bench = new Bench(`corrupt-rate ${P2P} ${rates}`)
    expect(bench.spaced(2000)).not.toContain(false)
    const positions = new Set<number>()
    let corrupted = 0
    const changed = bench.arrivals.map(({ packet }) => {
      expect(wrongChecksums(packet.bytes)).toEqual([])
      const original = toServer().subarray(28)
      const different = [...packet.payload.keys()].filter((index) => packet.payload[index] !== original[index])
      expect(different.length).toBeLessThan(2)
      for (const position of different) positions.add(position)
      corrupted += different.length
      return different.length === 1
    })
    expect(corrupted).toBe(bench.network.counters('server').corrupted)
    expect(corrupted / 2000).toBeGreaterThan(0.25)
    expect(corrupted / 2000).toBeLessThan(0.33)
    expect(longestRun(changed, true)).toBe(3)
    expect([Math.min(...positions), Math.max(...positions), positions.size]).toEqual([0, 50, 51])
  })

  test('a short payload is corrupted within itself', () => {
    const bench = new Bench(`corrupt-rate ${P2P} --rate_to_server=100 --rate_to_client=0`)
    bench.spaced(20, () => toServer(29))
    expect(bench.arrivals.every(({ packet }) => packet.payload[0] !== toServer(29)[28] && wrongChecksums(packet.bytes).length === 0)).toBe(true)
    const empty = new Bench(`corrupt-rate ${P2P} --rate_to_server=100 --rate_to_client=0`)
    expect(empty.spaced(3, () => toServer(28))).toEqual([true, true, true])
  })

  test("dropped, as in the simulator today: what would have been corrupted does not arrive", () => {
    const dropped = new Bench(`corrupt-rate ${P2P} ${rates}`, { corruption: 'drop' })
    const arrived = dropped.spaced(1000)
    expect(longestRun(arrived, false)).toBe(3)
    expect(arrived.filter((one) => one).length).toBe(1000 - dropped.network.counters('server').dropped)
    expect(dropped.network.counters('server')).toMatchObject({ corrupted: 0 })
    expect(dropped.arrivals.every(({ packet }) => Buffer.compare(packet.payload, toServer().subarray(28)) === 0)).toBe(true)
  })

  test('Version Negotiation is exempt', () => {
    const negotiation = toServer(60)
    negotiation.set([0x80, 0, 0, 0, 0], 28)
    negotiation.fill(0, 26, 28)
    const bench = new Bench(`corrupt-rate ${P2P} --rate_to_server=100 --rate_to_client=100`)
    bench.spaced(10, () => Uint8Array.from(negotiation))
    expect(bench.network.counters('server')).toMatchObject({ corrupted: 0, delivered: 10 })
  })
})

describe('rebinding', () => {
  const rebind = (more: string): Bench => new Bench(`rebind ${P2P} --first-rebind=1s --rebind-freq=5s ${more}`)
  const outside = ({ packet }: Arrival): string => `${packet.source.join('.')}:${packet.sourcePort}`

  test('the server sees another port from the first rebinding on, and another with each', () => {
    const bench = rebind('')
    for (const at of [0, 900, 990, 5900, 6000, 11_000]) bench.network.receive('client', toServer(), at)
    const seen = bench.until(Infinity)
    for (const { packet } of seen) expect(wrongChecksums(packet.bytes)).toEqual([])
    const addresses = seen.map((arrival) => outside(arrival))
    expect(addresses.every((address) => address.startsWith('193.167.0.100:'))).toBe(true)
    expect(addresses.slice(0, 2)).toEqual(Array.from({ length: 2 }, () => `193.167.0.100:${CLIENT_PORT}`))
    expect(addresses[2]).toBe(addresses[3])
    expect(new Set(addresses).size).toBe(4)
    expect(bench.bindings.map(({ atMs, inside }) => [Math.round(atMs), inside])).toEqual(
      [16, 1000, 6000, 11_000].map((atMs) => [atMs, `193.167.0.100:${CLIENT_PORT}`]),
    )
    expect(bench.bindings.map((binding) => binding.outside)).toEqual([...new Set(addresses)])
  })

  test('packets to the old binding are lost, those to the new one come to the client', () => {
    const bench = rebind('--rebind-addr')
    bench.network.receive('client', toServer(), 0)
    bench.network.receive('client', toServer(), 1000)
    const [before, after] = bench.until(1100).map(({ packet }) => ({ address: packet.source.join('.'), port: packet.sourcePort }))
    expect(before).toEqual({ address: '193.167.0.100', port: CLIENT_PORT })
    expect(after!.address).toMatch(/^193\.167\.0\.\d+$/)
    expect(after!.address).not.toBe(before!.address)
    for (const { address, port } of [before!, after!, { address: before!.address, port: after!.port }, { address: after!.address, port: 9 }]) {
      bench.network.receive('server', toClient(1200, 4, port, address), 1200)
    }
    const [arrived, ...others] = bench.until(Infinity)
    expect(others).toEqual([])
    expect([arrived!.packet.destination.join('.'), arrived!.packet.destinationPort]).toEqual(['193.167.0.100', CLIENT_PORT])
    expect(wrongChecksums(arrived!.packet.bytes)).toEqual([])
    expect(bench.network.counters('client')).toMatchObject({ delivered: 1, dropped: 3 })
  })

  test('a packet to the old binding that is under way at that moment is lost', () => {
    const bench = rebind('')
    bench.network.receive('client', toServer(), 0)
    bench.network.receive('server', toClient(), 980)
    bench.network.receive('server', toClient(), 990)
    expect(bench.until(Infinity).map(({ to }) => to)).toEqual(['server', 'client'])
  })

  test('no port outside is used twice, by rebinding nor by a new port of the client', () => {
    const bench = new Bench(`rebind ${P2P} --first-rebind=1ms --rebind-freq=1ms --rebind-addr`)
    for (let i = 0; i < 500; i++) bench.network.receive('client', toServer(100), 2 * i)
    bench.until(Infinity)
    const taken = bench.bindings.map((binding) => Number(binding.outside.split(':')[1]))
    expect(taken.length).toBeGreaterThan(900)
    expect(new Set(taken).size).toBe(taken.length)
    bench.network.receive('client', toServer(100, 4, taken[500]), 2000)
    bench.until(Infinity)
    expect(taken).not.toContain(Number(bench.bindings.at(-1)!.outside.split(':')[1]))
  })

  test('IPv6, and what is not UDP, is not translated', () => {
    const bench = rebind('--rebind-addr')
    const icmp = toServer()
    icmp[9] = 1
    bench.network.receive('client', toServer(1200, 6), 2000)
    bench.network.receive('client', icmp, 2000)
    bench.network.receive('server', toClient(1200, 6), 2000)
    const arrivals = bench.until(Infinity)
    expect(arrivals.map(({ packet }) => packet.version).sort()).toEqual([4, 6, 6])
    expect(arrivals.find(({ packet }) => packet.version === 4)!.packet.source.join('.')).toBe('193.167.0.100')
    expect(bench.bindings).toEqual([])
  })

  test('once only, without a frequency', () => {
    const bench = new Bench(`rebind ${P2P} --first-rebind=1s`)
    for (const at of [0, 2000, 20_000]) bench.network.receive('client', toServer(), at)
    const [first, second, third] = bench.until(Infinity).map((arrival) => outside(arrival))
    expect(second).not.toBe(first)
    expect(third).toBe(second)
  })
})

describe('ECN', () => {
  const withEct = (codepoint: number, family: 4 | 6 = 4): Uint8Array => {
    const packet = toServer(1200, family)
    // The field is in the second byte of both; the IPv4 header's checksum is then less by as much.
    packet[1]! |= family === 4 ? codepoint : codepoint << 4
    if (family === 4) packet[11]! -= codepoint
    return packet
  }

  test('marks pass unchanged where nothing marks', () => {
    const bench = new Bench(`simple-p2p ${P2P}`)
    for (const codepoint of [0, 1, 2, 3]) bench.network.receive('client', withEct(codepoint, 6), 0)
    for (const codepoint of [0, 1, 2, 3]) bench.network.receive('client', withEct(codepoint), 0)
    expect(bench.until(Infinity).map(({ packet }) => packet.ecn)).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
  })

  test('ECN-capable packets behind more than that many waiting ones are marked, others not', () => {
    const bench = new Bench(`ecn-mark ${P2P} --mark_above=5`)
    const codepoints = Array.from({ length: 20 }, (_, index) => [2, 1, 0][index % 3]!)
    for (const [index, codepoint] of codepoints.entries()) bench.network.receive('client', withEct(codepoint, index < 10 ? 4 : 6), 0)
    const arrivals = bench.until(Infinity)
    // Two with the device and six that wait come before the ninth.
    expect(arrivals.map(({ packet }) => packet.ecn)).toEqual(codepoints.map((codepoint, index) => (index < 8 || codepoint === 0 ? codepoint : 3)))
    for (const { packet } of arrivals) expect(wrongChecksums(packet.bytes)).toEqual([])
    expect(bench.network.counters('server').marked).toBe(arrivals.filter(({ packet }) => packet.ecn === 3).length)
  })
})
