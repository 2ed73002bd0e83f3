import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BASE_DATAGRAM, MtuDiscovery, MtuState } from '../../src/path/pmtud.ts'

const ENDLESS = 1_000_000

interface Sent {
  readonly sizes: number[]
  readonly mtu: MtuDiscovery
}

/** Runs a search on a path that passes datagrams of `narrowest` bytes; `budget` is the half window. */
function search(mtu: MtuDiscovery, narrowest: number, budget: number = ENDLESS, now: number = 0, first: number = 0): Sent {
  const sizes: number[] = []
  for (let number = first; number < first + 1000; number += 1) {
    const size = mtu.nextProbe(budget, now)
    if (size === 0) break
    sizes.push(size)
    mtu.onProbeSent(number, size)
    expect(mtu.nextProbe(budget, now), 'one probe is out at a time').toBe(0)
    if (size <= narrowest) mtu.onProbeAcked(number, size, now)
    else mtu.onProbeLost(number, now)
  }
  return { sizes, mtu }
}

function discovery(ceiling: number = 65_527, initial: number = 1200): MtuDiscovery {
  return new MtuDiscovery({ initial, ceiling, enabled: true })
}

describe('the search (RFC 8899 §5.3)', () => {
  it.each([
    [1500, 1472, 1472],
    [65_507, 65_507, 65_507],
    [65_527, 65_507, 65_507],
    [65_527, 65_488, 65_488],
    [65_527, 16_356, 16_356],
    [65_527, 8972, 8972],
    [65_527, 1472, 1472],
    [1472, 1472, 1472],
    [1452, 1452, 1452],
    [1400, 1472, 1400],
    [1472, 1452, 1452],
    [1472, 1300, 1292],
    [1472, 1231, 1200],
    [1200, 9000, 1200],
  ])('with a ceiling of %i on a path of %i ends at %i', (ceiling, narrowest, found) => {
    const { mtu } = search(discovery(ceiling), narrowest)
    expect(mtu.size).toBe(found)
    expect(mtu.state).toBe(MtuState.complete)
  })

  it('takes one probe on Ethernet and two on loopback', () => {
    expect(search(discovery(1472), 1472).sizes).toEqual([1472])
    expect(search(discovery(65_507), 65_507).sizes).toEqual([1472, 65_507])
  })

  it('gives a size up after three losses, MAX_PROBES (§5.1.2)', () => {
    const { sizes } = search(discovery(1472), 1452)
    expect(sizes.slice(0, 4)).toEqual([1472, 1472, 1472, 1352])
    for (const size of new Set(sizes)) expect(sizes.filter((sent) => sent === size)).toHaveLength(size > 1452 ? 3 : 1)
  })

  it('a loss or two are no verdict', () => {
    const mtu = discovery(1472)
    for (let number = 0; number < 2; number += 1) {
      mtu.onProbeSent(number, mtu.nextProbe(ENDLESS, 0))
      mtu.onProbeLost(number, 0)
    }
    expect(mtu.nextProbe(ENDLESS, 0)).toBe(1472)
    mtu.onProbeSent(2, 1472)
    expect(mtu.onProbeAcked(2, 1472, 0)).toBe(true)
    expect(mtu.size).toBe(1472)
  })

  it('never probes beyond what the window bears, and goes on when it bears more', () => {
    const mtu = discovery(65_507)
    expect(search(mtu, 65_507, 6000).sizes).toEqual([1472, 4052])
    expect(mtu.state).toBe(MtuState.searching)
    expect(search(mtu, 65_507, 8000, 0, 10).sizes).toEqual([])
    expect(search(mtu, 65_507, 20_000, 0, 20).sizes).toEqual([16_356])
    expect(search(mtu, 65_507, 65_507, 0, 30).sizes).toEqual([65_507])
    expect(mtu.state).toBe(MtuState.complete)
  })

  it('is over for ten minutes, PMTU_RAISE_TIMER (§5.1.1), then starts again', () => {
    const mtu = discovery(1472)
    search(mtu, 1400)
    expect(mtu.size).toBe(1392)
    expect(search(mtu, 1472, ENDLESS, 599_999, 100).sizes).toEqual([])
    expect(search(mtu, 1472, ENDLESS, 600_000, 200).sizes).toEqual([1472])
    expect(mtu.size).toBe(1472)
  })

  it('stops at the peer\'s max_udp_payload_size (RFC 9000 §18.2), which bounds the size in use too', () => {
    const mtu = discovery(65_507, 1400)
    mtu.limit(1300)
    expect(mtu.size).toBe(1300)
    expect(search(mtu, 65_507).sizes).toEqual([])
    expect(mtu.size).toBe(1300)
  })

  it('a late acknowledgment of a probe that was given up still counts', () => {
    const mtu = discovery(1472)
    for (let number = 0; number < 3; number += 1) {
      mtu.onProbeSent(number, mtu.nextProbe(ENDLESS, 0))
      mtu.onProbeLost(number, 0)
    }
    expect(mtu.nextProbe(ENDLESS, 0)).toBe(1352)
    expect(mtu.onProbeAcked(1, 1472, 0)).toBe(true)
    expect(mtu.size).toBe(1472)
    expect(mtu.nextProbe(ENDLESS, 0)).toBe(0)
  })

  it('does nothing when it is off', () => {
    const mtu = new MtuDiscovery({ initial: 1300, ceiling: 65_527, enabled: false })
    expect(mtu.nextProbe(ENDLESS, 0)).toBe(0)
    for (let number = 0; number < 20; number += 1) mtu.onPacketLost(number, 1300, number * 1000)
    expect(mtu.checkBlackHole(1)).toBe(false)
    expect(mtu.onRefused(1300, 0)).toBe(false)
    expect(mtu.size).toBe(1300)
  })

  it('ends, whatever the path, within a size of the list below what the path takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1200, max: 65_527 }), fc.integer({ min: 1200, max: 65_527 }), (ceiling, narrowest) => {
        const { mtu, sizes } = search(discovery(ceiling), narrowest)
        expect(mtu.state).toBe(MtuState.complete)
        expect(sizes.length).toBeLessThanOrEqual(20)
        const best = Math.min(ceiling, narrowest)
        expect(mtu.size).toBeLessThanOrEqual(best)
        if (best <= 1472) expect(mtu.size).toBeGreaterThan(best - 33)
        else expect(mtu.size).toBeGreaterThanOrEqual(1472)
      }),
    )
  })
})

describe('a size the socket refuses (EMSGSIZE)', () => {
  it('fails at once, and the search goes on below it', () => {
    const mtu = discovery(65_507)
    const sizes: number[] = []
    for (let number = 0; ; number += 1) {
      const size = mtu.nextProbe(ENDLESS, 0)
      if (size === 0) break
      sizes.push(size)
      mtu.onProbeSent(number, size)
      if (size <= 9216) mtu.onProbeAcked(number, size, 0)
      else expect(mtu.onRefused(size, 0)).toBe(false)
    }
    expect(mtu.size).toBe(8972)
    expect(new Set(sizes).size).toBe(sizes.length)
  })

  it('when it is in use, the base size takes over', () => {
    const { mtu } = search(discovery(65_507), 65_507)
    expect(mtu.onRefused(65_507, 0)).toBe(true)
    expect(mtu.size).toBe(BASE_DATAGRAM)
    search(mtu, 16_356, ENDLESS, 0, 100)
    expect(mtu.size).toBe(16_356)
  })

  it('RFC 9000 §14.2.1: never goes below the smallest allowed datagram', () => {
    const { mtu } = search(discovery(1472), 1472)
    expect(mtu.onRefused(1200, 0)).toBe(false)
    expect(mtu.onRefused(600, 0)).toBe(false)
    expect(mtu.size).toBe(1472)
  })
})

describe('black hole detection (RFC 8899 §4.3)', () => {
  const PTO = 100

  function full(): MtuDiscovery {
    return search(discovery(1472), 1472).mtu
  }

  it('falls back when full-size packets are lost in a row for more than a PTO, and finds the new size', () => {
    const mtu = full()
    for (let i = 0; i < 6; i += 1) mtu.onPacketLost(100 + i, 1472, i * 25)
    expect(mtu.checkBlackHole(PTO)).toBe(true)
    expect(mtu.size).toBe(BASE_DATAGRAM)
    search(mtu, 1392, ENDLESS, 0, 200)
    expect(mtu.size).toBe(1392)
  })

  it('a burst of losses is congestion', () => {
    const mtu = full()
    for (let i = 0; i < 500; i += 1) mtu.onPacketLost(100 + i, 1472, i * 0.1)
    expect(mtu.checkBlackHole(PTO)).toBe(false)
    expect(mtu.size).toBe(1472)
  })

  it('losses below a full-size packet that arrived do not count', () => {
    const mtu = full()
    mtu.onFullSizeAcked(1000)
    for (let i = 0; i < 50; i += 1) mtu.onPacketLost(100 + i, 1472, i * 25)
    expect(mtu.checkBlackHole(PTO)).toBe(false)
  })

  it('one of full size that arrives in between starts the count again', () => {
    const mtu = full()
    for (let i = 0; i < 5; i += 1) mtu.onPacketLost(100 + i, 1472, i * 100)
    mtu.onFullSizeAcked(105)
    for (let i = 0; i < 5; i += 1) mtu.onPacketLost(106 + i, 1472, 600 + i * 100)
    expect(mtu.checkBlackHole(PTO)).toBe(false)
  })

  it('a path that loses small packets as well is down, not narrow', () => {
    const mtu = full()
    for (let i = 0; i < 10; i += 1) mtu.onPacketLost(100 + i, 1472, i * 100)
    mtu.onPacketLost(110, 60, 1000)
    expect(mtu.checkBlackHole(PTO)).toBe(false)
  })

  it('the probe under way at the time says nothing about the new search', () => {
    const mtu = discovery(65_507)
    mtu.onProbeSent(0, mtu.nextProbe(ENDLESS, 0))
    mtu.onProbeAcked(0, 1472, 0)
    mtu.onProbeSent(1, mtu.nextProbe(ENDLESS, 0))
    for (let i = 0; i < 6; i += 1) mtu.onPacketLost(100 + i, 1472, i * 25)
    expect(mtu.checkBlackHole(PTO)).toBe(true)
    expect(mtu.onProbeAcked(1, 65_507, 0)).toBe(false)
    expect(mtu.size).toBe(BASE_DATAGRAM)
  })
})
