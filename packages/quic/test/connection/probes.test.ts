// Probes of several packet number spaces, and time spent waiting for keys (RFC 9002 §5.3, §6.2.4; RFC 9000 §13.2.5).

import { describe, expect, it } from 'vitest'
import type { FrameRecord, TraceSink } from '../../src/trace/sink.ts'
import { FrameType, PacketType } from '../../src/wire/constants.ts'
import { HeaderView, parseHeader } from '../../src/wire/header.ts'
import { Attacker } from './attacker.ts'
import type { OpenedPacket } from './attacker.ts'
import { CLIENT, Pair, SERVER, pattern } from './pair.ts'

function typesAt(opened: readonly OpenedPacket[], time: number): Set<number> {
  return new Set(opened.filter((packet) => packet.time === time).map((packet) => packet.packetType))
}

describe('probes before the handshake is confirmed (RFC 9002 §6.2.4)', () => {
  it('a client with Handshake and 1-RTT data in flight probes in both', () => {
    const attacker = new Attacker('server')
    const { network, client } = attacker.pair
    network.setFilter((bytes, from) => (from === CLIENT && client.connection.isEstablished() ? null : bytes))
    network.run(() => client.connection.isEstablished())
    client.send(pattern(100))
    network.turnAll()
    attacker.opened.length = 0
    const ptos = client.connection.stats().ptoCount
    network.run(() => client.connection.stats().ptoCount > ptos)
    network.turnAll()
    expect(typesAt(attacker.opened, network.now)).toEqual(new Set([PacketType.handshake, PacketType.oneRtt]))
    for (const packet of attacker.opened) expect(packet.frames.some((frame) => frame.type !== FrameType.ack && frame.type !== FrameType.padding)).toBe(true)
  })

  it('a server with Initial and Handshake data in flight probes in both, whichever timer it was', () => {
    const attacker = new Attacker('client', { client: { initialRtt: 2000 } })
    const { network } = attacker.pair
    network.setFilter((bytes, from) => (from === SERVER ? null : bytes))
    network.run(() => attacker.opened.some((packet) => packet.packetType === PacketType.handshake))
    const ptos = attacker.victim.stats().ptoCount
    attacker.opened.length = 0
    network.run(() => attacker.victim.stats().ptoCount > ptos)
    network.turnAll()
    expect(typesAt(attacker.opened, network.now)).toEqual(new Set([PacketType.initial, PacketType.handshake]))
  })
})

describe('probes with one packet in flight', () => {
  // RFC 9000 §17.2.2: "The first packet sent by a client always includes a CRYPTO frame that contains the start or all of the first
  // cryptographic handshake message." There are servers that demand it of the first they receive.
  it('both begin with the ClientHello: whichever arrives first, a server can begin with it', () => {
    const attacker = new Attacker('server')
    const { network, client } = attacker.pair
    network.setFilter((bytes, from) => (from === CLIENT ? null : bytes))
    for (let ptos = 0; ptos < 3; ptos += 1) {
      network.run(() => client.connection.stats().ptoCount > ptos)
      network.turnAll()
      const probes = attacker.opened.filter(({ time }) => time === network.now)
      expect(probes).toHaveLength(2)
      for (const packet of probes) {
        expect(packet.packetType).toBe(PacketType.initial)
        expect(packet.frames.filter((frame) => frame.type === FrameType.crypto && frame.offset === 0)).toHaveLength(1)
      }
    }
  })
})

describe('packets that waited for their keys (RFC 9000 §13.2.5)', () => {
  it('are acknowledged with the time they waited', () => {
    const attacker = new Attacker('client', { client: { maxAckDelay: 25 } })
    const { network, client } = attacker.pair
    const view = new HeaderView()
    const held: Uint8Array[] = []
    network.setFilter((bytes, from) => {
      if (from !== CLIENT || !client.connection.isEstablished()) return bytes
      let rest: Uint8Array | null = null
      for (let at = 0; at < bytes.length; at = view.packetEnd) {
        parseHeader(view, bytes, at, bytes.length, 8, true)
        const packet = bytes.slice(at, view.packetEnd)
        if (view.packetType === PacketType.oneRtt) rest = packet
        else held.push(packet)
      }
      return rest
    })
    network.run(() => client.connection.isEstablished())
    client.send(pattern(100))
    network.runFor(45)
    expect(held.length).toBeGreaterThan(0)
    expect(attacker.victim.isEstablished()).toBe(false)
    network.setFilter((bytes) => bytes)
    for (const packet of held) network.inject(packet, CLIENT, SERVER)
    network.runFor(30)
    const [ack] = attacker.opened.filter((packet) => packet.packetType === PacketType.oneRtt).flatMap((packet) => packet.frames.filter((frame) => frame.type === FrameType.ack))
    expect(ack!.ackDelay).toBeGreaterThan(20)
    expect(ack!.ackDelay).toBeLessThan(60)
  })
})

describe('ack_delay_exponent (RFC 9000 §18.2, §19.3)', () => {
  it.each([0, 3, 10])('%i: the delay means the same to the estimator and in traces', (ackDelayExponent) => {
    const seen: FrameRecord[] = []
    const clientTrace = new Proxy({} as TraceSink, {
      get: (_, name) => (name === 'packetReceived' ? (...[, type, , , records]: Parameters<TraceSink['packetReceived']>) => {
        if (type === PacketType.oneRtt) seen.push(...records.filter((frame) => frame.type === FrameType.ack))
      } : () => {}),
    })
    const pair = new Pair({ server: { ackDelayExponent }, clientTrace, serve: () => {} }).establish().settle()
    expect(pair.server.connection.peerTransportParameters()!.ackDelayExponent).toBe(3)
    expect(pair.client.connection.peerTransportParameters()!.ackDelayExponent).toBe(ackDelayExponent)
    seen.length = 0
    for (let i = 0; i < 30; i += 1) {
      pair.client.connection.ping()
      pair.network.turnAll()
      pair.network.runFor(200)
    }
    expect(seen.at(-1)!.ackDelay).toBeGreaterThan(23)
    expect(seen.at(-1)!.ackDelay).toBeLessThan(27)
    // A round trip of 20 ms and 25 ms of delay, which are taken off.
    expect(pair.client.connection.pathStats().smoothedRtt).toBeLessThan(23)
  })
})
