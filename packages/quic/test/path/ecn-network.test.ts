// ECN between two connections on the simulated network (RFC 9000 §13.4, RFC 9002 §7.1).

import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../src/base/bytes.ts'
import type { LinkConditions } from '../../src/testing/link.ts'
import type { EcnState, TraceSink } from '../../src/trace/sink.ts'
import { CLIENT, Pair, SERVER, pattern } from '../connection/pair.ts'

interface Run {
  readonly pair: Pair
  readonly states: EcnState[]
  readonly events: [time: number, trigger: string][]
  /** Codepoints of the client's datagrams. */
  readonly marks: number[]
}

/** A sink that keeps what is asked of it here and nothing else. */
function sink(states: EcnState[], events: [number, string][]): TraceSink {
  const known: Partial<TraceSink> = {
    ecnStateUpdated: (_now, state) => void states.push(state),
    congestionStateUpdated: (now, _state, trigger) => void (trigger === '' || events.push([now, trigger])),
  }
  return new Proxy(known, { get: (target, name) => Reflect.get(target, name) ?? ((): void => undefined) }) as TraceSink
}

function upload(conditions: Partial<LinkConditions>, bytes: number, capable: readonly [client: boolean, server: boolean] = [true, true]): Run {
  const states: EcnState[] = []
  const events: [number, string][] = []
  const marks: number[] = []
  const pair = new Pair({
    conditions: { mtu: 1472, delay: 10, ...conditions },
    client: { ecnCapable: capable[0], maxProbeSize: 1472 },
    server: { ecnCapable: capable[1], maxProbeSize: 1472 },
    clientTrace: sink(states, events),
    serve: (peer, event) => {
      if (event.kind === 'stream-readable' && peer.finished.has(event.streamId)) peer.write(event.streamId, pattern(1), true)
    },
  })
  pair.network.observe((datagram) => {
    if (datagram.from === CLIENT) marks.push(datagram.ecn)
  })
  pair.establish()
  const data = pattern(bytes)
  const id = pair.client.send(data)
  pair.network.turnAll()
  pair.network.run(() => pair.client.finished.has(id), { time: 120_000 })
  expect(equalBytes(pair.server.bytesOf(id), data)).toBe(true)
  return { pair, states, events, marks }
}

describe('marking (RFC 9000 §13.4.2)', () => {
  it('a path that carries marks is found capable and marked from then on', () => {
    const { states, marks } = upload({}, 200_000)
    expect(states).toEqual(['capable'])
    expect(marks.slice(-20).every((mark) => mark === 2)).toBe(true)
    expect(marks).not.toContain(1)
    expect(marks).not.toContain(3)
  })

  it('begins after the handshake, and MTU probes go without', () => {
    const { pair, marks } = upload({}, 1000)
    const first = marks.indexOf(2)
    expect(first).toBeGreaterThan(1)
    expect(marks.slice(0, first).every((mark) => mark === 0)).toBe(true)
    expect(pair.client.connection.stats().mtuProbesSent).toBe(1)
  })

  it('does not happen where the socket cannot mark; the peer\'s marks are counted all the same (§13.4.1)', () => {
    const { states, marks, pair } = upload({}, 100_000, [false, true])
    expect(marks.every((mark) => mark === 0)).toBe(true)
    expect(states).toEqual([])
    let fromServer = 0
    pair.network.observe((datagram) => {
      if (datagram.from === SERVER && datagram.ecn === 2) fromServer += 1
    })
    const id = pair.server.connection.openStream(false)
    pair.server.write(id, pattern(100_000), true)
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
    expect(fromServer).toBeGreaterThan(50)
  })
})

describe('validation (RFC 9000 §13.4.2.1, §13.4.2.2)', () => {
  it('a path that clears the field fails, and is not marked any more', () => {
    const { states, marks, events } = upload({ ecnBleach: true }, 200_000)
    expect(states).toEqual(['failed'])
    expect(marks.filter((mark) => mark === 2).length).toBeLessThanOrEqual(10)
    expect(events).toEqual([])
  })

  it('a path that begins to clear the field in the middle fails then', () => {
    const states: EcnState[] = []
    const pair = new Pair({ conditions: { delay: 10 }, client: { ecnCapable: true }, clientTrace: sink(states, []) }).establish()
    for (const bleach of [false, true]) {
      pair.network.between('client', 'server', { ecnBleach: bleach })
      const id = pair.client.send(pattern(100_000))
      pair.network.turnAll()
      pair.network.run(() => pair.client.finished.has(id))
    }
    expect(states).toEqual(['capable', 'failed'])
  })

  it('a path that marks everything CE fails', () => {
    const { states, marks } = upload({ ecnMark: 1 }, 200_000)
    expect(states).toEqual(['failed'])
    expect(marks.filter((mark) => mark === 2).length).toBeLessThanOrEqual(10)
  })

  it('a path that drops what is marked fails, and the transfer goes on unmarked', () => {
    const states: EcnState[] = []
    const pair = new Pair({ conditions: { delay: 10 }, client: { ecnCapable: true }, clientTrace: sink(states, []) })
    let marked = 0
    // The filter does not see the codepoint; the observer, which does, is told after it.
    const dropMarked = pair.network.link('client', 'server')
    const offer = dropMarked.offer.bind(dropMarked)
    dropMarked.offer = (size, ecn, now) => {
      if (ecn === 0) return offer(size, ecn, now)
      marked += 1
      const verdict = offer(size, ecn, now)
      verdict.dropped = 'loss'
      return verdict
    }
    pair.establish()
    const data = pattern(50_000)
    const id = pair.client.send(data)
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
    expect(equalBytes(pair.client.bytesOf(id), data)).toBe(true)
    expect(states).toEqual(['failed'])
    expect(marked).toBe(10)
  })

  it('random loss and reordering are no failure', () => {
    for (const conditions of [{ loss: 0.05 }, { reorder: 0.2, reorderDelay: 15 }, { duplicate: 0.2 }, { jitter: 10 }]) {
      expect(upload(conditions, 200_000).states).toEqual(['capable'])
    }
  })

  it('a new path is validated on its own', () => {
    const states: EcnState[] = []
    const pair = new Pair({ conditions: { delay: 10 }, server: { ecnCapable: true }, serverTrace: sink(states, []) }).establish()
    const download = (): void => {
      const id = pair.client.send(pattern(100_000))
      pair.network.turnAll()
      pair.network.run(() => pair.client.finished.has(id))
    }
    download()
    expect(states).toEqual(['capable'])
    pair.network.rebind('client', '10.9.9.9:7777')
    download()
    expect(states).toEqual(['capable', 'capable'])
  })
})

describe('CE as a sign of congestion (RFC 9002 §7.1, §7.3.2)', () => {
  it('a queue that marks instead of dropping keeps the transfer without loss', () => {
    const { pair, events } = upload({ bandwidth: 10_000_000, queue: 200, ecnMarkAbove: 30 }, 2_000_000)
    expect(events.length).toBeGreaterThan(0)
    expect(events.every(([, trigger]) => trigger === 'ecn')).toBe(true)
    expect(pair.client.connection.stats().packetsLost).toBe(0)
    expect(pair.network.link('client', 'server').counters.longestQueue).toBeLessThan(200)
  })

  it('reduces the window once per round trip, however many marks there are', () => {
    const windows: [time: number, window: number][] = []
    const trace = sink([], [])
    const pair: Pair = new Pair({
      conditions: { delay: 20, ecnMark: 0.3 },
      client: { ecnCapable: true, mtuDiscovery: false },
      clientTrace: new Proxy(trace, {
        get: (target, name) =>
          name !== 'congestionStateUpdated'
            ? Reflect.get(target, name)
            : (now: number, _state: string, trigger: string): void => {
                if (trigger === 'ecn') windows.push([now, pair.client.connection.pathStats().congestionWindow])
              },
      }),
    }).establish()
    const id = pair.client.send(pattern(500_000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id), { time: 300_000 })
    const reductions = windows.filter(([, window], i) => i === 0 || window < windows[i - 1]![1])
    expect(reductions.length).toBeGreaterThan(2)
    expect(windows.length).toBeGreaterThan(reductions.length)
    for (let i = 1; i < reductions.length; i += 1) expect(reductions[i]![0] - reductions[i - 1]![0]).toBeGreaterThanOrEqual(40)
  })

  it('is answered by the peer at once: a CE mark is acknowledged without delay (RFC 9000 §13.2.1)', () => {
    const pair = new Pair({ conditions: { delay: 10 }, client: { ecnCapable: true, mtuDiscovery: false } }).establish()
    const large = pair.client.send(pattern(100_000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(large))
    pair.settle()
    pair.network.between('client', 'server', { ecnMark: 1 })
    pair.client.send(pattern(10), false)
    const start = pair.network.now
    const acks = pair.client.connection.stats().acksReceived
    pair.network.turnAll()
    pair.network.run(() => pair.client.connection.stats().acksReceived > acks)
    expect(pair.network.now - start).toBe(20)
  })
})
