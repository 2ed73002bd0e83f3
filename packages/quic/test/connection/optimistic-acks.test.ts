// Acknowledgments of packets that were never received (RFC 9000 §21.4): a number left out gives the liar away.

import { describe, expect, it } from 'vitest'
import { PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from './attacker.ts'
import type { Side } from './attacker.ts'
import * as frames from './frames.ts'
import { pattern } from './pair.ts'

/** An attacker whose victim has 300 packets or so in flight, the first number left out among them. */
function facing(plays: Side): { attacker: Attacker; numbers: number[]; skipped: number } {
  const honest = { skipPacketNumbers: true, mtuDiscovery: false, initialRtt: 20 }
  const attacker = new Attacker(plays, { serve: () => {}, client: honest, server: honest })
  attacker.pair.establish().settle()
  attacker.usurp()
  const peer = plays === 'client' ? attacker.pair.server : attacker.pair.client
  peer.send(pattern(60_000), true, false)
  attacker.pair.network.turnAll()
  const numbers = attacker.opened.filter((packet) => packet.packetType === PacketType.oneRtt).map((packet) => packet.packetNumber)
  const skipped = numbers.find((number, i) => i > 0 && number !== numbers[i - 1]! + 1)
  return { attacker, numbers, skipped: skipped === undefined ? -1 : skipped - 1 }
}

/** The victim needs at most 32 packets to leave one out; what it has sent so far it is told honestly. */
function untilSkipped(plays: Side): { attacker: Attacker; numbers: number[]; skipped: number } {
  const situation = facing(plays)
  const { attacker, numbers } = situation
  let { skipped } = situation
  for (let round = 0; skipped < 0 && round < 10; round += 1) {
    attacker.say(frames.ack(numbers[0]!, numbers.at(-1)!), {}, 1)
    attacker.pair.network.runFor(20)
    for (const packet of attacker.opened) {
      if (packet.packetType !== PacketType.oneRtt || packet.packetNumber <= numbers.at(-1)!) continue
      if (packet.packetNumber !== numbers.at(-1)! + 1) skipped = numbers.at(-1)! + 1
      numbers.push(packet.packetNumber)
    }
  }
  return { attacker, numbers, skipped }
}

describe.each(['client', 'server'] as const)('a %s that acknowledges too much', (plays) => {
  it('is told PROTOCOL_VIOLATION when it names a number that was left out', () => {
    const { attacker, numbers, skipped } = untilSkipped(plays)
    expect(skipped).toBeGreaterThan(0)
    attacker.say(frames.ack(numbers[0]!, numbers.at(-1)!))
    expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', code: TransportErrorCode.protocolViolation, frameType: 0x02 })
  })

  it('is not when it leaves it out, too', () => {
    const { attacker, numbers, skipped } = untilSkipped(plays)
    const largest = numbers.at(-1)!
    // RFC 9000 §19.3.1: the gap of one packet is 0.
    attacker.say(frames.bytes(0x02, largest, 0, 1, largest - skipped - 1, 0, skipped - 1))
    expect(attacker.victim.closeReason()).toBeNull()
    expect(attacker.victim.stats().packetsLost).toBe(0)
  })

  it('is told so even when the number would have been the next', () => {
    const { attacker, skipped } = untilSkipped(plays)
    attacker.say(frames.ack(skipped, skipped))
    expect(attacker.victim.closeReason()).toMatchObject({ code: TransportErrorCode.protocolViolation })
  })
})
