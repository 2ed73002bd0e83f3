import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rfc3339 } from '../../src/qlog/rfc3339.ts'

describe('rfc3339', () => {
  it('agrees with Date on every instant', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (ms) => {
        expect(rfc3339(ms)).toBe(new Date(ms).toISOString())
      }),
      { numRuns: 2000 },
    )
  })

  it('knows leap days and ends of years', () => {
    for (const text of ['1970-01-01T00:00:00.000Z', '2000-02-29T23:59:59.999Z', '2100-03-01T00:00:00.000Z', '2024-12-31T23:59:59.001Z']) {
      expect(rfc3339(Date.parse(text))).toBe(text)
    }
  })
})
