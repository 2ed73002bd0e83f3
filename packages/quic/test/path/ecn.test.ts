import { describe, expect, it } from 'vitest'
import { EcnCounts, EcnState, EcnValidation } from '../../src/recovery/ecn.ts'

const PTO = 100

function tested(packets: number = 10): EcnValidation {
  const ecn = new EcnValidation(true)
  for (let i = 0; i < packets; i += 1) ecn.onSent(i, PTO)
  return ecn
}

describe('the state of a path (RFC 9000 §A.4)', () => {
  it('is off, and nothing is marked, where the socket cannot', () => {
    const ecn = new EcnValidation(false)
    expect(ecn.marks(0)).toBe(false)
    expect(ecn.onAck(0, false, 5, 5)).toBe(false)
    expect(ecn.onLost()).toBe(false)
    expect(ecn.state).toBe(EcnState.off)
  })

  it('testing ends after ten marked packets', () => {
    const ecn = tested(9)
    expect(ecn.marks(9)).toBe(true)
    ecn.onSent(9, PTO)
    expect(ecn.marks(9)).toBe(false)
    expect(ecn.state).toBe(EcnState.unknown)
  })

  it('or after three PTOs', () => {
    const ecn = tested(1)
    expect(ecn.marks(299)).toBe(true)
    expect(ecn.marks(300)).toBe(false)
    expect(ecn.state).toBe(EcnState.unknown)
  })

  it('an idle path is tested as long as it takes to send something', () => {
    expect(new EcnValidation(true).marks(1e9)).toBe(true)
  })

  it('a good acknowledgment of marked packets makes it capable, once testing is over', () => {
    const ecn = tested(5)
    expect(ecn.onAck(2, true, 2, 0)).toBe(false)
    for (let i = 5; i < 10; i += 1) ecn.onSent(i, PTO)
    expect(ecn.onAck(0, true, 0, 0)).toBe(true)
    expect(ecn.state).toBe(EcnState.capable)
    expect(ecn.marks(1000)).toBe(true)
  })

  it('stays unknown while no marked packet has been acknowledged', () => {
    const ecn = tested()
    expect(ecn.onAck(0, true, 0, 0)).toBe(false)
    expect(ecn.onAck(0, true, -1, -1)).toBe(false)
    expect(ecn.state).toBe(EcnState.unknown)
  })

  it('fails when all marked packets are lost (§13.4.2)', () => {
    const ecn = tested()
    for (let i = 0; i < 9; i += 1) expect(ecn.onLost()).toBe(false)
    expect(ecn.onLost()).toBe(true)
    expect(ecn.state).toBe(EcnState.failed)
  })

  it('does not fail when some arrive', () => {
    const ecn = tested()
    for (let i = 0; i < 9; i += 1) ecn.onLost()
    expect(ecn.onAck(1, true, 1, 0)).toBe(true)
    expect(ecn.state).toBe(EcnState.capable)
  })

  it('fails when all marked packets come back as CE', () => {
    const ecn = tested()
    expect(ecn.onAck(5, true, 0, 5)).toBe(false)
    expect(ecn.state).toBe(EcnState.unknown)
    expect(ecn.onAck(5, true, 0, 5)).toBe(true)
    expect(ecn.state).toBe(EcnState.failed)
  })

  it('some CE marks are what ECN is for', () => {
    const ecn = tested()
    expect(ecn.onAck(5, true, 0, 5)).toBe(false)
    expect(ecn.onAck(1, true, 1, 0)).toBe(true)
    expect(ecn.state).toBe(EcnState.capable)
  })

  it('a failed path stays failed', () => {
    const ecn = tested()
    ecn.onAck(1, false, 1, 0)
    expect(ecn.onAck(3, true, 3, 0)).toBe(false)
    expect(ecn.state).toBe(EcnState.failed)
  })
})

describe('the counts of an ACK frame (RFC 9000 §13.4.2.1)', () => {
  const cases: readonly [why: string, marked: number, ect0: number, ce: number, fails: boolean][] = [
    ['as many as were sent', 3, 3, 0, false],
    ['some of them CE', 3, 1, 2, false],
    ['more than are newly acknowledged: an ACK was lost', 1, 7, 0, false],
    ['no counts for marked packets', 3, -1, -1, true],
    ['no counts, and no marked packets', 0, -1, -1, false],
    ['fewer than were sent: a bleached mark', 3, 2, 0, true],
    ['fewer, CE included', 3, 1, 1, true],
  ]

  it.each(cases)('%s', (_why, marked, ect0, ce, fails) => {
    const testing = tested(5)
    testing.onAck(marked, true, ect0, ce)
    expect(testing.state === EcnState.failed).toBe(fails)
    const capable = tested()
    capable.onAck(4, true, 4, 0)
    expect(capable.state).toBe(EcnState.capable)
    expect(capable.onAck(marked, true, ect0, ce)).toBe(fails)
    expect(capable.state === EcnState.failed).toBe(fails)
  })

  it('may only rise, never beyond what was sent, and never for ECT(1)', () => {
    const counts = new EcnCounts()
    counts.sent = 10
    counts.update(5, 0, 2)
    expect(counts.isPlausible(5, 0, 2)).toBe(true)
    expect(counts.isPlausible(8, 0, 2)).toBe(true)
    expect(counts.isPlausible(4, 0, 2)).toBe(false)
    expect(counts.isPlausible(5, 0, 1)).toBe(false)
    expect(counts.isPlausible(5, 1, 2)).toBe(false)
    expect(counts.isPlausible(9, 0, 2)).toBe(false)
  })
})
