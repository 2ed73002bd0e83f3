// Bytes that are no packets, and packets that have been tampered with: dropped or refused, never thrown, and nobody else on
// the endpoint is hurt (RFC 9000 §5.2, §12.2, §21).

import { describe, expect, it } from 'vitest'
import { concatBytes, equalBytes } from '../../src/base/bytes.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { Attacker } from './attacker.ts'
import * as frames from './frames.ts'
import { CLIENT, Pair, SERVER, pattern } from './pair.ts'

const NEIGHBOUR = '10.0.0.3:5000'
const STRANGER = '10.6.6.6:6'
/** RFC 8446 §4.6.3: type 24, one byte. */
const KEY_UPDATE = frames.crypto(0, Uint8Array.of(24, 0, 0, 1, 0))

/** A second client of the same server, whose echo must come back whole whatever happens to the first. */
function expectUnharmed(pair: Pair, work: (during: () => void) => void): void {
  const neighbour = pair.connect('neighbour', NEIGHBOUR, 4711)
  pair.network.run(() => neighbour.connection.isConfirmed())
  const id = neighbour.send(pattern(30_000, 3))
  pair.network.turnAll()
  work(() => pair.network.runFor(1))
  pair.network.run(() => neighbour.finished.has(id))
  expect(equalBytes(neighbour.bytesOf(id), pattern(30_000, 3))).toBe(true)
}

function noise(random: SeededRandom): Uint8Array {
  const bytes = random.bytes(1 + random.below(1400))
  const shape = random.below(5)
  // Some of it looks like packets: long headers of version 1, of others, short ones.
  if (shape === 0) bytes.set([0xc0 | random.below(64), 0, 0, 0, 1, 8].slice(0, bytes.length))
  else if (shape === 1) bytes.set([0xc0 | random.below(64), 0, 0, 0, 0].slice(0, bytes.length))
  else if (shape === 2) bytes[0] = 0x40 | random.below(64)
  return bytes
}

describe('random datagrams', () => {
  for (let seed = 1; seed <= 6; seed += 1) {
    it(`to both sides at every stage (seed ${seed})`, () => {
      const pair = new Pair({ seed })
      const random = new SeededRandom(seed * 77)
      const shoot = (): void => {
        for (let i = 0; i < 40; i += 1) {
          const toServer = noise(random)
          const connection = pair.servers[0]?.connection
          // Half of it carries a connection ID that leads somewhere.
          const id = connection?.sourceConnectionIds()[0]
          if (id !== undefined && random.chance(0.5) && toServer.length > 30) toServer.set(id, (toServer[0]! & 0x80) !== 0 ? 6 : 1)
          pair.network.inject(toServer, random.chance(0.5) ? CLIENT : STRANGER, SERVER)
          pair.network.inject(noise(random), random.chance(0.5) ? SERVER : STRANGER, CLIENT)
        }
      }
      for (let time = 0; time < 80; time += 5) pair.network.at(pair.network.now + time, shoot)
      pair.establish()
      const id = pair.client.send(pattern(20_000))
      pair.network.turnAll()
      pair.network.run(() => pair.client.finished.has(id))
      expect(pair.servers.length).toBe(1)
    })
  }

  it('three hundred Initial packets nobody can open leave no connection behind', () => {
    const pair = new Pair().establish()
    const random = new SeededRandom(8)
    for (let i = 0; i < 300; i += 1) {
      const forged = random.bytes(1200)
      forged.set([0xc3, 0, 0, 0, 1, 8])
      forged[14] = 8
      forged.set([0, 0x44, 0x90], 23)
      pair.network.inject(forged, STRANGER, SERVER)
    }
    pair.network.runFor(10)
    expect(pair.servers).toHaveLength(1)
    expect(pair.endpoint.size).toBe(1)
  })
})

describe('real datagrams, tampered with', () => {
  type Tamper = (bytes: Uint8Array, random: SeededRandom) => Uint8Array
  const ways: [string, Tamper][] = [
    ['cut short', (bytes, random) => bytes.slice(0, 1 + random.below(bytes.length))],
    [
      'with one bit flipped',
      (bytes, random) => {
        const copy = bytes.slice()
        copy[random.below(copy.length)]! ^= 1 << random.below(8)
        return copy
      },
    ],
    [
      'with one bit of the header flipped',
      (bytes, random) => {
        const copy = bytes.slice()
        copy[random.below(Math.min(40, copy.length))]! ^= 1 << random.below(8)
        return copy
      },
    ],
    ['with something behind it', (bytes, random) => concatBytes(bytes, random.bytes(1 + random.below(200)))],
    ['doubled', (bytes) => concatBytes(bytes, bytes)],
  ]
  for (const [name, tamper] of ways) {
    it(`${name}: a copy of each in front of the original, at every stage`, () => {
      for (let seed = 1; seed <= 12; seed += 1) {
        const pair = new Pair({ seed })
        const random = new SeededRandom(seed * 13)
        pair.network.observe(({ bytes, from, to, dropped }) => {
          if (dropped !== null) return
          pair.network.inject(tamper(bytes.slice(), random), from, to, random.below(2) * 9)
        })
        pair.network.run(() => pair.client.connection.isConfirmed(), { time: 20_000 })
        const id = pair.client.send(pattern(10_000, seed))
        pair.network.turnAll()
        pair.network.run(() => pair.client.finished.has(id), { time: 20_000 })
        expect(equalBytes(pair.client.bytesOf(id), pattern(10_000, seed))).toBe(true)
        expect(pair.client.connection.closeReason()).toBeNull()
      }
    })
  }

  it('every datagram damaged, at every stage: nothing throws, and every connection ends', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const pair = new Pair({ seed, client: { maxIdleTimeout: 5000 }, server: { maxIdleTimeout: 5000 } })
      const random = new SeededRandom(seed)
      const from = pair.network.now + random.below(60)
      pair.network.setFilter((bytes, _from, _to, now) => {
        if (now < from) return bytes
        const copy = bytes.slice(0, random.chance(0.3) ? 1 + random.below(bytes.length) : bytes.length)
        for (let i = 0; i < 3; i += 1) copy[random.below(copy.length)]! ^= 1 << random.below(8)
        return copy
      })
      pair.network.runFor(30)
      pair.client.send(pattern(5000))
      pair.network.runFor(60_000)
      for (const peer of [pair.client, ...pair.servers]) {
        expect(peer.closeReasons()).toHaveLength(1)
        expect(peer.connection.isClosed()).toBe(true)
      }
    }
  })
})

describe('an authentic peer that sends garbage', () => {
  it('random payloads in sealed packets: a transport close, and the neighbours go on', () => {
    for (const plays of ['client', 'server'] as const) {
      for (let seed = 1; seed <= 25; seed += 1) {
        const attacker = new Attacker(plays, { seed }).establish()
        const random = new SeededRandom(seed * 3)
        for (let i = 0; i < 30 && attacker.victim.isEstablished(); i += 1) {
          const payload = random.bytes(1 + random.below(300))
          payload[0] = random.below(0x32)
          attacker.say(payload, {}, 1)
        }
        const reason = attacker.victim.closeReason()
        expect(reason).not.toBeNull()
        expect(['local', 'peer']).toContain(reason!.cause)
        if (reason!.cause === 'local') expect(Number(reason!.code)).toBeGreaterThan(0)
      }
    }
  })

  it('a connection closed for a violation leaves the others on its endpoint alone', () => {
    const attacker = new Attacker('client').establish()
    expectUnharmed(attacker.pair, (during) => {
      attacker.say(frames.stream(3, 0, pattern(5)), {}, 1)
      for (let i = 0; i < 50; i += 1) {
        attacker.say(frames.PING, {}, 0)
        during()
      }
      expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local' })
    })
  })

  it('garbage in CRYPTO frames is a TLS alert (RFC 9001 §4.8)', () => {
    for (const plays of ['client', 'server'] as const) {
      const attacker = new Attacker(plays).establish()
      attacker.say(frames.crypto(0, new Uint8Array(200).fill(0x7f)))
      const reason = attacker.victim.closeReason()
      expect(reason).toMatchObject({ cause: 'local', application: false })
      if (Number(reason!.code) !== 0xd) expect(Number(reason!.code) & 0xff00).toBe(0x100)
    }
  })

  it('a TLS KeyUpdate is unexpected_message (RFC 9001 §6)', () => {
    for (const plays of ['client', 'server'] as const) {
      const attacker = new Attacker(plays).establish()
      attacker.say(KEY_UPDATE)
      expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', code: 0x10a })
    }
  })
})
