import { describe, expect, it } from 'vitest'
import { DatagramQueue, MAX_TAGGED } from '../../src/datagram/queue.ts'
import { TokenKind } from '../../src/delivery/token.ts'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { datagramFrameSize } from '../../src/wire/frames/datagram.ts'
import { TransportError } from '../../src/wire/transport-error.ts'
import { TestPacket } from '../delivery/packet.ts'

function queue(maxFrameSize = 65535, maxQueued = 512, maxQueuedBytes = 1 << 20): DatagramQueue {
  return new DatagramQueue({ maxFrameSize, maxQueued, maxQueuedBytes })
}

describe('datagram queue (RFC 9221)', () => {
  it('sends nothing before the peer accepts datagrams (§3)', () => {
    const datagrams = queue()
    expect(datagrams.send(new Uint8Array(1))).toBe(false)
    expect(datagrams.maxSize()).toBe(0)
    datagrams.setPeerLimit(100)
    expect(datagrams.send(new Uint8Array(1))).toBe(true)
  })

  it('maxSize is exact for every limit: frame type, length and data count (§3)', () => {
    for (const limit of [1, 2, 3, 10, 64, 65, 66, 67, 68, 1200, 16384, 16385, 16386, 16387, 16388, 16389, 16390, 65527]) {
      const datagrams = queue()
      datagrams.setPeerLimit(limit)
      const size = datagrams.maxSize()
      expect(size === 0 || datagramFrameSize(size) <= limit).toBe(true)
      expect(datagramFrameSize(size + 1) > limit).toBe(true)
      if (size > 0) expect(datagrams.send(new Uint8Array(size))).toBe(true)
      expect(datagrams.send(new Uint8Array(size + 1))).toBe(false)
    }
  })

  it('writes in order, and leaves what does not fit for the next packet', () => {
    const datagrams = queue()
    datagrams.setPeerLimit(65535)
    for (const length of [10, 0, 20]) datagrams.send(new Uint8Array(length).fill(length))
    const first = new TestPacket(16)
    expect(datagrams.write(first)).toBe(false)
    expect(first.tokens).toEqual([
      { kind: TokenKind.datagram, a: 10, b: 0, c: 0 },
      { kind: TokenKind.datagram, a: 0, b: 0, c: 0 },
    ])
    expect([...first.bytes().subarray(0, 3)]).toEqual([FrameType.datagramWithLength, 10, 10])
    expect(datagrams.wants()).toBe(true)
    expect(datagrams.write(new TestPacket(100))).toBe(true)
    expect(datagrams.wants()).toBe(false)
  })

  it('drops what the path became too small for instead of waiting for ever', () => {
    const datagrams = queue()
    datagrams.setPeerLimit(65535)
    datagrams.setPacketRoom(1400)
    expect(datagrams.send(new Uint8Array(1398))).toBe(false)
    expect(datagrams.send(new Uint8Array(1300))).toBe(true)
    datagrams.setPacketRoom(1200)
    expect(datagrams.maxSize()).toBe(1197)
    datagrams.send(new Uint8Array(5))
    const packet = new TestPacket(1200)
    expect(datagrams.write(packet)).toBe(true)
    expect(packet.tokens).toHaveLength(1)
    expect(datagrams.sendDropped).toBe(1)
  })

  it('refuses to queue more than its bounds', () => {
    const byCount = queue(65535, 3)
    byCount.setPeerLimit(65535)
    expect([1, 2, 3, 4].map((length) => byCount.send(new Uint8Array(length)))).toEqual([true, true, true, false])
    const byBytes = queue(65535, 512, 100)
    byBytes.setPeerLimit(65535)
    expect([60, 40, 1].map((length) => byBytes.send(new Uint8Array(length)))).toEqual([true, true, false])
    byBytes.write(new TestPacket(1200))
    expect(byBytes.send(new Uint8Array(100))).toBe(true)
  })

  it('drops the oldest received when nobody reads (§5.3)', () => {
    const datagrams = queue(65535, 3)
    for (let i = 0; i < 5; i++) datagrams.onDatagram(new Uint8Array([i]), 0, 1)
    expect(datagrams.receivedDropped).toBe(2)
    expect([datagrams.receive()![0], datagrams.receive()![0], datagrams.receive()![0], datagrams.receive()]).toEqual([2, 3, 4, null])
    const byBytes = queue(65535, 512, 1000)
    for (let i = 0; i < 100; i++) byBytes.onDatagram(new Uint8Array(300), 0, 300)
    expect(byBytes.receivedCount).toBe(3)
  })

  it('keeps large data as a view and small data as a copy', () => {
    const datagrams = queue()
    const packet = new Uint8Array(1200).fill(7)
    datagrams.onDatagram(packet, 10, 1100)
    datagrams.onDatagram(packet, 10, 20)
    expect(datagrams.receive()!.buffer).toBe(packet.buffer)
    const copy = datagrams.receive()!
    expect(copy.buffer.byteLength).toBe(20)
    expect([...copy]).toEqual(new Array(20).fill(7))
    // slice() of a Node Buffer is no copy.
    datagrams.onDatagram(Buffer.from(packet.buffer), 10, 20)
    expect(datagrams.receive()!.buffer.byteLength).toBe(20)
  })

  it('PROTOCOL_VIOLATION when not announced or larger than announced (§3)', () => {
    for (const [limit, length] of [
      [0, 0],
      [100, 100],
    ] as const) {
      let error: unknown
      try {
        queue(limit).onDatagram(new Uint8Array(200), 0, length)
      } catch (caught) {
        error = caught
      }
      expect(error).toBeInstanceOf(TransportError)
      expect((error as TransportError).wireCode).toBe(TransportErrorCode.protocolViolation)
    }
    queue(100).onDatagram(new Uint8Array(200), 0, 99)
  })

  it('tells once per time the receive queue fills from empty', () => {
    const datagrams = queue()
    expect(datagrams.pollReadable()).toBe(false)
    datagrams.onDatagram(new Uint8Array(1), 0, 1)
    datagrams.onDatagram(new Uint8Array(1), 0, 1)
    expect([datagrams.pollReadable(), datagrams.pollReadable()]).toEqual([true, false])
    datagrams.receive()
    datagrams.onDatagram(new Uint8Array(1), 0, 1)
    expect(datagrams.pollReadable()).toBe(false)
    datagrams.receive()
    datagrams.receive()
    datagrams.onDatagram(new Uint8Array(1), 0, 1)
    expect(datagrams.pollReadable()).toBe(true)
  })
})

describe('outcomes of tagged datagrams (RFC 9221 §5.2)', () => {
  function tagged(config: { maxQueued?: number; dropOldest?: boolean } = {}): DatagramQueue {
    const datagrams = new DatagramQueue({ maxFrameSize: 65535, ...config })
    datagrams.setPeerLimit(65535)
    return datagrams
  }

  function outcomes(datagrams: DatagramQueue): string[] {
    const all: string[] = []
    for (let outcome = datagrams.pollOutcome(); outcome !== null; outcome = datagrams.pollOutcome()) all.push(`${outcome.kind.slice(9)} ${outcome.tag}`)
    return all
  }

  function serials(packet: TestPacket): number[] {
    return packet.tokens.map((token) => token.b)
  }

  it('are told once, for those with a tag only; tags may repeat', () => {
    const datagrams = tagged()
    datagrams.send(new Uint8Array(1))
    datagrams.send(new Uint8Array(2), 70)
    datagrams.send(new Uint8Array(3))
    datagrams.send(new Uint8Array(4), 70)
    datagrams.send(new Uint8Array(5), 0)
    const packet = new TestPacket()
    expect(datagrams.write(packet)).toBe(true)
    const [none, first, also, second, third] = serials(packet)
    expect([none, also]).toEqual([0, 0])
    for (const serial of [none!, first!, third!]) datagrams.acked(serial)
    datagrams.lost(second!)
    expect(outcomes(datagrams)).toEqual(['acknowledged 70', 'acknowledged 0', 'lost 70'])
    // Late and repeated reports change nothing.
    datagrams.acked(second!)
    datagrams.lost(first!)
    expect(outcomes(datagrams)).toEqual([])
  })

  it('dropped before sending counts as lost: too large for the path, or room for newer ones', () => {
    const shrunk = tagged()
    shrunk.send(new Uint8Array(1000), 1)
    shrunk.setPacketRoom(500)
    shrunk.write(new TestPacket(500))
    expect(outcomes(shrunk)).toEqual(['lost 1'])
    const full = tagged({ maxQueued: 2, dropOldest: true })
    for (let tag = 1; tag <= 4; tag += 1) expect(full.send(new Uint8Array(10), tag)).toBe(true)
    expect(outcomes(full)).toEqual(['lost 1', 'lost 2'])
    expect([full.queuedCount, full.sendDropped]).toEqual([2, 2])
    const packet = new TestPacket()
    full.write(packet)
    for (const serial of serials(packet)) full.acked(serial)
    expect(outcomes(full)).toEqual(['acknowledged 3', 'acknowledged 4'])
  })

  it('a datagram larger than the whole queue is refused also where the oldest are dropped', () => {
    const datagrams = new DatagramQueue({ maxFrameSize: 65535, maxQueuedBytes: 100, dropOldest: true })
    datagrams.setPeerLimit(65535)
    datagrams.send(new Uint8Array(50))
    expect(datagrams.send(new Uint8Array(101))).toBe(false)
    expect(datagrams.send(new Uint8Array(100))).toBe(true)
    expect(datagrams.queuedCount).toBe(1)
  })

  it(`at most ${MAX_TAGGED} are open; without a tag one can go on`, () => {
    const datagrams = tagged()
    for (let tag = 0; tag < MAX_TAGGED; tag += 1) {
      expect(datagrams.send(new Uint8Array(0), tag)).toBe(true)
      datagrams.write(new TestPacket(10))
    }
    expect(datagrams.send(new Uint8Array(0), 0)).toBe(false)
    expect(datagrams.send(new Uint8Array(0))).toBe(true)
    datagrams.acked(1)
    // Nobody has looked at the outcome yet.
    expect(datagrams.send(new Uint8Array(0), 0)).toBe(false)
    datagrams.pollOutcome()
    expect(datagrams.send(new Uint8Array(0), 0)).toBe(true)
  })

  it('a tag is an integer from 0', () => {
    for (const tag of [-2, 0.5, NaN, Infinity]) expect(() => tagged().send(new Uint8Array(1), tag)).toThrow(RangeError)
  })
})
