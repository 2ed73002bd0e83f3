import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deadlines, type Timed } from '../../src/router/deadlines.ts'

class Item implements Timed {
  armedAt = Infinity
  at: number
  constructor(at: number) {
    this.at = at
  }
  deadline(): number {
    return this.at
  }
}

describe('deadlines', () => {
  it('gives due items and only those', () => {
    const deadlines = new Deadlines<Item>()
    const items = [new Item(30), new Item(10), new Item(20)]
    for (const item of items) deadlines.update(item)
    expect(deadlines.next()).toBe(10)
    expect(deadlines.takeDue(15)).toBe(items[1])
    expect(deadlines.takeDue(15)).toBe(null)
    expect(deadlines.next()).toBe(20)
  })

  it('a later deadline costs nothing until the old one comes up', () => {
    const deadlines = new Deadlines<Item>()
    const item = new Item(10)
    deadlines.update(item)
    for (let at = 11; at < 1000; at++) {
      item.at = at
      deadlines.update(item)
    }
    expect(deadlines.size).toBe(1)
    expect(deadlines.takeDue(500)).toBe(null)
    expect(deadlines.next()).toBe(999)
    expect(deadlines.takeDue(999)).toBe(item)
  })

  it('an item without a deadline is not kept', () => {
    const deadlines = new Deadlines<Item>()
    const item = new Item(10)
    deadlines.update(item)
    item.at = Infinity
    expect(deadlines.takeDue(10)).toBe(null)
    expect(deadlines.next()).toBe(Infinity)
  })

  it('agrees with a plain scan (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), fc.integer({ min: 1, max: 50 }), fc.boolean()), { maxLength: 80 }), (steps) => {
        const deadlines = new Deadlines<Item>()
        const items = Array.from({ length: 5 }, () => new Item(Infinity))
        let now = 0
        for (const [which, delay, advance] of steps) {
          items[which]!.at = now + delay
          deadlines.update(items[which]!)
          expect(deadlines.next()).toBeLessThanOrEqual(Math.min(...items.map((item) => item.at)))
          if (!advance) continue
          now += delay
          const expected = new Set(items.filter((item) => item.at <= now))
          for (let due = deadlines.takeDue(now); due !== null; due = deadlines.takeDue(now)) {
            expect(expected.delete(due)).toBe(true)
            due.at = Infinity
          }
          expect(expected.size).toBe(0)
        }
      }),
    )
  })
})
