// RFC 9000 §12.4, Table 3 (with RFC 9221 §4, draft-ietf-quic-ack-frequency §4, §5): every frame type in every packet type against both roles. The expectations are
// written out here once more, apart from the table in src/wire.

import { describe, expect, it } from 'vitest'
import type { CloseReason } from '../../src/connection/close-reason.ts'
import { PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { HeaderView, parseHeader } from '../../src/wire/header.ts'
import { Attacker } from '../connection/attacker.ts'
import type { Side } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { AGAIN, Reunion } from '../connection/early-data.ts'
import { SERVER } from '../connection/pair.ts'

const { protocolViolation, frameEncodingError } = TransportErrorCode

/** Letters of RFC 9000 Table 3: where a frame is allowed. 0-RTT packets have a table of their own below. */
interface Row {
  readonly type: number
  readonly name: string
  readonly allowed: 'IH1' | '1'
  readonly serverOnly?: boolean
  /** `id`: a stream the attacker may open. */
  readonly frame: (id: number) => Uint8Array
  readonly destination?: 'second'
}

const EIGHT = new Uint8Array(8).fill(9)
const TOKEN = new Uint8Array(16).fill(5)

const rows: readonly Row[] = [
  { type: 0x00, name: 'PADDING', allowed: 'IH1', frame: () => frames.padding(3) },
  { type: 0x01, name: 'PING', allowed: 'IH1', frame: () => frames.PING },
  { type: 0x02, name: 'ACK', allowed: 'IH1', frame: () => frames.ack(0, 0) },
  { type: 0x03, name: 'ACK with ECN', allowed: 'IH1', frame: () => frames.bytes(0x03, 0, 0, 0, 0, 0, 0, 0) },
  { type: 0x04, name: 'RESET_STREAM', allowed: '1', frame: (id) => frames.resetStream(id, 7, 0) },
  { type: 0x24, name: 'RESET_STREAM_AT', allowed: '1', frame: (id) => frames.resetStreamAt(id, 7, 9, 3) },
  { type: 0x05, name: 'STOP_SENDING', allowed: '1', frame: (id) => frames.stopSending(id, 7) },
  { type: 0x06, name: 'CRYPTO', allowed: 'IH1', frame: () => frames.crypto(0, new Uint8Array(0)) },
  { type: 0x07, name: 'NEW_TOKEN', allowed: '1', serverOnly: true, frame: () => frames.bytes(0x07, 8, EIGHT) },
  ...[0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f].map(
    (type): Row => ({
      type,
      name: 'STREAM',
      allowed: '1',
      frame: (id) => frames.bytes(type, id, ...((type & 4) !== 0 ? [0] : []), ...((type & 2) !== 0 ? [2] : []), new Uint8Array(2)),
    }),
  ),
  { type: 0x10, name: 'MAX_DATA', allowed: '1', frame: () => frames.bytes(0x10, 5_000_000) },
  { type: 0x11, name: 'MAX_STREAM_DATA', allowed: '1', frame: (id) => frames.bytes(0x11, id, 5_000_000) },
  { type: 0x12, name: 'MAX_STREAMS bidirectional', allowed: '1', frame: () => frames.bytes(0x12, 200) },
  { type: 0x13, name: 'MAX_STREAMS unidirectional', allowed: '1', frame: () => frames.bytes(0x13, 200) },
  { type: 0x14, name: 'DATA_BLOCKED', allowed: '1', frame: () => frames.bytes(0x14, 10) },
  { type: 0x15, name: 'STREAM_DATA_BLOCKED', allowed: '1', frame: (id) => frames.bytes(0x15, id, 10) },
  { type: 0x16, name: 'STREAMS_BLOCKED bidirectional', allowed: '1', frame: () => frames.bytes(0x16, 10) },
  { type: 0x17, name: 'STREAMS_BLOCKED unidirectional', allowed: '1', frame: () => frames.bytes(0x17, 10) },
  { type: 0x18, name: 'NEW_CONNECTION_ID', allowed: '1', frame: () => frames.newConnectionId(9, 9, EIGHT, TOKEN) },
  { type: 0x19, name: 'RETIRE_CONNECTION_ID', allowed: '1', frame: () => frames.retireConnectionId(0), destination: 'second' },
  { type: 0x1a, name: 'PATH_CHALLENGE', allowed: '1', frame: () => frames.pathChallenge(EIGHT) },
  { type: 0x1b, name: 'PATH_RESPONSE', allowed: '1', frame: () => frames.pathResponse(EIGHT) },
  { type: 0x1e, name: 'HANDSHAKE_DONE', allowed: '1', serverOnly: true, frame: () => frames.bytes(0x1e) },
  { type: 0x1f, name: 'IMMEDIATE_ACK', allowed: '1', frame: () => frames.bytes(0x1f) },
  { type: 0x30, name: 'DATAGRAM', allowed: '1', frame: () => frames.bytes(0x30, EIGHT) },
  { type: 0x31, name: 'DATAGRAM with length', allowed: '1', frame: () => frames.datagram(EIGHT) },
  { type: 0xaf, name: 'ACK_FREQUENCY', allowed: '1', frame: () => frames.bytes(0xaf, 0, 3, 20_000, 3) },
]

/** Types no RFC we speak gives: RFC 9000 §12.4 wants FRAME_ENCODING_ERROR. */
const unknownTypes = [0x20, 0x2f, 0x32, 0x3f, 0x40, 0xae, 0xb0, 0x4000, 0x3fffffff]

const packetTypes = { I: PacketType.initial, H: PacketType.handshake, '1': PacketType.oneRtt } as const
type Letter = keyof typeof packetTypes

/** An attacker whose victim can read packets of that type, and has sent at least one in its space. */
function facing(plays: Side, letter: Letter): Attacker {
  if (letter === '1') return new Attacker(plays).establish()
  const attacker = new Attacker(plays)
  const { network } = attacker.pair
  if (plays === 'client') {
    // The server has answered with Initial and Handshake packets, and hears nothing more from the client itself.
    const answered = (): boolean => attacker.opened.some((packet) => packet.packetType === PacketType.handshake)
    network.setFilter((datagram, from) => (from === SERVER || answered() ? null : datagram))
    network.run(answered)
  } else if (letter === 'I') {
    network.setFilter((datagram, from) => (from === SERVER ? null : datagram))
    network.runFor(100)
  } else {
    // The client has its Handshake keys, and waits for a certificate; its probes go out in Handshake packets.
    const view = new HeaderView()
    network.setFilter((datagram, from) => {
      if (from !== SERVER) return datagram
      parseHeader(view, datagram, 0, datagram.length, 8, true)
      return view.packetType === PacketType.initial ? datagram.subarray(0, view.packetEnd) : null
    })
    network.run(() => attacker.opened.some((packet) => packet.packetType === PacketType.handshake))
  }
  return attacker.usurp()
}

function victimName(plays: Side): Side {
  return plays === 'client' ? 'server' : 'client'
}

function expectClosed(attacker: Attacker, code: number): void {
  const reason = attacker.victim.closeReason()
  expect(reason).toMatchObject({ cause: 'local', application: false, code })
  expect(attacker.victim.isClosing()).toBe(true)
}

for (const plays of ['client', 'server'] as const) {
  for (const letter of ['I', 'H', '1'] as const) {
    describe(`frames in ${letter} packets for a ${victimName(plays)} (RFC 9000 §12.4)`, () => {
      for (const row of rows) {
        const forbiddenRole = row.serverOnly === true && plays === 'client'
        const accepted = row.allowed.includes(letter) && !forbiddenRole
        it(`RFC 9000 §12.4: ${accepted ? 'accepts' : 'refuses'} ${row.name} 0x${row.type.toString(16)}`, () => {
          const attacker = facing(plays, letter)
          const destination = row.destination === 'second' ? attacker.victim.sourceConnectionIds()[1] : undefined
          const frame = row.frame(plays === 'client' ? 0 : 1)
          attacker.send(packetTypes[letter], frame, { size: 1200, ...(destination === undefined ? {} : { destination }) })
          if (accepted) expect(attacker.victim.closeReason()).toBeNull()
          else expectClosed(attacker, protocolViolation)
        })
      }

      it('RFC 9000 §10.2.2: drains on CONNECTION_CLOSE 0x1c', () => {
        const attacker = facing(plays, letter)
        attacker.send(packetTypes[letter], frames.closeTransport(2), { size: 1200 })
        expect(attacker.victim.closeReason()).toMatchObject({ cause: 'peer', application: false, code: 2 })
        expect(attacker.victim.isDraining()).toBe(true)
      })

      it('RFC 9000 §12.5: takes CONNECTION_CLOSE 0x1d only in 1-RTT packets', () => {
        const attacker = facing(plays, letter)
        attacker.send(packetTypes[letter], frames.closeApplication(77), { size: 1200 })
        if (letter === '1') expect(attacker.victim.closeReason()).toMatchObject({ cause: 'peer', application: true, code: 77 })
        else expectClosed(attacker, protocolViolation)
      })

      it('RFC 9000 §12.4: closes with FRAME_ENCODING_ERROR on unknown types and on every cut of a known one', () => {
        const cut = frames.newConnectionId(9, 9, EIGHT, TOKEN)
        const cutCrypto = frames.bytes(0x06, 0, 5, EIGHT.subarray(0, 3))
        const wrong = letter === '1' ? [cutCrypto, cut.subarray(0, 5), cut.subarray(0, cut.length - 1)] : [cutCrypto]
        for (const payload of [...unknownTypes.map((type) => frames.bytes(type)), ...wrong]) {
          const attacker = facing(plays, letter)
          attacker.send(packetTypes[letter], payload, { size: 1200 })
          expectClosed(attacker, frameEncodingError)
        }
      })

      it('RFC 9000 §12.4, §17.2, §17.3.1: refuses a packet without frames, reserved bits and frame types in too many bytes', () => {
        const reserved = letter === '1' ? 0x18 : 0x0c
        for (const [payload, firstByteBits] of [
          [new Uint8Array(0), 0],
          [frames.PING, reserved],
          [Uint8Array.of(0x40, 0x01), 0],
        ] as const) {
          const attacker = facing(plays, letter)
          // RFC 9000 §14.1: the server reads Initial packets of large datagrams only; the rest is a packet that is not one.
          const packet = attacker.seal(packetTypes[letter], payload, { size: payload.length === 0 ? 0 : 1200, firstByteBits })
          const datagram = new Uint8Array(1200)
          datagram.set(packet)
          attacker.deliver(packet.length < 1200 && letter !== '1' ? datagram : packet)
          expectClosed(attacker, protocolViolation)
        }
      })

      it('RFC 9001 §4.6.2, §5.6: drops 0-RTT packets, for which it has no keys', () => {
        const attacker = facing(plays, letter)
        const packet = attacker.seal(PacketType.handshake, frames.PING, { size: 1200 })
        packet[0] = 0xd0 | (packet[0]! & 0x0f)
        attacker.deliver(packet)
        expect(attacker.victim.closeReason()).toBeNull()
      })
    })
  }
}

describe('frames in 0-RTT packets for a server', () => {
  /** RFC 9000 §12.5: those that no client can have reason to send so early, and DATAGRAM within its limit (RFC 9221 §3).
   * draft-ietf-quic-ack-frequency §3: its frames "cannot be sent in 0-RTT packets". */
  const forbidden = new Set([0x02, 0x03, 0x06, 0x07, 0x19, 0x1b, 0x1e, 0x1f, 0xaf])
  const closes = [
    { type: 0x1c, name: 'CONNECTION_CLOSE', frame: () => frames.closeTransport(2) },
    { type: 0x1d, name: 'CONNECTION_CLOSE of an application', frame: () => frames.closeApplication(3) },
  ]

  /** The server has taken the early data of a client that is gone. */
  function hear(payload: Uint8Array): CloseReason | null {
    const reunion = new Reunion()
    const client = reunion.meet((peer) => void peer.send(new Uint8Array(10), false))
    reunion.pair.network.run(() => reunion.pair.servers.length === 2)
    reunion.pair.network.remove('again')
    reunion.pair.network.inject(reunion.seal(client, payload, 100), AGAIN, SERVER)
    reunion.pair.network.runFor(5)
    return reunion.server.connection.closeReason()
  }

  for (const row of [...rows, ...closes]) {
    const accepted = !forbidden.has(row.type)
    it(`RFC 9000 §12.4, §12.5: ${accepted ? 'accepts' : 'refuses'} ${row.name} 0x${row.type.toString(16)} in a 0-RTT packet`, () => {
      // A stream of its own: the early data is on stream 0.
      const reason = hear(row.frame(4))
      if (!accepted) expect(reason).toMatchObject({ cause: 'local', application: false, code: protocolViolation })
      else if (row.type === 0x1c || row.type === 0x1d) expect(reason).toMatchObject({ cause: 'peer', application: row.type === 0x1d })
      else expect(reason).toBeNull()
    })
  }

  it('RFC 9000 §12.4: refuses unknown frames in 0-RTT packets', () => {
    for (const type of unknownTypes) expect(hear(frames.bytes(type))).toMatchObject({ cause: 'local', code: frameEncodingError })
  })
})
