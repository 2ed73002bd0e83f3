// Peers with the right keys and bad intentions (RFC 9000 §21): whatever they repeat, each kind of state has a stated limit, and
// what is counted here through public verbs stays below it.

import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { MAX_GAPS } from '../../src/stream/reassembler.ts'
import { FrameType, PacketType, TransportErrorCode } from '../../src/wire/constants.ts'
import { Attacker } from './attacker.ts'
import type { Side } from './attacker.ts'
import * as frames from './frames.ts'
import { SERVER, pattern } from './pair.ts'

const BYTE = Uint8Array.of(1)

function attack(plays: Side = 'client', options: ConstructorParameters<typeof Attacker>[1] = {}): Attacker {
  return new Attacker(plays, { serve: () => undefined, ...options }).establish()
}

/** As many frames as fit packets of 1100 bytes, one packet after the other. */
function flood(attacker: Attacker, pieces: Iterable<Uint8Array>, wait: number = 1): void {
  let batch: Uint8Array[] = []
  let size = 0
  for (const piece of pieces) {
    if (size + piece.length > 1100) {
      attacker.say(concatBytes(...batch), {}, wait)
      if (attacker.victim.closeReason() !== null) return
      batch = []
      size = 0
    }
    batch.push(piece)
    size += piece.length
  }
  if (batch.length > 0) attacker.say(concatBytes(...batch), {}, wait)
}

function* times(count: number, make: (index: number) => Uint8Array): Iterable<Uint8Array> {
  for (let i = 0; i < count; i += 1) yield make(i)
}

/** Exactly what was sent: the victim leaves packet numbers out to find those who acknowledge more. */
function acknowledge(attacker: Attacker): void {
  const numbers = attacker.opened.filter((packet) => packet.packetType === PacketType.oneRtt).map((packet) => packet.packetNumber)
  for (let i = 0; i < numbers.length; ) {
    let end = i
    while (numbers[end + 1] === numbers[end]! + 1) end += 1
    attacker.say(frames.ack(numbers[i]!, numbers[end]!), {}, 0)
    i = end + 1
  }
}

function expectClosed(attacker: Attacker, code: number, frameType: number): void {
  expect(attacker.victim.closeReason()).toMatchObject({ cause: 'local', application: false, code, frameType })
}

describe('acknowledgements', () => {
  it('packets with a gap before each: at most 64 ranges are remembered and acknowledged (§13.2.3)', () => {
    const attacker = attack()
    for (let i = 0; i < 500; i += 1) attacker.say(frames.PING, { packetNumber: 2000 + 2 * i }, 0)
    attacker.pair.network.runFor(50)
    const acks = attacker.framesOf(FrameType.ack)
    expect(Math.max(...acks.map((ack) => ack.rangeCount!))).toBe(64)
    expect(attacker.victim.closeReason()).toBeNull()
  })

  it('ACK frames of more than 256 ranges are read that far, and change nothing the hundredth time', () => {
    const attacker = attack()
    for (let i = 0; i < 1200; i += 1) attacker.say(frames.PING, {}, 1)
    const numbers = attacker.opened.map((packet) => packet.packetNumber)
    // Every other one of those that were sent.
    const acked = numbers.filter((number) => number % 2 === 0).reverse()
    expect(acked.length).toBeGreaterThan(260)
    const rest = acked.slice(1).flatMap((number, i) => [acked[i]! - number - 2, 0])
    const frame = frames.bytes(0x02, acked[0]!, 0, acked.length - 1, 0, ...rest)
    attacker.say(frame, {}, 1)
    expect(attacker.victim.closeReason()).toBeNull()
    const before = attacker.victim.stats().packetsLost
    for (let i = 0; i < 100; i += 1) attacker.say(frame, {}, 1)
    expect(attacker.victim.closeReason()).toBeNull()
    expect(attacker.victim.stats().packetsLost).toBe(before)
  })
})

describe('tiny frames', () => {
  it('200 000 PING frames are answered with no more packets than they came in', () => {
    const attacker = attack()
    const before = attacker.victim.stats().packetsSent
    const pings = new Uint8Array(1000).fill(1)
    for (let i = 0; i < 200; i += 1) attacker.say(pings, {}, 1)
    const { packetsSent, eventsWaiting } = attacker.victim.stats()
    expect(packetsSent - before).toBeLessThanOrEqual(200)
    expect(eventsWaiting).toBe(0)
    expect(attacker.victim.closeReason()).toBeNull()
  })

  it('100 000 limits that say nothing new leave nothing behind', () => {
    const attacker = attack()
    const before = attacker.victim.stats().packetsSent
    const frame = concatBytes(frames.bytes(0x10, 1), frames.bytes(0x14, 1), frames.bytes(0x16, 1), frames.bytes(0x12, 1))
    const payload = concatBytes(...times(125, () => frame))
    for (let i = 0; i < 200; i += 1) attacker.say(payload, {}, 1)
    expect(attacker.victim.stats().packetsSent - before).toBeLessThanOrEqual(200)
    expect(attacker.victim.stats().eventsWaiting).toBe(0)
  })

  it(`STREAM data with more than ${MAX_GAPS} gaps is PROTOCOL_VIOLATION`, () => {
    const attacker = attack()
    flood(attacker, times(MAX_GAPS, (i) => frames.stream(0, 1 + 2 * i, BYTE)))
    expect(attacker.victim.closeReason()).toBeNull()
    flood(attacker, [frames.stream(0, 1 + 2 * MAX_GAPS, BYTE)])
    expectClosed(attacker, TransportErrorCode.protocolViolation, 0x0e)
  })

  it('empty STREAM frames without end cost neither event nor credit', () => {
    const attacker = attack()
    flood(attacker, times(20_000, () => frames.stream(0, 0, new Uint8Array(0))))
    expect(attacker.victim.stats()).toMatchObject({ eventsWaiting: 0, streamsOpen: 1 })
    expect(attacker.victim.closeReason()).toBeNull()
  })
})

describe('handshake data', () => {
  it('gaps in CRYPTO data: 64 KiB ahead, and 1000 gaps, then CRYPTO_BUFFER_EXCEEDED (§7.5)', () => {
    const far = attack()
    far.say(frames.crypto(80_000, BYTE))
    expectClosed(far, TransportErrorCode.cryptoBufferExceeded, FrameType.crypto)
    const gaps = attack()
    // The client's Finished was not in this space: its stream begins at 0.
    flood(gaps, times(MAX_GAPS, (i) => frames.crypto(1 + 2 * i, BYTE)))
    expect(gaps.victim.closeReason()).toBeNull()
    flood(gaps, [frames.crypto(1 + 2 * MAX_GAPS, BYTE)])
    expectClosed(gaps, TransportErrorCode.cryptoBufferExceeded, FrameType.crypto)
  })

  it('a handshake that drips in byte by byte ends with handshakeTimeout, and the endpoint forgets it', () => {
    const attacker = new Attacker('client', { server: { handshakeTimeout: 2000 } })
    const { network, endpoint } = attacker.pair
    const answered = (): boolean => attacker.opened.some((packet) => packet.packetType === PacketType.handshake)
    network.setFilter((datagram, from) => (from === SERVER || answered() ? null : datagram))
    network.run(answered)
    attacker.usurp()
    expect(endpoint.handshakesInProgress).toBe(1)
    // A Finished message of 32 bytes that never gets there.
    const finished = Uint8Array.of(20, 0, 0, 32, ...new Uint8Array(30))
    for (let i = 0; i < finished.length && attacker.victim.closeReason() === null; i += 1) {
      attacker.send(PacketType.handshake, frames.crypto(i, finished.subarray(i, i + 1)), { size: 1200 }, 100)
    }
    expect(attacker.victim.closeReason()).toMatchObject({ cause: 'handshake-timeout' })
    network.runFor(30_000)
    expect([endpoint.handshakesInProgress, endpoint.size]).toEqual([0, 0])
  })
})

describe('connection IDs and paths', () => {
  it('NEW_CONNECTION_ID frames that retire each other: the retirements have a limit (§5.1.2)', () => {
    const attacker = attack()
    const random = new SeededRandom(5)
    flood(attacker, times(500, (i) => frames.newConnectionId(10 + i, 10 + i, random.bytes(8), random.bytes(16))), 0)
    expectClosed(attacker, TransportErrorCode.connectionIdLimitError, FrameType.newConnectionId)
    const retired = attacker.framesOf(FrameType.retireConnectionId)
    // 4 times active_connection_id_limit, of 4 connection IDs.
    expect(retired.length).toBeLessThanOrEqual(17)
  })

  it('NEW_CONNECTION_ID frames beyond active_connection_id_limit, and with gaps, are errors (§5.1.1)', () => {
    const random = new SeededRandom(6)
    const many = attack()
    flood(many, times(100, (i) => frames.newConnectionId(10 + i, 0, random.bytes(8), random.bytes(16))))
    expectClosed(many, TransportErrorCode.connectionIdLimitError, FrameType.newConnectionId)
  })

  it('two thousand RETIRE_CONNECTION_ID frames for each ID: four are active, and one is issued for each', () => {
    const attacker = attack()
    const { victim } = attacker
    for (let i = 0; i < 100; i += 1) {
      const destination = victim.sourceConnectionIds().at(-1)!
      attacker.say(concatBytes(...times(20, () => frames.retireConnectionId(i))), { destination }, 5)
    }
    expect(victim.closeReason()).toBeNull()
    expect(victim.sourceConnectionIds().length).toBeLessThanOrEqual(5)
    expect(new Set(attacker.framesOf(FrameType.newConnectionId).map((frame) => frame.sequenceNumber)).size).toBeLessThanOrEqual(110)
  })

  it('PATH_CHALLENGE frames: four are answered of those in one packet, the others are not (§8.2.2, §21.5)', () => {
    const attacker = attack()
    for (let round = 0; round < 20; round += 1) {
      attacker.say(concatBytes(...times(100, (i) => frames.pathChallenge(new Uint8Array(8).fill(i)))), {}, 5)
    }
    expect(attacker.framesOf(FrameType.pathResponse).length).toBeLessThanOrEqual(20 * 4)
    expect(attacker.victim.closeReason()).toBeNull()
  })

  it('probing packets from a thousand addresses: never more than three times what came, and the connection stays', () => {
    const attacker = attack()
    const sent = new Map<string, number>()
    attacker.pair.network.observe(({ from, to, bytes }) => {
      if (from === attacker.victimAddress) sent.set(to, (sent.get(to) ?? 0) + bytes.length)
    })
    for (let i = 0; i < 1000; i += 1) {
      const packet = attacker.seal(PacketType.oneRtt, frames.pathChallenge(new Uint8Array(8).fill(i)))
      const address = `10.9.${i >> 8}.${i & 255}:1`
      attacker.deliver(packet, address, 0)
      expect(sent.get(address) ?? 0).toBeLessThanOrEqual(3 * packet.length)
    }
    expect(attacker.victim.remoteAddress()).toBe(attacker.ownAddress)
    expect(attacker.victim.closeReason()).toBeNull()
  })
})

describe('streams', () => {
  const LIMIT = 100

  function opened(index: number): Uint8Array {
    return frames.stream(4 * index, 0, BYTE)
  }

  it('rapid reset: streams opened and reset before anybody looks are bounded by MAX_STREAMS (§4.6, §21.8)', () => {
    const attacker = attack()
    // Nobody polls: the network that carries the server to its application is taken away.
    const { victim } = attacker
    attacker.pair.network.remove('server')
    const packets = Array.from({ length: LIMIT + 1 }, (_, i) =>
      attacker.seal(PacketType.oneRtt, concatBytes(frames.stream(4 * i, 0, BYTE), frames.resetStream(4 * i, 7, 1), frames.stopSending(4 * i, 7))),
    )
    for (const packet of packets.slice(0, LIMIT)) victim.receive(packet, attacker.pair.network.path(SERVER, attacker.ownAddress), attacker.pair.network.now)
    const { streamsOpen, eventsWaiting } = victim.stats()
    expect(streamsOpen).toBe(LIMIT)
    // Opened, readable, reset, stopped, and later closed.
    expect(eventsWaiting).toBeLessThanOrEqual(5 * LIMIT)
    expect(victim.closeReason()).toBeNull()
    victim.receive(packets[LIMIT]!, attacker.pair.network.path(SERVER, attacker.ownAddress), attacker.pair.network.now)
    expectClosed(attacker, TransportErrorCode.streamLimitError, 0x0e)
  })

  it('rapid reset of 1500 streams: never more than the limit are open, nor more allowed than were closed', () => {
    const attacker = attack()
    const { victim } = attacker
    let next = 0
    let allowed = LIMIT
    while (next < 1500) {
      // Few packets: the attacker reads packet numbers of one byte only.
      while (next < allowed) {
        const count = Math.min(25, allowed - next)
        const from = next
        attacker.say(
          concatBytes(...times(count, (i) => concatBytes(opened(from + i), frames.resetStream(4 * (from + i), 7, 1), frames.stopSending(4 * (from + i), 7)))),
          {},
          0,
        )
        next += count
        expect(victim.stats().streamsOpen).toBeLessThanOrEqual(LIMIT)
      }
      attacker.pair.network.runFor(30)
      let said = allowed
      for (let round = 0; round < 10 && said === allowed; round += 1) {
        acknowledge(attacker)
        attacker.pair.network.runFor(50)
        said = Math.max(allowed, ...attacker.framesOf(FrameType.maxStreamsBidi).map((frame) => frame.maximum!))
      }
      expect(said).toBeGreaterThan(allowed)
      expect(said).toBeLessThanOrEqual(next + LIMIT)
      allowed = said
    }
    attacker.pair.network.runFor(30)
    expect(victim.closeReason()).toBeNull()
  })

  it('streams that are opened by naming the last of them are all there, and no more (§3.2)', () => {
    const attacker = attack()
    attacker.say(frames.stream(4 * (LIMIT - 1), 0, BYTE))
    expect(attacker.victim.stats().streamsOpen).toBe(LIMIT)
    attacker.say(frames.stream(4 * LIMIT, 0, BYTE))
    expectClosed(attacker, TransportErrorCode.streamLimitError, 0x0e)
  })

  it('data that nobody reads is bounded by the windows, whatever the number of streams (§4.1)', () => {
    const attacker = attack('client', { server: { initialMaxData: 50_000 }, serve: () => undefined })
    const { victim } = attacker
    attacker.pair.network.remove('server')
    const path = attacker.pair.network.path(SERVER, attacker.ownAddress)
    for (let i = 0; i < 50; i += 1) victim.receive(attacker.seal(PacketType.oneRtt, frames.stream(4 * i, 0, pattern(1000))), path, attacker.pair.network.now)
    expect(victim.closeReason()).toBeNull()
    victim.receive(attacker.seal(PacketType.oneRtt, frames.stream(4 * 51, 0, BYTE)), path, attacker.pair.network.now)
    expectClosed(attacker, TransportErrorCode.flowControlError, 0x0e)
  })
})

describe('datagrams', () => {
  it('512 wait for a reader, then the oldest make room (RFC 9221 §5.4)', () => {
    const attacker = attack()
    flood(attacker, times(2000, (i) => frames.datagram(Uint8Array.of(i & 255, i >> 8))))
    let waiting = 0
    let last = -1
    for (let data = attacker.victim.datagramReceive(); data !== null; data = attacker.victim.datagramReceive()) {
      waiting += 1
      last = data[0]! + data[1]! * 256
    }
    expect([waiting, last]).toEqual([512, 1999])
    expect(attacker.victim.closeReason()).toBeNull()
  })
})
