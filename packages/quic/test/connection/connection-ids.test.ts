// Connection IDs on the wire: issued, retired, limits, violations (RFC 9000 §5.1, §19.15, §19.16).

import { describe, expect, it } from 'vitest'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from './attacker.ts'
import * as frames from './frames.ts'
import { Pair, pattern } from './pair.ts'

const id = (n: number): Uint8Array => new Uint8Array(8).fill(n)
const token = (n: number): Uint8Array => new Uint8Array(16).fill(n)

describe('connection IDs (RFC 9000 §5.1)', () => {
  it('are issued up to the peer\'s active_connection_id_limit, once the handshake is done (§5.1.1)', () => {
    for (const limit of [2, 3, 4, 8]) {
      const pair = new Pair({ client: { activeConnectionIdLimit: limit } }).establish().settle()
      const ids = pair.server.connection.sourceConnectionIds()
      expect(ids.length).toBeGreaterThanOrEqual(2)
      expect(ids.length).toBeLessThanOrEqual(limit)
      expect(new Set(ids.map(String)).size).toBe(ids.length)
    }
  })

  it('each of them reaches the connection; a retired one does not, and another one takes its place (§5.1.2)', () => {
    const attacker = new Attacker('client', { serve: () => {} }).establish()
    const ids = [...attacker.victim.sourceConnectionIds()]
    for (const [index, destination] of ids.entries()) attacker.say(frames.stream(2, index, pattern(1)), { destination })
    expect(attacker.pair.server.bytesOf(2)).toHaveLength(ids.length)
    attacker.say(frames.retireConnectionId(0), { destination: ids[1]! })
    expect(attacker.victim.sourceConnectionIds()).toHaveLength(ids.length)
    expect(attacker.victim.sourceConnectionIds()).not.toContainEqual(ids[0])
    expect(attacker.framesOf(FrameType.newConnectionId)).toHaveLength(1)
    attacker.say(frames.stream(2, ids.length, pattern(1)), { destination: ids[0]! })
    expect(attacker.pair.server.bytesOf(2)).toHaveLength(ids.length)
    attacker.say(frames.stream(2, ids.length, pattern(1)))
    expect(attacker.pair.server.bytesOf(2)).toHaveLength(ids.length + 1)
  })

  it('retired one after another a hundred times: the set stays as small', () => {
    const attacker = new Attacker('client').establish()
    for (let sequence = 0; sequence < 100; sequence += 1) {
      attacker.say(frames.retireConnectionId(sequence), { destination: attacker.victim.sourceConnectionIds()[1]! })
      expect(attacker.victim.closeReason()).toBeNull()
      expect(attacker.victim.sourceConnectionIds().length).toBeLessThanOrEqual(4)
    }
  })

  it('the victim moves to a new one when told to retire the one it uses, and says so (§5.1.2)', () => {
    const attacker = new Attacker('client').establish()
    attacker.say(frames.newConnectionId(9, 9, id(9), token(9)), {}, 100)
    const retired = attacker.framesOf(FrameType.retireConnectionId).map((frame) => frame.sequenceNumber)
    expect(retired).toContain(0)
    expect(attacker.opened.at(-1)!.destination).toEqual(id(9))
    // A retirement is told once, and a frame below what is retired is answered at once (§19.15).
    attacker.opened.length = 0
    attacker.say(frames.newConnectionId(7, 7, id(7), token(7)), {}, 100)
    expect(attacker.framesOf(FrameType.retireConnectionId).map((frame) => frame.sequenceNumber)).toContain(7)
  })

  it('retirements that nobody acknowledges do not pile up (§5.1.2)', () => {
    const attacker = new Attacker('client').establish()
    for (let n = 10; n < 200 && attacker.victim.isEstablished(); n += 1) attacker.say(frames.newConnectionId(n, n, id(n), token(n)), {}, 1)
    expect(attacker.victim.closeReason()).toMatchObject({ code: TransportErrorCode.connectionIdLimitError })
  })

  it('lost NEW_CONNECTION_ID and RETIRE_CONNECTION_ID frames are said again', () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const pair = new Pair({ seed, conditions: { loss: 0.4 } })
      pair.network.run(() => pair.client.connection.isConfirmed(), { time: 100_000 })
      pair.network.runFor(8000)
      expect(pair.client.connection.sourceConnectionIds().length).toBe(4)
    }
  })
})
