// TLS under QUIC, broken by a peer with the right keys, to both roles: the exact codes (RFC 9001 §4, §6, §8).

import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { EncryptionLevel, FrameType, PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { Pair, SERVER, pattern } from '../connection/pair.ts'
import { reframe } from '../tls/handshake.ts'
import { changeExtensions, helloExtensions, set, without } from '../tls/hello-extensions.ts'
import type { Change } from '../tls/hello-extensions.ts'
import { CLIENT_HELLO, ENCRYPTED_EXTENSIONS, ROGUE_SOURCE, RogueServer, cryptoBytes, rogueClient, rogueHello, rogueServer, silentClient } from './rogue.ts'

const { protocolViolation, cryptoError } = TransportErrorCode

const ALPN = 16
const TRANSPORT_PARAMETERS = 57
const NO_APPLICATION_PROTOCOL = cryptoError + 120
const MISSING_EXTENSION = cryptoError + 109
const UNEXPECTED_MESSAGE = cryptoError + 10
const PROTOCOL_VERSION = cryptoError + 70

const inHello = (change: Change) => (body: Uint8Array): Uint8Array => changeExtensions(body, helloExtensions(body), change)
const inExtensions = (change: Change) => (body: Uint8Array): Uint8Array => changeExtensions(body, 0, change)

function expectClosed(attacker: Attacker, code: number): void {
  expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code })
  expect(attacker.framesOf(FrameType.connectionClose)[0]).toMatchObject({ errorCode: code })
}

describe('a ClientHello', () => {
  const wrong: [string, (body: Uint8Array) => Uint8Array, number][] = [
    ['§8.1: a ClientHello without ALPN: no_application_protocol', inHello(without(ALPN)), NO_APPLICATION_PROTOCOL],
    ['§8.1: a ClientHello with other protocols: no_application_protocol', inHello(set(ALPN, Uint8Array.of(0, 3, 2, 0x68, 0x37))), NO_APPLICATION_PROTOCOL],
    ['§8.2: a ClientHello without quic_transport_parameters: missing_extension', inHello(without(TRANSPORT_PARAMETERS)), MISSING_EXTENSION],
    ['§4.2: a ClientHello for TLS 1.2: protocol_version', inHello(set(43, Uint8Array.of(2, 3, 3))), PROTOCOL_VERSION],
    [
      '§8.4: a ClientHello with a session ID: PROTOCOL_VIOLATION',
      (body) => concatBytes(body.subarray(0, 34), Uint8Array.of(32), pattern(32), body.subarray(35)),
      protocolViolation,
    ],
  ]
  for (const [name, change, code] of wrong) {
    it(`RFC 9001 ${name}`, () => expectClosed(rogueClient({ rewrite: { [CLIENT_HELLO]: change } }), code))
  }

  it('RFC 9001 §4.8: a fault of the handshake is an error of 0x100 and the alert, at once fatal', () => {
    const attacker = rogueClient({ rewrite: { [CLIENT_HELLO]: (body) => body.subarray(0, body.length - 3) } })
    expectClosed(attacker, cryptoError + 50)
    expect(attacker.victim.isClosing()).toBe(true)
  })

  it('RFC 9001 §8.4: our ClientHello has no session ID', () => {
    const attacker = new Attacker('server')
    attacker.pair.network.runFor(5)
    const { payload } = attacker.opened[0]!
    // CRYPTO header of four bytes, message header of four, version, random.
    const hello = payload.subarray(payload.findIndex((byte) => byte === 0x06) + 4)
    expect(hello[0]).toBe(1)
    expect(hello[4 + 2 + 32]).toBe(0)
  })
})

describe('our ClientHello', () => {
  it('RFC 9001 §4.2: offers TLS 1.3 and reserved values, nothing older', () => {
    const attacker = new Attacker('server')
    attacker.pair.network.runFor(5)
    const body = cryptoBytes(attacker.opened[0]!.payload).subarray(4)
    const versions: number[] = []
    changeExtensions(body, helloExtensions(body), (list) => {
      const [, list43] = list.find(([type]) => type === 43)!
      for (let at = 1; at < list43.length; at += 2) versions.push((list43[at]! << 8) | list43[at + 1]!)
      return list
    })
    expect(versions).toContain(0x0304)
    for (const version of versions) if (version !== 0x0304) expect(version & 0x0f0f).toBe(0x0a0a)
  })
})

describe('EncryptedExtensions', () => {
  const wrong: [string, (body: Uint8Array) => Uint8Array, number][] = [
    ['§8.1: a server that selects no protocol: no_application_protocol', inExtensions(without(ALPN)), NO_APPLICATION_PROTOCOL],
    [
      '§8.1: a server that selects what was not offered: no_application_protocol',
      inExtensions(set(ALPN, Uint8Array.of(0, 3, 2, 0x68, 0x37))),
      NO_APPLICATION_PROTOCOL,
    ],
    ['§8.2: EncryptedExtensions without quic_transport_parameters: missing_extension', inExtensions(without(TRANSPORT_PARAMETERS)), MISSING_EXTENSION],
  ]
  for (const [name, change, code] of wrong) {
    it(`RFC 9001 ${name}`, () => expectClosed(rogueServer({ rewrite: { [ENCRYPTED_EXTENSIONS]: change } }), code))
  }
})

describe('handshake bytes at a level that is over', () => {
  /** The other side has moved on to Handshake keys, and still reads Initial packets. */
  function beyondInitial(plays: 'client' | 'server'): Attacker {
    if (plays === 'client') return rogueClient()
    const rogue = new RogueServer()
    rogue.say(EncryptionLevel.initial)
    // The client acknowledges in Initial packets; it has nothing for Handshake packets, and keeps its Initial keys.
    expect(rogue.attacker.opened.every((packet) => packet.packetType === PacketType.initial)).toBe(true)
    return rogue.attacker
  }

  for (const plays of ['client', 'server'] as const) {
    const victim = plays === 'client' ? 'server' : 'client'
    for (const [name, frame] of [
      ['next to what was received', frames.crypto(0, new Uint8Array(900))],
      ['behind a gap', frames.crypto(2000, new Uint8Array(20))],
    ] as const) {
      it(`RFC 9001 §4.1.3: new CRYPTO data at a level that is over, ${name}, to a ${victim}: PROTOCOL_VIOLATION`, () => {
        const attacker = beyondInitial(plays)
        attacker.send(PacketType.initial, frame, { source: ROGUE_SOURCE, size: 1200 })
        expectClosed(attacker, protocolViolation)
      })
    }

    it(`RFC 9001 §4.1.3: CRYPTO data that was received before is fine, to a ${victim}`, () => {
      const attacker = beyondInitial(plays)
      attacker.send(PacketType.initial, frames.crypto(0, new Uint8Array(60)), { source: ROGUE_SOURCE, size: 1200 })
      attacker.send(PacketType.initial, frames.crypto(20, new Uint8Array(0)), { source: ROGUE_SOURCE, size: 1200 })
      expect(attacker.victim.closeReason()).toBeNull()
    })
  }

  it('RFC 9001 §4.1.3: what waits behind a gap at a change of keys: PROTOCOL_VIOLATION', () => {
    const client = silentClient()
    const destination = client.pair.client.connection.originalDestinationConnectionId
    const [gap, hello] = [frames.crypto(3000, pattern(10)), frames.crypto(0, rogueHello({}))]
    client.deliver(client.seal(PacketType.initial, frames.bytes(gap, hello), { destination, source: ROGUE_SOURCE, size: 1200 }))
    expectClosed(client, protocolViolation)
    const server = new RogueServer()
    server.attacker.send(PacketType.initial, gap, { source: ROGUE_SOURCE, size: 1200 })
    server.say(EncryptionLevel.initial)
    expectClosed(server.attacker, protocolViolation)
  })

  it('RFC 9001 §4.1.3: a message that spans a change of keys: PROTOCOL_VIOLATION', () => {
    const tail = (at: EncryptionLevel) => (level: EncryptionLevel, flight: Uint8Array): Uint8Array =>
      level === at ? concatBytes(flight, Uint8Array.of(1)) : flight
    expectClosed(rogueClient({ spoil: tail(EncryptionLevel.initial) }), protocolViolation)
    expectClosed(rogueServer({ spoil: tail(EncryptionLevel.initial) }), protocolViolation)
    expectClosed(rogueServer({ spoil: tail(EncryptionLevel.handshake) }), protocolViolation)
  })
})

describe('after the handshake', () => {
  const ticket = (earlyData: number): Uint8Array =>
    frames.bytes(
      Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 4, 9, 9, 9, 9, 0, 8, 0, 42, 0, 4),
      Uint8Array.of(earlyData >>> 24, (earlyData >>> 16) & 255, (earlyData >>> 8) & 255, earlyData & 255),
    )

  it('RFC 9001 §4.4: a CertificateRequest after the handshake: PROTOCOL_VIOLATION', () => {
    const attacker = new Attacker('server').establish()
    attacker.say(frames.crypto(0, reframe(13, Uint8Array.of(0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3))))
    expectClosed(attacker, protocolViolation)
  })

  it('RFC 9001 §4.6.1: a ticket with another max_early_data_size than 0xffffffff: PROTOCOL_VIOLATION', () => {
    for (const size of [0, 1, 16_384, 0xfffffffe]) {
      const attacker = new Attacker('server').establish()
      attacker.say(frames.crypto(0, reframe(4, ticket(size))))
      expectClosed(attacker, protocolViolation)
    }
    const attacker = new Attacker('server').establish()
    attacker.say(frames.crypto(0, reframe(4, ticket(0xffffffff))))
    expect(attacker.victim.closeReason()).toBeNull()
  })

  for (const plays of ['client', 'server'] as const) {
    const victim = plays === 'client' ? 'server' : 'client'
    it(`RFC 9001 §6: a TLS KeyUpdate, to a ${victim}: unexpected_message`, () => {
      const attacker = new Attacker(plays).establish()
      attacker.say(frames.crypto(0, reframe(24, Uint8Array.of(0))))
      expectClosed(attacker, UNEXPECTED_MESSAGE)
    })

    it(`RFC 9001 §4.1.3: other handshake messages, to a ${victim}: unexpected_message`, () => {
      for (const type of plays === 'client' ? [1, 2, 4, 8, 11, 13, 15, 20] : [1, 2, 8, 11, 15, 20]) {
        const attacker = new Attacker(plays).establish()
        attacker.say(frames.crypto(0, reframe(type, new Uint8Array(8))))
        expectClosed(attacker, UNEXPECTED_MESSAGE)
      }
    })
  }
})

describe('keys', () => {
  it('RFC 9001 §4.1.2: HANDSHAKE_DONE goes out as soon as the handshake is complete', () => {
    const attacker = new Attacker('client')
    let complete = -1
    attacker.pair.network.run(() => {
      if (complete < 0 && attacker.pair.servers[0]?.connection.isEstablished() === true) complete = attacker.pair.network.now
      return attacker.framesOf(FrameType.handshakeDone).length > 0
    })
    const done = attacker.opened.find((packet) => packet.frames.some((frame) => frame.type === FrameType.handshakeDone))!
    expect(done.packetType).toBe(PacketType.oneRtt)
    expect(done.time - complete).toBeLessThan(1)
  })

  it('RFC 9001 §4.9.1: Initial keys are gone with the first Handshake packet', () => {
    for (const plays of ['client', 'server'] as const) {
      const attacker = new Attacker(plays, { conditions: { loss: 0.2 } })
      attacker.pair.network.run(() => attacker.pair.client.connection.isConfirmed(), { time: 20_000 })
      attacker.pair.settle()
      const handshake = attacker.opened.findIndex((packet) => packet.packetType === PacketType.handshake)
      // A client stops when it sends the first Handshake packet, a server when it has heard one.
      if (plays === 'server') expect(attacker.opened.slice(handshake + 1).some((packet) => packet.packetType === PacketType.initial)).toBe(false)
      attacker.usurp().pair.network.runFor(100)
      const before = attacker.victim.stats().packetsReceived
      attacker.send(PacketType.initial, frames.closeTransport(1), { size: 1200 })
      expect(attacker.victim.closeReason()).toBeNull()
      expect(attacker.victim.stats().packetsReceived).toBe(before)
    }
  })

  it('RFC 9001 §4.9.2: Handshake keys are gone when the handshake is confirmed', () => {
    for (const plays of ['client', 'server'] as const) {
      const attacker = new Attacker(plays).establish()
      const before = attacker.victim.stats().packetsReceived
      attacker.send(PacketType.handshake, frames.closeTransport(1), { size: 1200 })
      expect(attacker.victim.closeReason()).toBeNull()
      expect(attacker.victim.stats().packetsReceived).toBe(before)
      expect(attacker.opened.every((packet) => packet.packetType === PacketType.oneRtt)).toBe(true)
    }
  })

  it('RFC 9001 §4.9.2: a client keeps them until HANDSHAKE_DONE comes', () => {
    const pair = new Pair()
    pair.network.run(() => pair.client.connection.isEstablished())
    pair.network.setFilter((bytes, from) => (from === SERVER ? null : bytes))
    pair.network.runFor(3000)
    expect(pair.client.connection.isConfirmed()).toBe(false)
  })
})
