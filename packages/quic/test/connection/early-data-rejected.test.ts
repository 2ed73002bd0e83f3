// 0-RTT that the server does not take, or must not have taken: RFC 9000 §7.4.1, §12.5; RFC 9001 §4.6.2, §4.9.3, §5.6; RFC 9002 §6.4;
// RFC 9221 §3.

import { describe, expect, it } from 'vitest'
import { EMPTY } from '../../src/base/bytes.ts'
import { NamedGroup } from '../../src/crypto/provider.ts'
import { ServerTickets } from '../../src/tls/resumption/server-tickets.ts'
import type { TicketSettings } from '../../src/tls/resumption/server-tickets.ts'
import { PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { decodeTransportParameters, encodeTransportParameters } from '../../src/wire/transport-parameters/codec.ts'
import type { TransportParameters } from '../../src/wire/transport-parameters/table.ts'
import { providerUnderTest } from '../crypto/provider-under-test.ts'
import { AGAIN, Reunion, Told, answers } from './early-data.ts'
import type { Change } from './early-data.ts'
import * as frames from './frames.ts'
import { SERVER, pattern } from './pair.ts'
import type { PairOptions, Peer } from './pair.ts'

const { protocolViolation, transportParameterError } = TransportErrorCode

const REPLAYED = { kind: 'early-data', accepted: false, streamsKept: true }

/** Without MTU probes, so that nothing is in flight at the end. */
function reunite(options: PairOptions = {}, tickets: TicketSettings = {}): Reunion {
  return new Reunion({ client: { mtuDiscovery: false }, ...options }, tickets)
}

/** Everything a client may do with streams, early; and the server's echo of it. */
function expectReplay(reunion: Reunion, change: Change = {}): Peer {
  const data = pattern(25_000)
  const client = reunion.meet((peer) => {
    expect(peer.send(data)).toBe(0)
    expect(peer.send(EMPTY)).toBe(4)
    expect(peer.send(data, false)).toBe(8)
    expect(peer.send(pattern(700), true, false)).toBe(2)
    peer.connection.streamReset(8, 17)
  }, change)
  expect(reunion.earlyPackets().length).toBeGreaterThan(5)
  reunion.confirm(client)
  expect(answers(client)).toEqual([REPLAYED])
  expect(client.connection.handshakeInfo()?.earlyData).toBe(false)
  const { server } = reunion
  reunion.pair.network.run(() => client.finished.has(0) && client.finished.has(4) && server.finished.has(2) && server.has('stream-reset'))
  expect(client.bytesOf(0)).toEqual(data)
  expect(server.bytesOf(2)).toEqual(pattern(700))
  expect(server.events).toContainEqual({ kind: 'stream-reset', streamId: 8, code: 17 })
  expect([...reunion.early.values()]).not.toContain(true)
  // RFC 9002 §6.4: recovery state is discarded, which is no loss.
  expect(client.connection.stats().packetsLost).toBe(0)
  reunion.pair.network.runFor(200)
  expect(client.connection.pathStats().bytesInFlight).toBe(0)
  return client
}

describe('early data that is rejected goes out again in 1-RTT packets', () => {
  it('when the server has other ticket keys', () => {
    const reunion = reunite()
    expectReplay(reunion, { serverTls: { tickets: new ServerTickets(providerUnderTest, { earlyData: true }) } })
    expect(answers(reunion.server)).toEqual([{ kind: 'early-data', accepted: false, streamsKept: true }])
  })

  it('when it has no tickets at all', () => {
    expectReplay(reunite(), { serverTls: { tickets: undefined } })
  })

  it('when the application refuses, given the context it put into the ticket', () => {
    const contexts: Uint8Array[] = []
    const serverTls = {
      earlyDataContext: Uint8Array.of(1, 2, 3),
      acceptEarlyData: (context: Uint8Array) => contexts.push(context) > 1,
    }
    const reunion = reunite({ serverTls })
    expectReplay(reunion)
    expect(contexts).toEqual([Uint8Array.of(1, 2, 3)])
    const third = reunion.pair.connect('third', '10.0.0.4:5000')
    reunion.pair.network.run(() => third.connection.isConfirmed())
    expect(answers(third)).toEqual([{ ...REPLAYED, accepted: true }])
  })

  it('when it may be a replay (RFC 9846 §8)', () => {
    expectReplay(reunite({}, { replay: { claim: () => false } }))
  })

  it('after a HelloRetryRequest (RFC 9001 §4.6.2)', () => {
    const groups = [NamedGroup.x25519, NamedGroup.secp256r1]
    const reunion = reunite({ clientTls: { groups, keyShares: [NamedGroup.x25519] } })
    const client = expectReplay(reunion, { serverTls: { groups: [NamedGroup.secp256r1] } })
    expect(client.connection.handshakeInfo()).toMatchObject({ helloRetry: true, resumed: true })
  })

  for (const [name, value] of [
    ['initialMaxData', 20_000],
    ['initialMaxStreamData', 900],
    ['initialMaxStreamsUni', 1],
    ['initialMaxStreamsBidi', 3],
    ['maxDatagramFrameSize', 0],
    ['maxUdpPayloadSize', 1200],
    ['activeConnectionIdLimit', 2],
  ] as const) {
    it(`when the server has lowered ${name} since (RFC 9000 §7.4.1, RFC 9221 §3)`, () => {
      expectReplay(reunite(), { server: { [name]: value } })
    })
  }

  it('where the new limits are lower than what was used: streams wait for MAX_STREAMS, bytes for credit', () => {
    const reunion = new Reunion()
    const data = pattern(5000)
    const told: string[] = []
    const client = reunion.meet(
      (peer) => {
        for (let i = 0; i < 6; i += 1) peer.send(data)
        peer.connection.streamReset(20, 5)
        // One that the remembered limit still allows.
        expect(peer.connection.streamsLeft(true)).toBe(94)
      },
      { server: { initialMaxStreamsBidi: 2, initialMaxData: 6000, initialMaxStreamData: 1000 } },
    )
    reunion.confirm(client)
    expect(client.connection.streamsLeft(true)).toBe(0)
    expect(client.connection.openStream(true)).toBe(-1)
    expect(client.connection.closeReason()).toBeNull()
    const { server } = reunion
    reunion.pair.network.run(() => {
      told.push(String(server.events.filter(({ kind }) => kind === 'stream-opened').length))
      return [0, 4, 8, 12, 16].every((id) => client.finished.has(id)) && server.has('stream-reset')
    })
    for (const id of [0, 4, 8, 12, 16]) expect(client.bytesOf(id)).toEqual(data)
    expect(told).toContain('2')
    expect(client.closeReasons()).toEqual([])
    expect(server.closeReasons()).toEqual([])
    // The one that was refused is announced when there is room for it.
    reunion.pair.network.run(() => client.has('streams-available'))
    expect(client.connection.openStream(true)).toBe(24)
  })

  it('whichever datagram of either side is lost', () => {
    for (let k = 1; k <= 7; k += 1) {
      for (const side of [AGAIN, SERVER]) {
        const reunion = new Reunion({ seed: k, scenario: `rejected, and datagram ${k} from ${side} is lost` })
        let count = 0
        reunion.pair.network.setFilter((bytes, from, to) => {
          if (from !== side || (from !== AGAIN && to !== AGAIN)) return bytes
          count += 1
          return count === k ? null : bytes
        })
        const data = pattern(6000)
        const client = reunion.meet((peer) => void peer.send(data), { serverTls: { tickets: undefined } })
        reunion.confirm(client)
        reunion.pair.network.run(() => client.finished.has(0))
        expect(client.bytesOf(0)).toEqual(data)
      }
    }
  })

  it('but DATAGRAM frames do not, and those that wait and are too large now are dropped', () => {
    const reunion = new Reunion()
    const client = reunion.meet(
      (peer) => {
        for (let i = 0; i < 40; i += 1) peer.connection.datagramSend(pattern(i < 30 ? 1000 : 100, i))
      },
      { server: { maxDatagramFrameSize: 200 } },
    )
    reunion.confirm(client)
    reunion.pair.network.runFor(200)
    expect(client.closeReasons()).toEqual([])
    let received = 0
    while (reunion.server.connection.datagramReceive() !== null) received += 1
    expect(received).toBe(10)
  })
})

describe('a server that chooses another protocol (RFC 9001 §4.6.2)', () => {
  it('leaves no stream, and new ones start over', () => {
    const reunion = new Reunion({ clientTls: { alpn: ['test', 'other'] }, serverTls: { alpn: ['test', 'other'] } })
    const client = reunion.meet(
      (peer) => {
        peer.send(pattern(3000))
        peer.send(pattern(3000))
        // More than the congestion window lets go early.
        for (let i = 0; i < 40; i += 1) peer.connection.datagramSend(pattern(1000))
      },
      { serverTls: { alpn: ['other'] } },
    )
    reunion.confirm(client)
    expect(client.connection.handshakeInfo()?.alpn).toBe('other')
    expect(answers(client)).toEqual([{ kind: 'early-data', accepted: false, streamsKept: false }])
    expect(client.events.some(({ kind }) => kind.startsWith('stream'))).toBe(false)
    expect(client.connection.streamWrite(0, pattern(1), false)).toBe(-1)
    reunion.pair.network.runFor(300)
    expect(reunion.server.has('stream-opened')).toBe(false)
    expect(reunion.server.has('datagram')).toBe(false)
    const data = pattern(9000, 3)
    expect(client.send(data)).toBe(0)
    reunion.pair.network.run(() => client.finished.has(0))
    expect(client.bytesOf(0)).toEqual(data)
    expect(client.closeReasons()).toEqual([])
  })
})

describe('a server that breaks the rules', () => {
  function remembering(change: Partial<TransportParameters>): Peer {
    const reunion = new Reunion()
    const session = reunion.sessions.take('test.example')!
    const parameters = { ...decodeTransportParameters(session.peerParameters, 'server'), ...change }
    reunion.sessions.put('test.example', { ...session, peerParameters: encodeTransportParameters(parameters, 'server') })
    const client = reunion.meet((peer) => void peer.send(pattern(100)))
    reunion.pair.network.run(() => client.connection.closeReason() !== null)
    return client
  }

  it('accepts with a lower limit than the client remembers: TRANSPORT_PARAMETER_ERROR (RFC 9000 §7.4.1)', () => {
    for (const name of [
      'activeConnectionIdLimit', 'initialMaxData', 'initialMaxStreamDataBidiLocal', 'initialMaxStreamDataBidiRemote',
      'initialMaxStreamDataUni', 'initialMaxStreamsBidi', 'initialMaxStreamsUni',
    ] as const) {
      expect(remembering({ [name]: 2 ** 40 }).connection.closeReason()).toMatchObject({ cause: 'local', code: transportParameterError })
    }
  })

  it('accepts with a lower max_datagram_frame_size: PROTOCOL_VIOLATION (RFC 9221 §3)', () => {
    const { connection } = remembering({ maxDatagramFrameSize: 70_000 })
    expect(connection.closeReason()).toMatchObject({ cause: 'local', code: protocolViolation })
  })
})

describe('a session that was stored badly', () => {
  it('is good for resumption, and its early data waits for the handshake', () => {
    const reunion = new Reunion()
    const session = reunion.sessions.take('test.example')!
    reunion.sessions.put('test.example', { ...session, peerParameters: Uint8Array.of(1) })
    const client = reunion.meet((peer) => expect(peer.connection.streamsLeft(true)).toBe(0))
    reunion.confirm(client)
    expect(reunion.earlyPackets()).toEqual([])
    expect(client.connection.handshakeInfo()).toMatchObject({ resumed: true, earlyData: true })
  })
})

describe('0-RTT packets that must not be', () => {
  /** The server has taken the early data of a client that is gone. */
  function intrude(change: Change = {}): { reunion: Reunion; client: Peer; say: (payload: Uint8Array, number?: number) => void } {
    const reunion = new Reunion()
    const client = reunion.meet((peer) => void peer.send(pattern(10), false), change)
    reunion.pair.network.run(() => reunion.pair.servers.length === 2)
    reunion.pair.network.remove('again')
    let next = 100
    const say = (payload: Uint8Array, number: number = next++): void => {
      reunion.pair.network.inject(reunion.seal(client, payload, number), AGAIN, SERVER)
      reunion.pair.network.runFor(5)
    }
    return { reunion, client, say }
  }

  const EIGHT = new Uint8Array(8).fill(9)
  for (const [name, frame] of [
    ['ACK', frames.ack(0, 0)],
    ['CRYPTO', frames.crypto(0, Uint8Array.of(1))],
    ['HANDSHAKE_DONE', frames.bytes(0x1e)],
    ['NEW_TOKEN', frames.bytes(0x07, 8, EIGHT)],
    ['PATH_RESPONSE', frames.pathResponse(EIGHT)],
    ['RETIRE_CONNECTION_ID', frames.retireConnectionId(0)],
  ] as const) {
    it(`with ${name}: PROTOCOL_VIOLATION (RFC 9000 §12.5)`, () => {
      const { reunion, say } = intrude()
      say(frames.stream(4, 0, pattern(5)))
      expect(reunion.server.connection.closeReason()).toBeNull()
      say(frame)
      expect(reunion.server.connection.closeReason()).toMatchObject({ cause: 'local', code: protocolViolation })
    })
  }

  it('count against the limits of the connection (RFC 9000 §17.2.3)', () => {
    const { reunion, say } = intrude()
    say(frames.stream(400, 0, pattern(5)))
    expect(reunion.server.connection.closeReason()).toMatchObject({ cause: 'local', code: TransportErrorCode.streamLimitError })
  })

  it('are read once: a copy of one is a duplicate', () => {
    const { reunion, say } = intrude()
    say(frames.stream(4, 0, pattern(5)), 77)
    const { packetsReceived } = reunion.server.connection.stats()
    say(frames.stream(4, 0, pattern(5)), 77)
    expect(reunion.server.connection.stats().packetsReceived).toBe(packetsReceived)
    expect(reunion.server.connection.stats().packetsDuplicate).toBe(1)
  })

  it('are dropped when early data was rejected, although the keys are known (RFC 9001 §4.6.2)', () => {
    const { reunion, say } = intrude({ serverTls: { acceptEarlyData: () => false } })
    say(frames.stream(0, 0, pattern(10)))
    say(frames.crypto(0, Uint8Array.of(1)))
    expect(reunion.server.has('stream-opened')).toBe(false)
    expect(reunion.server.connection.closeReason()).toBeNull()
  })

  it('are dropped in another version than the original one (RFC 9369 §4.1)', () => {
    const { reunion, client } = intrude()
    const { packetsDropped } = reunion.server.connection.stats()
    reunion.pair.network.inject(reunion.seal(client, frames.stream(4, 0, pattern(5)), 200, 0x6b3343cf), AGAIN, SERVER)
    reunion.pair.network.runFor(5)
    expect(reunion.server.connection.stats().packetsDropped).toBe(packetsDropped + 1)
    expect(reunion.server.connection.closeReason()).toBeNull()
  })

  it('with a higher number than a 1-RTT packet: PROTOCOL_VIOLATION (RFC 9001 §5.6); and after the keys are gone they are dropped', () => {
    for (const [wait, closes] of [[0, true], [600, false]] as const) {
      const reunion = new Reunion()
      const client = reunion.meet((peer) => void peer.send(pattern(100)))
      reunion.confirm(client)
      const { connection } = reunion.server
      reunion.pair.network.run(() => client.finished.has(0))
      reunion.pair.network.runFor(wait)
      reunion.pair.network.inject(reunion.seal(client, frames.stream(4, 0, pattern(5)), 5000), AGAIN, SERVER)
      reunion.pair.network.runFor(1)
      if (closes) expect(connection.closeReason()).toMatchObject({ cause: 'local', code: protocolViolation })
      else expect(connection.closeReason()).toBeNull()
    }
  })

  it('are dropped by a client (RFC 9001 §5.6)', () => {
    const reunion = new Reunion()
    const client = reunion.meet((peer) => void peer.send(pattern(100)))
    const packet = reunion.seal(client, frames.stream(0, 0, pattern(5)), 5)
    const { packetsReceived } = client.connection.stats()
    reunion.pair.network.inject(packet, SERVER, AGAIN)
    reunion.pair.network.runFor(1)
    expect(client.connection.stats().packetsReceived).toBe(packetsReceived)
    expect(client.connection.closeReason()).toBeNull()
  })

  it('that are kept for their keys are sixteen at most (RFC 9001 §5.7)', () => {
    const told = new Told()
    const reunion = new Reunion({ clientTls: { groups: undefined }, serverTrace: told.sink })
    const { network } = reunion.pair
    let count = 0
    // The first half of the ClientHello arrives, the second does not.
    network.setFilter((bytes, from) => (from === AGAIN && ++count > 1 ? null : bytes))
    const client = reunion.meet((peer) => void peer.send(pattern(10)))
    network.runFor(15)
    for (let number = 100; number < 140; number += 1) network.inject(reunion.seal(client, frames.PING, number), AGAIN, SERVER)
    network.runFor(1)
    expect(told.of('packetBuffered').filter(([type]) => type === PacketType.zeroRtt)).toHaveLength(16)
  })

  it('are acknowledged after their rejection: PROTOCOL_VIOLATION (RFC 9001 §4.6.2)', () => {
    const reunion = new Reunion()
    const client = reunion.meet((peer) => void peer.send(pattern(2000)), { serverTls: { tickets: undefined } })
    reunion.confirm(client).pair.network.runFor(300)
    reunion.pair.network.inject(reunion.sealAsServer(client, frames.ack(0, 0), 5000), SERVER, AGAIN)
    reunion.pair.network.runFor(1)
    expect(client.connection.closeReason()).toMatchObject({ cause: 'local', code: protocolViolation })
  })
})
