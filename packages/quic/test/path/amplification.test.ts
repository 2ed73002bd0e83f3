import { describe, expect, it } from 'vitest'
import { AmplificationBudget } from '../../src/path/amplification.ts'

describe('AmplificationBudget: RFC 9000 §8.1', () => {
  it('allows three times what was received', () => {
    const budget = new AmplificationBudget()
    expect(budget.allows(1)).toBe(false)
    budget.onReceived(1200)
    expect(budget.remaining()).toBe(3600)
    budget.onSent(1200)
    budget.onSent(1200)
    expect(budget.allows(1200)).toBe(true)
    expect(budget.allows(1201)).toBe(false)
    budget.onSent(1200)
    expect([budget.remaining(), budget.allows(1)]).toEqual([0, false])
    budget.onReceived(1)
    expect(budget.remaining()).toBe(3)
  })

  it('has no limit once the address is validated, or from the start', () => {
    const budget = new AmplificationBudget()
    budget.onSent(5000)
    expect(budget.remaining()).toBe(0)
    budget.validate()
    expect([budget.validated, budget.remaining(), budget.allows(1e9)]).toEqual([true, Infinity, true])
    expect(new AmplificationBudget(true).allows(65535)).toBe(true)
  })
})
