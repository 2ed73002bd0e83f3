// What is acknowledged and how often (RFC 9000 §13.1, §13.2), seen by a peer that counts.

import { describe, expect, it } from 'vitest'
import { FrameType, PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from '../connection/attacker.ts'
import type { OpenedPacket } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { pattern } from '../connection/pair.ts'
import { ROGUE_SOURCE } from './rogue.ts'

const has = (packet: OpenedPacket, type: number): boolean => packet.frames.some((frame) => frame.type === type)
const acknowledges = (packet: OpenedPacket, number: number): boolean =>
  packet.frames.some(({ type, ranges, rangeCount }) => {
    if (type !== FrameType.ack) return false
    for (let i = 0; i < rangeCount!; i += 1) if (ranges![2 * i]! <= number && number <= ranges![2 * i + 1]!) return true
    return false
  })

for (const plays of ['client', 'server'] as const) {
  const victim = plays === 'client' ? 'server' : 'client'
  describe(`acknowledgements of a ${victim}`, () => {
    it('RFC 9000 §13.1: a packet whose frames fail is not acknowledged', () => {
      const attacker = new Attacker(plays).establish()
      attacker.say(frames.bytes(frames.PING, frames.bytes(0x21)), { packetNumber: 5000 }, 500)
      expect(attacker.victim.closeReason()).toMatchObject({ code: TransportErrorCode.frameEncodingError })
      expect(attacker.opened.some((packet) => acknowledges(packet, 5000))).toBe(false)
    })

    it('RFC 9000 §13.1: a packet that cannot be opened is not acknowledged', () => {
      const attacker = new Attacker(plays).establish()
      const packet = attacker.seal(5, frames.PING, { packetNumber: 5000, size: 100 })
      packet[60]! ^= 1
      attacker.deliver(packet, undefined, 500)
      attacker.say(frames.PING, { packetNumber: 5002 }, 500)
      expect(attacker.opened.some((sent) => acknowledges(sent, 5002))).toBe(true)
      expect(attacker.opened.some((sent) => acknowledges(sent, 5000))).toBe(false)
    })

    it('RFC 9000 §13.2.1: an ACK travels with what is sent anyway', () => {
      const attacker = new Attacker(plays).establish()
      attacker.say(frames.PING, { packetNumber: 5000 }, 500)
      attacker.opened.length = 0
      attacker.say(frames.PING, { packetNumber: 5001 }, 11)
      expect(attacker.opened).toHaveLength(0)
      attacker.victim.streamWrite(attacker.victim.openStream(false), pattern(10), true)
      attacker.pair.network.turnAll()
      attacker.pair.network.runFor(1)
      const [first] = attacker.opened
      expect(first!.frames.some((frame) => frame.type >= FrameType.stream && frame.type <= FrameType.streamMax)).toBe(true)
      expect(acknowledges(first!, 5001)).toBe(true)
    })

    it('RFC 9000 §13.2.1: one ACK-only packet at most for each ack-eliciting one', () => {
      const attacker = new Attacker(plays).establish()
      const elicited = 60
      for (let i = 0; i < elicited; i += 1) attacker.say(frames.PING, {}, i % 3 === 0 ? 0 : 40)
      attacker.pair.network.runFor(500)
      const only = attacker.opened.filter((packet) => packet.frames.every((frame) => frame.type === FrameType.ack || frame.type === FrameType.padding))
      expect(only.length).toBeGreaterThan(5)
      expect(only.length).toBeLessThanOrEqual(elicited)
    })

    it('RFC 9000 §13.2.1: nothing but acknowledgements elicits nothing, gaps or not', () => {
      const attacker = new Attacker(plays).establish()
      attacker.say(frames.PING, { packetNumber: 5000 }, 500)
      const largest = attacker.opened.filter((packet) => has(packet, FrameType.ack)).at(-1)!.packetNumber
      attacker.opened.length = 0
      for (let number = 5010; number < 5200; number += 10) attacker.say(frames.ack(0, largest), { packetNumber: number }, 40)
      expect(attacker.opened).toHaveLength(0)
    })
  })
}

const { protocolViolation, frameEncodingError } = TransportErrorCode

const unsent: readonly [string, (largest: number) => Uint8Array][] = [
  ['the next one', (largest) => frames.ack(0, largest + 1)],
  ['one far ahead', () => frames.ack(100_000, 100_010)],
  ['the largest there can be', () => frames.bytes(0x02, 2 ** 53 - 1, 0, 0, 0)],
]

const malformed: readonly (readonly number[])[] = [
  [0x02, 3, 0, 0, 4],
  [0x02, 3, 0, 1, 1, 1, 0],
  [0x02, 3, 0, 1000, 0],
  [0x03, 1, 0, 0, 0, 1],
]

for (const plays of ['client', 'server'] as const) {
  const victim = plays === 'client' ? 'server' : 'client'

  /** A victim that has sent packets of that type, and the largest number among them. */
  function facing(type: PacketType): [Attacker, number] {
    const attacker = new Attacker(plays)
    if (type === PacketType.oneRtt) {
      attacker.pair.establish().settle()
      attacker.usurp()
      attacker.say(frames.PING, {}, 100)
    } else {
      attacker.pair.network.run(() => attacker.opened.some((packet) => packet.packetType === type))
      attacker.usurp()
    }
    return [attacker, attacker.opened.filter((packet) => packet.packetType === type).at(-1)!.packetNumber]
  }

  /** A client that has not heard from its server takes any source for the server's. */
  const sourceOf = ({ pair }: Attacker): Uint8Array =>
    plays === 'client' ? pair.client.connection.sourceConnectionIds()[0]! : (pair.servers[0]?.connection.sourceConnectionIds()[0] ?? ROGUE_SOURCE)

  // A client discards Initial keys as it sends its first Handshake packet, and waits for nothing between the two.
  const types = [PacketType.oneRtt, PacketType.initial, ...(plays === 'client' ? [PacketType.handshake] : [])]
  describe(`acknowledgements to a ${victim}`, () => {
    for (const type of types) {
      const space = type === PacketType.oneRtt ? '1-RTT' : type === PacketType.initial ? 'Initial' : 'Handshake'
      for (const [name, frame] of unsent) {
        it(`RFC 9000 §13.1: of a ${space} packet never sent, ${name}: PROTOCOL_VIOLATION`, () => {
          const [attacker, largest] = facing(type)
          attacker.send(type, frame(largest), { size: 1200, source: sourceOf(attacker) })
          expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code: protocolViolation, frameType: 0x02 })
          expect(attacker.framesOf(FrameType.connectionClose)[0]).toMatchObject({ errorCode: protocolViolation })
        })
      }
    }

    it('RFC 9000 §19.3.1: ranges below packet number 0, cut off or lying about their count: FRAME_ENCODING_ERROR', () => {
      for (const fields of malformed) {
        const [attacker] = facing(PacketType.oneRtt)
        attacker.say(frames.bytes(...fields))
        expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code: frameEncodingError })
      }
    })
  })
}
