// A peer whose transport parameters are wrong, to both roles: the exact codes (RFC 9000 §7, §18).

import { describe, expect, it } from 'vitest'
import { FrameType, PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { transportErrorName } from '../../src/wire/transport-error.ts'
import { adding, changeExtensions, helloExtensions } from '../tls/hello-extensions.ts'
import { reframe } from '../tls/handshake.ts'
import { Attacker } from '../connection/attacker.ts'
import type { Side } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { CLIENT, Pair, pattern } from '../connection/pair.ts'
import { HeaderView, parseHeader } from '../../src/wire/header.ts'
import { CLIENT_HELLO, ROGUE_SOURCE, encodeParameters, rogueClient, rogueHello, rogueServer, silentClient } from './rogue.ts'
import type { Parameter } from './rogue.ts'

const { transportParameterError } = TransportErrorCode

type Change = (right: readonly Parameter[]) => readonly Parameter[]

const without = (id: number): Change => (right) => right.filter(([one]) => one !== id)
const plus = (id: number, ...value: (number | Uint8Array)[]): Change => (right) => [...right, [id, frames.bytes(...value)]]
const raw = (id: number, value: Uint8Array): Change => (right) => [...right, [id, value]]
const instead = (id: number, value: Uint8Array): Change => (right) => right.map((one): Parameter => (one[0] === id ? [id, value] : one))

const OTHER = new Uint8Array(8).fill(0x31)
const ABOVE_2_TO_60 = Uint8Array.of(0xd0, 0, 0, 0, 0, 0, 0, 1)

function preferredAddress(id: Uint8Array): Uint8Array {
  return frames.bytes(new Uint8Array(24).fill(1), Uint8Array.of(id.length), id, new Uint8Array(16).fill(2))
}

interface Case {
  readonly name: string
  /** Who sends it; both when absent. */
  readonly from?: Side
  readonly change: Change
}

const cases: readonly Case[] = [
  { name: '§7.3: initial_source_connection_id is missing', change: without(0x0f) },
  { name: '§7.3: initial_source_connection_id is another one', change: instead(0x0f, OTHER) },
  { name: '§7.3: initial_source_connection_id is empty', change: instead(0x0f, new Uint8Array(0)) },
  { name: '§7.3: original_destination_connection_id is missing', from: 'server', change: without(0x00) },
  { name: '§7.3: original_destination_connection_id is another one', from: 'server', change: instead(0x00, OTHER) },
  { name: '§7.3: retry_source_connection_id without a Retry', from: 'server', change: raw(0x10, OTHER) },
  { name: '§7.4: a parameter twice', change: (right) => [...right, ...right] },
  { name: '§7.4: an unknown parameter twice', change: (right) => plus(0x1234, 5)(plus(0x1234, 5)(right)) },
  { name: '§4.6: initial_max_streams_bidi above 2^60', change: raw(0x08, ABOVE_2_TO_60) },
  { name: '§4.6: initial_max_streams_uni above 2^60', change: raw(0x09, ABOVE_2_TO_60) },
  { name: '§18.2: max_udp_payload_size of 1199', change: plus(0x03, 1199) },
  { name: '§18.2: ack_delay_exponent of 21', change: plus(0x0a, 21) },
  { name: '§18.2: max_ack_delay of 2^14', change: plus(0x0b, 2 ** 14) },
  { name: '§18.2: active_connection_id_limit of 1', change: plus(0x0e, 1) },
  { name: '§18.2: disable_active_migration with a value', change: plus(0x0c, 1) },
  { name: '§18.2: an integer that does not fill its length', change: plus(0x04, 5, 5) },
  { name: '§18.2: an integer of no bytes', change: plus(0x04) },
  { name: '§18.2: initial_source_connection_id of 21 bytes', change: instead(0x0f, new Uint8Array(21)) },
  { name: '§18.2: original_destination_connection_id from a client', from: 'client', change: raw(0x00, OTHER) },
  { name: '§18.2: stateless_reset_token from a client', from: 'client', change: raw(0x02, new Uint8Array(16)) },
  { name: '§18.2: preferred_address from a client', from: 'client', change: raw(0x0d, preferredAddress(OTHER)) },
  { name: '§18.2: retry_source_connection_id from a client', from: 'client', change: raw(0x10, OTHER) },
  { name: '§18.2: stateless_reset_token of 15 bytes', from: 'server', change: raw(0x02, new Uint8Array(15)) },
  { name: '§18.2: preferred_address with an empty connection ID', from: 'server', change: raw(0x0d, preferredAddress(new Uint8Array(0))) },
  { name: '§18.2: preferred_address with a connection ID of 21 bytes', from: 'server', change: raw(0x0d, preferredAddress(new Uint8Array(21))) },
  { name: '§18.2: preferred_address cut short', from: 'server', change: raw(0x0d, preferredAddress(OTHER).subarray(0, 40)) },
]

const harmless: readonly Case[] = [
  { name: 'what is right (the control)', change: (right) => right },
  { name: '§7.4.2: a parameter that nobody knows', change: plus(0x3fff1234, pattern(300)) },
  { name: '§18.1: a reserved parameter', change: plus(31 * 7 + 27, pattern(3)) },
  { name: '§18.2: the least and the largest values', change: (right) => plus(0x03, 1200)(plus(0x0a, 20)(plus(0x0b, 2 ** 14 - 1)(plus(0x0e, 2)(right)))) },
  { name: '§18.2: limits of 2^62 - 1', change: raw(0x04, new Uint8Array(8).fill(255)) },
]

for (const plays of ['client', 'server'] as const) {
  const rogue = plays === 'client' ? rogueClient : rogueServer
  describe(`transport parameters of a ${plays}`, () => {
    for (const { name, change } of cases.filter(({ from }) => from === undefined || from === plays)) {
      it(`RFC 9000 ${name}: ${transportErrorName(transportParameterError)}`, () => {
        const attacker = rogue({ parameters: change })
        expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code: transportParameterError })
        expect(attacker.framesOf(FrameType.connectionClose)[0]).toMatchObject({ errorCode: transportParameterError })
      })
    }

    for (const { name, change } of harmless) {
      it(`RFC 9000 ${name}: nothing`, () => {
        const attacker = rogue({ parameters: change })
        expect(attacker.victim.closeReason()).toBeNull()
        if (plays === 'server') expect(attacker.victim.isEstablished()).toBe(true)
        else expect(attacker.opened.some((packet) => packet.packetType === PacketType.handshake)).toBe(true)
      })
    }

    it('RFC 9000 §7.4: a parameter cut anywhere: TRANSPORT_PARAMETER_ERROR', () => {
      const whole = encodeParameters([[0x3ff2, pattern(3)]])
      for (let cut = 1; cut < whole.length; cut += 1) {
        const attacker = rogue({ parameterTail: whole.subarray(0, cut) })
        expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', code: transportParameterError })
      }
      expect(rogue({ parameterTail: whole }).victim.closeReason()).toBeNull()
    })
  })
}

describe('what a client says', () => {
  it('RFC 9000 §18.2: a client declares nothing that only a server may', () => {
    const declared = new Pair().establish().server.connection.peerTransportParameters()!
    expect(declared).toMatchObject({
      originalDestinationConnectionId: null,
      statelessResetToken: null,
      preferredAddress: null,
      retrySourceConnectionId: null,
    })
    expect(declared.initialSourceConnectionId).toHaveLength(8)
  })

  it('RFC 9000 §7.2: a client keeps to its first destination until it hears from the server', () => {
    const pair = new Pair()
    const view = new HeaderView()
    const destinations: Uint8Array[] = []
    pair.network.setFilter((bytes, from) => {
      if (from !== CLIENT) return null
      parseHeader(view, bytes, 0, bytes.length, 8)
      destinations.push(view.destination().slice())
      return bytes
    })
    pair.network.runFor(5000)
    expect(destinations.length).toBeGreaterThan(2)
    for (const destination of destinations) expect(destination).toEqual(pair.client.connection.originalDestinationConnectionId)
    expect(destinations[0]!.length).toBeGreaterThanOrEqual(8)
  })
})

describe('our settings', () => {
  it.each([
    ['max_udp_payload_size of 1199', { maxUdpPayloadSize: 1199 }],
    ['active_connection_id_limit of 1', { activeConnectionIdLimit: 1 }],
  ])('RFC 9000 §18.2: what must not be declared is refused: %s', (_name, client) => {
    expect(() => new Pair({ client })).toThrow(RangeError)
  })
})

describe('handshake data out of order', () => {
  const pieces = (data: Uint8Array, size: number): [number, Uint8Array][] =>
    Array.from({ length: Math.ceil(data.length / size) }, (_, i) => [i * size, data.subarray(i * size, (i + 1) * size)])

  it('RFC 9000 §7.5: 4096 bytes of CRYPTO data out of order are kept, by a server', () => {
    const attacker = silentClient()
    const padded = (body: Uint8Array): Uint8Array => changeExtensions(body, helloExtensions(body), adding([0x3fff, pattern(4400)]))
    const hello = rogueHello({ rewrite: { [CLIENT_HELLO]: padded } })
    const destination = attacker.pair.client.connection.originalDestinationConnectionId
    for (const [offset, piece] of pieces(hello, 1000).toReversed()) {
      attacker.deliver(attacker.seal(PacketType.initial, frames.crypto(offset, piece), { destination, source: ROGUE_SOURCE, size: 1200 }), undefined, 1)
    }
    attacker.pair.network.runFor(50)
    expect(attacker.victim.closeReason()).toBeNull()
    expect(attacker.opened.some((packet) => packet.packetType === PacketType.handshake)).toBe(true)
  })

  it('RFC 9000 §7.5: 4096 bytes of CRYPTO data out of order are kept, by a client', () => {
    const attacker = new Attacker('server').establish()
    const body = frames.bytes(Uint8Array.of(0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 5000 >> 8, 5000 & 255), pattern(5000), Uint8Array.of(0, 0))
    for (const [offset, piece] of pieces(reframe(4, body), 1000).toReversed()) attacker.say(frames.crypto(offset, piece))
    expect(attacker.victim.closeReason()).toBeNull()
  })
})
