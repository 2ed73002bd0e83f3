// The simulations' own promises: the same seed gives the same run, every scenario does what its name says, and what goes wrong is
// told with its seed.

import { describe, expect, it } from 'vitest'
import { SIMULATION_SCENARIOS, SimulationFailure, planSimulation, runSimulation } from '../../src/testing/index.ts'
import type { SimulationPlan } from '../../src/testing/index.ts'
import { setup } from './setup.ts'

describe('planSimulation', () => {
  it('is a function of seed and scenario', () => {
    // Loss models are functions, which JSON leaves out.
    const text = (seed: number): string => JSON.stringify(planSimulation(seed))
    for (let seed = 0; seed < 50; seed += 1) expect(text(seed)).toBe(text(seed))
    expect(new Set(Array.from({ length: 50 }, (_, seed) => text(seed))).size).toBe(50)
    expect(new Set(Array.from({ length: 100 }, (_, seed) => planSimulation(seed).scenario))).toEqual(new Set(SIMULATION_SCENARIOS))
  })

  it('gives each scenario what its name says', () => {
    const plans = (scenario: (typeof SIMULATION_SCENARIOS)[number]): SimulationPlan[] =>
      Array.from({ length: 40 }, (_, seed) => planSimulation(seed, scenario))
    const some = (found: readonly SimulationPlan[], test: (plan: SimulationPlan) => boolean): boolean => found.some(test)
    expect(some(plans('lossy'), (plan) => plan.up.loss === 0.3)).toBe(true)
    expect(plans('reordering').every((plan) => plan.up.reorder! > 0 && plan.down.reorderDelay! > 0)).toBe(true)
    expect(plans('duplicating').every((plan) => plan.up.duplicate! > 0)).toBe(true)
    expect(plans('corrupting').every((plan) => plan.up.corrupt! > 0)).toBe(true)
    expect(plans('blackhole').every((plan) => plan.incidents.some((incident) => incident.kind === 'change'))).toBe(true)
    expect(plans('rebinding').every((plan) => plan.incidents.some((incident) => incident.kind === 'rebind'))).toBe(true)
    expect(plans('mtu').every((plan) => plan.up.mtu! >= 1200)).toBe(true)
    expect(plans('ecn').every((plan) => plan.client.ecnCapable && plan.server.ecnCapable)).toBe(true)
    expect(some(plans('ecn'), (plan) => plan.up.ecnBleach === true)).toBe(true)
    expect(some(plans('resets'), (plan) => plan.client.streams.some((stream) => stream.resetAt >= 0))).toBe(true)
    expect(plans('clean').every((plan) => plan.up.loss === undefined && plan.up.corrupt === undefined)).toBe(true)
  })
})

describe('runSimulation', () => {
  it('repeats a seed to the last datagram', () => {
    for (const seed of [11, 23]) expect(runSimulation(planSimulation(seed), setup)).toEqual(runSimulation(planSimulation(seed), setup))
  })

  it('a path that carries nothing is a clean timeout of both ends', () => {
    const plan = planSimulation(3, 'clean')
    const dead = { ...plan, up: { loss: 1 }, down: { loss: 1 } }
    expect(runSimulation(dead, setup)).toMatchObject({ result: 'timeout', bytes: 0 })
    const late = { kind: 'change', direction: 'both', conditions: { loss: 1 }, time: 1200 } as const
    const slow = { ...plan, up: { delay: 30, bandwidth: 100_000 }, down: { delay: 30, bandwidth: 100_000 } }
    expect(runSimulation({ ...slow, incidents: [late] }, setup)).toMatchObject({ result: 'timeout' })
  })

  it('tells what went wrong, with the seed and the last events', () => {
    const failure = (): unknown => {
      try {
        return runSimulation(planSimulation(4, 'clean'), { ...setup, serverTls: { ...setup.serverTls, alpn: ['another'] } })
      } catch (error) {
        return error
      }
    }
    const error = failure()
    expect(error).toBeInstanceOf(SimulationFailure)
    expect(error).toMatchObject({ seed: 4, code: 'QUICWIRE_SIMULATION_FAILED' })
    expect((error as Error).message).toContain("scenario 'clean'")
    expect((error as Error).message).toContain('no common application protocol')
  })
})
