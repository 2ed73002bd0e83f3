// The record of spent tokens (RFC 9000 §8.1.4): no spent token is ever fresh again while it is valid, in fixed memory.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UsedTokens } from '../../src/endpoint/used-tokens.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'

const LIFETIME = 1000

describe('UsedTokens', () => {
  it('against a plain set: whatever was spent within a lifetime is known', () => {
    const step = fc.record({ wait: fc.integer({ min: 0, max: 700 }), age: fc.integer({ min: 0, max: LIFETIME - 1 }), spend: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer(), (steps, seed) => {
        const random = new SeededRandom(seed)
        const used = new UsedTokens(LIFETIME)
        const spent: { token: Uint8Array; issuedAt: number }[] = []
        let now = 5000
        for (const { wait, age, spend } of steps) {
          now += wait
          const token = random.bytes(40)
          const issuedAt = now - age
          if (spend) {
            used.add(token, issuedAt)
            spent.push({ token, issuedAt })
          }
          for (const old of spent) {
            if (now - old.issuedAt < LIFETIME) expect(used.has(old.token, old.issuedAt)).toBe(true)
          }
        }
      }),
    )
  })

  it('a fresh token is hardly ever taken for a spent one: 1 in 100 at 50 000 spent', () => {
    const random = new SeededRandom(1)
    const used = new UsedTokens(LIFETIME)
    for (let i = 0; i < 50_000; i += 1) used.add(random.bytes(16), 10)
    let wrong = 0
    for (let i = 0; i < 10_000; i += 1) if (used.has(random.bytes(16), 10)) wrong += 1
    expect(wrong).toBeLessThan(200)
  })

  it('forgets what cannot be valid any more', () => {
    const used = new UsedTokens(LIFETIME)
    const token = new Uint8Array(16).fill(3)
    const other = new Uint8Array(16).fill(4)
    used.add(token, 10)
    used.add(other, 10 * LIFETIME)
    // Too old to know: spent, to be on the safe side.
    expect(used.has(token, 10)).toBe(true)
    expect(used.has(token, 10 * LIFETIME)).toBe(false)
    expect(used.has(other, 10 * LIFETIME)).toBe(true)
  })
})
