// The ACK frequency extension on a connection (draft-ietf-quic-ack-frequency): what is announced, asked for, obeyed and refused.

import { describe, expect, it } from 'vitest'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from './attacker.ts'
import type { OpenedPacket, Side } from './attacker.ts'
import * as frames from './frames.ts'
import { CLIENT, Pair, pattern } from './pair.ts'
import type { PairOptions } from './pair.ts'

const { protocolViolation, frameEncodingError } = TransportErrorCode

function frequency(sequence: number, threshold: number, delayMicros: number, reordering: number): Uint8Array {
  return frames.bytes(0xaf, sequence, threshold, delayMicros, reordering)
}

/** Established; the victim has just acknowledged packet 1000. */
function start(plays: Side = 'client', options: PairOptions = {}): Attacker {
  const attacker = new Attacker(plays, { serve: () => {}, ...options }).establish()
  attacker.say(frames.PING, { packetNumber: 1000 }, 300)
  attacker.opened.length = 0
  return attacker
}

function ackTimes(attacker: Attacker): number[] {
  return attacker.opened.filter(carriesAck).map((packet) => packet.time)
}

function carriesAck(packet: OpenedPacket): boolean {
  return packet.frames.some((frame) => frame.type === FrameType.ack)
}

describe('announcing (§3)', () => {
  it('min_ack_delay is a millisecond, less where max_ack_delay is, and absent when the extension is off', () => {
    for (const [settings, expected] of [
      [{}, 1000],
      [{ maxAckDelay: 0 }, 0],
      [{ ackFrequency: false }, -1],
    ] as const) {
      const pair = new Pair({ client: settings }).establish()
      expect(pair.server.connection.peerTransportParameters()!.minAckDelay).toBe(expected)
    }
  })
})

describe('receiving requests', () => {
  it('acknowledgments come as often as asked: by number, by delay, at once on IMMEDIATE_ACK', () => {
    const attacker = start()
    attacker.say(frequency(0, 4, 60_000, 1), { packetNumber: 1001 }, 200)
    attacker.opened.length = 0
    for (let i = 0; i < 10; i += 1) attacker.say(frames.PING, { packetNumber: 1002 + i }, 0)
    expect(ackTimes(attacker)).toHaveLength(2)
    const at = attacker.pair.network.now
    attacker.say(frames.PING, { packetNumber: 1012 }, 200)
    expect(ackTimes(attacker).at(-1)! - at).toBeCloseTo(60)
    const now = attacker.pair.network.now
    attacker.say(frames.bytes(0x1f), { packetNumber: 1013 }, 0)
    expect(ackTimes(attacker).at(-1)).toBe(now)
  })

  for (const plays of ['client', 'server'] as const) {
    it(`a ${plays}'s Requested Max Ack Delay below min_ack_delay or of 2^14 ms and more: PROTOCOL_VIOLATION (§4)`, () => {
      for (const [delay, valid] of [
        [999, false],
        [1000, true],
        [2 ** 14 * 1000 - 1, true],
        [2 ** 14 * 1000, false],
        [2 ** 53 - 1, false],
      ] as const) {
        const attacker = start(plays)
        attacker.say(frequency(0, 1, delay, 1))
        if (valid) expect(attacker.victim.closeReason()).toBeNull()
        else expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', code: protocolViolation, frameType: 0xaf })
      }
    })
  }

  it('where the extension was not announced both types are unknown: FRAME_ENCODING_ERROR (RFC 9000 §12.4)', () => {
    for (const frame of [frequency(0, 1, 20_000, 1), frames.bytes(0x1f)]) {
      const attacker = start('client', { server: { ackFrequency: false } })
      attacker.say(frame)
      expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', code: frameEncodingError })
    }
  })
})

/** Uploads 400 kB over a path without loss; how many packets each side sent, and the frames the client did. */
function upload(options: PairOptions): { pair: Pair; acks: number; data: number } {
  const pair = new Pair({ conditions: { delay: 20, bandwidth: 20_000_000, queue: 400 }, ...options }).establish()
  const before = { acks: pair.server.connection.stats().packetsSent, data: pair.client.connection.stats().packetsSent }
  const id = pair.client.send(pattern(800_000), true, false)
  pair.network.turnAll()
  pair.network.run(() => pair.server.finished.has(id))
  return {
    pair,
    acks: pair.server.connection.stats().packetsSent - before.acks,
    data: pair.client.connection.stats().packetsSent - before.data,
  }
}

describe('asking', () => {
  it('a bulk transfer gets by on a fraction of the acknowledgments, and is as fast', () => {
    const client = { mtuDiscovery: false }
    const plain = upload({ client: { ...client, ackFrequency: false } })
    const asked = upload({ client })
    expect(plain.acks).toBeGreaterThan(plain.data * 0.4)
    expect(asked.acks).toBeLessThan(plain.acks * 0.5)
    expect(asked.pair.network.now).toBeLessThan(plain.pair.network.now * 1.05)
  })

  it('nobody is asked who does not understand', () => {
    const attacker = new Attacker('server', { server: { ackFrequency: false } })
    attacker.pair.establish()
    attacker.pair.client.send(pattern(300_000), true, false)
    attacker.pair.network.turnAll()
    attacker.pair.network.runFor(2000)
    expect(attacker.framesOf(FrameType.ackFrequency)).toEqual([])
    expect(attacker.framesOf(FrameType.immediateAck)).toEqual([])
  })

  it('requests are few, numbered, within the limits of the peer, and follow the loss threshold (§8.1, §9)', () => {
    const attacker = new Attacker('server', { conditions: { delay: 20, bandwidth: 20_000_000, queue: 400 } })
    attacker.pair.establish()
    attacker.pair.client.send(pattern(2_000_000), true, false)
    attacker.pair.network.turnAll()
    attacker.pair.network.runFor(2000)
    const asked = attacker.framesOf(FrameType.ackFrequency)
    expect(asked.length).toBeGreaterThan(0)
    expect(asked.length).toBeLessThan(8)
    expect(asked.map((frame) => frame.requestSequence)).toEqual(asked.map((_, i) => i))
    for (const frame of asked) {
      expect(frame.ackElicitingThreshold).toBeGreaterThanOrEqual(1)
      expect(frame.ackElicitingThreshold).toBeLessThanOrEqual(9)
      expect(frame.requestedMaxAckDelay).toBeGreaterThanOrEqual(1)
      expect(frame.requestedMaxAckDelay).toBeLessThanOrEqual(25)
      expect(frame.reorderingThreshold).toBe(3)
    }
  })

  it('the end of a flight is acknowledged at once: nobody waits for the delay (§8.1.1)', () => {
    const { pair } = upload({ client: { mtuDiscovery: false } })
    const rtt = pair.client.connection.pathStats().minimumRtt
    pair.settle()
    for (let i = 0; i < 5; i += 1) {
      const at = pair.network.now
      pair.client.send(pattern(3000), true, false)
      pair.network.turnAll()
      pair.network.run(() => pair.client.connection.pathStats().bytesInFlight === 0)
      expect(pair.network.now - at).toBeLessThan(rtt + 8)
      pair.network.runFor(1000)
    }
  })

  it('short exchanges send no packet more than without the extension', () => {
    const packets = (ackFrequency: boolean): number => {
      const pair = new Pair({ client: { ackFrequency }, server: { ackFrequency } }).establish().settle()
      const { stats } = pair.client.connection
      const before = stats.call(pair.client.connection).packetsSent
      for (let i = 0; i < 10; i += 1) {
        const id = pair.client.send(pattern(100))
        pair.network.turnAll()
        pair.network.run(() => pair.client.finished.has(id))
        pair.network.runFor(50)
      }
      return stats.call(pair.client.connection).packetsSent - before
    }
    expect(packets(true)).toBeLessThanOrEqual(packets(false))
  })

  it('a lost request is made again, with a higher number (§4)', () => {
    const run = (lostAt: number): Attacker => {
      const attacker = new Attacker('server', { conditions: { delay: 20, bandwidth: 20_000_000, queue: 400 }, client: { mtuDiscovery: false } })
      const { network, client } = attacker.pair.establish()
      network.setFilter((bytes, from) => (from === CLIENT && network.now === lostAt ? null : bytes))
      client.send(pattern(400_000), true, false)
      network.turnAll()
      network.runFor(3000)
      return attacker
    }
    const asks = (packet: OpenedPacket): boolean => packet.frames.some((frame) => frame.type === FrameType.ackFrequency)
    const lossless = run(-1)
    const first = lossless.opened.find(asks)!
    const lossy = run(first.time)
    const again = lossy.opened.filter((packet) => asks(packet) && packet.time > first.time)
    expect(again.length).toBeGreaterThan(0)
    expect(again[0]!.time - first.time).toBeLessThan(100)
    expect(lossy.framesOf(FrameType.ackFrequency).map((frame) => frame.requestSequence)).toEqual([...again.keys(), again.length])
  })

  it('probes ask for an acknowledgment at once (§7)', () => {
    const attacker = new Attacker('server', { client: { mtuDiscovery: false } }).establish()
    attacker.victim.ping()
    attacker.pair.network.turnAll()
    attacker.pair.network.runFor(1000)
    const [first, ...probes] = attacker.opened
    expect(first!.frames.some((frame) => frame.type === FrameType.immediateAck)).toBe(false)
    expect(probes.length).toBeGreaterThan(1)
    for (const probe of probes) expect(probe.frames.some((frame) => frame.type === FrameType.immediateAck)).toBe(true)
  })
})
