// QUIC version 2 (RFC 9369), compatible version negotiation and its authentication (RFC 9368), on the simulated network.

import { describe, expect, it } from 'vitest'
import type { ConnectionConfig, TransportSettings } from '../../src/connection/config.ts'
import { retryIntegrityTag } from '../../src/crypto/retry-integrity.ts'
import { concatBytes } from '../../src/base/bytes.ts'
import { PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../src/wire/header.ts'
import { encodeRetry } from '../../src/wire/retry.ts'
import { encodeVersionNegotiation } from '../../src/wire/version-negotiation.ts'
import { isReservedVersion } from '../../src/wire/version.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { CLIENT, Pair, SERVER, pattern } from './pair.ts'
import type { PairOptions } from './pair.ts'

const V1 = 1
const V2 = 0x6b3343cf

interface LongPacket {
  readonly from: string
  readonly type: number
  readonly version: number
}

/** Long header packets in order of sending. */
function record(pair: Pair): LongPacket[] {
  const packets: LongPacket[] = []
  const view = new HeaderView()
  pair.network.observe(({ bytes, from }) => {
    for (let at = 0; at < bytes.length; at = view.packetEnd) {
      if (parseHeader(view, bytes, at, bytes.length, 8, true) !== HeaderResult.ok || !view.isLongHeader()) return
      packets.push({ from, type: view.packetType, version: view.version })
    }
  })
  return packets
}

function versionsOf(packets: readonly LongPacket[], from: string, type: number): number[] {
  return [...new Set(packets.filter((packet) => packet.from === from && packet.type === type).map(({ version }) => version))]
}

function expectEcho(pair: Pair): void {
  const data = pattern(20_000)
  const id = pair.client.send(data)
  pair.network.run(() => pair.client.finished.has(id))
  expect(pair.client.bytesOf(id)).toEqual(data)
}

describe('a connection in version 2 alone (RFC 9369 §3)', () => {
  it('carries data both ways and updates keys', () => {
    const pair = new Pair({ clientConfig: { versions: [V2] } })
    const packets = record(pair)
    pair.establish()
    expectEcho(pair)
    pair.client.connection.updateKeys()
    expectEcho(pair)
    expect(new Set(packets.map(({ version }) => version))).toEqual(new Set([V2]))
    expect(pair.client.connection.version()).toBe(V2)
    expect(pair.server.connection.version()).toBe(V2)
  })

  it('follows a Retry of version 2 and no other (RFC 9369 §4.1)', () => {
    const source = new Uint8Array(9).fill(3)
    const token = new Uint8Array(30).fill(4)
    for (const [version, follows] of [[V1, false], [V2, true]] as const) {
      const pair = new Pair({ clientConfig: { versions: [V2, V1] } })
      const client = pair.client.connection
      pair.network.setFilter(() => null)
      pair.network.turnAll()
      const retry = encodeRetry(version, client.sourceConnectionIds()[0]!, source, token)
      const tag = retryIntegrityTag(provider, version, client.originalDestinationConnectionId, retry)
      const sent = client.stats().packetsSent
      pair.network.inject(concatBytes(retry, tag), SERVER, CLIENT)
      pair.network.runFor(1)
      expect(client.stats().packetsSent > sent).toBe(follows)
    }
  })
})

describe('compatible version negotiation (RFC 9368 §2.3, RFC 9369 §4.1)', () => {
  it('stays with version 1 by default', () => {
    const pair = new Pair()
    const packets = record(pair)
    pair.establish()
    expect(new Set(packets.map(({ version }) => version))).toEqual(new Set([V1]))
  })

  const upgrades: [string, PairOptions, number, number][] = [
    ['the server prefers version 2', { serverConfig: { preferredVersion: V2 } }, V1, V2],
    ['the client prefers version 2 and starts with version 1', { clientConfig: { versions: [V2, V1], originalVersion: V1 } }, V1, V2],
    ['the server prefers version 1', { clientConfig: { versions: [V2, V1] }, serverConfig: { preferredVersion: V1 } }, V2, V1],
    ['nothing is greased', { serverConfig: { preferredVersion: V2 }, client: { grease: false }, server: { grease: false } }, V1, V2],
  ]
  it.each(upgrades)('changes the version when %s', (_name, options, original, negotiated) => {
    const pair = new Pair(options)
    const packets = record(pair)
    pair.establish()
    expectEcho(pair)
    expect(packets[0]).toEqual({ from: CLIENT, type: PacketType.initial, version: original })
    expect(packets.filter((packet) => packet.from === SERVER && packet.type === PacketType.initial).at(-1)!.version).toBe(negotiated)
    // "Both endpoints MUST send Handshake and 1-RTT packets using the negotiated version."
    expect(versionsOf(packets, CLIENT, PacketType.handshake)).toEqual([negotiated])
    expect(versionsOf(packets, SERVER, PacketType.handshake)).toEqual([negotiated])
    for (const { connection } of [pair.client, pair.server]) {
      expect(connection.version()).toBe(negotiated)
      expect(connection.peerTransportParameters()!.versionInformation!.available).toEqual(expect.arrayContaining([V1, V2]))
    }
    expect(pair.client.connection.peerTransportParameters()!.versionInformation!.chosen).toBe(negotiated)
    expect(pair.server.connection.peerTransportParameters()!.versionInformation!.chosen).toBe(original)
  })

  const stays: [string, PairOptions][] = [
    ['the client does not speak version 2', { clientConfig: { versions: [V1] }, serverConfig: { preferredVersion: V2 } }],
    [
      'the server does not',
      { clientConfig: { versions: [V2, V1], originalVersion: V1 }, serverConfig: { versions: [V1] }, endpoint: { versions: [V1] } },
    ],
  ]
  it.each(stays)('does not when %s', (_name, options) => {
    const pair = new Pair(options).establish()
    expect(pair.client.connection.version()).toBe(V1)
    expect(pair.server.connection.version()).toBe(V1)
  })

  it('waits for the whole ClientHello: what is acknowledged before is in the original version', () => {
    const alpn = ['test', ...Array.from({ length: 20 }, (_, i) => `${i}`.repeat(60))]
    const pair = new Pair({ serverConfig: { preferredVersion: V2 }, clientTls: { alpn } })
    const packets = record(pair)
    pair.establish()
    expect(pair.client.connection.version()).toBe(V2)
    const server = packets.filter((packet) => packet.from === SERVER && packet.type === PacketType.initial)
    expect(server[0]!.version).toBe(V1)
    expect(server.at(-1)!.version).toBe(V2)
  })

  it.each(Array.from({ length: 12 }, (_, i) => i + 1))('survives loss, reordering and duplication (seed %i)', (seed) => {
    const pair = new Pair({ seed, serverConfig: { preferredVersion: V2 }, conditions: { loss: 0.2, jitter: 15, duplicate: 0.1 } })
    const packets = record(pair)
    pair.network.run(() => pair.client.connection.isConfirmed(), { time: 60_000 })
    expect(pair.client.connection.version()).toBe(V2)
    expect(versionsOf(packets, CLIENT, PacketType.handshake)).toEqual([V2])
  })

  it('reads Initial packets of the original version until Handshake packets come (§4.1)', () => {
    // The client never hears the first answers, so it repeats its flight in version 1 to a server that has moved on.
    const pair = new Pair({ serverConfig: { preferredVersion: V2 } })
    pair.network.link('server', 'client', { loss: 1 })
    pair.network.run(() => pair.servers.length === 1)
    expect(pair.server.connection.version()).toBe(V2)
    const before = pair.server.connection.stats().packetsReceived
    pair.network.runFor(1500)
    expect(pair.server.connection.stats().packetsReceived).toBeGreaterThan(before)
    pair.network.link('server', 'client', { loss: 0 })
    pair.establish()
    expectEcho(pair)
  })
})

describe('what authenticates the version (RFC 9368 §4)', () => {
  it('an attempt after a forged Version Negotiation packet ends with VERSION_NEGOTIATION_ERROR', () => {
    // The server speaks both, the client would have begun with version 1: only a forger can have sent it to version 2.
    const pair = new Pair({ clientConfig: { versions: [V1, V2], originalVersion: V2, afterVersionNegotiation: true } })
    pair.network.run(() => pair.client.connection.closeReason() !== null)
    expect(pair.client.connection.closeReason()).toMatchObject({
      cause: 'local',
      application: false,
      code: TransportErrorCode.versionNegotiationError,
    })
    pair.network.run(() => pair.server.connection.closeReason() !== null)
    expect(pair.server.connection.closeReason()).toMatchObject({ cause: 'peer', code: 0x11 })
  })

  it('an attempt after a genuine one is completed', () => {
    const pair = new Pair({
      clientConfig: { versions: [V1, V2], originalVersion: V2, afterVersionNegotiation: true },
      serverConfig: { versions: [V2] },
      endpoint: { versions: [V2] },
    })
    pair.establish()
    expectEcho(pair)
    expect(pair.client.connection.version()).toBe(V2)
  })

  it('and compatible negotiation may follow it (§2.3, Figure 1)', () => {
    const pair = new Pair({
      clientConfig: { versions: [V2, V1], originalVersion: V2, afterVersionNegotiation: true },
      serverConfig: { preferredVersion: V1 },
    })
    pair.establish()
    expect(pair.client.connection.version()).toBe(V1)
  })
})

describe('Version Negotiation to a client that speaks an offered version (RFC 9368 §2.1)', () => {
  function alone(config: Partial<ConnectionConfig>): { pair: Pair; offer: (versions: number[]) => void } {
    const pair = new Pair({ clientConfig: config })
    const client = pair.client.connection
    pair.network.link('client', 'server', { loss: 1 })
    pair.network.turnAll()
    return {
      pair,
      offer: (versions) => {
        const ids = [client.sourceConnectionIds()[0]!, client.originalDestinationConnectionId] as const
        pair.network.inject(encodeVersionNegotiation(ids[0], ids[1], versions, 0), SERVER, CLIENT)
        pair.network.runFor(1)
      },
    }
  }

  it('ends the attempt and suggests the version to try', () => {
    const { pair, offer } = alone({})
    offer([0x1a2a3a4a, V2])
    expect(pair.client.closeReasons()).toMatchObject([
      { cause: 'version-negotiation', versions: { offered: [0x1a2a3a4a, V2], suggested: V2 } },
    ])
    expect(pair.client.connection.isClosed()).toBe(true)
  })

  it('suggests nothing that is not spoken', () => {
    const { pair, offer } = alone({ versions: [V1] })
    offer([V2])
    expect(pair.client.closeReasons()).toMatchObject([{ versions: { offered: [V2], suggested: null } }])
  })

  it('is ignored by an attempt that follows one (§4)', () => {
    const { pair, offer } = alone({ versions: [V1, V2], originalVersion: V2, afterVersionNegotiation: true })
    offer([V1])
    expect(pair.client.connection.closeReason()).toBeNull()
  })

  it('leads to a connection when the owner starts over with what it suggests', () => {
    const only = { versions: [V2] }
    const pair = new Pair({ serverConfig: only, endpoint: only })
    pair.network.run(() => pair.client.connection.isClosed())
    const { versions } = pair.client.connection.closeReason()!
    expect(versions!.suggested).toBe(V2)
    const clientConfig = { originalVersion: versions!.suggested!, afterVersionNegotiation: true }
    const again = new Pair({ serverConfig: only, endpoint: only, clientConfig })
    again.establish()
    expectEcho(again)
  })
})

describe('settings', () => {
  it('refuse versions that are not spoken, or not listed', () => {
    const connect = (config: Partial<ConnectionConfig>) => () => new Pair({ clientConfig: config })
    expect(connect({ versions: [] })).toThrow(RangeError)
    expect(connect({ versions: [V1, 2] })).toThrow(RangeError)
    expect(connect({ versions: [V1], originalVersion: V2 })).toThrow(RangeError)
    expect(connect({ versions: [V2], preferredVersion: V1 })).toThrow(RangeError)
  })
})

describe('grease (RFC 9000 §15, §18.1; RFC 9287)', () => {
  function established(client: Partial<TransportSettings> = {}, server: Partial<TransportSettings> = {}, seed = 1): Pair {
    return new Pair({ client, server, seed }).establish()
  }

  it('puts a reserved version into both lists, and none when it is off (RFC 9368 §3)', () => {
    const pair = established()
    for (const { connection } of [pair.client, pair.server]) {
      expect(connection.peerTransportParameters()!.versionInformation!.available.filter(isReservedVersion)).toHaveLength(1)
    }
    const plain = established({ grease: false }, { grease: false })
    for (const { connection } of [plain.client, plain.server]) {
      expect(connection.peerTransportParameters()!.versionInformation!.available).toEqual([V1, V2])
    }
  })

  /** First bytes of the packets a side sent after it had the peer's parameters. */
  function quicBits(pair: Pair, from: string): Set<number> {
    const bits = new Set<number>()
    pair.network.observe((datagram) => {
      if (datagram.from === from) bits.add(datagram.bytes[0]! & 0x40)
    })
    expectEcho(pair)
    expectEcho(pair)
    return bits
  }

  it('clears the QUIC bit at random once both have agreed (RFC 9287 §3.1)', () => {
    expect(quicBits(established(), CLIENT)).toEqual(new Set([0, 0x40]))
    expect(quicBits(established(), SERVER)).toEqual(new Set([0, 0x40]))
  })

  it('leaves it alone for a peer that did not ask, and without being asked to', () => {
    expect(quicBits(established({ greaseQuicBit: false }), SERVER)).toEqual(new Set([0x40]))
    expect(quicBits(established({}, { greaseQuicBit: false }), SERVER)).toEqual(new Set([0x40]))
    expect(quicBits(established({}, { greaseQuicBit: false }), CLIENT)).toEqual(new Set([0x40]))
  })

  it('never clears it before the parameters of the peer are known (§3.1)', () => {
    for (let seed = 1; seed < 10; seed += 1) {
      const pair = new Pair({ seed })
      const early: number[] = []
      pair.network.observe(({ from, bytes }) => {
        if (from === CLIENT && pair.client.connection.peerTransportParameters() === null) early.push(bytes[0]! & 0x40)
      })
      pair.establish()
      expect(early.length).toBeGreaterThan(0)
      expect(new Set(early)).toEqual(new Set([0x40]))
    }
  })

  it('drops packets with a clear bit where that was not advertised (RFC 9000 §17.3.1)', () => {
    const pair = established({ greaseQuicBit: false }, { greaseQuicBit: false }).settle()
    let clear = true
    pair.network.setFilter((bytes, from) => {
      if (!clear || from !== CLIENT) return bytes
      const copy = bytes.slice()
      copy[0]! &= ~0x40
      return copy
    })
    const before = pair.server.connection.stats().packetsReceived
    pair.client.connection.ping()
    pair.network.runFor(200)
    expect(pair.server.connection.stats().packetsReceived).toBe(before)
    clear = false
    expectEcho(pair)
  })
})

describe('a client without connection IDs (RFC 9000 §5.1)', () => {
  const none = { length: 0, generate: () => new Uint8Array(0) }

  it('is told by its address, and its peer never hears of others', () => {
    const pair = new Pair({ clientConfig: { connectionIds: none } }).establish().settle()
    expectEcho(pair)
    expect(pair.client.connection.sourceConnectionIds()).toEqual([new Uint8Array(0)])
    expect(pair.server.connection.peerTransportParameters()!.initialSourceConnectionId).toEqual(new Uint8Array(0))
  })
})
