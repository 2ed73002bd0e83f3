// DATAGRAM frames (RFC 9221).

import { describe, expect, it } from 'vitest'
import { TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from './attacker.ts'
import * as frames from './frames.ts'
import { CLIENT, Pair, pattern } from './pair.ts'
import type { Peer } from './pair.ts'

function drain(peer: Peer): Uint8Array[] {
  const all: Uint8Array[] = []
  for (let data = peer.connection.datagramReceive(); data !== null; data = peer.connection.datagramReceive()) all.push(data)
  return all
}

describe('datagrams (RFC 9221)', () => {
  it('go both ways, whole and in order on a quiet network', () => {
    const pair = new Pair().establish()
    for (let i = 0; i < 20; i += 1) {
      expect(pair.client.connection.datagramSend(pattern(i * 50, i))).toBe(true)
      expect(pair.server.connection.datagramSend(pattern(i * 40, i))).toBe(true)
    }
    pair.network.turnAll()
    pair.network.runFor(200)
    expect(drain(pair.server).map((data) => data.length)).toEqual(Array.from({ length: 20 }, (_, i) => i * 50))
    expect(drain(pair.client)).toEqual(Array.from({ length: 20 }, (_, i) => pattern(i * 40, i)))
    expect(pair.server.has('datagram')).toBe(true)
  })

  it('report their outcome to who gave a tag, and to nobody else (§5.2)', () => {
    const pair = new Pair().establish().settle()
    const { connection, events } = pair.client
    const told = (): unknown[] => events.filter((event) => event.kind === 'datagram-acknowledged' || event.kind === 'datagram-lost')
    connection.datagramSend(pattern(100), 5)
    connection.datagramSend(pattern(100))
    pair.network.turnAll()
    pair.network.runFor(200)
    expect(told()).toEqual([{ kind: 'datagram-acknowledged', tag: 5 }])
    pair.network.setFilter((bytes, from) => (from === CLIENT ? null : bytes))
    connection.datagramSend(pattern(100), 6)
    pair.network.turnAll()
    // A probe timeout is no proof of loss: it takes an acknowledgement of what came after.
    pair.network.runFor(300)
    expect(told()).toHaveLength(1)
    pair.network.setFilter(null)
    connection.datagramSend(pattern(100), 7)
    pair.network.turnAll()
    pair.network.runFor(5000)
    expect(told().slice(1)).toEqual(expect.arrayContaining([{ kind: 'datagram-lost', tag: 6 }, { kind: 'datagram-acknowledged', tag: 7 }]))
    expect(told()).toHaveLength(3)
  })

  it('every tagged one has exactly one outcome over a bad network, and those that arrived are not all called lost', () => {
    const pair = new Pair({ seed: 3, conditions: { loss: 0.2, reorder: 0.3, reorderDelay: 60 } }).establish()
    const { connection, events } = pair.client
    for (let tag = 0; tag < 300; tag += 1) {
      expect(connection.datagramSend(pattern(200, tag), tag)).toBe(true)
      pair.network.turnAll()
      pair.network.runFor(5)
    }
    pair.network.runFor(10_000)
    const tags = events.flatMap((event) => (event.kind === 'datagram-acknowledged' || event.kind === 'datagram-lost' ? [event.tag] : []))
    expect(tags.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, tag) => tag))
    expect(events.filter((event) => event.kind === 'datagram-acknowledged').length).toBeGreaterThan(150)
    expect(events.filter((event) => event.kind === 'datagram-lost').length).toBeGreaterThan(20)
  })

  it('a full send queue refuses, or drops the oldest when told so', () => {
    for (const dropOldestDatagrams of [false, true]) {
      const pair = new Pair({ client: { dropOldestDatagrams } }).establish().settle()
      const { connection } = pair.client
      const taken = Array.from({ length: 600 }, (_, i) => connection.datagramSend(Uint8Array.of(i & 255, i >> 8)))
      expect(taken.filter(Boolean)).toHaveLength(dropOldestDatagrams ? 600 : 512)
      pair.network.turnAll()
      pair.network.runFor(500)
      const numbers = drain(pair.server).map((data) => data[0]! + data[1]! * 256)
      expect([numbers[0], numbers.at(-1)]).toEqual(dropOldestDatagrams ? [88, 599] : [0, 511])
    }
  })

  it('are never sent again when lost (§5)', () => {
    const pair = new Pair().establish().settle()
    pair.network.setFilter(() => null)
    pair.client.connection.datagramSend(pattern(100))
    pair.network.turnAll()
    pair.network.setFilter(null)
    pair.network.runFor(10_000)
    expect(drain(pair.server)).toEqual([])
    expect(pair.client.connection.isEstablished()).toBe(true)
  })

  it('the size offered is the size taken, and it fits the packets of the path (§5)', () => {
    const pair = new Pair({ client: { mtuDiscovery: false } }).establish().settle()
    const size = pair.client.connection.datagramMaxSize()
    expect(size).toBeGreaterThan(1100)
    expect(size).toBeLessThan(1200)
    expect(pair.client.connection.datagramSend(pattern(size + 1))).toBe(false)
    expect(pair.client.connection.datagramSend(pattern(size))).toBe(true)
    pair.network.turnAll()
    pair.network.runFor(100)
    expect(drain(pair.server)).toEqual([pattern(size)])
  })

  it('a large one does not stand in the way of streams', () => {
    const pair = new Pair().establish().settle()
    pair.client.connection.datagramSend(pattern(5000))
    pair.client.connection.datagramSend(pattern(pair.client.connection.datagramMaxSize()))
    const id = pair.client.send(pattern(50_000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id), { time: 5000 })
  })

  it('follow the datagram size of the path and the peer\'s max_udp_payload_size (RFC 9000 §18.2)', () => {
    const pair = new Pair({ client: { datagramSize: 1400 }, server: { datagramSize: 1400, maxUdpPayloadSize: 1300 } }).establish().settle()
    const sizes = new Set<number>()
    pair.network.observe((datagram) => sizes.add(datagram.bytes.length))
    expect(pair.client.connection.datagramMaxSize()).toBeLessThan(1300)
    expect(pair.server.connection.datagramMaxSize()).toBeGreaterThan(1300)
    pair.client.connection.datagramSend(pattern(pair.client.connection.datagramMaxSize()))
    pair.network.turnAll()
    pair.network.runFor(100)
    expect(drain(pair.server)).toHaveLength(1)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1300)
  })

  it('are refused when the peer does not announce them (§3)', () => {
    const pair = new Pair({ server: { maxDatagramFrameSize: 0 } }).establish()
    expect(pair.client.connection.datagramMaxSize()).toBe(0)
    expect(pair.client.connection.datagramSend(pattern(1))).toBe(false)
    expect(pair.server.connection.datagramMaxSize()).toBeGreaterThan(0)
  })

  it('keep to the peer\'s max_datagram_frame_size (§3)', () => {
    const pair = new Pair({ server: { maxDatagramFrameSize: 100 } }).establish()
    const size = pair.client.connection.datagramMaxSize()
    expect(size).toBeLessThan(100)
    expect(pair.client.connection.datagramSend(pattern(100))).toBe(false)
    expect(pair.client.connection.datagramSend(pattern(size))).toBe(true)
    pair.network.turnAll()
    pair.network.runFor(100)
    expect(drain(pair.server)).toHaveLength(1)
  })

  for (const [limit, size] of [
    [0, 1],
    [50, 60],
  ] as const) {
    it(`one of ${size} bytes beyond an announced ${limit} is PROTOCOL_VIOLATION (§3)`, () => {
      const attacker = new Attacker('client', { server: { maxDatagramFrameSize: limit } }).establish()
      attacker.say(frames.datagram(pattern(size)))
      expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', code: TransportErrorCode.protocolViolation })
    })
  }

  it('nobody reads: the oldest go, memory stays bounded', () => {
    const attacker = new Attacker('client').establish()
    for (let i = 0; i < 1500; i += 1) attacker.deliver(attacker.seal(5, frames.datagram(pattern(1000, i))), undefined, 0)
    attacker.pair.network.runFor(100)
    const kept = drain(attacker.pair.server)
    expect(kept.length).toBeGreaterThan(100)
    expect(kept.length).toBeLessThanOrEqual(1100)
    expect(kept.at(-1)).toEqual(pattern(1000, 1499))
  })

  it('nobody sends: a full queue refuses', () => {
    const pair = new Pair().establish().settle()
    let taken = 0
    while (taken < 5000 && pair.client.connection.datagramSend(pattern(1000))) taken += 1
    expect(taken).toBeGreaterThan(100)
    expect(taken).toBeLessThan(5000)
  })
})
