// Frames whose bytes cannot be right, in 1-RTT packets to both roles: FRAME_ENCODING_ERROR (RFC 9000 §12.4, §19, §20.1).

import { describe, expect, it } from 'vitest'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { transportErrorName } from '../../src/wire/transport-error.ts'
import { Attacker } from '../connection/attacker.ts'
import type { Side } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { pattern } from '../connection/pair.ts'

const { frameEncodingError, protocolViolation } = TransportErrorCode

const LARGEST = new Uint8Array(8).fill(255)
const EIGHT = pattern(8)

interface Case {
  readonly name: string
  readonly frame: Uint8Array
  readonly code: number
  /** Who says it; both when absent. */
  readonly from?: Side
}

const cases: readonly Case[] = [
  { name: '§19.6: CRYPTO that ends above 2^62 - 1', frame: frames.bytes(0x06, LARGEST, 5, pattern(5)), code: frameEncodingError },
  { name: '§19.7: NEW_TOKEN without a token', frame: frames.bytes(0x07, 0), code: frameEncodingError, from: 'server' },
  { name: '§19.7: NEW_TOKEN from a client', frame: frames.bytes(0x07, 8, EIGHT), code: protocolViolation, from: 'client' },
  { name: '§19.20: HANDSHAKE_DONE from a client', frame: frames.bytes(0x1e), code: protocolViolation, from: 'client' },
  { name: '§19.3.1: an ACK range below 0', frame: frames.bytes(0x02, 3, 0, 0, 4), code: frameEncodingError },
  { name: '§19.3.1: a gap below 0', frame: frames.bytes(0x02, 3, 0, 1, 0, 2, 0), code: frameEncodingError },
  { name: '§19.3: more ACK ranges than there are bytes', frame: frames.bytes(0x02, 3, 0, 5, 0), code: frameEncodingError },
  { name: '§19.8: STREAM with a length beyond the packet', frame: frames.bytes(0x0a, 0, 50, pattern(9)), code: frameEncodingError },
  { name: '§19.6: CRYPTO with a length beyond the packet', frame: frames.bytes(0x06, 0, 50, pattern(9)), code: frameEncodingError },
  { name: '§19.19: CONNECTION_CLOSE with a reason beyond the packet', frame: frames.bytes(0x1c, 0, 0, 50, pattern(9)), code: frameEncodingError },
  { name: '§12.4: a frame type of eight bytes', frame: frames.bytes(LARGEST), code: frameEncodingError },
]

for (const plays of ['client', 'server'] as const) {
  const victim = plays === 'client' ? 'server' : 'client'
  describe(`frames to a ${victim}`, () => {
    for (const { name, frame, code } of cases.filter(({ from }) => from === undefined || from === plays)) {
      it(`RFC 9000 ${name}: ${transportErrorName(code)}`, () => {
        const attacker = new Attacker(plays).establish()
        attacker.say(frame)
        expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code })
        expect(attacker.framesOf(FrameType.connectionClose)[0]).toMatchObject({ errorCode: code })
      })
    }

    const own = plays === 'client' ? 0 : 1
    const whole: [string, Uint8Array][] = [
      ['ACK', frames.bytes(0x02, 70, 70, 1, 0, 0, 0)],
      ['ACK with ECN', frames.bytes(0x03, 0, 0, 0, 0, 1, 70, 70)],
      ['RESET_STREAM', frames.resetStream(own, 70, 70)],
      ['STOP_SENDING', frames.stopSending(own, 70)],
      ['CRYPTO', frames.crypto(70, EIGHT)],
      ['STREAM with offset and length', frames.stream(own, 70, EIGHT)],
      ['MAX_DATA', frames.bytes(0x10, 70)],
      ['MAX_STREAM_DATA', frames.bytes(0x11, own, 70)],
      ['MAX_STREAMS', frames.bytes(0x12, 70)],
      ['DATA_BLOCKED', frames.bytes(0x14, 70)],
      ['STREAM_DATA_BLOCKED', frames.bytes(0x15, own, 70)],
      ['STREAMS_BLOCKED', frames.bytes(0x17, 70)],
      ['NEW_CONNECTION_ID', frames.newConnectionId(9, 9, EIGHT, pattern(16))],
      ['RETIRE_CONNECTION_ID', frames.retireConnectionId(70)],
      ['PATH_CHALLENGE', frames.pathChallenge(EIGHT)],
      ['PATH_RESPONSE', frames.pathResponse(EIGHT)],
      ['CONNECTION_CLOSE', frames.bytes(0x1c, 70, 70, 3, pattern(3))],
      ['CONNECTION_CLOSE of an application', frames.bytes(0x1d, 70, 3, pattern(3))],
      ['DATAGRAM with length', frames.datagram(EIGHT)],
      ...(plays === 'server' ? ([['NEW_TOKEN', frames.bytes(0x07, 8, EIGHT)]] as [string, Uint8Array][]) : []),
    ]
    for (const [name, frame] of whole) {
      it(`RFC 9000 §12.4: ${name} cut at its first, a middle and its last byte: FRAME_ENCODING_ERROR`, () => {
        for (const cut of new Set([1, frame.length >> 1, frame.length - 1])) {
          const attacker = new Attacker(plays).establish()
          attacker.say(frames.bytes(frames.PING, frame.subarray(0, cut)))
          expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code: frameEncodingError })
        }
      })
    }
  })
}

it('RFC 9000 §19.7, §19.20: a client says neither NEW_TOKEN nor HANDSHAKE_DONE', () => {
  const attacker = new Attacker('server')
  attacker.pair.establish()
  attacker.pair.client.send(pattern(20_000))
  attacker.pair.settle()
  const types = new Set(attacker.opened.flatMap((packet) => packet.frames.map((frame) => frame.type)))
  expect(types.size).toBeGreaterThan(3)
  expect(types.has(FrameType.newToken) || types.has(FrameType.handshakeDone)).toBe(false)
})
