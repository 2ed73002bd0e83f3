// The server's preferred address (RFC 9000 §9.6): announced, validated, moved to, and what happens when it cannot be reached.

import { describe, expect, it } from 'vitest'
import { equalBytes, toHex } from '../../src/base/bytes.ts'
import type { Connection } from '../../src/connection/connection.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import { Endpoint } from '../../src/endpoint/endpoint.ts'
import { EndpointNode } from '../../src/testing/endpoint-node.ts'
import type { LinkConditions } from '../../src/testing/link.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { FrameType, PacketType } from '../../src/wire/constants.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { Attacker } from './attacker.ts'
import * as frames from './frames.ts'
import { CLIENT, Pair, SERVER, UNIX_TIME, certificate, pattern } from './pair.ts'
import type { PairOptions } from './pair.ts'

const PREFERRED = '10.0.0.3:8443'
const PREFERRED_V6 = '[2001:db8::3]:8443'
const OTHER_HOST = '192.168.7.7:5000'
const MOVED = '10.0.0.1:7000'
const STRANGER = '10.66.0.1:1'

function options(given: PairOptions = {}): PairOptions {
  return {
    serverAddresses: [PREFERRED],
    clientAddresses: [OTHER_HOST],
    ...given,
    serverConfig: { preferredAddress: { ipv4: PREFERRED, ipv6: PREFERRED_V6 }, ...given.serverConfig },
  }
}

function remotes(events: readonly ConnectionEvent[]): string[] {
  return events.flatMap((event) => ('local' in event ? [`${event.kind} ${event.remote}`] : []))
}

/** Both directions between the preferred address and one of the client. */
function route(pair: Pair, conditions: Partial<LinkConditions>, local: string = CLIENT): void {
  pair.network.route(local, PREFERRED, conditions)
  pair.network.route(PREFERRED, local, conditions)
}

describe('a preferred address (RFC 9000 §9.6)', () => {
  for (let seed = 1; seed <= 3; seed += 1) {
    it(`is moved to once the handshake is confirmed, in the middle of transfers both ways (seed ${seed})`, () => {
      const pair = new Pair(options({ seed, conditions: { loss: seed > 1 ? 0.03 : 0 } })).establish()
      const data = pattern(300_000, seed)
      const up = pair.client.send(data, true, false)
      const down = pair.server.send(data, true, false)
      pair.network.turnAll()
      pair.network.run(() => pair.server.finished.has(up) && pair.client.finished.has(down), { time: 60_000 })
      expect(equalBytes(pair.server.bytesOf(up), data)).toBe(true)
      expect(equalBytes(pair.client.bytesOf(down), data)).toBe(true)
      pair.network.runFor(2000)
      expect(pair.client.connection.remoteAddress()).toBe(PREFERRED)
      expect(pair.server.connection.localAddress()).toBe(PREFERRED)
      expect(remotes(pair.client.events)).toEqual([`path-probing ${PREFERRED}`, `path-validated ${PREFERRED}`, `path-changed ${PREFERRED}`])
      for (const { connection } of [pair.client, pair.server]) expect(connection.allPathStats()).toHaveLength(1)
    })
  }

  it('is announced with connection ID 1 and its reset token, which is routed from the start (§5.1.1, §18.2)', () => {
    const pair = new Pair(options({ clientConfig: { preferredAddress: 'ignore' } })).establish().settle()
    const preferred = pair.client.connection.peerTransportParameters()!.preferredAddress!
    expect(preferred).toMatchObject({ ipv4Address: Uint8Array.of(10, 0, 0, 3), ipv4Port: 8443, ipv6Port: 8443 })
    const ids = pair.server.connection.sourceConnectionIds()
    expect(toHex(ids[1]!)).toBe(toHex(preferred.connectionId))
    expect(ids).toHaveLength(4)
    const attacker = new Attacker('client', options({ serve: () => {}, clientConfig: { preferredAddress: 'ignore' } })).establish()
    attacker.say(frames.stream(2, 0, pattern(3)), { destination: attacker.victim.sourceConnectionIds()[1]! })
    expect(attacker.pair.server.bytesOf(2)).toHaveLength(3)
  })

  it('is sent to with connection IDs of its own (§9.5)', () => {
    const pair = new Pair(options())
    const seen = new Map<string, Set<string>>()
    pair.network.observe(({ bytes, from, to }) => {
      if ((bytes[0]! & 0x80) === 0) seen.set(`${from} > ${to}`, (seen.get(`${from} > ${to}`) ?? new Set()).add(toHex(bytes.subarray(1, 9))))
    })
    pair.establish()
    const preferred = pair.client.connection.peerTransportParameters()!.preferredAddress!
    pair.client.send(pattern(50_000))
    pair.network.turnAll()
    pair.network.runFor(3000)
    expect([...seen.get(`${CLIENT} > ${PREFERRED}`)!]).toEqual([toHex(preferred.connectionId)])
    const [before, after] = [SERVER, PREFERRED].map((local) => [...seen.get(`${local} > ${CLIENT}`)!])
    expect([before!.length, after!.length]).toEqual([1, 1])
    expect(before).not.toEqual(after)
  })

  it('is not moved to when it does not answer: the original address stays, for good (§9.6.1)', () => {
    const pair = new Pair(options())
    route(pair, { loss: 1 })
    pair.establish()
    const id = pair.client.send(pattern(200_000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
    pair.network.runFor(6000)
    expect(remotes(pair.client.events)).toEqual([`path-probing ${PREFERRED}`, `path-validation-failed ${PREFERRED}`])
    expect(pair.client.connection.remoteAddress()).toBe(SERVER)
    expect(pair.server.connection.localAddress()).toBe(SERVER)
  })

  it('is ignored on request; migrate() may go there all the same', () => {
    const pair = new Pair(options({ clientConfig: { preferredAddress: 'ignore' } })).establish().settle()
    expect(remotes(pair.client.events)).toEqual([])
    pair.client.connection.migrate(pair.network.path(CLIENT, PREFERRED), pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(500)
    expect(pair.client.connection.remoteAddress()).toBe(PREFERRED)
    expect(pair.server.connection.localAddress()).toBe(PREFERRED)
  })

  it('of the other family alone is left alone (§9.6.3)', () => {
    const pair = new Pair(options({ serverConfig: { preferredAddress: { ipv6: PREFERRED_V6 } } })).establish().settle()
    expect(remotes(pair.client.events)).toEqual([])
    expect(pair.client.connection.remoteAddress()).toBe(SERVER)
  })

  it('may be gone to although active migration is disabled, and from there anywhere (§9, §18.2)', () => {
    const pair = new Pair(options({ server: { disableActiveMigration: true } })).establish().settle()
    expect(pair.client.connection.remoteAddress()).toBe(PREFERRED)
    pair.client.connection.migrate(pair.network.path(OTHER_HOST, PREFERRED), pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(1000)
    expect(pair.client.connection.localAddress()).toBe(OTHER_HOST)
    expect(pair.server.connection.remoteAddress()).toBe(OTHER_HOST)
  })

  it('reaches a client without connection IDs, which is known by the server addresses it talks to (§5.2)', () => {
    const pair = new Pair(options())
    const random = new SeededRandom(4)
    const endpoint = new Endpoint({ random, connectionIdLength: 0 })
    const config = {
      provider,
      random,
      connectionIds: { length: 0, generate: () => new Uint8Array(0) },
      tls: {
        alpn: ['test'],
        serverName: 'test.example',
        verify: { mode: 'chain', roots: [certificate.certificate], unixTimeMs: UNIX_TIME } as const,
      },
    }
    const address = '10.0.0.50:5'
    const node = new EndpointNode<ConnectionEvent, Connection>(endpoint)
    const connection = node.adopt(endpoint.connect(config, pair.network.path(address, SERVER), pair.network.now))
    pair.network.add('without', node, address)
    pair.network.run(() => connection.isConfirmed())
    pair.network.runFor(1000)
    expect(connection.remoteAddress()).toBe(PREFERRED)
  })

  it('behind a NAT that gives the client another address towards it is validated by both (§9.6.3)', () => {
    const pair = new Pair(options())
    pair.network.setFilter((bytes, from, to) => {
      if (from === CLIENT && to === PREFERRED) pair.network.inject(bytes, MOVED, PREFERRED, 10)
      else if (from === PREFERRED && to === MOVED) pair.network.inject(bytes, PREFERRED, CLIENT, 10)
      else return bytes
      return null
    })
    pair.establish()
    const id = pair.client.send(pattern(50_000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
    pair.network.runFor(1000)
    expect([pair.server.connection.localAddress(), pair.server.connection.remoteAddress()]).toEqual([PREFERRED, MOVED])
    expect(pair.server.connection.pathStats().validated).toBe(true)
  })

  it('cannot be that of a server without connection IDs, nor be no address', () => {
    const bad = (preferredAddress: { ipv4?: string; ipv6?: string }): (() => unknown) => {
      return () => new Pair(options({ serverConfig: { preferredAddress } })).establish()
    }
    expect(bad({})).toThrow(/preferredAddress/)
    expect(bad({ ipv4: '10.0.0.3' })).toThrow(/preferredAddress/)
    expect(bad({ ipv4: PREFERRED_V6 })).toThrow(/preferredAddress/)
    expect(bad({ ipv6: '[::1]:70000' })).toThrow(/preferredAddress/)
    const empty = { length: 0, generate: () => new Uint8Array(0) }
    expect(() => new Pair(options({ serverConfig: { connectionIds: empty, preferredAddress: { ipv4: PREFERRED } } })).establish()).toThrow(/empty/)
  })
})

describe('a client that migrates as well (RFC 9000 §9.6.3)', () => {
  it('validates both server addresses from its new one, and takes the preferred', () => {
    const pair = new Pair(options())
    route(pair, { delay: 400 })
    pair.establish()
    pair.client.connection.migrate(pair.network.path(OTHER_HOST, SERVER), pair.network.now)
    pair.network.turnAll()
    const probed = pair.client.connection.allPathStats().map(({ local, remote }) => `${local} > ${remote}`)
    expect(probed).toContain(`${OTHER_HOST} > ${PREFERRED}`)
    expect(probed).toContain(`${OTHER_HOST} > ${SERVER}`)
    pair.network.runFor(5000)
    expect([pair.client.connection.localAddress(), pair.client.connection.remoteAddress()]).toEqual([OTHER_HOST, PREFERRED])
    expect([pair.server.connection.remoteAddress(), pair.server.connection.localAddress()]).toEqual([OTHER_HOST, PREFERRED])
  })

  it('goes on with the original address when the preferred one is dead', () => {
    const pair = new Pair(options())
    route(pair, { loss: 1 })
    route(pair, { loss: 1 }, OTHER_HOST)
    pair.establish()
    pair.client.connection.migrate(pair.network.path(OTHER_HOST, SERVER), pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(6000)
    expect([pair.client.connection.localAddress(), pair.client.connection.remoteAddress()]).toEqual([OTHER_HOST, SERVER])
    const id = pair.client.send(pattern(20_000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
  })
})

describe('a server at its preferred address (RFC 9000 §9.6.2)', () => {
  /** Delivers an authentic packet of the client at the preferred address. */
  function deliverThere(attacker: Attacker, payload: Uint8Array, wait: number = 30, from: string = CLIENT): void {
    const destination = attacker.victim.sourceConnectionIds()[1]!
    attacker.pair.network.inject(attacker.seal(PacketType.oneRtt, payload, { size: 1200, destination }), from, PREFERRED)
    attacker.pair.network.runFor(wait)
  }

  function establish(): Attacker {
    return new Attacker('client', options({ clientConfig: { preferredAddress: 'ignore' } })).establish()
  }

  /** Moves the server: a non-probing packet, and the answer to its challenge. */
  function move(attacker: Attacker): void {
    deliverThere(attacker, frames.PING)
    deliverThere(attacker, frames.pathResponse(attacker.framesOf(FrameType.pathChallenge).at(-1)!.data!))
    expect(attacker.victim.localAddress()).toBe(PREFERRED)
  }

  it('answers probes there, and sends nothing else from there before a non-probing packet came and the path is validated', () => {
    const attacker = establish()
    attacker.pair.server.send(pattern(20_000), true, false)
    deliverThere(attacker, frames.pathChallenge(new Uint8Array(8).fill(5)))
    deliverThere(attacker, frames.PING)
    expect(attacker.victim.localAddress()).toBe(SERVER)
    const probing = attacker.opened.filter((packet) => packet.from === PREFERRED).flatMap((packet) => packet.frames.map((frame) => frame.type))
    expect(new Set(probing)).toEqual(new Set([FrameType.pathResponse, FrameType.pathChallenge, FrameType.padding]))
    move(attacker)
    const before = attacker.opened.length
    attacker.pair.network.runFor(3000)
    const after = attacker.opened.slice(before)
    expect(after.some((packet) => packet.from === PREFERRED)).toBe(true)
    const left = after.filter((packet) => packet.from === SERVER).flatMap((packet) => packet.frames.map((frame) => frame.type))
    expect(left.filter((type) => type !== FrameType.pathChallenge && type !== FrameType.padding)).toEqual([])
  })

  it('never moves for an address that does not answer its challenge', () => {
    const attacker = establish()
    attacker.pair.server.send(pattern(100_000), true, false)
    deliverThere(attacker, frames.PING, 10_000, STRANGER)
    expect(attacker.victim.localAddress()).toBe(SERVER)
    const sent = attacker.opened.filter((packet) => packet.to === STRANGER)
    expect(sent.length).toBeGreaterThan(0)
    expect(sent.reduce((sum, packet) => sum + packet.size, 0)).toBeLessThanOrEqual(3 * 1200)
  })

  it('drops newer packets to the old address, and still takes delayed ones', () => {
    const attacker = establish()
    const { connection } = attacker.pair.server
    move(attacker)
    attacker.say(frames.stream(2, 0, pattern(1)), { packetNumber: 999 })
    expect(attacker.pair.server.bytesOf(2)).toHaveLength(1)
    const dropped = connection.stats().packetsDropped
    attacker.say(frames.stream(2, 1, pattern(1)), { packetNumber: 5000 })
    expect(attacker.pair.server.bytesOf(2)).toHaveLength(1)
    expect(connection.stats().packetsDropped).toBe(dropped + 1)
    expect([connection.localAddress(), connection.closeReason()]).toEqual([PREFERRED, null])
  })
})
