// Loss recovery and congestion control as a peer sees them who acknowledges what it likes (RFC 9002 §6, §7).

import { describe, expect, it } from 'vitest'
import { FrameType, PacketType } from '../../src/wire/constants.ts'
import { Attacker } from '../connection/attacker.ts'
import type { OpenedPacket } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { pattern } from '../connection/pair.ts'

const isData = (type: number): boolean => type >= FrameType.stream && type <= FrameType.streamMax
const elicits = ({ frames }: OpenedPacket): boolean => frames.some(({ type }) => type !== FrameType.padding && type !== FrameType.ack)
const offsets = (packets: readonly OpenedPacket[]): number[] => packets.flatMap(({ frames }) => frames.filter(({ type }) => isData(type)).map(({ offset }) => offset ?? 0))

for (const plays of ['client', 'server'] as const) {
  const victim = plays === 'client' ? 'server' : 'client'

  /** The victim has begun to send `length` bytes; nothing is acknowledged. A round trip takes 20 ms. */
  const sending = (length: number, wait: number): Attacker => {
    const attacker = new Attacker(plays, { client: { mtuDiscovery: false }, server: { mtuDiscovery: false }, serve: () => {} }).establish()
    // What it owes is acknowledged: from here on its window holds what the test makes it send.
    attacker.say(frames.PING, {}, 100)
    attacker.say(frames.ack(0, attacker.opened.at(-1)!.packetNumber), {}, 100)
    attacker.opened.length = 0
    attacker.victim.streamWrite(attacker.victim.openStream(false), pattern(length), false)
    attacker.pair.network.turnAll()
    attacker.pair.network.runFor(wait)
    return attacker
  }

  describe(`a ${victim} that sends`, () => {
    it('RFC 9002 §7: no more than the congestion window without an acknowledgment', () => {
      const attacker = sending(200_000, 25)
      const bytes = attacker.opened.filter(elicits).reduce((sum, packet) => sum + packet.size, 0)
      expect(bytes).toBeGreaterThan(8000)
      // RFC 9002 §7.2: ten datagrams, and what the handshake has added.
      expect(bytes).toBeLessThanOrEqual(14_720)
    })

    it('RFC 9002 §6.2.1, §6.2.4, §7.5: probes go out behind a full window, one or two ack-eliciting ones, each time after twice as long', () => {
      const attacker = sending(200_000, 25)
      const before = attacker.opened.length
      const lost = attacker.victim.stats().packetsLost
      attacker.pair.network.runFor(3000)
      const probes = attacker.opened.slice(before)
      expect(probes.every(elicits)).toBe(true)
      const bursts: number[][] = []
      for (const { time } of probes) {
        if (bursts.length > 0 && time - bursts.at(-1)![0]! < 5) bursts.at(-1)!.push(time)
        else bursts.push([time])
      }
      expect(bursts.length).toBeGreaterThan(3)
      for (const burst of bursts) expect(burst.length).toBeLessThanOrEqual(2)
      for (let i = 2; i < bursts.length; i += 1) {
        const [wait, last] = [bursts[i]![0]! - bursts[i - 1]![0]!, bursts[i - 1]![0]! - bursts[i - 2]![0]!]
        expect(wait / last).toBeCloseTo(2, 0)
      }
      // §6.2: a probe timeout does not declare anything lost.
      expect(attacker.victim.stats().packetsLost).toBe(lost)
    })

    it('RFC 9002 §7.7: acknowledgements are neither paced nor held back by a full window', () => {
      const attacker = sending(200_000, 25)
      attacker.opened.length = 0
      attacker.say(frames.PING, { packetNumber: 9000 }, 0)
      attacker.say(frames.PING, { packetNumber: 9005 }, 1)
      const acks = attacker.opened.filter((packet) => packet.frames.some(({ type }) => type === FrameType.ack))
      expect(acks.length).toBeGreaterThan(0)
      expect(acks.at(-1)!.frames.find(({ type }) => type === FrameType.ack)!.ranges![1]).toBe(9005)
    })

    it('RFC 9002 §6.1.1, §6.1.2: three packets behind the acknowledged one is lost at once, the others after 9/8 of the round trip', () => {
      const attacker = sending(6000, 25)
      const sent = attacker.opened.filter((packet) => packet.frames.some(({ type }) => isData(type)))
      expect(sent.length).toBeGreaterThan(4)
      attacker.opened.length = 0
      const acknowledgedAt = attacker.pair.network.now
      attacker.say(frames.ack(sent[3]!.packetNumber, sent[3]!.packetNumber), {}, 30)
      const again = (packet: OpenedPacket): OpenedPacket => attacker.opened.find((one) => offsets([one]).includes(offsets([packet])[0]!))!
      expect(again(sent[0]!).time).toBe(acknowledgedAt)
      const roundTrip = acknowledgedAt - sent[3]!.time
      for (const packet of sent.slice(1, 3)) expect(again(packet).time - packet.time).toBeCloseTo((9 / 8) * roundTrip, 3)
    })

    it('RFC 9002 §6.1: nothing newer than what is acknowledged is lost', () => {
      const attacker = sending(6000, 25)
      const sent = attacker.opened.filter((packet) => packet.packetType === PacketType.oneRtt && elicits(packet))
      const lost = attacker.victim.stats().packetsLost
      attacker.say(frames.ack(sent[0]!.packetNumber, sent[0]!.packetNumber), {}, 300)
      expect(attacker.victim.stats().packetsLost).toBe(lost)
    })
  })
}
