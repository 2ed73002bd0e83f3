// Acknowledgements: when they are sent, what they name, and lies about them (RFC 9000 §13.1, §13.2, §19.3).

import { describe, expect, it } from 'vitest'
import { FrameType, PacketType } from '../../src/wire/constants.ts'
import { Attacker } from './attacker.ts'
import * as frames from './frames.ts'
import { pattern } from './pair.ts'

interface SentAck {
  readonly time: number
  readonly largest: number
  readonly ranges: number
  readonly delay: number
}

function acksOf(attacker: Attacker): SentAck[] {
  return attacker.opened.flatMap((packet) =>
    packet.frames.flatMap((frame) =>
      frame.type === FrameType.ack
        ? [{ time: packet.time, largest: frame.ranges![1]!, ranges: frame.rangeCount!, delay: frame.ackDelay! }]
        : [],
    ),
  )
}

/** Established, with numbers in order from 1001 on; silent until then. */
function start(): Attacker {
  const attacker = new Attacker('client', { serve: () => {} }).establish()
  attacker.say(frames.PING, { packetNumber: 1000 }, 300)
  attacker.opened.length = 0
  return attacker
}

describe('sending acknowledgements (RFC 9000 §13.2)', () => {
  it('one ack-eliciting packet: after max_ack_delay, and the delay is told (§13.2.1, §13.2.5)', () => {
    const attacker = start()
    const at = attacker.pair.network.now
    attacker.say(frames.PING, { packetNumber: 1001 }, 100)
    const [ack, ...more] = acksOf(attacker)
    expect(more).toEqual([])
    expect(ack!.time - at).toBeCloseTo(25)
    expect(ack!.largest).toBe(1001)
    expect(ack!.delay).toBeGreaterThan(24)
    expect(ack!.delay).toBeLessThan(26)
  })

  it('the second one: at once (§13.2.2)', () => {
    const attacker = start()
    const at = attacker.pair.network.now
    attacker.say(frames.PING, { packetNumber: 1001 }, 0)
    attacker.say(frames.PING, { packetNumber: 1002 }, 100)
    expect(acksOf(attacker)).toMatchObject([{ time: at, largest: 1002 }])
  })

  it('a gap, or a packet out of order: at once (§13.2.1)', () => {
    const attacker = start()
    const at = attacker.pair.network.now
    attacker.say(frames.PING, { packetNumber: 1003 }, 0)
    expect(acksOf(attacker)).toMatchObject([{ time: at, largest: 1003 }])
    attacker.say(frames.PING, { packetNumber: 1002 }, 0)
    expect(acksOf(attacker)).toHaveLength(2)
  })

  it('packets that are not ack-eliciting: never, however many (§13.2)', () => {
    const attacker = start()
    for (let i = 0; i < 200; i += 1) attacker.say(frames.bytes(frames.padding(20), frames.ack(0, 0)), {}, 1)
    attacker.pair.network.runFor(5000)
    expect(attacker.opened).toEqual([])
  })

  it('in the handshake: at once (§13.2.1)', () => {
    const attacker = new Attacker('client')
    attacker.pair.network.run(() => attacker.opened.some((packet) => packet.packetType === PacketType.handshake))
    attacker.usurp()
    attacker.opened.length = 0
    attacker.send(PacketType.initial, frames.PING, { size: 1200 }, 0)
    expect(acksOf(attacker)).toHaveLength(1)
  })

  it('duplicates are not processed again (§12.3)', () => {
    const attacker = start()
    const packet = attacker.seal(PacketType.oneRtt, frames.stream(0, 0, pattern(50)), { packetNumber: 1001 })
    for (let i = 0; i < 10; i += 1) attacker.deliver(packet.slice())
    expect(attacker.victim.stats().packetsDuplicate).toBe(9)
    expect(attacker.pair.server.bytesOf(0)).toEqual(pattern(50))
  })

  it('ranges stay bounded, whatever is missing (§13.2.3)', () => {
    const attacker = start()
    for (let i = 0; i < 300; i += 1) attacker.say(frames.PING, { packetNumber: 1002 + i * 2 }, 0)
    attacker.pair.network.runFor(100)
    const acks = acksOf(attacker)
    expect(acks.at(-1)!.largest).toBe(1600)
    expect(Math.max(...acks.map((ack) => ack.ranges))).toBeLessThanOrEqual(64)
    expect(Math.max(...acks.map((ack) => ack.ranges))).toBeGreaterThan(16)
    // RFC 9000 §12.3: a number that may have been processed before is not processed.
    const received = attacker.victim.stats().packetsReceived
    attacker.say(frames.PING, { packetNumber: 1002 })
    expect(attacker.victim.stats().packetsReceived).toBe(received)
  })
})

describe('receiving acknowledgements', () => {
  it('the same one a hundred times, and older ones, change nothing', () => {
    const attacker = start()
    const id = attacker.pair.server.send(pattern(5000), true, false)
    attacker.pair.network.turnAll()
    const largest = attacker.opened.at(-1)!.packetNumber
    for (let i = 0; i < 100; i += 1) attacker.say(frames.bytes(frames.ack(0, largest), frames.ack(0, 1)), {}, 0)
    expect(attacker.victim.closeReason()).toBeNull()
    expect(attacker.victim.pathStats().bytesInFlight).toBe(0)
    expect(attacker.pair.server.events.filter((event) => event.kind === 'stream-closed' && event.streamId === id)).toHaveLength(1)
  })

  it('an absurd ACK Delay does not spoil the round trip time (RFC 9002 §5.3)', () => {
    const attacker = start()
    for (let i = 0; i < 5; i += 1) {
      attacker.victim.ping()
      attacker.pair.network.turnAll()
      attacker.pair.network.runFor(40)
      attacker.say(frames.bytes(0x02, attacker.opened.at(-1)!.packetNumber, 2 ** 50, 0, 0), {}, 0)
    }
    const { smoothedRtt, latestRtt } = attacker.victim.pathStats()
    expect(smoothedRtt).toBeGreaterThan(5)
    expect(smoothedRtt).toBeLessThan(60)
    expect(latestRtt).toBeCloseTo(40)
  })
})
