// Congestion control on simulated paths with real connections. QUICWIRE_TRACE=1 prints and stores what happened.

import { describe, expect, it } from 'vitest'
import { Bbr } from '../../src/congestion/bbr/index.ts'
import type { CongestionControllerFactory } from '../../src/congestion/controller.ts'
import { Cubic } from '../../src/congestion/cubic.ts'
import { Bottleneck } from './bottleneck.ts'

const cubic: CongestionControllerFactory = (mtu) => new Cubic(mtu)
const bbr: CongestionControllerFactory = (mtu) => new Bbr(mtu)

describe.each([
  ['cubic', cubic],
  ['bbr', bbr],
] as const)('%s', (name, create) => {
  it('uses 50 Mbit/s over 40 ms with one BDP of queue to at least 90 %', () => {
    const path = new Bottleneck({ name: `${name}-50mbit-40ms`, seed: 1, controllers: [create], bandwidth: 50e6, roundTrip: 40 }).run(6000)
    path.judge(() => {
      // The first 300 ms are handshake and start.
      expect(path.utilisation(300)).toBeGreaterThanOrEqual(0.9)
      // BBR wants no queue; a controller that waits for loss fills it.
      if (name === 'bbr') expect(path.smoothedRtt(1000)).toBeLessThan(48)
      else expect(path.smoothedRtt(1000)).toBeGreaterThan(55)
    })
  })

  it('shares a bottleneck with its like within 60/40', () => {
    const controllers = [create, create]
    const path = new Bottleneck({ name: `${name}-two-flows`, seed: 2, controllers, bandwidth: 10e6, roundTrip: 40, stagger: 300 })
    // Probes and drains take turns over seconds: half a minute tells the share from the swing.
    path.run(40_000)
    path.judge(() => {
      expect(path.largestShare(10_000)).toBeLessThanOrEqual(0.6)
      expect(path.utilisation(10_000)).toBeGreaterThanOrEqual(0.9)
    })
  })
})

describe('bbr', () => {
  it.each([
    ['a little', 300, 7],
    ['much', 3000, 8],
  ])('shares 20 Mbit/s with its like within 60/40, though it came %s later', (_, stagger, seed) => {
    const controllers = [bbr, bbr]
    const path = new Bottleneck({ name: `bbr-late-${stagger}`, seed, controllers, bandwidth: 20e6, roundTrip: 40, stagger }).run(35_000)
    path.judge(() => {
      expect(path.largestShare(15_000)).toBeLessThanOrEqual(0.6)
      expect(path.utilisation(15_000)).toBeGreaterThanOrEqual(0.9)
    })
  })

  it('uses at least 60 % at 2 % random loss', () => {
    const path = new Bottleneck({ name: 'bbr-loss', seed: 3, controllers: [bbr], bandwidth: 50e6, roundTrip: 40, loss: 0.02 }).run(8000)
    path.judge(() => expect(path.utilisation(0)).toBeGreaterThanOrEqual(0.6))
  })
})
