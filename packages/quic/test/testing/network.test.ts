import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LinkConditions, NetworkOptions, SimulatedPath, SimulatedTransmit } from '../../src/testing/index.ts'
import {
  EndpointNode, Network, Schedule, SeededRandom, SimulationFailure, blackhole, burstLoss, dropList, randomLoss, scenarios,
} from '../../src/testing/index.ts'
import { Echo, Metronome, Sink, StopAndWait } from './fake-nodes.ts'

const A = '10.0.0.1:1000'
const B = '10.0.0.2:443'

function oneWay(conditions: Partial<LinkConditions>, count: number, interval: number, options: NetworkOptions & { size?: number; ecn?: 0 | 1 | 2 } = {}) {
  const network = new Network({ seed: 7, ...options, conditions })
  const sink = new Sink()
  network.add('a', new Metronome(network.path(A, B), count, interval, options.size, options.ecn), A)
  network.add('b', sink, B)
  network.runFor(count * interval + 10_000)
  return { network, sink, counters: network.link('a', 'b').counters }
}

describe('SeededRandom', () => {
  it('gives the same stream for the same seed and label, another for another', () => {
    expect(new SeededRandom(5).bytes(64)).toEqual(new SeededRandom(5).bytes(64))
    expect(new SeededRandom(5).bytes(64)).not.toEqual(new SeededRandom(6).bytes(64))
    expect(new SeededRandom(5).fork('x').bytes(8)).toEqual(new SeededRandom(5).fork('x').bytes(8))
    expect(new SeededRandom(5).fork('x').bytes(8)).not.toEqual(new SeededRandom(5).fork('y').bytes(8))
  })

  it('is roughly uniform', () => {
    const random = new SeededRandom(1)
    const buckets = new Array<number>(16).fill(0)
    for (let draw = 0; draw < 160_000; draw++) buckets[random.below(16)]!++
    for (const hits of buckets) expect(Math.abs(hits - 10_000)).toBeLessThan(600)
    const bytes = random.bytes(100_001)
    expect(Math.abs(bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length - 127.5)).toBeLessThan(2)
  })
})

describe('Schedule', () => {
  it('takes in order of time and, at equal times, in order of adding', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
        const schedule = new Schedule<{ time: number; order: number }>()
        times.forEach((time, order) => schedule.add(time, { time, order }))
        const taken = times.map(() => schedule.take()!)
        const plain = times.map((time, order) => ({ time, order })).sort((x, y) => x.time - y.time || x.order - y.order)
        expect(taken).toEqual(plain)
        expect(schedule.take()).toBeNull()
      }),
    )
  })
})

describe('a link', () => {
  it('delays', () => {
    const { sink } = oneWay({ delay: 25 }, 3, 10)
    expect(sink.arrivals.map((arrival) => arrival.time)).toEqual([1025, 1035, 1045])
  })

  it('serialises at its bandwidth and drops the tail of its queue', () => {
    // 100 + 28 bytes at 102 400 bit/s: 10 ms each; twenty at once into a queue of 5 beside the one on the line.
    const { sink, counters } = oneWay({ delay: 0, bandwidth: 102_400, queue: 5 }, 20, 0)
    expect(sink.arrivals.map((arrival) => arrival.time)).toEqual([1010, 1020, 1030, 1040, 1050, 1060])
    expect(counters).toMatchObject({ offered: 20, droppedByQueue: 14, longestQueue: 5 })
  })

  it('lets the queue drain', () => {
    const { sink } = oneWay({ delay: 0, bandwidth: 102_400, queue: 1 }, 5000, 11)
    expect(sink.arrivals).toHaveLength(5000)
  })

  it('drops what is larger than the MTU', () => {
    expect(oneWay({ mtu: 1200 }, 5, 1, { size: 1200 }).sink.arrivals).toHaveLength(5)
    const { sink, counters } = oneWay({ mtu: 1200 }, 5, 1, { size: 1201 })
    expect(sink.arrivals).toHaveLength(0)
    expect(counters.droppedByMtu).toBe(5)
  })

  it('loses at the given rate, never more than the longest run', () => {
    const { sink } = oneWay({ loss: randomLoss(0.3, 3) }, 10_000, 1)
    expect(Math.abs(sink.arrivals.length - 7050)).toBeLessThan(300)
    const numbers = sink.numbers()
    for (let index = 1; index < numbers.length; index++) expect(numbers[index]! - numbers[index - 1]!).toBeLessThanOrEqual(4)
  })

  it('loses in bursts', () => {
    const { sink } = oneWay({ loss: burstLoss(0.01, 0.2) }, 20_000, 1)
    const numbers = sink.numbers()
    const gaps = numbers.slice(1).map((number, index) => number - numbers[index]! - 1).filter((gap) => gap > 0)
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    expect(Math.abs(mean - 5)).toBeLessThan(1)
  })

  it('loses exactly what a drop list or a blackhole names', () => {
    expect(oneWay({ loss: dropList(1, 3) }, 5, 1).sink.numbers()).toEqual([1, 3, 4])
    expect(oneWay({ loss: blackhole(1020, 1040) }, 6, 10).sink.numbers()).toEqual([0, 1, 4, 5])
  })

  it('reorders, duplicates and jitters', () => {
    const reordered = oneWay({ reorder: 0.1, reorderDelay: 30 }, 1000, 10).sink.numbers()
    expect(reordered).toHaveLength(1000)
    expect(reordered).not.toEqual([...reordered].sort((x, y) => x - y))
    expect(new Set(reordered).size).toBe(1000)
    const { sink, counters } = oneWay({ duplicate: 0.5, jitter: 8 }, 1000, 10)
    expect(sink.arrivals).toHaveLength(1000 + counters.duplicated)
    expect(Math.abs(counters.duplicated - 500)).toBeLessThan(80)
    for (const arrival of sink.arrivals) {
      const flight = arrival.time - 1000 - 10 * new DataView(arrival.bytes.buffer).getUint32(0)
      expect(flight).toBeGreaterThanOrEqual(5 - 1e-6)
      expect(flight).toBeLessThan(13)
    }
  })

  it('corrupts one byte, and only of the copy that travels', () => {
    const { sink, counters } = oneWay({ corrupt: 1, corruptWithin: 51, duplicate: 1 }, 100, 1, { size: 200 })
    expect(counters.corrupted).toBe(100)
    const plain = oneWay({}, 100, 1, { size: 200 }).sink.arrivals
    for (const [index, arrival] of sink.arrivals.entries()) {
      const original = plain[index >> 1]!.bytes
      const changed = [...arrival.bytes.keys()].filter((at) => arrival.bytes[at] !== original[at])
      expect(changed).toHaveLength(1)
      expect(changed[0]).toBeLessThan(51)
    }
  })

  it('marks ECT datagrams CE by rate or by queue, never Not-ECT, and can bleach', () => {
    expect(oneWay({ ecnMark: 1 }, 3, 1, { ecn: 2 }).sink.arrivals.map((arrival) => arrival.ecn)).toEqual([3, 3, 3])
    expect(oneWay({ ecnMark: 1 }, 3, 1, { ecn: 0 }).sink.arrivals.map((arrival) => arrival.ecn)).toEqual([0, 0, 0])
    expect(oneWay({ ecnBleach: true }, 3, 1, { ecn: 1 }).sink.arrivals.map((arrival) => arrival.ecn)).toEqual([0, 0, 0])
    expect(oneWay({ bandwidth: 102_400, ecnMarkAbove: 2 }, 5, 0, { ecn: 2 }).sink.arrivals.map((arrival) => arrival.ecn)).toEqual([2, 2, 2, 3, 3])
  })
})

describe('Network', () => {
  it('carries both ways and gives one path object per address pair', () => {
    const network = new Network()
    const echo = new Echo()
    const client = new Metronome(network.path(A, B), 2, 1)
    network.add('client', client, A)
    network.add('server', echo, B)
    network.run(() => client.arrivals.length === 2)
    expect(network.now).toBe(1011)
    expect(echo.arrivals.map((arrival) => arrival.from)).toEqual([A, A])
    expect(network.path(A, B)).toBe(network.path(A, B))
  })

  it('repeats a run exactly from its seed, and links do not disturb each other', () => {
    const play = (seed: number, third: boolean): string => {
      const network = new Network({ seed, conditions: scenarios.mobile })
      const seen: string[] = []
      network.observe((datagram) => seen.push(`${datagram.time} ${datagram.from} ${datagram.to} ${datagram.dropped}`))
      network.add('client', new Metronome(network.path(A, B), 500, 3), A)
      network.add('server', new Echo(), B)
      if (third) {
        network.add('other', new Metronome(network.path('10.0.0.3:1', B), 500, 3), '10.0.0.3:1')
      }
      network.runFor(60_000)
      return seen.filter((line) => !line.includes('10.0.0.3')).join('\n')
    }
    expect(play(3, false)).toBe(play(3, false))
    expect(play(3, false)).not.toBe(play(4, false))
    expect(play(3, true).split('\n').filter((line) => line.includes(`${A} ${B}`))).toEqual(
      play(3, false).split('\n').filter((line) => line.includes(`${A} ${B}`)),
    )
  })

  it('runs thousands of virtual seconds to a goal', () => {
    const network = new Network({ seed: 11, conditions: scenarios.terrible })
    const client = new StopAndWait(network.path(A, B), 20_000)
    network.add('client', client, A)
    network.add('server', new Echo(), B)
    network.run(() => client.acknowledged === 20_000, { time: 10_000_000 })
    expect(network.now).toBeGreaterThan(1_000_000)
  })

  it('runs scripted actions and outages', () => {
    const network = new Network()
    const sink = new Sink()
    network.add('a', new Metronome(network.path(A, B), 10, 100), A)
    network.add('b', sink, B)
    network.at(1250, () => network.link('a', 'b', { loss: 1 }))
    network.at(1550, () => network.link('a', 'b', { loss: 0 }))
    network.runFor(5000)
    expect(sink.numbers()).toEqual([0, 1, 2, 6, 7, 8, 9])
  })

  it('rebinds: the peer sees a new address, the old one leads nowhere', () => {
    const network = new Network()
    const client = new Metronome(network.path(A, B), 4, 100)
    const server = new Echo()
    network.add('client', client, A)
    network.add('server', server, B)
    // The third datagram is on its way to the server; its answer goes to the new address, the second's still to the old.
    network.at(1107, () => network.rebind('client', '192.0.2.9:7'))
    network.runFor(1000)
    expect(server.arrivals.map((arrival) => arrival.from)).toEqual([A, A, '192.0.2.9:7', '192.0.2.9:7'])
    expect(client.numbers()).toEqual([0, 2, 3])
  })

  it('lets a node use several addresses of its own', () => {
    const network = new Network()
    const sink = new Sink()
    network.add('a', new Metronome(network.path('10.1.0.1:5', B), 1, 1), A, '10.1.0.1:5')
    network.add('b', sink, B)
    network.runFor(100)
    expect(sink.arrivals[0]!.from).toBe('10.1.0.1:5')
  })

  it('filters, injects and observes', () => {
    const network = new Network()
    const sink = new Sink()
    const dropped: (string | null)[] = []
    network.observe((datagram) => dropped.push(datagram.dropped))
    network.add('a', new Metronome(network.path(A, B), 3, 1), A)
    network.add('b', sink, B)
    network.setFilter((bytes) => (bytes[3] === 1 ? null : bytes))
    network.inject(Uint8Array.of(0, 0, 0, 99), '6.6.6.6:6', B, 50)
    network.runFor(100)
    expect(sink.numbers()).toEqual([0, 2, 99])
    expect(sink.arrivals[2]!.from).toBe('6.6.6.6:6')
    expect(dropped).toEqual([null, 'filter', null])
  })

  it('reports seed, scenario and the last 50 events when the goal is missed', () => {
    const network = new Network({ seed: 4242, scenario: 'a dead line', conditions: { loss: 1 } })
    network.add('client', new StopAndWait(network.path(A, B), 1), A)
    network.add('server', new Echo(), B)
    const failure = caught(() => network.run(() => false, { time: 5000 }))
    expect(failure).toBeInstanceOf(SimulationFailure)
    expect(failure.message).toContain('seed 4242')
    expect(failure.message).toContain("scenario 'a dead line'")
    expect(failure.message).toContain('dropped (loss)')
    expect(failure.message.split('\n').filter((line) => / ms {2}/.test(line))).toHaveLength(50)
  })

  it('reports a node that throws, with the cause', () => {
    const network = new Network({ seed: 9 })
    const bad = new Sink()
    bad.receive = () => {
      throw new TypeError('boom')
    }
    network.add('a', new Metronome(network.path(A, B), 1, 1), A)
    network.add('b', bad, B)
    const failure = caught(() => network.runFor(100))
    expect(failure.message).toContain('boom')
    expect(failure.message).toContain('seed 9')
    expect(failure.cause).toBeInstanceOf(TypeError)
  })

  it('reports a node whose timer never moves, one that never stops sending, and an empty future', () => {
    const stuck = new Sink()
    stuck.nextTimeout = () => 1000
    const endless = new Sink()
    endless.transmit = (out: SimulatedTransmit) => {
      out.length = 1
      out.path = { local: A, remote: '9.9.9.9:9' }
      return true
    }
    for (const [node, message] of [[stuck, 'again and again'], [endless, 'does not stop'], [new Sink(), 'nothing left to happen']] as const) {
      const network = new Network()
      network.add('a', node, A)
      expect(caught(() => network.run(() => false)).message).toContain(message)
    }
  })
})

describe('EndpointNode', () => {
  class FakeConnection {
    closed = false
    readonly events: string[] = ['opened']
    private due = Infinity
    private readonly path: SimulatedPath
    constructor(path: SimulatedPath) {
      this.path = path
    }
    receive(now: number): void {
      this.due = now + 10
    }
    onTimeout(): void {
      this.due = Infinity
      this.closed = true
      this.events.push('closed')
    }
    private said = false
    transmit(out: SimulatedTransmit): boolean {
      if (this.said) return false
      this.said = true
      out.length = 1
      out.path = this.path
      return true
    }
    nextTimeout(): number {
      return this.due
    }
    poll(): string | null {
      return this.events.shift() ?? null
    }
    isClosed(): boolean {
      return this.closed
    }
  }

  it('accepts, drains events in order, transmits and forgets what has closed', () => {
    const log: string[] = []
    const incoming: FakeConnection[] = []
    const endpoint = {
      receive(_datagram: Uint8Array, path: SimulatedPath, now: number): void {
        const connection = new FakeConnection(path)
        connection.receive(now)
        incoming.push(connection)
      },
      pollIncoming: () => incoming.shift() ?? null,
      transmitStateless: () => false,
      onEvent: (_connection: FakeConnection, event: string) => void log.push(`route ${event}`),
      forget: () => void log.push('forget'),
    }
    const network = new Network()
    const client = new Metronome(network.path(A, B), 1, 1)
    const server = new EndpointNode(endpoint, {
      onConnection: () => log.push('accept'),
      onEvent: (_connection, event) => log.push(event),
    })
    network.add('client', client, A)
    network.add('server', server, B)
    network.run(() => log.includes('forget'))
    expect(log).toEqual(['accept', 'route opened', 'opened', 'route closed', 'closed', 'forget'])
    expect(server.connections).toEqual([])
    expect(client.arrivals).toHaveLength(1)
  })
})

function caught(action: () => void): SimulationFailure {
  try {
    action()
  } catch (error) {
    return error as SimulationFailure
  }
  throw new Error('nothing was thrown')
}
