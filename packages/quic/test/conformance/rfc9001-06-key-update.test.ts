// Key updates in and out of turn, to both roles (RFC 9001 §5.5, §6).

import { describe, expect, it } from 'vitest'
import type { ConnectionCore } from '../../src/connection/core.ts'
import { FrameType, PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { pattern } from '../connection/pair.ts'

const { aeadLimitReached, keyUpdateError } = TransportErrorCode

// RFC 9001 §6.6, for AEAD_AES_128_GCM.
const AES_GCM_CONFIDENTIALITY_LIMIT = 2 ** 23
const AES_GCM_INTEGRITY_LIMIT = 2 ** 52

/** The victim's counters: no test can send that many packets, so the counts are put there. */
function keysOf(attacker: Attacker): { sealedPackets: number; failedPackets: number } {
  return (attacker.victim as unknown as { core: ConnectionCore }).core.spaces.application.oneRttKeys!
}

function expectClosed(attacker: Attacker): void {
  expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code: keyUpdateError })
  expect(attacker.framesOf(FrameType.connectionClose)[0]).toMatchObject({ errorCode: keyUpdateError })
}

for (const plays of ['client', 'server'] as const) {
  const victim = plays === 'client' ? 'server' : 'client'
  const uni = plays === 'client' ? 2 : 3
  const start = (): Attacker => new Attacker(plays, { serve: () => {} }).establish()
  const received = (attacker: Attacker): Uint8Array => (plays === 'client' ? attacker.pair.server : attacker.pair.client).bytesOf(uni)

  describe(`key updates of the peer of a ${victim}`, () => {
    it('RFC 9001 §6.2: a peer that updates is followed at once, before its packet is acknowledged', () => {
      const attacker = start()
      attacker.say(frames.PING, { generation: 1, packetNumber: 1500 }, 100)
      const acks = attacker.opened.filter((packet) => packet.frames.some(({ type, ranges }) => type === FrameType.ack && ranges![1] === 1500))
      expect(acks.length).toBeGreaterThan(0)
      for (const packet of acks) expect(packet.generation).toBe(1)
      expect(attacker.victim.closeReason()).toBeNull()
    })

    it('RFC 9001 §6.4: once new keys are in use, every later packet of ours is under them', () => {
      const attacker = start()
      attacker.say(frames.PING, { generation: 1 }, 100)
      attacker.opened.length = 0
      for (let i = 0; i < 6; i += 1) attacker.say(frames.PING, { generation: 1 }, 40)
      expect(attacker.opened.length).toBeGreaterThan(2)
      for (const packet of attacker.opened) expect(packet.generation).toBe(1)
    })

    it('RFC 9001 §6.2: a second update before the first one was answered: KEY_UPDATE_ERROR', () => {
      const attacker = start()
      attacker.say(frames.PING, {}, 100)
      // The acknowledgement of the first one waits; nothing goes out under the first new keys.
      attacker.say(frames.PING, { generation: 1 }, 0)
      attacker.say(frames.PING, { generation: 2 })
      expectClosed(attacker)
    })

    it('RFC 9001 §6.2: updates one after another, each answered, are fine', () => {
      const attacker = start()
      for (let generation = 1; generation < 6; generation += 1) {
        attacker.say(frames.PING, { generation }, 400)
        const { packetNumber } = attacker.opened.at(-1)!
        attacker.say(frames.ack(packetNumber, packetNumber), { generation }, 400)
        expect(attacker.opened.at(-1)!.generation).toBe(generation)
      }
      expect(attacker.victim.closeReason()).toBeNull()
    })

    it('RFC 9001 §6.4: old keys on a newer number than new keys had: KEY_UPDATE_ERROR', () => {
      const attacker = start()
      attacker.say(frames.PING, { generation: 1, packetNumber: 1500 })
      attacker.say(frames.PING, { generation: 0, packetNumber: 1501 })
      expectClosed(attacker)
    })

    it('RFC 9001 §6.4: new keys on an older number than old keys had: KEY_UPDATE_ERROR', () => {
      const attacker = start()
      attacker.say(frames.PING, { generation: 0, packetNumber: 1500 })
      attacker.say(frames.PING, { generation: 1, packetNumber: 1499 })
      expectClosed(attacker)
    })

    it('RFC 9001 §6.2: an acknowledgement in old keys for a packet in new ones: KEY_UPDATE_ERROR', () => {
      const attacker = start()
      attacker.say(frames.PING, { generation: 1, packetNumber: 1500 }, 100)
      const { packetNumber } = attacker.opened.at(-1)!
      attacker.say(frames.ack(packetNumber, packetNumber), { generation: 0, packetNumber: 1499 })
      expectClosed(attacker)
    })

    it('RFC 9001 §6.5: late packets under the old keys are still read, and dropped three PTOs later', () => {
      const attacker = start()
      attacker.say(frames.PING, { generation: 1, packetNumber: 1500 }, 1)
      attacker.say(frames.stream(uni, 0, pattern(20)), { generation: 0, packetNumber: 1499 }, 100)
      expect(received(attacker)).toEqual(pattern(20))
      attacker.pair.network.runFor(2000)
      attacker.say(frames.stream(uni, 20, pattern(20)), { generation: 0, packetNumber: 1498 }, 100)
      expect(received(attacker)).toHaveLength(20)
      expect(attacker.victim.closeReason()).toBeNull()
    })

    it('RFC 9001 §5.5, §6.3: a packet of the next phase that cannot be opened is dropped and moves nothing', () => {
      const attacker = start()
      for (let i = 0; i < 20; i += 1) {
        const forged = attacker.seal(PacketType.oneRtt, frames.PING, { generation: 1, size: 80 })
        forged[70]! ^= 1
        attacker.deliver(forged, undefined, 1)
      }
      attacker.opened.length = 0
      attacker.say(frames.PING, {}, 100)
      expect(attacker.opened.at(-1)!.generation).toBe(0)
      expect(attacker.victim.closeReason()).toBeNull()
    })

    it('RFC 9001 §6.6: one forged packet more than the integrity limit: AEAD_LIMIT_REACHED', () => {
      const attacker = start()
      keysOf(attacker).failedPackets = AES_GCM_INTEGRITY_LIMIT - 1
      const forge = (): void => {
        const forged = attacker.seal(PacketType.oneRtt, frames.PING, { size: 80 })
        forged[70]! ^= 1
        attacker.deliver(forged, undefined, 10)
      }
      forge()
      expect(attacker.victim.closeReason()).toBeNull()
      forge()
      expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code: aeadLimitReached })
      expect(attacker.framesOf(FrameType.connectionClose)[0]).toMatchObject({ errorCode: aeadLimitReached })
    })

    it('RFC 9001 §6.6: at half of the confidentiality limit new keys take over', () => {
      const attacker = start()
      keysOf(attacker).sealedPackets = AES_GCM_CONFIDENTIALITY_LIMIT / 2
      // Packets of the current keys are acknowledged already (§6.1).
      attacker.say(frames.PING, {}, 100)
      expect(attacker.opened.at(-1)!.generation).toBe(1)
      attacker.say(frames.PING, { generation: 1 }, 100)
      expect(attacker.victim.closeReason()).toBeNull()
      expect(keysOf(attacker).sealedPackets).toBeLessThan(10)
    })

    it('RFC 9001 §6.6: with keys used up and no update possible the connection ends without another packet', () => {
      const attacker = start()
      attacker.say(frames.PING, { generation: 1 }, 100)
      attacker.opened.length = 0
      // The peer never acknowledges under the new keys: §6.1 forbids another update.
      keysOf(attacker).sealedPackets = AES_GCM_CONFIDENTIALITY_LIMIT
      attacker.say(frames.PING, { generation: 1 }, 100)
      expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', code: aeadLimitReached })
      expect(attacker.victim.isClosed()).toBe(true)
      expect(attacker.opened).toEqual([])
    })

    it('RFC 9001 §5.5: the Key Phase bit of other keys is dropped', () => {
      const attacker = start()
      attacker.say(frames.closeTransport(1), { generation: 2, phase: 1 })
      attacker.say(frames.closeTransport(1), { generation: 0, phase: 1 })
      expect(attacker.victim.closeReason()).toBeNull()
    })
  })
}
