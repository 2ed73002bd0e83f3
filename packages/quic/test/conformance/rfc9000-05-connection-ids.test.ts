// A peer that breaks the rules of connection IDs: the exact codes (RFC 9000 §5.1, §19.15, §19.16).

import { expect, it } from 'vitest'
import { EMPTY } from '../../src/base/bytes.ts'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { transportErrorName } from '../../src/wire/transport-error.ts'
import { Attacker } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'

const id = (n: number): Uint8Array => new Uint8Array(8).fill(n)
const token = (n: number): Uint8Array => new Uint8Array(16).fill(n)

const { protocolViolation, connectionIdLimitError, frameEncodingError } = TransportErrorCode
const wrong: [string, Uint8Array[], number][] = [
  [
    '§5.1.1: more than active_connection_id_limit',
    [4, 5, 6, 7, 8].map((n) => frames.newConnectionId(n, 0, id(n), token(n))),
    connectionIdLimitError,
  ],
  [
    '§19.15: one sequence number for two IDs',
    [frames.newConnectionId(9, 9, id(9), token(9)), frames.newConnectionId(9, 9, id(8), token(9))],
    protocolViolation,
  ],
  [
    '§19.15: one sequence number with two tokens',
    [frames.newConnectionId(9, 9, id(9), token(9)), frames.newConnectionId(9, 9, id(9), token(8))],
    protocolViolation,
  ],
  [
    '§19.15: one ID under two sequence numbers',
    [frames.newConnectionId(9, 9, id(9), token(9)), frames.newConnectionId(10, 9, id(9), token(8))],
    protocolViolation,
  ],
  ['§19.15: Retire Prior To above the sequence number', [frames.newConnectionId(9, 10, id(9), token(9))], frameEncodingError],
  ['§19.15: an ID of no bytes', [frames.newConnectionId(9, 9, new Uint8Array(0), token(9))], frameEncodingError],
  ['§19.15: an ID of 21 bytes', [frames.newConnectionId(9, 9, new Uint8Array(21), token(9))], frameEncodingError],
  ['§19.16: RETIRE_CONNECTION_ID of one never sent', [frames.retireConnectionId(99)], protocolViolation],
  ['§19.16: RETIRE_CONNECTION_ID of the one the packet was sent to', [frames.retireConnectionId(0)], protocolViolation],
]
for (const plays of ['client', 'server'] as const) {
  for (const [name, payloads, code] of wrong) {
    it(`RFC 9000 ${name}, to a ${plays === 'client' ? 'server' : 'client'}: ${transportErrorName(code)}`, () => {
      const attacker = new Attacker(plays).establish()
      for (const payload of payloads) attacker.say(payload)
      expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code })
      expect(attacker.framesOf(FrameType.connectionClose)[0]).toMatchObject({ errorCode: code })
    })
  }
}

for (const plays of ['client', 'server'] as const) {
  it(`RFC 9000 §19.15: the same frame again and again, to a ${plays === 'client' ? 'server' : 'client'}: nothing`, () => {
    const attacker = new Attacker(plays).establish()
    for (let i = 0; i < 20; i += 1) attacker.say(frames.newConnectionId(9, 9, id(9), token(9)))
    expect(attacker.victim.closeReason()).toBeNull()
  })

  it(`RFC 9000 §5.1.2: RETIRE_CONNECTION_ID again and again, to a ${plays === 'client' ? 'server' : 'client'}: nothing`, () => {
    const attacker = new Attacker(plays).establish()
    const destination = attacker.victim.sourceConnectionIds()[1]!
    for (let i = 0; i < 20; i += 1) attacker.say(frames.retireConnectionId(0), { destination })
    expect(attacker.victim.closeReason()).toBeNull()
  })
}

const withoutIds = { clientConfig: { connectionIds: { length: 0, generate: () => EMPTY } } }

it('RFC 9000 §19.15: NEW_CONNECTION_ID to who sends to an empty connection ID: PROTOCOL_VIOLATION', () => {
  const attacker = new Attacker('client', withoutIds).establish()
  attacker.say(frames.newConnectionId(1, 0, id(1), token(1)))
  expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code: protocolViolation })
})

it('RFC 9000 §19.16: RETIRE_CONNECTION_ID to who has none: PROTOCOL_VIOLATION', () => {
  const attacker = new Attacker('server', withoutIds).establish()
  attacker.say(frames.retireConnectionId(0))
  expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code: protocolViolation })
})

it('RFC 9000 §5.1.1, §10.3.2: sequence numbers rise by 1; no connection ID and no reset token comes twice', () => {
  const attacker = new Attacker('client', { client: { activeConnectionIdLimit: 8 } })
  attacker.pair.establish().settle()
  attacker.usurp()
  for (let sequence = 0; sequence < 30; sequence += 1) {
    attacker.say(frames.retireConnectionId(sequence), { destination: attacker.victim.sourceConnectionIds()[1]! })
  }
  const issued = new Map(attacker.framesOf(FrameType.newConnectionId).map((frame) => [frame.sequenceNumber!, frame]))
  const sequences = [...issued.keys()].sort((a, b) => a - b)
  expect(sequences.length).toBeGreaterThan(30)
  expect(sequences).toEqual(Array.from({ length: sequences.length }, (_, i) => i + 1))
  for (const field of ['connectionId', 'statelessResetToken'] as const) {
    expect(new Set([...issued.values()].map((frame) => String(frame[field]))).size).toBe(issued.size)
  }
})
