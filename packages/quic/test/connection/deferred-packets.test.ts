// Packets that wait for their keys (RFC 9001 §5.7) are bounded in number and in bytes.

import { describe, expect, it } from 'vitest'
import { DeferredPackets } from '../../src/connection/receive/deferred-packets.ts'

const PATH = { local: '10.0.0.2:443', remote: '10.0.0.1:5000' }

describe('DeferredPackets', () => {
  it('keeps sixteen, and gives them all back in order', () => {
    const room = new DeferredPackets()
    for (let n = 0; n < 20; n += 1) expect(room.add(Uint8Array.of(n, n), 0, 1, PATH, 0)).toBe(n < 16)
    expect(room.take().map(({ bytes }) => bytes[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    expect(room.length).toBe(0)
    expect(room.add(Uint8Array.of(1), 0, 1, PATH, 0)).toBe(true)
  })

  it('keeps 64 KiB', () => {
    const room = new DeferredPackets()
    const packet = new Uint8Array(30_000)
    expect([1, 2, 3].map(() => room.add(packet, 0, packet.length, PATH, 0))).toEqual([true, true, false])
    expect(room.add(packet, 0, 5536, PATH, 0)).toBe(true)
    expect(room.add(packet, 0, 1, PATH, 0)).toBe(false)
    room.take()
    expect(room.add(packet, 0, packet.length, PATH, 0)).toBe(true)
  })
})
