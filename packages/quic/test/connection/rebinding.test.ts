// The peer's address changes: path validation, probing, forged addresses (RFC 9000 §8.2, §9).

import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../src/base/bytes.ts'
import { FrameType, PacketType } from '../../src/wire/constants.ts'
import { Attacker } from './attacker.ts'
import * as frames from './frames.ts'
import { CLIENT, Pair, SERVER, pattern } from './pair.ts'

const MOVED = '10.0.0.1:6000'
const ELSEWHERE = '10.9.9.9:6000'
const DATA = new Uint8Array(8).fill(3)

describe('NAT rebinding (RFC 9000 §9.3, §9.4)', () => {
  for (const [name, address] of [
    ['port', MOVED],
    ['host and port', ELSEWHERE],
  ] as const) {
    for (let seed = 1; seed <= 4; seed += 1) {
      it(`of the ${name} in the middle of an upload goes on after validation (seed ${seed})`, () => {
        const pair = new Pair({ seed, conditions: { loss: seed > 2 ? 0.03 : 0 } }).establish()
        const data = pattern(400_000)
        const id = pair.client.send(data, true, false)
        pair.network.at(pair.network.now + 60, () => pair.network.rebind('client', address))
        pair.network.run(() => pair.server.finished.has(id), { time: 30_000 })
        expect(equalBytes(pair.server.bytesOf(id), data)).toBe(true)
        expect(pair.server.connection.remoteAddress()).toBe(address)
        expect(pair.server.connection.stats().pathChanges).toBe(1)
      })

      it(`of the ${name} in the middle of a download, where the client only acknowledges (seed ${seed})`, () => {
        const pair = new Pair({ seed, conditions: { loss: seed > 2 ? 0.03 : 0 } }).establish()
        const data = pattern(400_000)
        const id = pair.server.send(data, true, false)
        pair.network.at(pair.network.now + 60, () => pair.network.rebind('client', address))
        pair.network.turnAll()
        pair.network.run(() => pair.client.finished.has(id), { time: 30_000 })
        expect(equalBytes(pair.client.bytesOf(id), data)).toBe(true)
        expect(pair.server.connection.remoteAddress()).toBe(address)
      })
    }
  }

  it('again and again during one transfer', () => {
    const pair = new Pair().establish()
    const data = pattern(900_000)
    const id = pair.server.send(data, true, false)
    for (let move = 1; move <= 5; move += 1) {
      pair.network.at(pair.network.now + move * 300, () => {
        pair.network.rebind('client', `10.0.0.${move + 10}:7000`)
        // Who only listens is lost behind a NAT that forgot him.
        pair.client.connection.ping()
      })
    }
    pair.network.link('server', 'client', { bandwidth: 4_000_000 })
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id), { time: 60_000 })
    expect(equalBytes(pair.client.bytesOf(id), data)).toBe(true)
    expect(pair.server.connection.remoteAddress()).toBe('10.0.0.15:7000')
  })

  it('forgets nothing in flight: the congestion window is free again when all is acknowledged', () => {
    const pair = new Pair().establish()
    const id = pair.server.send(pattern(300_000), true, false)
    pair.network.at(pair.network.now + 25, () => pair.network.rebind('client', MOVED))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
    pair.network.runFor(2000)
    expect(pair.server.connection.pathStats().bytesInFlight).toBe(0)
  })
})

describe('path validation (RFC 9000 §8.2)', () => {
  it('answers every challenge on the path it came on, in a datagram of 1200 bytes when it may (§8.2.2)', () => {
    const attacker = new Attacker('client').establish()
    attacker.deliver(attacker.seal(PacketType.oneRtt, frames.pathChallenge(DATA), { size: 1200 }), ELSEWHERE)
    const responses = attacker.opened.filter((packet) => packet.frames.some((frame) => frame.type === FrameType.pathResponse))
    expect(responses).toHaveLength(1)
    expect(responses[0]!.to).toBe(ELSEWHERE)
    expect(responses[0]!.size).toBe(1200)
    expect(responses[0]!.frames.find((frame) => frame.type === FrameType.pathResponse)?.data).toEqual(DATA)
  })

  it('answers a small challenge within three times its size (§8.1)', () => {
    const attacker = new Attacker('client').establish()
    const challenge = attacker.seal(PacketType.oneRtt, frames.pathChallenge(DATA), { size: 60 })
    attacker.deliver(challenge, ELSEWHERE, 2000)
    const sent = attacker.opened.filter((packet) => packet.to === ELSEWHERE)
    expect(sent.some((packet) => packet.frames.some((frame) => frame.type === FrameType.pathResponse))).toBe(true)
    expect(sent.reduce((sum, packet) => sum + packet.size, 0)).toBeLessThanOrEqual(challenge.length * 3)
  })

  it('acknowledges a packet with a challenge (RFC 9000 §13.2.1)', () => {
    const attacker = new Attacker('client').establish()
    attacker.deliver(attacker.seal(5, frames.pathChallenge(DATA), { size: 1200, packetNumber: 5000 }), ELSEWHERE, 200)
    const acks = attacker.framesOf(FrameType.ack)
    expect(acks.some((ack) => ack.ranges![1] === 5000)).toBe(true)
  })

  it('probing packets do not move a connection (§9.1)', () => {
    const attacker = new Attacker('client').establish()
    const id = new Uint8Array(8).fill(0xaa)
    attacker.deliver(attacker.seal(5, frames.pathChallenge(DATA), { size: 1200 }), ELSEWHERE)
    const others = frames.bytes(frames.newConnectionId(9, 9, id, new Uint8Array(16)), frames.pathResponse(DATA))
    attacker.deliver(attacker.seal(5, others, { size: 1200 }), ELSEWHERE)
    expect(attacker.victim.remoteAddress()).toBe(CLIENT)
    expect(attacker.victim.stats().pathChanges).toBe(0)
  })

  it('a non-probing packet with an older number does not move it either (§9.3)', () => {
    const attacker = new Attacker('client').establish()
    attacker.say(frames.PING, { packetNumber: 3000 })
    attacker.deliver(attacker.seal(5, frames.PING, { packetNumber: 2000 }), ELSEWHERE)
    expect(attacker.victim.remoteAddress()).toBe(CLIENT)
    attacker.deliver(attacker.seal(5, frames.PING, { packetNumber: 3001 }), ELSEWHERE)
    expect(attacker.victim.remoteAddress()).toBe(ELSEWHERE)
  })

  it('an unvalidated new address gets at most three times what it sent, then the connection falls back (§9.3, §9.3.2)', () => {
    const attacker = new Attacker('client').establish()
    // The server has much to say, to whom it believes to be the client.
    const { network, server } = attacker.pair
    const before = attacker.opened.length
    server.send(pattern(100_000), true, false)
    const received = attacker.seal(5, frames.PING, { size: 100 })
    attacker.deliver(received, ELSEWHERE, 0)
    expect(attacker.victim.remoteAddress()).toBe(ELSEWHERE)
    network.runFor(20_000)
    const sent = attacker.opened.slice(before).filter((packet) => packet.to === ELSEWHERE)
    expect(sent.some((packet) => packet.frames.some((frame) => frame.type === FrameType.pathChallenge))).toBe(true)
    expect(sent.reduce((sum, packet) => sum + packet.size, 0)).toBeLessThanOrEqual(3 * received.length)
    expect(attacker.victim.remoteAddress()).toBe(CLIENT)
  })

  it('a response on the wrong challenge validates nothing (§8.2.3)', () => {
    const attacker = new Attacker('client').establish()
    attacker.deliver(attacker.seal(5, frames.PING, { size: 1200 }), ELSEWHERE)
    attacker.deliver(attacker.seal(5, frames.pathResponse(DATA), { size: 1200 }), ELSEWHERE, 20_000)
    expect(attacker.victim.remoteAddress()).toBe(CLIENT)
  })

  it('a right response validates the new address for good', () => {
    const attacker = new Attacker('client').establish()
    attacker.deliver(attacker.seal(5, frames.PING, { size: 1200 }), ELSEWHERE)
    const sent = attacker.opened.filter((packet) => packet.to === ELSEWHERE).flatMap((packet) => packet.frames)
    const challenge = sent.find((frame) => frame.type === FrameType.pathChallenge)!
    attacker.deliver(attacker.seal(5, frames.pathResponse(challenge.data!), { size: 1200 }), ELSEWHERE, 8000)
    expect(attacker.victim.remoteAddress()).toBe(ELSEWHERE)
  })

  it('a copy of an authentic packet from a forged address does not take the connection away (§9.3.1)', () => {
    const pair = new Pair().establish().settle()
    const { network } = pair
    // Every twentieth packet arrives earlier from the attacker than from the client.
    let seen = 0
    network.observe(({ bytes, from, to, dropped }) => {
      if (from === CLIENT && dropped === null) network.inject(bytes, ELSEWHERE, to, ++seen % 20 === 0 ? 5 : 15)
    })
    const id = pair.client.send(pattern(200_000))
    network.turnAll()
    network.run(() => pair.client.finished.has(id), { time: 60_000 })
    network.runFor(5000)
    pair.client.connection.ping()
    network.turnAll()
    network.runFor(5000)
    expect(pair.server.connection.remoteAddress()).toBe(CLIENT)
  })

  it('keeps few paths and few responses, however many addresses and challenges come', () => {
    const attacker = new Attacker('client').establish()
    const challenges = frames.bytes(...Array.from({ length: 20 }, () => frames.pathChallenge(DATA)))
    for (let i = 0; i < 200; i += 1) attacker.deliver(attacker.seal(5, challenges, { size: 1200 }), `10.8.0.${i}:1`, 0)
    attacker.pair.network.runFor(1000)
    // RFC 9000 §8.2.2: one response per challenge, and no more than a few in one go.
    expect(attacker.framesOf(FrameType.pathResponse).length).toBeLessThanOrEqual(200 * 4)
    expect(attacker.victim.isEstablished()).toBe(true)
    expect(attacker.victim.remoteAddress()).toBe(CLIENT)
  })

  it('a client does not listen to an address it never sent to (§9)', () => {
    const attacker = new Attacker('server').establish()
    attacker.deliver(attacker.seal(5, frames.closeApplication(1)), ELSEWHERE)
    expect(attacker.victim.closeReason()).toBeNull()
    attacker.deliver(attacker.seal(5, frames.closeApplication(1)), SERVER)
    expect(attacker.victim.closeReason()).toMatchObject({ cause: 'peer', code: 1 })
  })
})
