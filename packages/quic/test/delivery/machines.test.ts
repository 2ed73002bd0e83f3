import { describe, expect, it } from 'vitest'
import { LatestValue } from '../../src/delivery/latest-value.ts'
import { Once } from '../../src/delivery/once.ts'
import { finOfToken, lengthOfToken, packLengthAndFin, TokenKind } from '../../src/delivery/token.ts'

describe('delivery machines (RFC 9000 §13.3)', () => {
  it('says something once, again when lost, never after it arrived', () => {
    const once = new Once()
    expect(once.wants()).toBe(false)
    once.lost()
    once.acked()
    expect(once.wants()).toBe(false)
    once.request()
    expect(once.wants()).toBe(true)
    once.written()
    once.request()
    expect(once.wants()).toBe(false)
    once.lost()
    expect(once.wants()).toBe(true)
    once.written()
    once.acked()
    once.lost()
    once.request()
    expect(once.wants()).toBe(false)
    expect(once.done).toBe(true)
  })

  it('a late acknowledgement settles what waits to be repeated', () => {
    const once = new Once()
    once.request()
    once.written()
    once.lost()
    once.acked()
    expect(once.wants()).toBe(false)
  })

  it('repeats only the latest value', () => {
    const value = new LatestValue()
    value.set(10)
    value.written()
    value.set(10)
    expect(value.wants()).toBe(false)
    value.set(20)
    value.written()
    value.lost(10)
    expect(value.wants()).toBe(false)
    value.lost(20)
    expect(value.wants()).toBe(true)
    value.withdraw()
    expect(value.wants()).toBe(false)
  })

  it('packs length and FIN of a STREAM frame into one number', () => {
    for (const length of [0, 1, 1199, 65535, 2 ** 40]) {
      for (const fin of [false, true]) {
        const packed = packLengthAndFin(length, fin)
        expect([lengthOfToken(packed), finOfToken(packed)]).toEqual([length, fin])
      }
    }
  })

  it('gives every kind of token its own number', () => {
    const kinds = Object.values(TokenKind)
    expect(new Set(kinds).size).toBe(kinds.length)
  })
})
