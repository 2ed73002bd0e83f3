import { describe, expect, it } from 'vitest'
import { exchange } from './exchange.ts'

const CAPACITIES = [0, 31, 32, 64, 100, 220, 512, 1024, 4096, 16_384]
const BUDGETS = [0, 1, 2, 8, 100]

describe('encoder and decoder over a network that reorders (RFC 9204 §2)', () => {
  it.each(CAPACITIES)('capacity %i, all blocking budgets', (capacity) => {
    let insertions = 0
    let blocked = 0
    let cancelled = 0
    for (const budget of BUDGETS) {
      for (let seed = 1; seed <= 6; seed += 1) {
        for (const tightRoom of [false, true]) {
          const options = { capacity, budget, seed: seed * 7919 + capacity * 31 + budget, lists: 120, streams: 1 + 4 * (seed % 3), tightRoom }
          let result
          try {
            result = exchange(options)
          } catch (error) {
            throw new Error(`${(error as Error).message}: ${JSON.stringify(options)}`, { cause: error })
          }
          if (budget === 0) expect(result.blocked).toBe(0)
          insertions += result.insertions
          blocked += result.blocked
          cancelled += result.cancelled
        }
      }
    }
    // The exercise has been one.
    expect(cancelled).toBeGreaterThan(0)
    if (capacity >= 220) expect(blocked).toBeGreaterThan(0)
    if (capacity >= 100) expect(insertions).toBeGreaterThan(100)
    if (capacity < 32) expect(insertions).toBe(0)
  })
})
