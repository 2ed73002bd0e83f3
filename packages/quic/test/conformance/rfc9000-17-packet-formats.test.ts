// Headers that are not as they should be, Version Negotiation and Retry on the wire (RFC 9000 §17).

import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { MASK_LENGTH, packetNumberLengthOf, unprotectHeader } from '../../src/crypto/header-protection.ts'
import { initialSecrets } from '../../src/crypto/initial-keys.ts'
import { packetAead, packetHeaderKey } from '../../src/crypto/packet-keys.ts'
import { retryIntegrityTag } from '../../src/crypto/retry-integrity.ts'
import { retryAbove } from '../../src/endpoint/incoming.ts'
import { FrameType, PacketType } from '../../src/wire/constants.ts'
import { HeaderView, parseHeader } from '../../src/wire/header.ts'
import { encodeRetry } from '../../src/wire/retry.ts'
import { Attacker } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { CLIENT, Pair, SERVER } from '../connection/pair.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { cryptoBytes } from './rogue.ts'

const STRANGER = '10.0.0.77:1'

/** What a server answers to datagrams of a stranger. */
function answersTo(pair: Pair, ...datagrams: readonly Uint8Array[]): HeaderView[] {
  const answers: HeaderView[] = []
  pair.network.observe(({ bytes, to }) => {
    if (to !== STRANGER) return
    const view = new HeaderView()
    parseHeader(view, bytes.slice(), 0, bytes.length, 8, true)
    answers.push(view)
  })
  for (const datagram of datagrams) pair.network.inject(datagram, STRANGER, SERVER)
  pair.network.runFor(50)
  return answers
}

function longHeader(version: number, destination: number, source: number): Uint8Array {
  const head = frames.bytes(Uint8Array.of(0xc3), new Uint8Array(4), Uint8Array.of(destination), new Uint8Array(destination).fill(3))
  const datagram = new Uint8Array(1200)
  datagram.set(frames.bytes(head, Uint8Array.of(source), new Uint8Array(source).fill(4), Uint8Array.of(0, 0x44, 0x00)))
  new DataView(datagram.buffer).setUint32(1, version)
  return datagram
}

describe('long headers', () => {
  for (const [name, destination, source] of [
    ['a destination connection ID of 21 bytes', 21, 8],
    ['a source connection ID of 21 bytes', 8, 21],
    ['connection IDs of 255 bytes', 255, 255],
  ] as const) {
    it(`RFC 9000 §17.2: a connection ID of 21 bytes or more: the packet is dropped (${name})`, () => {
      const pair = new Pair()
      expect(answersTo(pair, longHeader(1, destination, source))).toEqual([])
      expect(pair.endpoint.size).toBeLessThanOrEqual(1)
      expect(pair.servers.every((server) => server.connection.remoteAddress() !== STRANGER)).toBe(true)
    })
  }

  it('RFC 9000 §17.2: a long header with a clear Fixed Bit is dropped where that was not advertised', () => {
    for (const plays of ['client', 'server'] as const) {
      const attacker = new Attacker(plays, { client: { greaseQuicBit: false }, server: { greaseQuicBit: false } })
      attacker.pair.network.run(() => attacker.opened.some((packet) => packet.packetType === PacketType.handshake))
      attacker.usurp().pair.network.runFor(100)
      const before = attacker.victim.stats().packetsReceived
      const packet = attacker.seal(PacketType.handshake, frames.closeTransport(1), { size: 1200 })
      packet[0]! &= ~0x40
      attacker.deliver(packet)
      expect(attacker.victim.stats().packetsReceived).toBe(before)
      expect(attacker.victim.closeReason()).toBeNull()
    }
  })
})

describe('Version Negotiation', () => {
  it('RFC 9000 §17.2.1: an unknown version with connection IDs of any length is answered', () => {
    for (const [destination, source] of [[0, 0], [1, 255], [21, 21], [255, 0]] as const) {
      const [answer, ...more] = answersTo(new Pair(), longHeader(0x1badcafe, destination, source))
      expect(more).toEqual([])
      expect(answer!.version).toBe(0)
      expect(answer!.destination()).toEqual(new Uint8Array(source).fill(4))
      expect(answer!.source()).toEqual(new Uint8Array(destination).fill(3))
    }
  })

  it('RFC 9000 §17.2.1: one Version Negotiation packet for a datagram, whatever is coalesced in it', () => {
    const one = longHeader(0x1badcafe, 8, 8)
    expect(answersTo(new Pair(), concatBytes(one, one))).toHaveLength(1)
  })
})

describe('Retry', () => {
  it('RFC 9000 §17.2.5.1: one Retry for a datagram, with another connection ID than the client chose', () => {
    const pair = new Pair({ endpoint: { policy: retryAbove(0) } })
    pair.network.remove('client')
    const initial = longHeader(1, 8, 8)
    // Two Initial packets in one datagram: token of no bytes, 600 bytes each.
    const half = initial.slice(0, 600)
    half.set([0, 0x42, 0x3f], 23)
    const retries = answersTo(pair, concatBytes(half, half))
    expect(retries).toHaveLength(1)
    expect(retries[0]!.packetType).toBe(PacketType.retry)
    expect(retries[0]!.source()).not.toEqual(new Uint8Array(8).fill(3))
  })

  const SOURCE = new Uint8Array(10).fill(0x77)
  function retryTo(attacker: Attacker, unused: number): Uint8Array {
    const client = attacker.pair.client.connection
    const packet = encodeRetry(1, client.sourceConnectionIds()[0]!, SOURCE, new Uint8Array(40).fill(0x88))
    packet[0] = (packet[0]! & 0xf0) | unused
    return concatBytes(packet, retryIntegrityTag(provider, 1, client.originalDestinationConnectionId, packet))
  }

  /** The client's Initial packets, as far as they can be seen without keys. */
  function watch(attacker: Attacker): HeaderView[] {
    const seen: HeaderView[] = []
    attacker.pair.network.observe(({ from, bytes }) => {
      if (from !== CLIENT) return
      const view = new HeaderView()
      parseHeader(view, bytes.slice(), 0, bytes.length, 8)
      seen.push(view)
    })
    return seen
  }

  it('RFC 9000 §17.2.5: the unused bits of a Retry do not matter', () => {
    for (const unused of [0, 5, 15]) {
      const attacker = new Attacker('server')
      attacker.pair.network.remove('server')
      const seen = watch(attacker)
      attacker.pair.network.runFor(15)
      attacker.deliver(retryTo(attacker, unused))
      expect(seen.at(-1)!.token()).toHaveLength(40)
      expect(seen.at(-1)!.destination()).toEqual(SOURCE)
    }
  })

  it('RFC 9000 §17.2.5.2, §17.2.5.3: after a Retry the client keeps its source, its ClientHello and its packet numbers', () => {
    const attacker = new Attacker('server')
    attacker.pair.network.remove('server')
    const seen = watch(attacker)
    attacker.pair.network.runFor(1500)
    attacker.deliver(retryTo(attacker, 0), undefined, 3000)
    const before = attacker.opened.filter((packet) => packet.packetType === PacketType.initial)
    const after = seen.filter((view) => view.tokenLength > 0).map((view) => openInitial(view.buffer, SOURCE))
    expect(before.length).toBeGreaterThan(1)
    expect(after.length).toBeGreaterThan(1)
    for (const view of seen) expect(view.source()).toEqual(seen[0]!.source())
    expect(after[0]!.packetNumber).toBeGreaterThan(before.at(-1)!.packetNumber)
    for (let i = 1; i < after.length; i += 1) expect(after[i]!.packetNumber).toBeGreaterThan(after[i - 1]!.packetNumber)
    expect(cryptoBytes(after[0]!.payload)).toEqual(cryptoBytes(before[0]!.payload))
  })
})

/** An Initial packet of a client under the keys of this destination. */
function openInitial(datagram: Uint8Array, destination: Uint8Array): { packetNumber: number; payload: Uint8Array } {
  const view = new HeaderView()
  const bytes = datagram.slice()
  parseHeader(view, bytes, 0, bytes.length, 8)
  const secret = initialSecrets(provider, 1, destination).client
  const mask = new Uint8Array(MASK_LENGTH)
  const packetNumber = unprotectHeader(packetHeaderKey(provider, 0x1301, secret), mask, bytes, 0, view.packetNumberOffset, view.packetEnd)
  const start = view.packetNumberOffset + packetNumberLengthOf(bytes[0]!)
  expect(packetAead(provider, 0x1301, secret).open(bytes, 0, start, view.packetEnd, packetNumber)).toBe(true)
  return { packetNumber, payload: bytes.slice(start, view.packetEnd - 16) }
}

describe('short headers', () => {
  it('RFC 9000 §17.4: the spin bit of the peer means nothing, and ours is 0', () => {
    for (const plays of ['client', 'server'] as const) {
      const attacker = new Attacker(plays).establish()
      let spinning = 0
      attacker.pair.network.observe(({ from, bytes }) => {
        if (from === attacker.victimAddress && (bytes[0]! & 0x80) === 0 && (bytes[0]! & 0x20) !== 0) spinning += 1
      })
      for (let i = 0; i < 20; i += 1) attacker.say(frames.PING, { firstByteBits: i % 2 === 0 ? 0x20 : 0 })
      expect(attacker.victim.closeReason()).toBeNull()
      expect(attacker.framesOf(FrameType.ack).length).toBeGreaterThan(0)
      expect(spinning).toBe(0)
    }
  })

  it('RFC 9000 §17.3.1: a clear Fixed Bit is dropped where that was not advertised', () => {
    for (const plays of ['client', 'server'] as const) {
      const attacker = new Attacker(plays, { client: { greaseQuicBit: false }, server: { greaseQuicBit: false } }).establish()
      const packet = attacker.seal(PacketType.oneRtt, frames.closeTransport(1))
      packet[0]! &= ~0x40
      attacker.deliver(packet)
      expect(attacker.victim.closeReason()).toBeNull()
    }
  })
})
