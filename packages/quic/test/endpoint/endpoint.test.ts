// Many connections behind one address: accepting, routing, forgetting (RFC 9000 §5.2, §7.2, §14.1).

import { describe, expect, it } from 'vitest'
import { ConnectionRouter } from '../../src/endpoint/connection-router.ts'
import { Endpoint } from '../../src/endpoint/endpoint.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { CLIENT, Pair, SERVER, pattern } from '../connection/pair.ts'

/** The first datagram of a client. */
function firstFlight(seed: number = 1): Uint8Array {
  const pair = new Pair({ seed })
  let first: Uint8Array | null = null
  pair.network.setFilter((bytes, from) => {
    if (from === CLIENT) first ??= bytes.slice()
    return null
  })
  pair.network.turnAll()
  return first!
}

describe('accepting (RFC 9000 §5.2.2)', () => {
  const path = { local: SERVER, remote: CLIENT }

  it('one connection per first Initial, however often it comes', () => {
    const { endpoint } = new Pair()
    const first = firstFlight()
    for (let i = 0; i < 5; i += 1) endpoint.receive(first.slice(), path, 0)
    expect(endpoint.pollIncoming()).not.toBeNull()
    expect(endpoint.pollIncoming()).toBeNull()
    expect(endpoint.size).toBe(1)
  })

  it('nothing below 1200 bytes, and no damaged one, starts a connection (§14.1)', () => {
    const { endpoint } = new Pair()
    const first = firstFlight()
    expect(endpoint.receive(first.slice(0, 1199), path, 0)).toBeNull()
    const damaged = first.slice()
    damaged[600]! ^= 1
    expect(endpoint.receive(damaged, path, 0)).toBeNull()
    expect(endpoint.size).toBe(0)
  })

  it('a first destination connection ID of less than 8 bytes starts none (§7.2)', () => {
    const { endpoint } = new Pair()
    const first = firstFlight()
    const shorter = new Uint8Array(1200)
    shorter.set(first.subarray(0, 5))
    shorter[5] = 7
    shorter.set(first.subarray(6, 13), 6)
    shorter.set(first.subarray(14), 13)
    expect(endpoint.receive(shorter, path, 0)).toBeNull()
  })

  it('no more once it stopped accepting; what it has goes on', () => {
    const pair = new Pair().establish()
    pair.endpoint.stopAccepting()
    expect(pair.endpoint.receive(firstFlight(9), path, pair.network.now)).toBeNull()
    const id = pair.client.send(pattern(1000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
  })

  it('a client endpoint accepts nothing and answers nothing', () => {
    const endpoint = new Endpoint({ random: new SeededRandom(1), connectionIdLength: 8 })
    const unknownVersion = firstFlight()
    unknownVersion[4] = 9
    for (const datagram of [firstFlight(), unknownVersion, pattern(100)]) expect(endpoint.receive(datagram, path, 0)).toBeNull()
    expect(endpoint.transmitStateless({ buffer: new Uint8Array(1500), length: 0, path: null, ecn: 0 })).toBe(false)
  })

  it('many clients at once, each with its own data', () => {
    const pair = new Pair({ conditions: { loss: 0.02 } })
    const clients = Array.from({ length: 30 }, (_, i) => pair.connect(`client ${i}`, `10.1.0.${i}:1`, 100 + i))
    pair.network.run(() => clients.every((peer) => peer.connection.isConfirmed()))
    const ids = clients.map((peer, i) => peer.send(pattern(5000, i)))
    pair.network.turnAll()
    pair.network.run(() => clients.every((peer, i) => peer.finished.has(ids[i]!)))
    for (const [i, peer] of clients.entries()) expect(peer.bytesOf(ids[i]!)).toEqual(pattern(5000, i))
  })

  it('forgets every connection ID of one that ended', () => {
    const pair = new Pair().establish().settle()
    const ids = [...pair.server.connection.sourceConnectionIds(), pair.client.connection.originalDestinationConnectionId]
    pair.client.connection.close(0, '', pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(10_000)
    expect(pair.endpoint.size).toBe(0)
    for (const id of ids) {
      const datagram = new Uint8Array(60)
      datagram[0] = 0x40
      datagram.set(id, 1)
      expect(pair.endpoint.receive(datagram, path, pair.network.now)).toBeNull()
    }
  })
})

describe('ConnectionRouter', () => {
  it('leads each ID to one connection, until it is removed or the connection forgotten', () => {
    const router = new ConnectionRouter<string>()
    const id = (n: number): Uint8Array => Uint8Array.of(n, 0xff, 0)
    router.add(id(1), 'a')
    router.add(id(2), 'a')
    router.add(id(3), 'b')
    expect(router.find(Uint8Array.of(9, 2, 0xff, 0), 1, 3)).toBe('a')
    expect(router.find(id(4), 0, 3)).toBeNull()
    expect(router.size).toBe(2)
    router.remove(id(3), 'a')
    expect(router.has(id(3))).toBe(true)
    router.remove(id(2), 'a')
    expect(router.has(id(2))).toBe(false)
    router.forget('a')
    router.forget('a')
    expect(router.has(id(1))).toBe(false)
    expect([...router.connections()]).toEqual(['b'])
  })

  it('an ID that changed hands is not lost when its former owner goes', () => {
    const router = new ConnectionRouter<string>()
    const id = Uint8Array.of(1, 2, 3)
    router.add(id, 'a')
    router.add(id, 'b')
    router.forget('a')
    expect(router.find(id, 0, 3)).toBe('b')
  })
})
