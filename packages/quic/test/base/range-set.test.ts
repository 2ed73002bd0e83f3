import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../src/base/assert.ts'
import { RangeSet } from '../../src/base/range-set.ts'

const LIMIT = 64

type Operation =
  | { op: 'add' | 'remove'; start: number; length: number }
  | { op: 'truncate'; ranges: number }
  | { op: 'pop' }
  | { op: 'clear' }

const span = { start: fc.nat(LIMIT - 1), length: fc.oneof(fc.nat(3), fc.nat(24)) }
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ op: fc.constant('add' as const), ...span }) },
  { weight: 8, arbitrary: fc.record({ op: fc.constant('remove' as const), ...span }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('truncate' as const), ranges: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.constant<Operation>({ op: 'pop' }) },
  { weight: 1, arbitrary: fc.constant<Operation>({ op: 'clear' }) },
)

/** Maximal runs of a plain Set. */
function runs(twin: Set<number>): [number, number][] {
  const result: [number, number][] = []
  for (const value of [...twin].sort((a, b) => a - b)) {
    const last = result.at(-1)
    if (last !== undefined && last[1] === value) last[1] = value + 1
    else result.push([value, value + 1])
  }
  return result
}

function rangesOf(set: RangeSet): [number, number][] {
  return Array.from({ length: set.length }, (_, i): [number, number] => [set.startAt(i), set.endAt(i)])
}

function dropRuns(twin: Set<number>, count: number): void {
  for (const [start, end] of runs(twin).slice(0, count)) for (let v = start; v < end; v++) twin.delete(v)
}

function apply(set: RangeSet, twin: Set<number>, operation: Operation): void {
  switch (operation.op) {
    case 'add':
      set.add(operation.start, operation.start + operation.length)
      for (let v = operation.start; v < operation.start + operation.length; v++) twin.add(v)
      break
    case 'remove':
      set.remove(operation.start, operation.start + operation.length)
      for (let v = operation.start; v < operation.start + operation.length; v++) twin.delete(v)
      break
    case 'truncate':
      set.truncateOldest(operation.ranges)
      dropRuns(twin, Math.max(0, runs(twin).length - operation.ranges))
      break
    case 'pop':
      set.popFirst()
      dropRuns(twin, 1)
      break
    case 'clear':
      set.clear()
      twin.clear()
  }
}

describe('RangeSet', () => {
  it('behaves like a plain Set after every operation', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const set = new RangeSet()
        const twin = new Set<number>()
        for (const operation of operations) {
          apply(set, twin, operation)
          expect(rangesOf(set)).toEqual(runs(twin))
        }
        expect(set.min()).toBe(twin.size === 0 ? -1 : Math.min(...twin))
        expect(set.max()).toBe(twin.size === 0 ? -1 : Math.max(...twin))
        for (let v = LIMIT + 30, missing = v + 1; v >= 0; v--) {
          expect(set.contains(v)).toBe(twin.has(v))
          if (!twin.has(v)) missing = v
          expect(set.firstMissing(v)).toBe(missing)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('containsRange agrees with a plain Set', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 20 }), fc.nat(LIMIT), fc.nat(12), (operations, start, length) => {
        const set = new RangeSet()
        const twin = new Set<number>()
        for (const operation of operations) apply(set, twin, operation)
        let all = true
        for (let v = start; v < start + length; v++) all &&= twin.has(v)
        expect(set.containsRange(start, start + length)).toBe(all)
      }),
      { numRuns: 300 },
    )
  })

  it('grows past its first capacity and merges everything back', () => {
    const set = new RangeSet()
    for (let i = 999; i >= 0; i--) set.add(i * 2, i * 2 + 1)
    expect(set.length).toBe(1000)
    for (let i = 0; i < 1000; i++) set.add(i * 2 + 1, i * 2 + 2)
    expect(rangesOf(set)).toEqual([[0, 2000]])
  })

  it('holds numbers up to 2^53 − 1', () => {
    const set = new RangeSet()
    const top = Number.MAX_SAFE_INTEGER
    set.add(top, top + 1)
    set.add(top - 5, top - 3)
    expect(set.max()).toBe(top)
    expect(set.contains(top)).toBe(true)
    expect(set.contains(top - 1)).toBe(false)
  })

  it('an empty or reversed range changes nothing; a negative one is a bug', () => {
    const set = new RangeSet()
    set.add(5, 5)
    set.add(6, 5)
    set.remove(1, 1)
    set.popFirst()
    expect(set.length).toBe(0)
    expect(() => set.add(-1, 3)).toThrow(InvariantError)
  })
})
