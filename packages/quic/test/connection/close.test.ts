// How connections end: CONNECTION_CLOSE, closing, draining, idle timeout, keep-alive (RFC 9000 §10.1, §10.2).

import { describe, expect, it } from 'vitest'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from './attacker.ts'
import * as frames from './frames.ts'
import { CLIENT, Pair, SERVER, pattern } from './pair.ts'
import type { Peer } from './pair.ts'

function sides(pair: Pair, who: 'client' | 'server'): { closer: Peer; other: Peer } {
  return who === 'client' ? { closer: pair.client, other: pair.server } : { closer: pair.server, other: pair.client }
}

describe('close (RFC 9000 §10.2)', () => {
  for (const who of ['client', 'server'] as const) {
    it(`by the application of the ${who}: both sides tell the same reason once, then the state is gone`, () => {
      const pair = new Pair().establish().settle()
      const { closer, other } = sides(pair, who)
      closer.connection.close(2n ** 60n, 'gone fishing', pair.network.now)
      closer.connection.close(1, 'again', pair.network.now)
      pair.network.turnAll()
      pair.network.runFor(11)
      expect(closer.connection.isClosing()).toBe(true)
      expect(other.connection.isDraining()).toBe(true)
      pair.network.runFor(5000)
      expect(closer.closeReasons()).toMatchObject([{ cause: 'local', application: true, code: 2n ** 60n, reason: 'gone fishing' }])
      expect(other.closeReasons()).toMatchObject([{ cause: 'peer', application: true, code: 2n ** 60n, reason: 'gone fishing' }])
      expect(closer.connection.isClosed() && other.connection.isClosed()).toBe(true)
      expect(pair.endpoint.size).toBe(0)
    })

    it(`by the transport of the ${who}`, () => {
      const pair = new Pair().establish()
      const { closer, other } = sides(pair, who)
      closer.connection.closeTransport(TransportErrorCode.internalError, 'tired', pair.network.now)
      pair.network.turnAll()
      pair.network.runFor(2000)
      expect(other.closeReasons()).toMatchObject([{ cause: 'peer', application: false, code: 1, reason: 'tired' }])
    })

    it(`of a lost CONNECTION_CLOSE by the ${who}: packets of the other side are answered with it, ever more rarely (§10.2.1)`, () => {
      const attacker = new Attacker(who === 'client' ? 'server' : 'client').establish()
      const { network } = attacker.pair
      attacker.victim.close(7, '', network.now)
      network.turnAll()
      const times: number[] = []
      for (let i = 0; i < 63; i += 1) {
        attacker.say(frames.PING, {}, 1)
        times.push(attacker.framesOf(FrameType.connectionCloseApplication).length)
      }
      expect(times.at(-1)).toBeGreaterThanOrEqual(3)
      expect(times.at(-1)).toBeLessThanOrEqual(8)
    })

    it(`while draining the ${who} answers nothing (§10.2.2)`, () => {
      const attacker = new Attacker(who === 'client' ? 'server' : 'client').establish()
      attacker.say(frames.closeApplication(3))
      const sent = attacker.opened.length
      for (let i = 0; i < 20; i += 1) attacker.say(frames.bytes(frames.PING, frames.stream(0, 0, pattern(10))), {}, 1)
      expect(attacker.opened.length).toBe(sent)
      expect(attacker.victim.isDraining()).toBe(true)
      attacker.pair.network.runFor(5000)
      expect(attacker.victim.isClosed()).toBe(true)
    })
  }

  it('an application close before the handshake completes travels as 0x1c APPLICATION_ERROR (§10.2.3)', () => {
    for (const who of ['client', 'server'] as const) {
      const attacker = new Attacker(who === 'client' ? 'server' : 'client')
      const { pair } = attacker
      if (who === 'server') pair.network.run(() => pair.servers.length > 0)
      else pair.network.turnAll()
      attacker.victim.close(1234, 'secret words', pair.network.now)
      pair.network.turnAll()
      pair.network.runFor(1000)
      const readable = attacker.opened.filter((packet) => packet.packetType !== 5).flatMap((packet) => packet.frames)
      expect(readable.some((frame) => frame.type === FrameType.connectionCloseApplication)).toBe(false)
      const close = readable.find((frame) => frame.type === FrameType.connectionClose)
      expect(close).toMatchObject({ errorCode: TransportErrorCode.applicationError, reason: '' })
      const other = who === 'client' ? pair.servers[0] : pair.client
      if (other !== undefined) expect(other.closeReasons()).toMatchObject([{ cause: 'peer' }])
    }
  })

  for (const who of ['client', 'server'] as const) {
    it(`by the ${who} at every moment of the handshake and after: one event each side`, () => {
      for (let wait = 0; wait <= 60; wait += 5) {
        const pair = new Pair({ seed: wait + 1 })
        pair.network.runFor(wait)
        const closer = who === 'client' ? pair.client : pair.servers[0]
        if (closer === undefined) continue
        closer.connection.close(9, 'bye', pair.network.now)
        pair.network.turnAll()
        pair.network.runFor(40_000)
        expect(closer.closeReasons()).toHaveLength(1)
        expect(closer.connection.isClosed()).toBe(true)
        for (const peer of [pair.client, ...pair.servers]) {
          expect(peer.closeReasons()).toHaveLength(1)
          expect(peer.connection.isClosed()).toBe(true)
        }
        expect(pair.endpoint.size).toBe(0)
      }
    })
  }

  it('data that came before the close can still be read; nothing can be opened or written', () => {
    const pair = new Pair({ serve: () => {} }).establish()
    const id = pair.server.send(pattern(500), true, false)
    pair.network.turnAll()
    pair.server.connection.close(0, '', pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(100)
    expect(pair.client.bytesOf(id)).toEqual(pattern(500))
    expect(pair.client.connection.openStream(true)).toBe(-1)
    expect(pair.server.connection.streamWrite(id, pattern(1), false)).toBe(-1)
    expect(pair.client.connection.datagramSend(pattern(1))).toBe(false)
  })

  it('crossing closes end both sides with one event', () => {
    const pair = new Pair().establish().settle()
    pair.client.connection.close(1, 'a', pair.network.now)
    pair.server.connection.close(2, 'b', pair.network.now)
    pair.network.turnAll()
    pair.network.runFor(5000)
    expect(pair.client.closeReasons()).toMatchObject([{ cause: 'local', code: 1 }])
    expect(pair.server.closeReasons()).toMatchObject([{ cause: 'local', code: 2 }])
    expect(pair.client.connection.isClosed() && pair.server.connection.isClosed()).toBe(true)
  })
})

describe('idle timeout (RFC 9000 §10.1)', () => {
  it('is the smaller of both announcements, and silent', () => {
    const pair = new Pair({ client: { maxIdleTimeout: 30_000 }, server: { maxIdleTimeout: 4000 } }).establish().settle()
    const last = pair.network.now
    const packets: number[] = []
    pair.network.observe(() => void packets.push(1))
    pair.network.run(() => pair.client.connection.isClosed() && pair.server.connection.isClosed())
    expect(pair.network.now - last).toBeLessThan(4100)
    expect(pair.network.now - last).toBeGreaterThan(3000)
    expect(packets).toEqual([])
    expect(pair.client.closeReasons()).toMatchObject([{ cause: 'idle-timeout', application: false }])
    expect(pair.server.closeReasons()).toMatchObject([{ cause: 'idle-timeout' }])
  })

  it('0 on both sides: never', () => {
    const pair = new Pair({ client: { maxIdleTimeout: 0 }, server: { maxIdleTimeout: 0 } }).establish().settle()
    pair.network.runFor(10_000_000)
    expect(pair.client.connection.isEstablished() && pair.server.connection.isEstablished()).toBe(true)
    expect(pair.client.connection.nextTimeout()).toBe(Infinity)
  })

  it('pings keep it alive (§10.1.2)', () => {
    const pair = new Pair({ client: { maxIdleTimeout: 3000 } }).establish()
    const start = pair.network.now
    for (let time = 2000; time <= 60_000; time += 2000) pair.network.at(start + time, () => pair.client.connection.ping())
    pair.network.runFor(61_000)
    expect(pair.client.connection.isEstablished() && pair.server.connection.isEstablished()).toBe(true)
    pair.network.runFor(10_000)
    expect(pair.client.connection.isClosed() && pair.server.connection.isClosed()).toBe(true)
  })

  it('is not put off by what one sends again and again without an answer', () => {
    const pair = new Pair({ client: { maxIdleTimeout: 5000 } }).establish().settle()
    pair.network.between('client', 'server', { loss: 1 })
    pair.client.send(pattern(100))
    pair.network.turnAll()
    const start = pair.network.now
    pair.network.run(() => pair.client.connection.isClosed())
    expect(pair.network.now - start).toBeLessThan(5100)
  })

  it('forged packets do not keep it alive', () => {
    const pair = new Pair({ client: { maxIdleTimeout: 3000 } }).establish().settle()
    const id = pair.server.connection.sourceConnectionIds()[0]!
    const forged = new Uint8Array(100).fill(0x55)
    forged.set(id, 1)
    for (let time = 100; time < 3000; time += 100) pair.network.inject(forged, CLIENT, SERVER, time)
    pair.network.runFor(3100)
    expect(pair.server.closeReasons()).toMatchObject([{ cause: 'idle-timeout' }])
  })
})
