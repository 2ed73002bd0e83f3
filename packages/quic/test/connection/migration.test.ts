// A client moves to another local address (RFC 9000 §9): validation first, connection IDs of its own for every path, nothing lost.

import { describe, expect, it } from 'vitest'
import { equalBytes, toHex } from '../../src/base/bytes.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import { MigrationError } from '../../src/connection/migration-error.ts'
import type { LinkConditions } from '../../src/testing/link.ts'
import { encodeStatelessReset } from '../../src/wire/stateless-reset.ts'
import { FrameType } from '../../src/wire/constants.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { Attacker } from './attacker.ts'
import * as frames from './frames.ts'
import { CLIENT, Pair, SERVER, pattern } from './pair.ts'
import type { PairOptions } from './pair.ts'

const OTHER_PORT = '10.0.0.1:6000'
const OTHER_HOST = '192.168.7.7:5000'
const ELSEWHERE = '10.9.9.9:6000'
const RESET_KEY = new Uint8Array(32).fill(7)

function ready(options: PairOptions = {}): Pair {
  return new Pair({ clientAddresses: [OTHER_PORT, OTHER_HOST], ...options }).establish().settle()
}

function migrate(pair: Pair, local: string): void {
  pair.client.connection.migrate(pair.network.path(local, SERVER), pair.network.now)
  pair.network.turnAll()
}

/** Both directions between the server and one address of the client. */
function route(pair: Pair, local: string, conditions: Partial<LinkConditions>): void {
  pair.network.route(local, SERVER, conditions)
  pair.network.route(SERVER, local, conditions)
}

function pathEvents(events: readonly ConnectionEvent[]): string[] {
  return events.flatMap((event) => ('local' in event ? [`${event.kind} ${event.local}`] : []))
}

/** Connection IDs of 8 bytes that 1-RTT packets are sent to, by the addresses they travel between. */
function destinations(pair: Pair): Map<string, Set<string>> {
  const seen = new Map<string, Set<string>>()
  pair.network.observe(({ bytes, from, to }) => {
    if ((bytes[0]! & 0x80) !== 0) return
    const key = `${from} > ${to}`
    const ids = seen.get(key) ?? new Set()
    seen.set(key, ids.add(toHex(bytes.subarray(1, 9))))
  })
  return seen
}

function codeOf(action: () => void): string {
  try {
    action()
  } catch (error) {
    if (error instanceof MigrationError) return error.code
    throw error
  }
  return ''
}

describe('migrate() (RFC 9000 §9)', () => {
  for (const [name, local] of [
    ['another port', OTHER_PORT],
    ['another host', OTHER_HOST],
  ] as const) {
    for (let seed = 1; seed <= 3; seed += 1) {
      it(`to ${name} in the middle of transfers both ways, with loss: nothing is lost (seed ${seed})`, () => {
        const pair = ready({ seed, conditions: { loss: seed > 1 ? 0.03 : 0 } })
        const data = pattern(300_000, seed)
        const up = pair.client.send(data, true, false)
        const down = pair.server.send(data, true, false)
        pair.network.at(pair.network.now + 60, () => migrate(pair, local))
        pair.network.turnAll()
        pair.network.run(() => pair.server.finished.has(up) && pair.client.finished.has(down), { time: 60_000 })
        expect(equalBytes(pair.server.bytesOf(up), data)).toBe(true)
        expect(equalBytes(pair.client.bytesOf(down), data)).toBe(true)
        pair.network.runFor(3000)
        expect(pair.client.connection.localAddress()).toBe(local)
        expect(pair.server.connection.remoteAddress()).toBe(local)
        expect(pathEvents(pair.client.events)).toEqual([`path-probing ${local}`, `path-validated ${local}`, `path-changed ${local}`])
        expect([pair.client.connection.stats().pathChanges, pair.server.connection.stats().pathChanges]).toEqual([1, 1])
        expect([pair.client.connection.pathStats().bytesInFlight, pair.server.connection.pathStats().bytesInFlight]).toEqual([0, 0])
      })
    }
  }

  it('the new path is validated before any data goes there, in datagrams of 1200 bytes (§8.2.1, §9.2)', () => {
    const attacker = new Attacker('server', { clientAddresses: [OTHER_HOST] }).establish()
    const { pair } = attacker
    pair.client.send(pattern(50_000), true, false)
    const sizes: number[] = []
    pair.network.observe(({ bytes, from }) => void (from === OTHER_HOST && sizes.push(bytes.length)))
    migrate(pair, OTHER_HOST)
    pair.network.runFor(30)
    expect(sizes).toEqual([1200])
    // The usurped server says nothing: the challenge is repeated, ever more rarely, and then given up.
    pair.network.runFor(5000)
    expect(sizes.length).toBeGreaterThanOrEqual(2)
    expect(sizes.length).toBeLessThanOrEqual(4)
    expect(sizes.every((size) => size === 1200)).toBe(true)
    expect(pathEvents(pair.client.events).at(-1)).toBe(`path-validation-failed ${OTHER_HOST}`)
  })

  it('after validation the client says something that makes the server follow, be there data or not (§9.2)', () => {
    const attacker = new Attacker('server', { clientAddresses: [OTHER_HOST] }).establish()
    const { pair } = attacker
    migrate(pair, OTHER_HOST)
    pair.network.runFor(20)
    const sentThere = (): number[] => attacker.opened.filter(({ from }) => from === OTHER_HOST).flatMap(({ frames: sent }) => sent.map(({ type }) => type))
    expect(new Set(sentThere())).toEqual(new Set([FrameType.pathChallenge, FrameType.padding]))
    // RFC 9000 §8.2.3: the response counts, whatever path it comes on.
    attacker.say(frames.pathResponse(attacker.framesOf(FrameType.pathChallenge)[0]!.data!), {}, 5)
    expect(pair.client.connection.localAddress()).toBe(OTHER_HOST)
    expect(sentThere()).toContain(FrameType.ping)
  })

  it('every path has connection IDs of its own in both directions (§9.5), those of the old one are retired (§5.1.2)', () => {
    const pair = ready()
    const before = pair.server.connection.sourceConnectionIds().map(toHex)
    const seen = destinations(pair)
    pair.client.send(pattern(30_000))
    migrate(pair, OTHER_HOST)
    pair.network.runFor(4000)
    pair.client.send(pattern(30_000))
    migrate(pair, OTHER_PORT)
    pair.network.runFor(4000)
    const used = [CLIENT, OTHER_HOST, OTHER_PORT].flatMap((local) => [
      [...(seen.get(`${local} > ${SERVER}`) ?? [])],
      [...(seen.get(`${SERVER} > ${local}`) ?? [])],
    ])
    expect(used.map((ids) => ids.length)).toEqual([1, 1, 1, 1, 1, 1])
    expect(new Set(used.flat()).size).toBe(6)
    const after = pair.server.connection.sourceConnectionIds().map(toHex)
    expect(after).not.toContain(before[0])
    expect(after).not.toContain(before[1])
    expect(after).toHaveLength(4)
    for (const connection of [pair.client.connection, pair.server.connection]) expect(connection.allPathStats()).toHaveLength(1)
  })

  it('a path that leads nowhere changes nothing (§9.1): data goes on, one event, its connection ID is retired', () => {
    const pair = ready()
    const ids = pair.server.connection.sourceConnectionIds().map(toHex)
    pair.network.route(OTHER_HOST, SERVER, { loss: 1 })
    const data = pattern(400_000)
    const id = pair.client.send(data, true, false)
    pair.network.at(pair.network.now + 20, () => migrate(pair, OTHER_HOST))
    pair.network.turnAll()
    pair.network.run(() => pair.server.finished.has(id))
    const { congestionWindow } = pair.client.connection.pathStats()
    expect(congestionWindow).toBeGreaterThan(12_000)
    pair.network.runFor(6000)
    expect(pathEvents(pair.client.events)).toEqual([`path-probing ${OTHER_HOST}`, `path-validation-failed ${OTHER_HOST}`])
    expect(pair.client.connection.localAddress()).toBe(CLIENT)
    expect(pair.client.connection.stats().packetsLost).toBeLessThanOrEqual(4)
    expect(pair.server.connection.sourceConnectionIds().map(toHex)).not.toContain(ids[1])
  })

  it('a path on which only the way back is dead is not moved to either', () => {
    const pair = ready()
    pair.network.route(SERVER, OTHER_HOST, { loss: 1 })
    migrate(pair, OTHER_HOST)
    pair.network.runFor(10_000)
    expect(pair.client.connection.localAddress()).toBe(CLIENT)
    expect(pair.server.connection.remoteAddress()).toBe(CLIENT)
    const id = pair.client.send(pattern(10_000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
  })

  it('saves a connection whose old path is dead', () => {
    const pair = ready()
    const data = pattern(100_000)
    const id = pair.server.send(data, true, false)
    route(pair, CLIENT, { loss: 1 })
    pair.network.turnAll()
    pair.network.runFor(3000)
    migrate(pair, OTHER_HOST)
    pair.network.run(() => pair.client.finished.has(id), { time: 20_000 })
    expect(equalBytes(pair.client.bytesOf(id), data)).toBe(true)
  })

  it('the congestion window and the RTT start afresh for another host, on both sides (§9.4)', () => {
    const pair = ready({ conditions: { delay: 10 } })
    route(pair, OTHER_HOST, { delay: 100 })
    for (const peer of [pair.client, pair.server]) peer.send(pattern(500_000), true, false)
    pair.network.turnAll()
    pair.network.runFor(3000)
    const before = [pair.client, pair.server].map((peer) => peer.connection.pathStats())
    for (const stats of before) expect(stats.congestionWindow).toBeGreaterThan(50_000)
    migrate(pair, OTHER_HOST)
    pair.network.runFor(1000)
    for (const { connection } of [pair.client, pair.server]) {
      const stats = connection.pathStats()
      expect(stats.congestionWindow).toBeLessThanOrEqual(15_000)
      expect(stats.smoothedRtt).toBeGreaterThanOrEqual(190)
    }
  })

  it('keeps both for another port of the same host (§9.4)', () => {
    const pair = ready()
    pair.client.send(pattern(500_000), true, false)
    pair.network.turnAll()
    pair.network.runFor(3000)
    const before = pair.client.connection.pathStats().congestionWindow
    migrate(pair, OTHER_PORT)
    pair.network.runFor(500)
    expect(pair.client.connection.localAddress()).toBe(OTHER_PORT)
    expect(pair.client.connection.pathStats().congestionWindow).toBeGreaterThanOrEqual(before)
  })

  it('the datagram size is found anew: a narrower path works from the first byte (§14.3)', () => {
    const pair = ready({ conditions: { mtu: 1472 } })
    route(pair, OTHER_HOST, { mtu: 1300 })
    pair.network.runFor(2000)
    expect(pair.client.connection.pathStats().maxDatagramSize).toBe(1472)
    migrate(pair, OTHER_HOST)
    const data = pattern(200_000)
    const ids = [pair.client, pair.server].map((peer) => peer.send(data, true, false))
    pair.network.turnAll()
    pair.network.run(() => pair.server.finished.has(ids[0]!) && pair.client.finished.has(ids[1]!), { time: 20_000 })
    for (const { connection } of [pair.client, pair.server]) {
      expect(connection.pathStats().maxDatagramSize).toBeGreaterThanOrEqual(1200)
      expect(connection.pathStats().maxDatagramSize).toBeLessThanOrEqual(1300)
    }
  })

  it('a path too narrow for 1200 bytes is not moved to (§8.2.1, §14)', () => {
    const pair = ready()
    route(pair, OTHER_HOST, { mtu: 1100 })
    migrate(pair, OTHER_HOST)
    pair.network.runFor(10_000)
    expect(pathEvents(pair.client.events).at(-1)).toBe(`path-validation-failed ${OTHER_HOST}`)
    expect(pair.server.connection.remoteAddress()).toBe(CLIENT)
  })

  it('ECN is validated anew: a path that clears the marks fails it, one that carries them is marked again (§9.2, §13.4.2)', () => {
    const pair = ready({ client: { ecnCapable: true }, server: { ecnCapable: true } })
    route(pair, OTHER_HOST, { ecnBleach: true })
    const marks = new Map<string, number[]>()
    pair.network.observe(({ from, ecn }) => void marks.set(from, [...(marks.get(from) ?? []), ecn]))
    for (const local of [OTHER_HOST, OTHER_PORT]) {
      migrate(pair, local)
      const id = pair.client.send(pattern(100_000), true, false)
      pair.network.turnAll()
      pair.network.run(() => pair.server.finished.has(id))
      pair.network.runFor(3000)
    }
    const cleared = marks.get(OTHER_HOST)!.filter((mark) => mark === 2)
    expect(cleared.length).toBeGreaterThan(0)
    expect(cleared.length).toBeLessThanOrEqual(10)
    expect(marks.get(OTHER_PORT)!.filter((mark) => mark === 2).length).toBeGreaterThan(20)
  })

  it('without a spare connection ID it waits for one (§9.5)', () => {
    const attacker = new Attacker('server', { clientAddresses: [OTHER_HOST] }).establish()
    const { pair } = attacker
    // One that replaces all others, and is in use from then on.
    attacker.say(frames.newConnectionId(9, 9, new Uint8Array(8).fill(9), new Uint8Array(16).fill(9)))
    const sent: Uint8Array[] = []
    pair.network.observe(({ bytes, from }) => void (from === OTHER_HOST && sent.push(bytes.slice())))
    migrate(pair, OTHER_HOST)
    pair.network.runFor(500)
    expect(sent).toEqual([])
    attacker.say(frames.newConnectionId(10, 9, new Uint8Array(8).fill(10), new Uint8Array(16).fill(10)))
    expect(sent.map((bytes) => bytes.length)).toEqual([1200])
    expect(sent[0]!.subarray(1, 9)).toEqual(new Uint8Array(8).fill(10))
  })

  it('refuses what is not allowed, each with its code (§9, §9.5, §18.2)', () => {
    const pair = new Pair({ clientAddresses: [OTHER_HOST] })
    const path = pair.network.path(OTHER_HOST, SERVER)
    const { connection } = pair.client
    expect(codeOf(() => connection.migrate(path, pair.network.now))).toBe('QUIC_MIGRATION_UNCONFIRMED')
    pair.establish().settle()
    expect(codeOf(() => pair.server.connection.migrate(pair.network.path(SERVER, CLIENT), pair.network.now))).toBe('QUIC_MIGRATION_SERVER')
    expect(codeOf(() => connection.migrate(pair.network.path(OTHER_HOST, ELSEWHERE), pair.network.now))).toBe('QUIC_MIGRATION_REMOTE')
    expect(codeOf(() => connection.migrate(pair.network.path(CLIENT, SERVER), pair.network.now))).toBe('')
    const busy = [1, 2, 3, 4].map((n) => codeOf(() => connection.probePath(pair.network.path(`10.3.0.${n}:1`, SERVER), pair.network.now)))
    expect(busy).toEqual(['', '', '', 'QUIC_MIGRATION_BUSY'])
    connection.close(0, '', pair.network.now)
    expect(codeOf(() => connection.migrate(path, pair.network.now))).toBe('QUIC_MIGRATION_CLOSED')
  })

  it('probePath() validates and stays; migrate() to the same path follows later', () => {
    const pair = ready()
    const before = pair.client.connection.pathStats()
    pair.client.connection.probePath(pair.network.path(OTHER_HOST, SERVER), pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(500)
    expect(pathEvents(pair.client.events)).toEqual([`path-probing ${OTHER_HOST}`, `path-validated ${OTHER_HOST}`])
    expect([pair.client.connection.localAddress(), pair.server.connection.remoteAddress()]).toEqual([CLIENT, CLIENT])
    expect(pair.client.connection.pathStats().congestionWindow).toBe(before.congestionWindow)
    expect(pair.client.connection.allPathStats().map(({ active, validated }) => [active, validated])).toEqual([[true, true], [false, true]])
    migrate(pair, OTHER_HOST)
    pair.network.runFor(500)
    expect(pair.client.connection.localAddress()).toBe(OTHER_HOST)
  })

  it('a probe that overtakes the data on a faster path costs nothing (§9.4)', () => {
    const pair = ready({ conditions: { delay: 80, bandwidth: 20_000_000 } })
    route(pair, OTHER_HOST, { delay: 1 })
    const data = pattern(1_000_000)
    const id = pair.client.send(data, true, false)
    pair.network.turnAll()
    pair.network.runFor(800)
    const before = pair.client.connection.pathStats()
    expect(before.bytesInFlight).toBeGreaterThan(50_000)
    pair.client.connection.probePath(pair.network.path(OTHER_HOST, SERVER), pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(400)
    expect(pair.client.has('path-validated')).toBe(true)
    expect(pair.client.connection.stats().packetsLost).toBe(0)
    expect(pair.client.connection.pathStats().congestionWindow).toBeGreaterThanOrEqual(before.congestionWindow)
    pair.network.run(() => pair.server.finished.has(id))
  })

  it('a probed path that is not used is given up after a while', () => {
    const pair = ready({ client: { maxIdleTimeout: 0 }, server: { maxIdleTimeout: 0 } })
    pair.client.connection.probePath(pair.network.path(OTHER_HOST, SERVER), pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(40_000)
    for (const { connection } of [pair.client, pair.server]) expect(connection.allPathStats()).toHaveLength(1)
  })

  it('the last of several calls counts', () => {
    const pair = ready()
    for (const local of [OTHER_HOST, OTHER_PORT]) pair.client.connection.migrate(pair.network.path(local, SERVER), pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(4000)
    expect([pair.client.connection.localAddress(), pair.server.connection.remoteAddress()]).toEqual([OTHER_PORT, OTHER_PORT])
    expect(pair.client.connection.stats().pathChanges).toBe(1)
  })

  it('there and back again, many times', () => {
    const pair = ready({ seed: 5, conditions: { loss: 0.01 } })
    const data = pattern(1_500_000)
    const id = pair.server.send(data, true, false)
    pair.network.link('server', 'client', { bandwidth: 4_000_000 })
    const locals = [OTHER_HOST, CLIENT, OTHER_PORT, OTHER_HOST, CLIENT, OTHER_HOST]
    for (const [index, local] of locals.entries()) pair.network.at(pair.network.now + 100 + index * 500, () => migrate(pair, local))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id), { time: 60_000 })
    expect(equalBytes(pair.client.bytesOf(id), data)).toBe(true)
    expect(pair.server.connection.remoteAddress()).toBe(OTHER_HOST)
    expect(pair.client.closeReasons()).toEqual([])
  })

  for (let seed = 1; seed <= 6; seed += 1) {
    it(`at random, with NATs that rebind, paths that die and loss: everything arrives in the end (seed ${seed})`, () => {
      const pair = ready({ seed, conditions: { loss: 0.02, jitter: 5 }, client: { keepAliveInterval: 500 } })
      const { network, client, server } = pair
      const random = new SeededRandom(seed)
      const locals = [CLIENT, OTHER_PORT, OTHER_HOST]
      const data = pattern(1_500_000, seed)
      for (const [from, to] of [['client', 'server'], ['server', 'client']] as const) network.link(from, to, { bandwidth: 5_000_000 })
      const up = client.send(data, true, false)
      const down = server.send(data, true, false)
      const start = network.now
      for (let step = 1; step <= 12; step += 1) {
        network.at(start + step * 250 + random.below(200), () => {
          const local = locals[random.below(3)]!
          const action = random.below(4)
          const path = network.path(local, SERVER)
          if (action === 0) network.rebind('client', `10.77.${step}.1:${1000 + seed}`, local)
          else if (action === 1 && local !== client.connection.localAddress()) network.route(local, SERVER, { loss: 1 })
          else codeOf(() => (action === 2 ? client.connection.probePath(path, network.now) : client.connection.migrate(path, network.now)))
        })
      }
      network.at(start + 4000, () => {
        for (const local of locals) network.route(local, SERVER, { loss: 0 })
      })
      network.turnAll()
      network.run(() => server.finished.has(up) && client.finished.has(down), { time: 120_000 })
      network.explain(() => {
        expect(equalBytes(server.bytesOf(up), data)).toBe(true)
        expect(equalBytes(client.bytesOf(down), data)).toBe(true)
      })
      network.runFor(40_000)
      network.explain(() => {
        for (const { connection } of [client, server]) {
          expect(connection.closeReason()).toBeNull()
          expect(connection.allPathStats()).toHaveLength(1)
          // A keep-alive and its probes at most.
          expect(connection.pathStats().bytesInFlight).toBeLessThan(300)
          expect(connection.sourceConnectionIds()).toHaveLength(4)
        }
      })
    })
  }

  it('a client without connection IDs of its own migrates as well (§5.1.1)', () => {
    const pair = ready({ clientConfig: { connectionIds: { length: 0, generate: () => new Uint8Array(0) } } })
    migrate(pair, OTHER_HOST)
    pair.network.runFor(1000)
    expect(pair.server.connection.remoteAddress()).toBe(OTHER_HOST)
    const id = pair.client.send(pattern(20_000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
  })

  it('a stateless reset is known by the connection ID of any path (§10.3.1)', () => {
    const pair = ready()
    const seen = destinations(pair)
    pair.client.connection.probePath(pair.network.path(OTHER_HOST, SERVER), pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(200)
    const [id] = seen.get(`${OTHER_HOST} > ${SERVER}`)!
    const token = provider.hmac('sha256', RESET_KEY, Uint8Array.from(id!.match(/../g)!, (byte) => Number.parseInt(byte, 16))).subarray(0, 16)
    pair.network.inject(encodeStatelessReset(token, 60, new SeededRandom(1)), SERVER, OTHER_HOST)
    pair.network.runFor(10)
    expect(pair.client.closeReasons()).toMatchObject([{ cause: 'stateless-reset' }])
  })
})

describe('a server follows its client (RFC 9000 §9.3, §9.5)', () => {
  it('answers probes before the client moves, and moves with the first non-probing packet', () => {
    const pair = ready()
    pair.client.connection.probePath(pair.network.path(OTHER_HOST, SERVER), pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(500)
    expect(pair.server.connection.allPathStats().map(({ remote, validated }) => [remote, validated])).toEqual([[CLIENT, true], [OTHER_HOST, true]])
    expect(pair.server.has('path-changed')).toBe(false)
  })

  it('keeps its connection ID when a NAT rebinds: only a new one of the client calls for another (§9.5)', () => {
    const pair = ready()
    const seen = destinations(pair)
    pair.network.rebind('client', ELSEWHERE)
    pair.client.send(pattern(20_000))
    pair.network.turnAll()
    pair.network.runFor(3000)
    pair.client.connection.ping()
    pair.server.connection.ping()
    pair.network.turnAll()
    pair.network.runFor(500)
    expect(pair.server.connection.remoteAddress()).toBe(ELSEWHERE)
    const [before, after] = [CLIENT, ELSEWHERE].map((remote) => [...(seen.get(`${SERVER} > ${remote}`) ?? [])])
    expect(after).toHaveLength(1)
    expect(before!.length === 0 || before![0] === after![0]).toBe(true)
    expect(pair.client.connection.sourceConnectionIds()).toHaveLength(4)
  })

  it('with no spare connection ID it stays where it is until it has one (§9.3)', () => {
    const attacker = new Attacker('client').establish()
    attacker.say(frames.newConnectionId(9, 9, new Uint8Array(8).fill(9), new Uint8Array(16).fill(9)))
    const destination = attacker.victim.sourceConnectionIds()[1]!
    attacker.deliver(attacker.seal(5, frames.PING, { size: 1200, destination }), ELSEWHERE, 200)
    expect(attacker.victim.remoteAddress()).toBe(CLIENT)
    expect(attacker.opened.some((packet) => packet.to === ELSEWHERE)).toBe(false)
    const issued = frames.newConnectionId(10, 9, new Uint8Array(8).fill(1), new Uint8Array(16).fill(1))
    attacker.deliver(attacker.seal(5, issued, { size: 1200, destination }), ELSEWHERE, 200)
    expect(attacker.victim.remoteAddress()).toBe(ELSEWHERE)
    const sent = attacker.opened.filter((packet) => packet.to === ELSEWHERE)
    expect(sent.length).toBeGreaterThan(0)
    expect(sent.every((packet) => packet.destination.every((byte) => byte === 1))).toBe(true)
  })

  it('an address that was validated by a small datagram is validated again at full size (§8.2.1)', () => {
    const attacker = new Attacker('client').establish()
    attacker.deliver(attacker.seal(5, frames.PING, { size: 60 }), ELSEWHERE)
    const challenges = (): { data: Uint8Array; size: number }[] =>
      attacker.opened.flatMap(({ to, frames: sent, size }) =>
        to === ELSEWHERE ? sent.flatMap((frame) => (frame.type === FrameType.pathChallenge ? [{ data: frame.data!, size }] : [])) : [],
      )
    expect(challenges()).toHaveLength(1)
    expect(challenges()[0]!.size).toBeLessThan(200)
    attacker.deliver(attacker.seal(5, frames.pathResponse(challenges()[0]!.data)), ELSEWHERE)
    expect(challenges()).toHaveLength(2)
    expect(challenges()[1]!.size).toBe(1200)
    // Not answered: the path does not carry QUIC, and is left. The way back counts as a change, too.
    attacker.pair.network.runFor(10_000)
    expect(attacker.victim.remoteAddress()).toBe(CLIENT)
    expect(attacker.victim.stats().pathChanges).toBe(2)
    const told = attacker.pair.server.events.flatMap((event) => ('local' in event ? [`${event.kind} ${event.remote}`] : []))
    expect(told).toEqual([`path-changed ${ELSEWHERE}`, `path-validation-failed ${ELSEWHERE}`, `path-changed ${CLIENT}`])
  })

  it('and stays when that is answered', () => {
    const attacker = new Attacker('client').establish()
    attacker.deliver(attacker.seal(5, frames.PING, { size: 60 }), ELSEWHERE)
    for (let round = 0; round < 2; round += 1) {
      const sent = attacker.opened.filter((packet) => packet.to === ELSEWHERE).flatMap((packet) => packet.frames)
      const data = sent.filter((frame) => frame.type === FrameType.pathChallenge).at(-1)!.data!
      attacker.deliver(attacker.seal(5, frames.pathResponse(data)), ELSEWHERE)
    }
    attacker.pair.network.runFor(10_000)
    expect(attacker.victim.remoteAddress()).toBe(ELSEWHERE)
  })

  it('gives a client a token for its new address (§9.3), and none for a new port', () => {
    const tokens: Uint8Array[] = []
    const tokenStore = { put: (_name: string, token: Uint8Array) => void tokens.push(token), take: () => null }
    const pair = ready({ clientConfig: { tokenStore } })
    expect(tokens).toHaveLength(1)
    migrate(pair, OTHER_PORT)
    pair.network.runFor(1000)
    expect(tokens).toHaveLength(1)
    migrate(pair, OTHER_HOST)
    pair.network.runFor(1000)
    expect(tokens).toHaveLength(2)
    expect(tokens[1]).not.toEqual(tokens[0])
  })
})

describe('a forged move (RFC 9000 §9.3.2, §9.3.3)', () => {
  /** Copies of what the client sends arrive earlier from the attacker's address, `times` times. */
  function forge(pair: Pair, times: number): void {
    let left = times
    pair.network.observe(({ bytes, from, to, dropped }) => {
      if (from === CLIENT && dropped === null && left > 0) {
        left -= 1
        pair.network.inject(bytes, ELSEWHERE, to, 3)
      }
    })
  }

  it('is undone by the client itself: the old path is challenged, too, and the answer is a non-probing packet', () => {
    const pair = ready()
    const window = pair.server.connection.pathStats()
    forge(pair, 1)
    pair.client.connection.ping()
    pair.network.turnAll()
    pair.network.runFor(8)
    expect(pair.server.connection.remoteAddress()).toBe(ELSEWHERE)
    // One round trip, no application data, no timeout.
    pair.network.runFor(50)
    expect(pair.server.connection.remoteAddress()).toBe(CLIENT)
    const after = pair.server.connection.pathStats()
    expect(after.congestionWindow).toBe(window.congestionWindow)
    expect(after.minimumRtt).toBe(window.minimumRtt)
    pair.network.runFor(10_000)
    expect(pair.server.connection.remoteAddress()).toBe(CLIENT)
  })

  it('restores congestion state and RTT in the middle of a download', () => {
    const pair = ready()
    const data = pattern(2_000_000)
    pair.network.link('server', 'client', { bandwidth: 8_000_000 })
    const id = pair.server.send(data, true, false)
    pair.network.turnAll()
    pair.network.runFor(700)
    const before = pair.server.connection.pathStats()
    expect(before.congestionWindow).toBeGreaterThan(20_000)
    forge(pair, 1)
    pair.network.runFor(200)
    const after = pair.server.connection.pathStats()
    expect(pair.server.connection.stats().pathChanges).toBe(2)
    expect(pair.server.connection.remoteAddress()).toBe(CLIENT)
    expect(after.congestionWindow).toBeGreaterThan(before.congestionWindow / 2)
    expect(after.smoothedRtt).toBeLessThan(before.smoothedRtt * 3)
    pair.network.run(() => pair.client.finished.has(id), { time: 60_000 })
    expect(equalBytes(pair.client.bytesOf(id), data)).toBe(true)
  })

  it('by an attacker that also forwards what comes back lasts as long as it forwards', () => {
    const pair = ready({ seed: 9 })
    let forwarding = true
    pair.network.observe(({ bytes, from, to, dropped }) => {
      if (!forwarding) return
      if (from === CLIENT && dropped === null) pair.network.inject(bytes, ELSEWHERE, to, 3)
      if (from === SERVER && to === ELSEWHERE) pair.network.inject(bytes, SERVER, CLIENT, 3)
    })
    const data = pattern(300_000)
    const id = pair.client.send(data)
    pair.network.turnAll()
    pair.network.runFor(300)
    expect(pair.server.connection.stats().pathChanges).toBeGreaterThan(0)
    forwarding = false
    pair.network.run(() => pair.client.finished.has(id), { time: 60_000 })
    pair.client.connection.ping()
    pair.network.turnAll()
    pair.network.runFor(5000)
    expect(equalBytes(pair.client.bytesOf(id), data)).toBe(true)
    expect(pair.server.connection.remoteAddress()).toBe(CLIENT)
    expect(pair.client.connection.sourceConnectionIds()).toHaveLength(4)
  })
})

describe('disable_active_migration (RFC 9000 §9, §18.2)', () => {
  it('is heeded by a client: neither migrate() nor probePath() sends anything', () => {
    const pair = ready({ server: { disableActiveMigration: true } })
    const path = pair.network.path(OTHER_HOST, SERVER)
    expect(codeOf(() => pair.client.connection.migrate(path, pair.network.now))).toBe('QUIC_MIGRATION_DISABLED')
    expect(codeOf(() => pair.client.connection.probePath(path, pair.network.now))).toBe('QUIC_MIGRATION_DISABLED')
    expect(pair.client.connection.peerTransportParameters()!.disableActiveMigration).toBe(true)
    expect(pair.client.connection.allPathStats()).toHaveLength(1)
  })

  it('a server drops what comes from elsewhere with a new connection ID, and goes on', () => {
    const attacker = new Attacker('client', { server: { disableActiveMigration: true } }).establish()
    const destination = attacker.victim.sourceConnectionIds()[1]!
    const dropped = attacker.victim.stats().packetsDropped
    for (const payload of [frames.PING, frames.pathChallenge(new Uint8Array(8))]) {
      attacker.deliver(attacker.seal(5, payload, { size: 1200, destination }), ELSEWHERE)
    }
    expect(attacker.victim.stats().packetsDropped).toBe(dropped + 2)
    expect(attacker.opened.some((packet) => packet.to === ELSEWHERE)).toBe(false)
    expect([attacker.victim.remoteAddress(), attacker.victim.closeReason()]).toEqual([CLIENT, null])
  })

  it('a NAT rebinding is still followed: no client can help it', () => {
    const pair = ready({ server: { disableActiveMigration: true } })
    pair.network.rebind('client', ELSEWHERE)
    const id = pair.client.send(pattern(100_000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
    expect(pair.server.connection.remoteAddress()).toBe(ELSEWHERE)
  })
})
