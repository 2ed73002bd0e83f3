// A peer that breaks the rules of streams and flow control: the exact codes (RFC 9000 §4, §3, §19).

import { describe, expect, it } from 'vitest'
import { EMPTY } from '../../src/base/bytes.ts'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { transportErrorName } from '../../src/wire/transport-error.ts'
import { Attacker } from '../connection/attacker.ts'
import type { Side } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { pattern } from '../connection/pair.ts'

const limits = { initialMaxData: 3000, initialMaxStreamData: 2000, initialMaxStreamsBidi: 4, initialMaxStreamsUni: 3 }
const { flowControlError, streamLimitError, streamStateError, finalSizeError } = TransportErrorCode
const { frameEncodingError, cryptoBufferExceeded, protocolViolation } = TransportErrorCode

interface Case {
  readonly name: string
  /** Packets, one after another; the last one is at fault. `own`: a bidirectional stream of the attacker, `uni`: a unidirectional one. */
  readonly packets: (own: number, uni: number) => readonly Uint8Array[]
  readonly code: number
  readonly frameType?: number
}

/** Stream numbers of the victim, seen from `own` and `uni` of the attacker. */
const victimBidi = (own: number): number => own ^ 1
const victimUni = (uni: number): number => uni ^ 1

const cases: readonly Case[] = [
  {
    name: '§4.1: STREAM beyond MAX_STREAM_DATA',
    packets: (own) => [frames.stream(own, 1900, pattern(101))],
    code: flowControlError,
    frameType: 0x0e,
  },
  { name: '§4.1: STREAM of nothing beyond MAX_STREAM_DATA', packets: (own) => [frames.stream(own, 2001, EMPTY)], code: flowControlError },
  {
    name: '§4.1: streams that together exceed MAX_DATA',
    packets: (own, uni) => [
      frames.stream(own, 0, pattern(1000)),
      frames.stream(own + 4, 1500, pattern(400)),
      frames.stream(uni, 0, pattern(101)),
    ],
    code: flowControlError,
  },
  {
    name: '§4.5: RESET_STREAM with a final size beyond MAX_STREAM_DATA',
    packets: (own) => [frames.resetStream(own, 1, 2001)],
    code: flowControlError,
    frameType: 0x04,
  },
  {
    name: '§4.5: RESET_STREAMs beyond MAX_DATA',
    packets: (own) => [frames.bytes(frames.resetStream(own, 1, 2000), frames.resetStream(own + 4, 1, 1001))],
    code: flowControlError,
  },
  {
    name: '§4.6: a bidirectional stream beyond the limit',
    packets: (own) => [frames.stream(own + 16, 0, pattern(1))],
    code: streamLimitError,
  },
  {
    name: '§4.6: a unidirectional stream beyond the limit',
    packets: (_own, uni) => [frames.stream(uni + 12, 0, pattern(1))],
    code: streamLimitError,
  },
  {
    name: '§4.6: STOP_SENDING for a stream beyond the limit',
    packets: (own) => [frames.stopSending(own + 16, 1)],
    code: streamLimitError,
  },
  {
    name: '§4.6: MAX_STREAM_DATA for a stream beyond the limit',
    packets: (own) => [frames.bytes(0x11, own + 16, 9)],
    code: streamLimitError,
  },
  {
    name: '§4.6: RESET_STREAM of the largest stream there can be',
    packets: (_own, uni) => [frames.resetStream(2 ** 53 - 4 + uni, 1, 0)],
    code: streamLimitError,
  },
  {
    name: '§4.5: a FIN below what was received',
    packets: (own) => [frames.stream(own, 0, pattern(100)), frames.stream(own, 0, pattern(50), true)],
    code: finalSizeError,
  },
  {
    name: '§4.5: two FINs that differ',
    packets: (own) => [frames.stream(own, 0, pattern(100), true), frames.stream(own, 0, pattern(101), true)],
    code: finalSizeError,
  },
  {
    name: '§4.5: data beyond the FIN',
    packets: (own) => [frames.stream(own, 100, EMPTY, true), frames.stream(own, 99, pattern(2))],
    code: finalSizeError,
  },
  {
    name: '§4.5: RESET_STREAM that changes the final size',
    packets: (own) => [frames.stream(own, 100, EMPTY, true), frames.resetStream(own, 1, 99)],
    code: finalSizeError,
  },
  {
    name: '§4.5: RESET_STREAM below what was received',
    packets: (own) => [frames.stream(own, 0, pattern(100)), frames.resetStream(own, 1, 99)],
    code: finalSizeError,
  },
  {
    name: '§4.5: data beyond the final size of a RESET_STREAM',
    packets: (own) => [frames.resetStream(own, 1, 50), frames.stream(own, 50, pattern(1))],
    code: finalSizeError,
  },
  {
    name: '§19.8: STREAM for a stream only the victim sends on',
    packets: (_own, uni) => [frames.stream(victimUni(uni), 0, pattern(1))],
    code: streamStateError,
  },
  {
    name: '§19.4: RESET_STREAM for such a stream',
    packets: (_own, uni) => [frames.resetStream(victimUni(uni), 1, 0)],
    code: streamStateError,
  },
  {
    name: '§19.13: STREAM_DATA_BLOCKED for such a stream',
    packets: (_own, uni) => [frames.bytes(0x15, victimUni(uni), 1)],
    code: streamStateError,
  },
  {
    name: '§19.5: STOP_SENDING for a stream only the attacker sends on',
    packets: (_own, uni) => [frames.stopSending(uni, 1)],
    code: streamStateError,
  },
  { name: '§19.10: MAX_STREAM_DATA for such a stream', packets: (_own, uni) => [frames.bytes(0x11, uni, 1)], code: streamStateError },
  {
    name: '§19.8: STREAM for a stream the victim has not opened',
    packets: (own) => [frames.stream(victimBidi(own), 0, pattern(1))],
    code: streamStateError,
  },
  {
    name: '§19.5: STOP_SENDING for a stream the victim has not opened',
    packets: (own) => [frames.stopSending(victimBidi(own), 1)],
    code: streamStateError,
  },
  {
    name: '§19.10: MAX_STREAM_DATA for a stream the victim has not opened',
    packets: (own) => [frames.bytes(0x11, victimBidi(own), 1)],
    code: streamStateError,
  },
  {
    name: '§19.11: MAX_STREAMS above 2^60',
    packets: () => [frames.bytes(0x12, Uint8Array.of(0xd0, 0, 0, 0, 0, 0, 0, 1))],
    code: frameEncodingError,
  },
  {
    name: '§19.14: STREAMS_BLOCKED above 2^60',
    packets: () => [frames.bytes(0x17, Uint8Array.of(0xd0, 0, 0, 0, 0, 0, 0, 1))],
    code: frameEncodingError,
  },
  {
    name: '§19.8: STREAM that ends above 2^62 - 1',
    packets: (own) => [frames.bytes(0x0e, own, new Uint8Array(8).fill(255), 5, pattern(5))],
    code: frameEncodingError,
  },
  { name: '§7.5: CRYPTO far ahead', packets: () => [frames.crypto(70_000, pattern(10))], code: cryptoBufferExceeded, frameType: 0x06 },
]

/** More gaps than are kept: every second byte of a stream. */
function holes(id: number): Uint8Array[] {
  const packets: Uint8Array[] = []
  for (let at = 1; at < 1998; at += 100) {
    const parts: Uint8Array[] = []
    for (let i = 0; i < 100 && at + i < 1998; i += 2) parts.push(frames.stream(id, at + i, pattern(1)))
    packets.push(frames.bytes(...parts))
  }
  return packets
}

for (const plays of ['client', 'server'] as const satisfies readonly Side[]) {
  describe(`a ${plays === 'client' ? 'server' : 'client'} whose peer breaks stream rules`, () => {
    for (const { name, packets, code, frameType } of cases) {
      it(`RFC 9000 ${name}: ${transportErrorName(code)}`, () => {
        const attacker = new Attacker(plays, { client: limits, server: limits, serve: () => {} }).establish()
        const [own, uni] = plays === 'client' ? [0, 2] : [1, 3]
        const all = packets(own!, uni!)
        for (const [index, payload] of all.entries()) {
          expect(attacker.victim.closeReason()).toBeNull()
          attacker.say(payload)
          if (index < all.length - 1) continue
          const reason = attacker.victim.closeReason()
          expect(reason).toMatchObject({ cause: 'local', application: false, code })
          if (frameType !== undefined) expect(reason!.frameType).toBe(frameType)
          const close = attacker.framesOf(FrameType.connectionClose)
          expect(close[0]).toMatchObject({ errorCode: code })
        }
      })
    }
  })
}

describe('what looks wrong and is not', () => {
  const start = (): Attacker => new Attacker('client', { server: limits, serve: () => {} }).establish()

  it('RFC 9000 §2.2, §3.2: repeated, overlapping and late stream frames, also after the end', () => {
    const attacker = start()
    attacker.say(frames.stream(0, 10, pattern(20)))
    attacker.say(frames.stream(0, 0, pattern(40)))
    attacker.say(frames.stream(0, 0, pattern(40), true))
    attacker.say(frames.stream(0, 0, pattern(40), true))
    attacker.say(frames.stream(0, 5, pattern(2)))
    attacker.say(frames.resetStream(0, 1, 40))
    attacker.say(frames.bytes(frames.stopSending(0, 3), frames.stopSending(0, 4)))
    expect(attacker.victim.closeReason()).toBeNull()
  })

  it('RFC 9000 §4.1, §4.6, §13.3: smaller limits than before, and frames for streams that are closed', () => {
    const attacker = start()
    attacker.say(frames.bytes(frames.bytes(0x10, 1), frames.bytes(0x12, 1), frames.bytes(0x11, 0, 1)))
    attacker.say(frames.stream(2, 0, pattern(5), true))
    attacker.say(frames.bytes(frames.stream(2, 0, pattern(5), true), frames.resetStream(2, 1, 5), frames.bytes(0x15, 2, 5)))
    expect(attacker.victim.closeReason()).toBeNull()
  })

  it('RFC 9000 §4.1: exactly the limit', () => {
    const attacker = start()
    attacker.say(frames.stream(0, 1000, pattern(1000)))
    attacker.say(frames.stream(12, 999, pattern(1)))
    expect(attacker.victim.closeReason()).toBeNull()
  })

  it('RFC 9000 §21.7: many holes in a stream cost the connection nothing but bounded memory or PROTOCOL_VIOLATION', () => {
    const attacker = start()
    for (const payload of holes(0)) attacker.say(payload, {}, 1)
    const reason = attacker.victim.closeReason()
    if (reason !== null) expect(reason).toMatchObject({ code: protocolViolation })
    else expect(attacker.victim.isEstablished()).toBe(true)
  })
})

for (const plays of ['client', 'server'] as const) {
  describe(`what a ${plays === 'client' ? 'server' : 'client'} sends within the limits of its peer`, () => {
    const start = (): Attacker => new Attacker(plays, { client: limits, server: limits, serve: () => {} }).establish()
    /** Bytes of each stream that the victim has sent, up to the highest offset. */
    const sent = (attacker: Attacker): Map<number, number> => {
      const ends = new Map<number, number>()
      for (const { type, streamId, offset, length } of attacker.opened.flatMap((packet) => packet.frames)) {
        if (type < FrameType.stream || type > FrameType.streamMax) continue
        ends.set(streamId!, Math.max(ends.get(streamId!) ?? 0, (offset ?? 0) + (length ?? 0)))
      }
      return ends
    }
    const write = (attacker: Attacker, length: number): number => {
      const id = attacker.victim.openStream(false)
      attacker.victim.streamWrite(id, pattern(length), false)
      attacker.pair.network.turnAll()
      attacker.pair.network.runFor(400)
      return id
    }

    it('RFC 9000 §3.5: STOP_SENDING is answered with RESET_STREAM and its code, and no data follows (§3.3)', () => {
      const attacker = start()
      const id = write(attacker, 100)
      attacker.say(frames.stopSending(id, 42), {}, 100)
      expect(attacker.framesOf(FrameType.resetStream)[0]).toMatchObject({ streamId: id, errorCode: 42, finalSize: 100 })
      attacker.opened.length = 0
      attacker.victim.streamWrite(id, pattern(100), true)
      attacker.pair.network.turnAll()
      attacker.pair.network.runFor(3000)
      expect(sent(attacker).size).toBe(0)
    })

    it('RFC 9000 §4.1, §19.13: no byte beyond MAX_STREAM_DATA; STREAM_DATA_BLOCKED says so', () => {
      const attacker = start()
      const id = write(attacker, 5000)
      expect(sent(attacker).get(id)).toBe(2000)
      expect(attacker.framesOf(FrameType.streamDataBlocked)[0]).toMatchObject({ streamId: id })
      attacker.say(frames.bytes(0x11, id, 2500), {}, 400)
      expect(sent(attacker).get(id)).toBe(2500)
    })

    it('RFC 9000 §4.1, §19.12: no byte beyond MAX_DATA; DATA_BLOCKED says so', () => {
      const attacker = start()
      for (let i = 0; i < 2; i += 1) write(attacker, 2000)
      const total = (): number => [...sent(attacker).values()].reduce((sum, end) => sum + end, 0)
      expect(total()).toBe(3000)
      expect(attacker.framesOf(FrameType.dataBlocked).length).toBeGreaterThan(0)
      attacker.say(frames.bytes(0x10, 3300), {}, 400)
      expect(total()).toBe(3300)
    })

    it('RFC 9000 §4.6, §19.14: no stream beyond MAX_STREAMS; STREAMS_BLOCKED says so', () => {
      const attacker = start()
      const opened = Array.from({ length: 5 }, () => attacker.victim.openStream(false))
      expect(opened.filter((id) => id >= 0)).toHaveLength(3)
      attacker.pair.network.turnAll()
      attacker.pair.network.runFor(50)
      expect(attacker.framesOf(FrameType.streamsBlockedUni).length).toBeGreaterThan(0)
      attacker.say(frames.bytes(0x13, 4))
      expect(attacker.victim.openStream(false)).toBeGreaterThan(0)
      expect(attacker.victim.openStream(false)).toBe(-1)
    })
  })
}
