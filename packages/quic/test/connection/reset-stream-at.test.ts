// draft-ietf-quic-reliable-stream-reset through two connections: negotiation, loss, and what the frame may not do.

import { describe, expect, it } from 'vitest'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from './attacker.ts'
import * as frames from './frames.ts'
import { Pair, pattern } from './pair.ts'

describe('streamResetAt() (draft-ietf-quic-reliable-stream-reset)', () => {
  it('both ends announce reset_stream_at by default, and none when told so (§3)', () => {
    const pair = new Pair().establish()
    expect(pair.client.connection.peerTransportParameters()!.resetStreamAt).toBe(true)
    expect(pair.server.connection.peerTransportParameters()!.resetStreamAt).toBe(true)
    const without = new Pair({ server: { resetStreamAt: false } }).establish()
    const { connection } = without.client
    const id = connection.openStream(true)
    connection.streamWrite(id, pattern(100), false)
    expect(connection.streamResetAt(id, 7, 50)).toBe(false)
    connection.streamReset(id, 7)
    without.settle()
    expect(without.server.events).toContainEqual({ kind: 'stream-reset', streamId: id, code: 7 })
  })

  it.each([1, 2, 3, 4, 5])('delivers the prefix over a path that loses three of ten datagrams, seed %i', (seed) => {
    const conditions = { loss: 0.3, reorder: 0.2, duplicate: 0.1 }
    const pair = new Pair({ seed, conditions, serve: () => undefined }).establish()
    const { connection } = pair.client
    const whole = pattern(60_000)
    const ids: number[] = []
    for (const size of [0, 1, 1000, 20_000, 60_000]) {
      const id = connection.openStream(true)
      ids.push(id)
      expect(connection.streamWrite(id, whole.slice(), false)).toBe(whole.length)
      // Some has left already when the reset is decided.
      pair.network.runFor(20)
      expect(connection.streamResetAt(id, 7, size)).toBe(true)
    }
    const isReset = (id: number): boolean => pair.server.events.some((event) => event.kind === 'stream-reset' && event.streamId === id)
    pair.network.run(() => ids.every(isReset))
    for (const [index, size] of [0, 1, 1000, 20_000, 60_000].entries()) {
      const got = pair.server.bytesOf(ids[index]!)
      expect(got.length).toBeGreaterThanOrEqual(size)
      expect(got).toEqual(whole.subarray(0, got.length))
      expect(pair.server.finished.has(ids[index]!)).toBe(false)
    }
    for (const id of ids) pair.server.write(id, pattern(10), true)
    pair.network.run(() => pair.client.events.filter((event) => event.kind === 'stream-closed').length === ids.length)
    pair.network.run(() => pair.server.events.filter((event) => event.kind === 'stream-closed').length === ids.length)
    expect(pair.client.closeReasons()).toEqual([])
  })

  it('throws RangeError on what is no code or no size', () => {
    const { connection } = new Pair().establish().client
    const id = connection.openStream(true)
    expect(() => connection.streamResetAt(id, -1, 0)).toThrow(RangeError)
    expect(() => connection.streamResetAt(id, 0, Infinity)).toThrow(RangeError)
    expect(connection.streamResetAt(id, 0, 1)).toBe(false)
  })
})

describe('RESET_STREAM_AT from a peer that breaks the rules', () => {
  it('not announced: a frame of unknown type, FRAME_ENCODING_ERROR (RFC 9000 §12.4)', () => {
    const attacker = new Attacker('client', { server: { resetStreamAt: false } }).establish()
    attacker.say(frames.resetStreamAt(0, 7, 0, 0))
    const frameType = FrameType.resetStreamAt
    expect(attacker.victim.closeReason()).toMatchObject({ code: TransportErrorCode.frameEncodingError, frameType })
  })

  it.each([
    ['a Reliable Size above the Final Size', [frames.resetStreamAt(0, 7, 9, 10)], TransportErrorCode.frameEncodingError],
    ['another final size', [frames.resetStreamAt(0, 7, 9, 3), frames.resetStreamAt(0, 7, 10, 3)], TransportErrorCode.finalSizeError],
    ['a final size below what came', [frames.stream(0, 0, pattern(20)), frames.resetStreamAt(0, 7, 9, 3)], TransportErrorCode.finalSizeError],
    ['another code', [frames.resetStreamAt(0, 7, 9, 3), frames.resetStreamAt(0, 8, 9, 3)], TransportErrorCode.streamStateError],
    ['more than flow control allows', [frames.resetStreamAt(0, 7, 300_000, 3)], TransportErrorCode.flowControlError],
    ['a stream only we send on', [frames.resetStreamAt(3, 7, 0, 0)], TransportErrorCode.streamStateError],
  ] as const)('%s', (_what, payloads, code) => {
    const attacker = new Attacker('client').establish()
    for (const payload of payloads) attacker.say(payload)
    expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', code, frameType: FrameType.resetStreamAt })
  })

  it('STREAM errors name the type byte that came (RFC 9000 §19.19)', () => {
    for (const type of [0x08, 0x0a, 0x0b, 0x0c, 0x0f]) {
      const attacker = new Attacker('client').establish()
      // A stream that only the server sends on.
      attacker.say(frames.bytes(type, 3, ...((type & 4) !== 0 ? [0] : []), ...((type & 2) !== 0 ? [2] : []), new Uint8Array(2)))
      expect(attacker.victim.closeReason()).toMatchObject({ code: TransportErrorCode.streamStateError, frameType: type })
    }
  })
})
