// Datagrams with packets that must be ignored, dropped or kept (RFC 9000 §5.2, §7.2, §12, §14.1, §17.2.2).

import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { FrameType, PacketType } from '../../src/wire/constants.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../src/wire/header.ts'
import { Attacker } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { CLIENT, Pair, SERVER, pattern } from '../connection/pair.ts'

describe('packets of a datagram', () => {
  it('RFC 9000 §12.2: packets behind the first one that carry another destination are ignored', () => {
    const attacker = new Attacker('client')
    attacker.pair.network.run(() => attacker.opened.length > 0)
    attacker.usurp()
    const first = attacker.seal(PacketType.initial, frames.PING, { size: 600 })
    const other = attacker.seal(PacketType.handshake, frames.bytes(0x20), { size: 600, destination: new Uint8Array(8).fill(1) })
    attacker.deliver(concatBytes(first, other))
    expect(attacker.victim.closeReason()).toBeNull()
  })

  it('RFC 9000 §12.2: one that cannot be opened does not keep the next from being read', () => {
    const attacker = new Attacker('client')
    attacker.pair.network.run(() => attacker.opened.length > 0)
    attacker.usurp()
    const broken = attacker.seal(PacketType.initial, frames.PING, { size: 600 })
    broken[broken.length - 1]! ^= 1
    attacker.deliver(concatBytes(broken, attacker.seal(PacketType.handshake, frames.closeTransport(5), { size: 600 })))
    expect(attacker.victim.closeReason()).toMatchObject({ cause: 'peer', code: 5 })
  })

  it('RFC 9001 §5.7: packets ahead of their keys are kept, but only a few', () => {
    const pair = new Pair()
    // The server's Handshake packets and 1-RTT packets arrive again and again; its Initial packet comes last.
    const held: Uint8Array[] = []
    pair.network.setFilter((bytes, from) => {
      if (from !== SERVER || held.length >= 3) return bytes
      held.push(bytes.slice())
      return null
    })
    pair.network.runFor(15)
    const random = new SeededRandom(2)
    const destination = pair.client.connection.sourceConnectionIds()[0]!
    for (let i = 0; i < 5000; i += 1) {
      const early = random.bytes(1200)
      early[0] = 0x40
      early.set(destination, 1)
      pair.network.inject(early, SERVER, CLIENT)
    }
    pair.network.runFor(1)
    expect(pair.client.connection.stats().packetsDropped).toBeGreaterThan(4900)
    pair.network.setFilter(null)
    for (const bytes of held) pair.network.inject(bytes, SERVER, CLIENT)
    pair.establish()
  })

  it('RFC 9000 §7.2: long headers with another source than the first one are dropped', () => {
    for (const plays of ['client', 'server'] as const) {
      const attacker = new Attacker(plays)
      attacker.pair.network.run(() => attacker.opened.some((packet) => packet.packetType === PacketType.handshake))
      attacker.usurp()
      const { packetsReceived } = attacker.victim.stats()
      attacker.send(PacketType.handshake, frames.closeTransport(1), { size: 1200, source: new Uint8Array(8).fill(6) })
      expect(attacker.victim.closeReason()).toBeNull()
      expect(attacker.victim.stats().packetsReceived).toBe(packetsReceived)
    }
  })

  it('RFC 9000 §17.2.2: an Initial packet of a server with a token is dropped', () => {
    const attacker = new Attacker('server')
    attacker.pair.network.setFilter((bytes, from) => (from === SERVER ? null : bytes))
    attacker.pair.network.runFor(50)
    attacker.usurp()
    attacker.send(PacketType.initial, frames.closeTransport(1), { size: 1200, token: new Uint8Array(4) })
    expect(attacker.victim.closeReason()).toBeNull()
    attacker.send(PacketType.initial, frames.closeTransport(1), { size: 1200 })
    expect(attacker.victim.closeReason()).toMatchObject({ cause: 'peer' })
  })

  it('RFC 9000 §14.1: Initial packets in small datagrams are dropped by a server', () => {
    const attacker = new Attacker('client')
    attacker.pair.network.run(() => attacker.opened.length > 0)
    attacker.usurp()
    attacker.send(PacketType.initial, frames.closeTransport(1), { size: 1199 })
    expect(attacker.victim.closeReason()).toBeNull()
  })
})

describe('packets of strangers', () => {
  it('RFC 9000 §5.2.1: a client discards packets of another version', () => {
    const attacker = new Attacker('server')
    attacker.pair.network.setFilter((bytes, from) => (from === SERVER ? null : bytes))
    attacker.pair.network.runFor(50)
    attacker.usurp()
    for (const version of [2, 0x0a0a0a0a, 0xff00001d]) {
      const packet = attacker.seal(PacketType.initial, frames.closeTransport(1), { size: 1200 })
      new DataView(packet.buffer).setUint32(1, version)
      attacker.deliver(packet)
      expect(attacker.victim.closeReason()).toBeNull()
    }
    expect(attacker.victim.stats().packetsReceived).toBe(0)
  })

  it('RFC 9000 §5.2.2: a server ignores Handshake and 0-RTT packets of strangers', () => {
    const pair = new Pair()
    pair.network.remove('client')
    const answers: string[] = []
    pair.network.observe(({ from, to }) => {
      if (from === SERVER) answers.push(to)
    })
    for (const firstByte of [0xd3, 0xe3, 0xf3]) {
      const datagram = new SeededRandom(firstByte).bytes(1200)
      datagram.set([firstByte, 0, 0, 0, 1, 8])
      datagram[14] = 8
      datagram.set([0x44, 0x90], 23)
      pair.network.inject(datagram, CLIENT, SERVER)
    }
    pair.network.runFor(100)
    expect(answers).toEqual([])
    expect(pair.servers).toHaveLength(0)
  })
})

describe('packets sent', () => {
  it('RFC 9000 §12.2: the packets of a datagram have one destination', () => {
    const pair = new Pair()
    let coalesced = 0
    pair.network.observe(({ bytes }) => {
      const view = new HeaderView()
      let first: Uint8Array | null = null
      for (let at = 0; at < bytes.length; at = view.packetEnd) {
        if (parseHeader(view, bytes, at, bytes.length, 8, true) !== HeaderResult.ok) return
        if (first !== null) {
          coalesced += 1
          expect(view.destination()).toEqual(first)
        }
        first ??= view.destination().slice()
      }
    })
    pair.establish().settle()
    expect(coalesced).toBeGreaterThan(1)
  })

  it('RFC 9000 §12.2, §13.2.6: coalesced packets are acknowledged each in its space', () => {
    const attacker = new Attacker('server')
    attacker.pair.network.run(() => attacker.opened.some((packet) => packet.packetType === PacketType.oneRtt))
    attacker.usurp()
    attacker.opened.length = 0
    const handshake = attacker.seal(PacketType.handshake, frames.PING, { packetNumber: 2000 })
    const oneRtt = attacker.seal(PacketType.oneRtt, frames.PING, { packetNumber: 3000 })
    attacker.deliver(concatBytes(handshake, oneRtt), undefined, 100)
    const acknowledged = attacker.opened.flatMap((packet) =>
      packet.frames.filter((frame) => frame.type === FrameType.ack).map((frame) => [packet.packetType, frame.ranges![1]]),
    )
    expect(acknowledged).toContainEqual([PacketType.handshake, 2000])
    expect(acknowledged).toContainEqual([PacketType.oneRtt, 3000])
  })

  it('RFC 9000 §12.3: packet numbers rise and none is used twice', () => {
    for (const plays of ['client', 'server'] as const) {
      const attacker = new Attacker(plays, { conditions: { loss: 0.1 } })
      attacker.pair.network.run(() => attacker.pair.client.connection.isConfirmed() && attacker.pair.servers.length > 0, { time: 20_000 })
      const id = attacker.pair.client.send(pattern(100_000))
      attacker.pair.network.run(() => attacker.pair.client.finished.has(id), { time: 60_000 })
      for (const type of [PacketType.initial, PacketType.handshake, PacketType.oneRtt]) {
        const numbers = attacker.opened.filter((packet) => packet.packetType === type).map((packet) => packet.packetNumber)
        expect(numbers.length).toBeGreaterThan(0)
        for (let i = 1; i < numbers.length; i += 1) expect(numbers[i]).toBeGreaterThan(numbers[i - 1]!)
      }
    }
  })
})
