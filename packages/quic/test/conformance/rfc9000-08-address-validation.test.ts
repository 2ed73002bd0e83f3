// Amplification limit, deadlocks of the handshake and path validation as a peer on the wire sees them (RFC 9000 §8, RFC 9002 §6.2.2.1).

import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/base/bytes.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { createDevCertificate } from '../../src/tls/certificates/development.ts'
import { EncryptionLevel, FrameType, PacketType } from '../../src/wire/constants.ts'
import { Attacker } from '../connection/attacker.ts'
import type { OpenedPacket } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { CLIENT, Pair, SERVER, UNIX_TIME } from '../connection/pair.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { ROGUE_SOURCE, RogueServer } from './rogue.ts'

const ELSEWHERE = '10.9.9.9:6000'

describe('the amplification limit', () => {
  /** A server whose first flight is longer than the limit lets through. */
  function stuck(): { pair: Pair; sent: () => number; received: () => number } {
    const names = ['test.example', ...Array.from({ length: 800 }, (_, i) => `host-${i}.test.example`)]
    const big = createDevCertificate(provider, { names, unixTimeMs: UNIX_TIME })
    const certificates = [{ chain: [big.certificate], key: provider.importPrivateKey(big.privateKey) }]
    const pair = new Pair({ serverTls: { certificates }, clientTls: { verify: { mode: 'insecure' } } })
    let sent = 0
    let received = 0
    pair.network.observe(({ from, to, bytes, dropped }) => {
      if (from === SERVER) sent += bytes.length
      if (to === SERVER && dropped === null) received += bytes.length
    })
    pair.network.runFor(15)
    pair.network.remove('client')
    pair.network.runFor(2000)
    return { pair, sent: () => sent, received: () => received }
  }

  it('RFC 9000 §8.1: never more than three times what was received, however long it lasts', () => {
    const { sent, received } = stuck()
    expect(received()).toBe(1200)
    expect(sent()).toBeGreaterThan(2400)
    expect(sent()).toBeLessThanOrEqual(3600)
  })

  it('RFC 9000 §8.1: whole datagrams count, also those whose packets are dropped', () => {
    const { pair, sent } = stuck()
    const before = sent()
    const datagram = new SeededRandom(4).bytes(1200)
    datagram[0] = 0x40
    datagram.set(pair.server.connection.sourceConnectionIds()[0]!, 1)
    pair.network.inject(datagram, CLIENT, SERVER)
    pair.network.runFor(3000)
    expect(sent()).toBeGreaterThan(before)
    expect(sent()).toBeLessThanOrEqual(7200)
    expect(pair.server.connection.stats().packetsReceived).toBe(1)
  })
})

describe('a client whose server waits for more', () => {
  it('RFC 9000 §8.1: a client in a deadlock probes with an Initial packet of a datagram of 1200 bytes', () => {
    const attacker = new Attacker('server')
    attacker.pair.network.remove('server')
    attacker.pair.network.runFor(15)
    const sizes: number[] = []
    attacker.pair.network.observe(({ from, bytes }) => void (from === CLIENT && sizes.push(bytes.length)))
    // Everything is acknowledged, nothing is answered.
    attacker.send(PacketType.initial, frames.ack(0, attacker.opened.at(-1)!.packetNumber), { source: ROGUE_SOURCE, size: 1200 }, 0)
    attacker.pair.network.runFor(20)
    attacker.opened.length = 0
    sizes.length = 0
    attacker.pair.network.runFor(4000)
    expect(attacker.opened.length).toBeGreaterThan(1)
    for (const packet of attacker.opened) {
      expect(packet.packetType).toBe(PacketType.initial)
      expect(packet.frames.some((frame) => frame.type === FrameType.ping || frame.type === FrameType.crypto)).toBe(true)
    }
    for (const size of sizes) expect(size).toBeGreaterThanOrEqual(1200)
  })

  it('RFC 9000 §8.1: a client in a deadlock probes with a Handshake packet when it has the keys', () => {
    const { attacker, flights } = new RogueServer()
    const hello = frames.bytes(frames.ack(0, attacker.opened.at(-1)!.packetNumber), frames.crypto(0, flights.get(EncryptionLevel.initial)!))
    attacker.send(PacketType.initial, hello, { source: ROGUE_SOURCE, size: 1200 })
    attacker.opened.length = 0
    attacker.pair.network.runFor(4000)
    expect(attacker.opened.length).toBeGreaterThan(1)
    for (const packet of attacker.opened) {
      expect(packet.packetType).toBe(PacketType.handshake)
      expect(packet.frames.some((frame) => frame.type === FrameType.ping)).toBe(true)
    }
  })
})

describe('path validation', () => {
  const isChallenge = (packet: OpenedPacket): boolean => packet.frames.some((frame) => frame.type === FrameType.pathChallenge)

  /** What a server sends to where its client seems to have moved, while nobody answers. */
  function challenges(): OpenedPacket[] {
    const attacker = new Attacker('client').establish()
    attacker.deliver(attacker.seal(PacketType.oneRtt, frames.PING, { size: 1200 }), ELSEWHERE, 5000)
    return attacker.opened.filter((packet) => packet.to === ELSEWHERE && isChallenge(packet))
  }

  it('RFC 9000 §8.2.1: a challenge is in a datagram of 1200 bytes, alone of its kind, never the same twice', () => {
    const sent = challenges()
    expect(sent.length).toBeGreaterThan(1)
    const seen = new Set<string>()
    for (const packet of sent) {
      expect(packet.size).toBeGreaterThanOrEqual(1200)
      const [challenge, ...more] = packet.frames.filter((frame) => frame.type === FrameType.pathChallenge)
      expect(more).toEqual([])
      seen.add(toHex(challenge!.data!))
    }
    expect(seen.size).toBe(sent.length)
  })

  it('RFC 9000 §8.2.1: challenges are repeated no faster than Initial packets', () => {
    const times = challenges().map((packet) => packet.time)
    // A round trip of 20 ms: a PTO is longer than that, and doubles.
    for (let i = 1; i < times.length; i += 1) {
      const wait = times[i]! - times[i - 1]!
      expect(wait).toBeGreaterThan(20)
      if (i > 1) expect(wait).toBeGreaterThanOrEqual(2 * (times[i - 1]! - times[i - 2]!) - 1)
    }
  })

  it('RFC 9000 §8.2.2: one response to one challenge, also when it is lost', () => {
    for (const plays of ['client', 'server'] as const) {
      const attacker = new Attacker(plays).establish()
      attacker.say(frames.pathChallenge(new Uint8Array(8).fill(3)), { size: 1200 }, 5000)
      expect(attacker.framesOf(FrameType.pathResponse)).toHaveLength(1)
    }
  })

  it('RFC 9000 §8.2.1: datagrams with path frames are read however small', () => {
    const attacker = new Attacker('client').establish()
    attacker.say(frames.pathChallenge(new Uint8Array(8).fill(4)))
    expect(attacker.framesOf(FrameType.pathResponse)).toHaveLength(1)
  })
})
