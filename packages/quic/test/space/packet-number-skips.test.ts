// Which packet numbers are left out (RFC 9000 §21.4).

import { describe, expect, it } from 'vitest'
import { SentPacketPool } from '../../src/recovery/sent-packet.ts'
import { PacketNumberSkips } from '../../src/space/packet-number-skips.ts'
import { PacketSpace } from '../../src/space/packet-space.ts'
import { SpaceId } from '../../src/space/space-id.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'

describe('PacketNumberSkips', () => {
  it('the first within the first flights, the others a few hundred apart, and never the same ones', () => {
    const firsts = new Set<number>()
    for (let seed = 0; seed < 50; seed += 1) {
      const skips = new PacketNumberSkips(new SeededRandom(seed), true)
      expect(skips.next).toBeGreaterThanOrEqual(1)
      expect(skips.next).toBeLessThanOrEqual(32)
      firsts.add(skips.next)
      for (let i = 0; i < 20; i += 1) {
        const before = skips.next
        skips.advance()
        expect(skips.next - before).toBeGreaterThanOrEqual(256)
        expect(skips.next - before).toBeLessThan(768)
      }
    }
    expect(firsts.size).toBeGreaterThan(10)
  })

  it('none when switched off, and none but in the space that is given them', () => {
    expect(new PacketNumberSkips(new SeededRandom(1), false).next).toBe(Infinity)
    const space = new PacketSpace(SpaceId.initial, 25, new SentPacketPool(), null)
    for (let n = 0; n < 2000; n += 1) expect(space.takePacketNumber()).toBe(n)
  })

  it('a space takes all numbers but those, in order', () => {
    const skips = new PacketNumberSkips(new SeededRandom(3), true)
    const twin = new PacketNumberSkips(new SeededRandom(3), true)
    const space = new PacketSpace(SpaceId.application, 25, new SentPacketPool(), skips)
    for (let n = 0; n < 5000; n += 1) {
      if (n === twin.next) {
        twin.advance()
        n += 1
      }
      expect(space.nextPacketNumber).toBe(n)
      expect(space.takePacketNumber()).toBe(n)
    }
  })
})
