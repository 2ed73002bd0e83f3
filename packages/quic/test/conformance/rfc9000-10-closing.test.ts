// The end of a connection, watched and provoked from outside (RFC 9000 §10).

import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { FrameType, PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { CLIENT, Pair, SERVER } from '../connection/pair.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { rogueClient } from './rogue.ts'

const ELSEWHERE = '10.9.9.9:6000'
const SIDES = ['client', 'server'] as const

/** A short header packet for the victim that nobody can open. */
function noise(attacker: Attacker, size: number, seed: number = size): Uint8Array {
  const bytes = new SeededRandom(seed).bytes(size)
  bytes[0] = 0x40
  bytes.set(attacker.victim.sourceConnectionIds()[0]!, 1)
  return bytes
}

describe('timeouts', () => {
  it('RFC 9000 §10.1: the idle timeout is at least three times the PTO', () => {
    const pair = new Pair({ client: { maxIdleTimeout: 5 }, server: { maxIdleTimeout: 5 }, conditions: { delay: 100 } }).establish()
    const idleFrom = pair.network.now
    pair.network.run(() => pair.client.connection.isClosed() && pair.server.connection.isClosed(), { time: 20_000 })
    expect(pair.client.closeReasons()).toMatchObject([{ cause: 'idle-timeout' }])
    expect(pair.network.now - idleFrom).toBeGreaterThanOrEqual(3 * 200)
  })

  it('RFC 9000 §10.2: closing and draining last three times the PTO', () => {
    const pair = new Pair({ conditions: { delay: 100 } }).establish().settle()
    const from = pair.network.now
    pair.client.connection.close(7, 'done', pair.network.now)
    pair.network.turnAll()
    let [closing, draining] = [0, 0]
    pair.network.run(
      () => {
        if (closing === 0 && pair.client.connection.isClosed()) closing = pair.network.now - from
        if (draining === 0 && pair.server.connection.isClosed()) draining = pair.network.now - from - 100
        return closing > 0 && draining > 0
      },
      { time: 60_000 },
    )
    expect(closing).toBeGreaterThanOrEqual(3 * 200)
    expect(draining).toBeGreaterThanOrEqual(3 * 200)
  })
})

describe('the closing state', () => {
  function closing(plays: (typeof SIDES)[number], reason: string = ''): Attacker {
    const attacker = new Attacker(plays).establish()
    attacker.victim.close(9, reason, attacker.pair.network.now)
    attacker.pair.network.turnAll()
    expect(attacker.framesOf(FrameType.connectionCloseApplication)).toHaveLength(1)
    return attacker
  }

  for (const plays of SIDES) {
    const victim = plays === 'client' ? 'server' : 'client'
    it(`RFC 9000 §10.2.1: a closing endpoint answers what it cannot open as well (${victim})`, () => {
      const attacker = closing(plays)
      attacker.deliver(noise(attacker, 100), undefined, 1)
      expect(attacker.framesOf(FrameType.connectionCloseApplication).length).toBeGreaterThan(1)
    })

    it(`RFC 9000 §10.2.1: a closing endpoint sends less than three times what it receives (${victim})`, () => {
      const attacker = closing(plays, 'a reason of many words '.repeat(20))
      let sent = 0
      let received = 0
      attacker.pair.network.observe(({ from, bytes }) => void (from === attacker.victimAddress && (sent += bytes.length)))
      for (let i = 0; i < 40; i += 1) {
        const packet = noise(attacker, 25, i + 1)
        received += packet.length
        attacker.deliver(packet, undefined, 0)
        attacker.pair.network.turnAll()
        attacker.pair.network.runFor(0.5)
        expect(sent).toBeLessThanOrEqual(3 * received)
      }
    })
  }

  it('RFC 9000 §10.2.1: a closing endpoint answers no address that it has not validated', () => {
    const attacker = closing('client')
    attacker.opened.length = 0
    for (let i = 0; i < 8; i += 1) attacker.deliver(noise(attacker, 200, i + 1), ELSEWHERE, 1)
    attacker.deliver(attacker.seal(PacketType.oneRtt, frames.PING), ELSEWHERE, 1)
    expect(attacker.opened.filter((packet) => packet.to !== CLIENT)).toEqual([])
  })

  it('RFC 9000 §8.1, §10.2.1: a server that refuses an unvalidated client keeps to three times what it received', () => {
    let sent = 0
    const attacker = rogueClient({ parameters: () => [] })
    attacker.pair.network.observe(({ from, bytes }) => void (from === SERVER && (sent += bytes.length)))
    expect(attacker.victim.isClosing()).toBe(true)
    // The first close has cost 1200 of 3600 bytes.
    for (let i = 0; i < 30; i += 1) attacker.deliver(noise(attacker, 25, i + 1), undefined, 0.1)
    expect(sent).toBeLessThanOrEqual(2400 + 30 * 75)
  })
})

describe('CONNECTION_CLOSE', () => {
  const typesWithClose = (attacker: Attacker): number[] => [
    ...new Set(attacker.opened.filter(({ frames }) => frames.some(({ type }) => type === 0x1c || type === 0x1d)).map(({ packetType }) => packetType)),
  ]

  for (const plays of SIDES) {
    const victim = plays === 'client' ? 'server' : 'client'
    it(`RFC 9000 §10.2.3: once confirmed, CONNECTION_CLOSE is in 1-RTT packets only (${victim})`, () => {
      const attacker = new Attacker(plays).establish()
      attacker.say(frames.bytes(0x21))
      expect(typesWithClose(attacker)).toEqual([PacketType.oneRtt])
    })
  }

  it('RFC 9000 §10.2.3: before that it is in a packet of every level the peer may read (server)', () => {
    const attacker = new Attacker('client')
    attacker.pair.network.run(() => attacker.opened.some((packet) => packet.packetType === PacketType.handshake))
    attacker.usurp().opened.length = 0
    attacker.send(PacketType.initial, frames.bytes(0x21), { size: 1200 })
    expect(typesWithClose(attacker)).toEqual([PacketType.initial, PacketType.handshake, PacketType.oneRtt])
  })

  it('RFC 9000 §10.2.3: before that it is in a packet of every level the peer may read (client)', () => {
    const attacker = new Attacker('server')
    const { network, client } = attacker.pair
    network.setFilter((bytes, from) => (from === SERVER && client.connection.isEstablished() ? null : bytes))
    network.run(() => client.connection.isEstablished())
    attacker.usurp().opened.length = 0
    attacker.send(PacketType.handshake, frames.bytes(0x21))
    expect(typesWithClose(attacker)).toEqual([PacketType.handshake, PacketType.oneRtt])
  })
})

describe('stateless reset', () => {
  for (const plays of SIDES) {
    const victim = plays === 'client' ? 'server' : 'client'
    it(`RFC 9000 §10.3: every short header packet is 22 bytes longer than the connection ID (${victim})`, () => {
      const attacker = new Attacker(plays).establish()
      for (let i = 0; i < 4; i += 1) attacker.say(frames.PING, {}, 100)
      attacker.victim.ping()
      attacker.pair.network.turnAll()
      attacker.pair.network.runFor(50)
      expect(attacker.opened.length).toBeGreaterThan(2)
      for (const packet of attacker.opened) expect(packet.size).toBeGreaterThanOrEqual(8 + 22)
    })
  }

  const token = (pair: Pair): Uint8Array => pair.client.connection.peerTransportParameters()!.statelessResetToken!
  const forms: [string, (id: Uint8Array) => number[]][] = [
    ['a short header', (id) => [0x5a, ...id]],
    ['a short header without the QUIC bit', (id) => [0x1a, ...id]],
    ['a long header of version 1', (id) => [0xe5, 0, 0, 0, 1, id.length, ...id, 0, 0x40, 60]],
    ['a long header of an unknown version', (id) => [0xc5, 0x4a, 1, 2, 3, id.length, ...id, 0]],
  ]
  for (const [name, head] of forms) {
    it(`RFC 9000 §10.3: whatever ends in a token is a stateless reset, with ${name}`, () => {
      const pair = new Pair().establish().settle()
      const reset = new SeededRandom(5).bytes(100)
      reset.set(head(pair.client.connection.sourceConnectionIds()[0]!))
      reset.set(token(pair), 84)
      pair.network.inject(reset, SERVER, CLIENT)
      pair.network.runFor(5)
      expect(pair.client.closeReasons()).toMatchObject([{ cause: 'stateless-reset' }])
    })
  }

  it('RFC 9000 §10.3.1: a server never takes a packet for one: clients have no tokens to give', () => {
    const pair = new Pair().establish().settle()
    const id = pair.server.connection.sourceConnectionIds()[0]!
    const reset = new SeededRandom(6).bytes(100)
    reset.set([0x40, ...id])
    reset.set(provider.hmac('sha256', new Uint8Array(32).fill(7), id).subarray(0, 16), 84)
    pair.network.inject(reset, CLIENT, SERVER)
    pair.network.runFor(50)
    expect(pair.server.connection.isEstablished()).toBe(true)
  })

  it('RFC 9000 §11: a connection that has its state says CONNECTION_CLOSE, never a reset', () => {
    const attacker = new Attacker('client').establish()
    attacker.say(frames.bytes(0x21))
    expect(attacker.framesOf(FrameType.connectionClose)[0]).toMatchObject({ errorCode: TransportErrorCode.frameEncodingError })
  })
})
