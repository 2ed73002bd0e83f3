import { describe, expect, it } from 'vitest'
import { baseOf, decodeRequiredInsertCount, encodeRequiredInsertCount, maxEntries, postBaseToAbsolute, relativeToBase, relativeToInsertCount } from '../src/vas.ts'

describe('Required Insert Count (RFC 9204 §4.5.1.1)', () => {
  it('the example: 100 bytes of table, 10 insertions, encoded 4 is 9', () => {
    expect(maxEntries(100)).toBe(3)
    expect(decodeRequiredInsertCount(4, 3, 10)).toBe(9)
    expect(encodeRequiredInsertCount(9, 3)).toBe(4)
  })
  it('comes back for every count a conformant encoder can mean, over several wraps', () => {
    for (let entries = 1; entries <= 9; entries += 1) {
      for (let insertCount = 0; insertCount <= 7 * entries; insertCount += 1) {
        // Referenced entries are still in the encoder's table, and no more than a table is in flight.
        for (let required = Math.max(1, insertCount - entries + 1); required <= insertCount + entries; required += 1) {
          const encoded = encodeRequiredInsertCount(required, entries)
          expect([entries, insertCount, decodeRequiredInsertCount(encoded, entries, insertCount)]).toEqual([entries, insertCount, required])
        }
      }
    }
  })
  it('0 is 0, whatever has been inserted', () => {
    expect(encodeRequiredInsertCount(0, 5)).toBe(0)
    expect(decodeRequiredInsertCount(0, 5, 1000)).toBe(0)
    expect(decodeRequiredInsertCount(0, 0, 0)).toBe(0)
  })
  it('refuses what no encoder can have produced', () => {
    // Above the full range; 0 in disguise; a wrap before the first one.
    expect(decodeRequiredInsertCount(7, 3, 10)).toBe(-1)
    expect(decodeRequiredInsertCount(1, 3, 0)).toBe(-1)
    expect(decodeRequiredInsertCount(6, 3, 0)).toBe(-1)
    expect(decodeRequiredInsertCount(1, 0, 0)).toBe(-1)
  })
  it('never gives anything beyond the reach of the table', () => {
    for (let entries = 0; entries <= 6; entries += 1) {
      for (let insertCount = 0; insertCount < 40; insertCount += 1) {
        for (let encoded = 1; encoded < 20; encoded += 1) {
          const required = decodeRequiredInsertCount(encoded, entries, insertCount)
          if (required === -1) continue
          expect(required).toBeGreaterThan(insertCount - entries)
          expect(required).toBeGreaterThan(0)
          expect(required).toBeLessThanOrEqual(insertCount + entries)
        }
      }
    }
  })
})

describe('Base (RFC 9204 §4.5.1.2)', () => {
  it('the example: Required Insert Count 9, sign 1, Delta Base 2', () => {
    expect(baseOf(9, true, 2)).toBe(6)
    // Relative index 1 is the fifth entry, post-base index 1 the eighth.
    expect(relativeToBase(6, 1)).toBe(4)
    expect(postBaseToAbsolute(6, 1)).toBe(7)
  })
  it('is not negative', () => {
    expect(baseOf(3, true, 3)).toBe(-1)
    expect(baseOf(3, true, 2)).toBe(0)
    expect(baseOf(0, true, 0)).toBe(-1)
    expect(baseOf(0, false, 7)).toBe(7)
  })
})

describe('relative indices (RFC 9204 §3.2.5)', () => {
  it('0 is the newest entry on the encoder stream', () => {
    expect(relativeToInsertCount(10, 0)).toBe(9)
    expect(relativeToInsertCount(10, 9)).toBe(0)
  })
})
