import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Ring } from '../../src/base/ring.ts'

type Operation = { op: 'push'; value: number } | { op: 'shift' } | { op: 'pop' } | { op: 'clear' }

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.nat().map((value): Operation => ({ op: 'push', value })) },
  { weight: 4, arbitrary: fc.constant<Operation>({ op: 'shift' }) },
  { weight: 2, arbitrary: fc.constant<Operation>({ op: 'pop' }) },
  { weight: 1, arbitrary: fc.constant<Operation>({ op: 'clear' }) },
)

describe('Ring', () => {
  it('behaves like an array used as a queue', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 4, 8), fc.array(operation, { maxLength: 200 }), (capacity, operations) => {
        const ring = new Ring<number>(capacity)
        const twin: number[] = []
        for (const operation of operations) {
          if (operation.op === 'push') {
            ring.push(operation.value)
            twin.push(operation.value)
          } else if (operation.op === 'shift') {
            expect(ring.shift()).toBe(twin.shift())
          } else if (operation.op === 'pop') {
            expect(ring.pop()).toBe(twin.pop())
          } else {
            ring.clear()
            twin.length = 0
          }
          expect(ring.length).toBe(twin.length)
          expect(ring.peek()).toBe(twin[0])
          expect(ring.last()).toBe(twin[twin.length - 1])
        }
        for (let i = -1; i <= twin.length; i++) expect(ring.at(i)).toBe(twin[i])
      }),
    )
  })

  it('keeps order through wrap-around and growth', () => {
    const ring = new Ring<number>()
    let next = 0
    let expected = 0
    for (let round = 0; round < 100; round++) {
      for (let i = 0; i < 7; i++) ring.push(next++)
      for (let i = 0; i < 5; i++) expect(ring.shift()).toBe(expected++)
    }
    expect(ring.length).toBe(200)
    while (ring.length > 0) expect(ring.shift()).toBe(expected++)
    expect(expected).toBe(next)
    expect(ring.shift()).toBeUndefined()
  })
})
