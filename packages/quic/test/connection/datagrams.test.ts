// DATAGRAM frames (RFC 9221).

import { describe, expect, it } from 'vitest'
import { TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from './attacker.ts'
import * as frames from './frames.ts'
import { Pair, pattern } from './pair.ts'
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
