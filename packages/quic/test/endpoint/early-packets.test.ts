// 0-RTT packets ahead of their Initial packet (RFC 9000 §5.2.2): what is kept, for how long, and for whom.

import { describe, expect, it } from 'vitest'
import { EMPTY } from '../../src/base/bytes.ts'
import { EarlyPackets } from '../../src/endpoint/early-packets.ts'
import { PacketType } from '../../src/wire/constants.ts'
import { HeaderView, parseHeader } from '../../src/wire/header.ts'
import { patchLength, writeLongHeader } from '../../src/wire/header-writer.ts'
import { Writer } from '../../src/wire/writer.ts'

const PATH = { local: '10.0.0.2:443', remote: '10.0.0.1:5000' }
const ELSEWHERE = { local: '10.0.0.2:443', remote: '10.0.0.9:5000' }

function id(n: number): Uint8Array {
  return new Uint8Array(8).fill(n)
}

function add(room: EarlyPackets, n: number, now: number, size: number = 100, path: typeof PATH = PATH): boolean {
  const writer = new Writer(new Uint8Array(size))
  const lengthAt = writeLongHeader(writer, PacketType.zeroRtt, 1, id(n), id(99), EMPTY, 0, 4)
  patchLength(writer.buffer, lengthAt, size - writer.position + 4)
  const header = new HeaderView()
  parseHeader(header, writer.buffer, 0, size, 8)
  return room.add(header, writer.buffer, path, 0, now)
}

describe('EarlyPackets', () => {
  it('gives back what came for a connection ID from an address, in order and once', () => {
    const room = new EarlyPackets(64)
    add(room, 1, 0, 100)
    add(room, 2, 0, 101)
    add(room, 1, 0, 102)
    add(room, 1, 0, 103, ELSEWHERE)
    expect(room.take(id(1), PATH, 1).map(({ bytes }) => bytes.length)).toEqual([100, 102])
    expect(room.take(id(1), PATH, 1)).toEqual([])
    expect(room.take(id(2), PATH, 1)).toHaveLength(1)
    expect(room.length).toBe(1)
  })

  it('keeps half a second', () => {
    const room = new EarlyPackets(64)
    add(room, 1, 0)
    add(room, 1, 100)
    expect(room.take(id(1), PATH, 501)).toHaveLength(1)
  })

  it('keeps so many in all, eight of a connection ID, and none that is large', () => {
    const room = new EarlyPackets(20)
    for (let n = 0; n < 9; n += 1) expect(add(room, 1, 0)).toBe(n < 8)
    for (let n = 0; n < 20; n += 1) expect(add(room, 10 + n, 0)).toBe(n < 12)
    expect(room.length).toBe(20)
    // Those that are late make room.
    expect(add(room, 50, 600)).toBe(true)
    expect(room.length).toBe(1)
    expect(add(room, 50, 600, 2049)).toBe(false)
  })

  it('keeps none where there is to be none', () => {
    const room = new EarlyPackets(0)
    expect(add(room, 1, 0)).toBe(false)
    expect(room.length).toBe(0)
  })

  it('copies: the datagram may be reused', () => {
    const room = new EarlyPackets(4)
    const writer = new Writer(new Uint8Array(60))
    const lengthAt = writeLongHeader(writer, PacketType.zeroRtt, 1, id(1), id(99), EMPTY, 0, 4)
    patchLength(writer.buffer, lengthAt, 60 - writer.position + 4)
    const before = writer.buffer.slice()
    const header = new HeaderView()
    parseHeader(header, writer.buffer, 0, 60, 8)
    room.add(header, writer.buffer, PATH, 3, 0)
    writer.buffer.fill(0)
    expect(room.take(id(1), PATH, 0)).toMatchObject([{ bytes: before, ecn: 3 }])
  })
})
