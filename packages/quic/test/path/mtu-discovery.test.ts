// DPLPMTUD between two connections on the simulated network (RFC 9000 §14.3, RFC 8899).

import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../src/base/bytes.ts'
import type { LinkConditions } from '../../src/testing/link.ts'
import type { TransportSettings } from '../../src/connection/config.ts'
import { CLIENT, Pair, pattern } from '../connection/pair.ts'

const ROOM = 1200

interface Run {
  readonly pair: Pair
  /** Of the client's datagrams. */
  readonly sizes: number[]
  readonly id: number
}

function pairOf(conditions: Partial<LinkConditions>, settings: Partial<TransportSettings> = {}, seed: number = 1): Pair {
  return new Pair({ seed, conditions, client: settings, server: settings })
}

/** Uploads `bytes`, which the server sends back, and checks that they arrived unchanged. */
function transfer(pair: Pair, bytes: number, time: number = 120_000): Run {
  const sizes: number[] = []
  pair.network.observe((datagram) => {
    if (datagram.from === CLIENT) sizes.push(datagram.bytes.length)
  })
  const data = pattern(bytes)
  const id = pair.client.send(data)
  pair.network.turnAll()
  pair.network.run(() => pair.client.finished.has(id), { time })
  expect(equalBytes(pair.client.bytesOf(id), data)).toBe(true)
  return { pair, sizes, id }
}

function sizeOf(pair: Pair): readonly [client: number, server: number] {
  return [pair.client.connection.pathStats().maxDatagramSize, pair.server.connection.pathStats().maxDatagramSize]
}

describe('the datagram size (RFC 9000 §14.2)', () => {
  it('is 1200 until the handshake is confirmed, and grows without any data after it (§14.3.1)', () => {
    const pair = new Pair()
    let before = 0
    pair.network.observe((datagram) => {
      if (!pair.client.connection.isConfirmed()) before = Math.max(before, datagram.from === CLIENT ? datagram.bytes.length : 0)
    })
    pair.establish()
    expect(before).toBe(ROOM)
    pair.settle()
    expect(sizeOf(pair)).toEqual([1472, 1472])
  })

  it.each([
    [1500, 1472],
    [1472, 1472],
    [1452, 1452],
    [1400, 1392],
    [1280, 1272],
    [1200, 1200],
  ])('on a path of %i ends at %i', (mtu, found) => {
    const { pair } = transfer(pairOf({ mtu }, { maxProbeSize: 1472 }).establish(), 300_000)
    pair.network.runFor(2000)
    expect(sizeOf(pair)).toEqual([found, found])
  })

  it('on loopback grows to the largest UDP payload as the congestion window does', () => {
    const { pair, sizes } = transfer(pairOf({ mtu: 65_507, delay: 0.1 }).establish(), 4_000_000)
    expect(sizeOf(pair)).toEqual([65_507, 65_507])
    expect(sizes).toContain(65_507)
    expect(pair.client.connection.stats().packetsLost).toBe(0)
  })

  it('of 1500 is found by a sender that knows no ceiling, at the price of a few probes', () => {
    const { pair } = transfer(pairOf({ mtu: 1472, bandwidth: 50_000_000, queue: 1000 }).establish(), 2_000_000)
    expect(sizeOf(pair)).toEqual([1472, 1472])
    expect(pair.client.connection.stats().mtuProbesLost).toBeGreaterThan(0)
    expect(pair.client.connection.stats().mtuProbesLost).toBeLessThan(20)
  })

  it('may differ between the directions', () => {
    const pair = pairOf({}, { maxProbeSize: 1472 })
    pair.network.link('client', 'server', { mtu: 1332 })
    pair.network.link('server', 'client', { mtu: 1472 })
    transfer(pair.establish(), 300_000)
    pair.network.runFor(2000)
    expect(sizeOf(pair)).toEqual([1332, 1472])
  })

  it('stays within the peer\'s max_udp_payload_size (§18.2)', () => {
    const pair = new Pair({ conditions: { mtu: 65_507 }, server: { maxUdpPayloadSize: 1350 } }).establish()
    const { sizes } = transfer(pair, 500_000)
    expect(sizeOf(pair)[0]).toBe(1350)
    expect(Math.max(...sizes)).toBe(1350)
  })

  it('stays as it is with mtuDiscovery off', () => {
    const { pair, sizes } = transfer(pairOf({ mtu: 65_507 }, { mtuDiscovery: false, datagramSize: 1300 }).establish(), 500_000)
    expect(sizeOf(pair)).toEqual([1300, 1300])
    expect(Math.max(...sizes)).toBe(1300)
    expect(pair.client.connection.stats().mtuProbesSent).toBe(0)
  })

  it('is what DATAGRAM frames may fill', () => {
    const pair = new Pair({ conditions: { mtu: 1472 } }).establish()
    const early = pair.client.connection.datagramMaxSize()
    pair.settle()
    expect(pair.client.connection.datagramMaxSize()).toBe(early + 272)
  })

  it('goes up again ten minutes later, when the path has become wider (RFC 8899 §5.1.1)', () => {
    const settings = { maxProbeSize: 1472, maxIdleTimeout: 0 }
    const { pair } = transfer(pairOf({ mtu: 1300 }, settings).establish(), 100_000)
    pair.network.runFor(2000)
    expect(sizeOf(pair)).toEqual([1292, 1292])
    pair.network.between('client', 'server', { mtu: 1472 })
    pair.network.runFor(300_000)
    transfer(pair, 50_000)
    expect(sizeOf(pair)).toEqual([1292, 1292])
    pair.network.runFor(310_000)
    transfer(pair, 50_000)
    pair.network.runFor(1000)
    expect(sizeOf(pair)).toEqual([1472, 1472])
  })
})

describe('a lost MTU probe (RFC 9000 §14.4)', () => {
  it('is no sign of congestion, and is not counted among the lost packets', () => {
    // Wide enough for two probes of the search to fail, of 1472 and of 1412 bytes.
    const { pair } = transfer(pairOf({ mtu: 1400 }, { maxProbeSize: 1472 }).establish(), 300_000)
    const { connection } = pair.client
    expect(connection.stats().mtuProbesLost).toBeGreaterThanOrEqual(6)
    expect(connection.stats().packetsLost).toBe(0)
    // No loss, no congestion event: the window has only grown.
    expect(connection.pathStats().congestionWindow).toBeGreaterThan(100_000)
  })

  it('is not sent again: data goes out at the size in use meanwhile', () => {
    const { sizes } = transfer(pairOf({ mtu: 1300 }, { maxProbeSize: 1472 }).establish(), 300_000)
    const count = (size: number): number => sizes.filter((sent) => sent === size).length
    const tooLarge = new Set(sizes.filter((sent) => sent > 1300))
    expect(tooLarge.size).toBeGreaterThan(0)
    for (const size of tooLarge) expect(count(size)).toBeLessThanOrEqual(3)
  })

  it('leaves at least half of the window to data', () => {
    const pair = pairOf({ mtu: 1472 }).establish()
    const probes: [size: number, window: number][] = []
    pair.network.observe((datagram) => {
      if (datagram.from === CLIENT && datagram.dropped === 'mtu') probes.push([datagram.bytes.length, pair.client.connection.pathStats().congestionWindow])
    })
    transfer(pair, 1_000_000)
    expect(probes.length).toBeGreaterThan(0)
    for (const [size, window] of probes) expect(size * 2).toBeLessThanOrEqual(window)
  })
})

describe('a path that becomes narrower (RFC 8899 §4.3)', () => {
  it.each([1, 2, 3, 4, 5, 6])('in mid-transfer: the transfer goes on with smaller datagrams (seed %i)', (seed) => {
    const pair = pairOf({ mtu: 1472, bandwidth: 10_000_000, delay: 15 }, { maxProbeSize: 1472 }, seed).establish()
    pair.network.at(pair.network.now + 700, () => pair.network.between('client', 'server', { mtu: 1300 }))
    transfer(pair, 2_000_000, 30_000)
    pair.network.runFor(2000)
    expect(sizeOf(pair)).toEqual([1292, 1292])
  })

  it('from loopback\'s size to Ethernet\'s', () => {
    const pair = pairOf({ mtu: 65_507, delay: 1 }).establish()
    transfer(pair, 2_000_000)
    expect(sizeOf(pair)[0]).toBe(65_507)
    pair.network.between('client', 'server', { mtu: 1472 })
    transfer(pair, 2_000_000)
    pair.network.runFor(2000)
    expect(sizeOf(pair)[0]).toBe(1472)
  })

  it('is not seen in an outage, after which everything goes on as before', () => {
    const pair = pairOf({ mtu: 1472, bandwidth: 10_000_000, delay: 15 }, { maxProbeSize: 1472 }).establish()
    let smallest = Infinity
    pair.network.at(pair.network.now + 500, () => pair.network.between('client', 'server', { loss: 1 }))
    pair.network.at(pair.network.now + 5500, () => pair.network.between('client', 'server', { loss: 0 }))
    pair.network.at(pair.network.now + 400, () => {
      pair.network.observe(() => (smallest = Math.min(smallest, sizeOf(pair)[0])))
    })
    transfer(pair, 2_000_000)
    expect(smallest).toBe(1472)
  })
})

describe('random loss', () => {
  it.each([0.02, 0.05])('of %f is not taken for a small MTU', (loss) => {
    let wrong = 0
    let shrunk = 0
    for (let seed = 1; seed <= 8; seed += 1) {
      const pair = pairOf({ mtu: 1472, loss, bandwidth: 20_000_000, delay: 10 }, { maxProbeSize: 1472 }, seed).establish()
      let largest = 0
      pair.network.observe(() => {
        const [size] = sizeOf(pair)
        if (size < largest) shrunk += 1
        largest = Math.max(largest, size)
      })
      transfer(pair, 150_000)
      if (sizeOf(pair)[0] !== 1472) wrong += 1
    }
    expect(shrunk).toBe(0)
    expect(wrong).toBe(0)
  })

  it('of 30 % costs a fallback at most, never the transfer', () => {
    for (let seed = 1; seed <= 5; seed += 1) transfer(pairOf({ mtu: 1472, loss: 0.3, delay: 10 }, {}, seed).establish(), 100_000, 600_000)
  })
})

describe('a datagram the socket refuses (EMSGSIZE)', () => {
  it('ends the probing of that size at once, and the probe is not waited for', () => {
    const pair = pairOf({ mtu: 65_507, delay: 1 })
    // As a socket with macOS's default net.inet.udp.maxdgram.
    const refused = new Set<number>()
    pair.network.setFilter((bytes, from) => {
      if (from !== CLIENT || bytes.length <= 9216) return bytes
      refused.add(bytes.length)
      const { length } = bytes
      pair.network.at(pair.network.now, () => pair.client.connection.onDatagramTooLarge(length, pair.network.now))
      return null
    })
    pair.establish()
    transfer(pair, 4_000_000)
    expect(refused.size).toBeGreaterThan(0)
    expect(sizeOf(pair)[0]).toBe(8972)
    expect(pair.client.connection.stats().ptoCount).toBe(0)
    expect(pair.client.connection.stats().packetsLost).toBe(0)
  })

  it('RFC 9000 §14.2.1: is ignored when it says less than 1200 bytes, and before and after the connection', () => {
    const pair = pairOf({ mtu: 1472 })
    pair.client.connection.onDatagramTooLarge(1200, pair.network.now)
    pair.establish().settle()
    pair.client.connection.onDatagramTooLarge(1000, pair.network.now)
    expect(sizeOf(pair)[0]).toBe(1472)
    pair.client.connection.close(0, '', pair.network.now)
    pair.client.connection.onDatagramTooLarge(1472, pair.network.now)
    pair.settle()
    expect(pair.client.connection.isClosed()).toBe(true)
  })
})

describe('another path (RFC 9000 §9.4, §14.2)', () => {
  it('starts at the base size and is searched on its own', () => {
    const pair = pairOf({ mtu: 1472 }, { maxProbeSize: 1472 }).establish().settle()
    expect(sizeOf(pair)[1]).toBe(1472)
    pair.network.rebind('client', '10.9.9.9:7777')
    const sizes: number[] = []
    pair.network.observe((datagram) => {
      if (datagram.to === '10.9.9.9:7777') sizes.push(datagram.bytes.length)
    })
    const id = pair.client.send(pattern(200_000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
    expect(sizes[0]).toBeLessThanOrEqual(1200)
    expect(sizes.findIndex((size) => size > 1200)).toBeGreaterThan(0)
    expect(sizeOf(pair)[1]).toBe(1472)
  })
})
