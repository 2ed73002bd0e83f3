import { describe, expect, it } from 'vitest'
import type { RecoverySituation, RecoverySlice } from '../../src/recovery/pto.ts'
import { LossTimer, LossTimerKind, PtoState, RecoverySpace } from '../../src/recovery/pto.ts'
import { RttEstimator } from '../../src/recovery/rtt.ts'

const rtt = new RttEstimator()
rtt.update(100, 0, 0)
// smoothed 100, variance 50
const PTO = 300

function slice(lastAckElicitingSentAt: number, lossTime: number = Infinity, ackElicitingInFlight: number = 1): RecoverySlice {
  return { ackElicitingInFlight, lastAckElicitingSentAt, lossTime }
}

function situation(changes: Partial<RecoverySituation> = {}): RecoverySituation {
  return {
    initial: null,
    handshake: null,
    application: null,
    hasHandshakeKeys: false,
    handshakeConfirmed: false,
    peerCompletedAddressValidation: true,
    handshakeDataPending: false,
    amplificationBlocked: false,
    maxAckDelay: 25,
    ...changes,
  }
}

function armed(changes: Partial<RecoverySituation>, pto: PtoState = new PtoState()): [at: number, kind: number, space: number] {
  const timer = new LossTimer()
  const at = timer.arm(situation(changes), rtt, pto)
  expect(at).toBe(timer.at)
  return [timer.at, timer.kind, timer.space]
}

describe('LossTimer: RFC 9002 §6.2 and §A.8', () => {
  it('is not armed with nothing in flight', () => {
    expect(armed({ application: slice(5, Infinity, 0), handshakeConfirmed: true })[1]).toBe(LossTimerKind.none)
    expect(armed({})[0]).toBe(Infinity)
  })

  it('takes the earlier of Initial and Handshake, without max_ack_delay (§6.2.1)', () => {
    expect(armed({ initial: slice(20), handshake: slice(10) })).toEqual([10 + PTO, LossTimerKind.probe, RecoverySpace.handshake])
    expect(armed({ initial: slice(10), handshake: slice(20) })).toEqual([10 + PTO, LossTimerKind.probe, RecoverySpace.initial])
  })

  it('leaves application data alone until the handshake is confirmed, then adds max_ack_delay (§6.2.1)', () => {
    expect(armed({ application: slice(10) })[0]).toBe(Infinity)
    expect(armed({ application: slice(10), handshakeConfirmed: true })).toEqual([
      10 + PTO + 25,
      LossTimerKind.probe,
      RecoverySpace.application,
    ])
  })

  it('doubles in all spaces with every timeout, max_ack_delay included (§6.2.1)', () => {
    const pto = new PtoState()
    pto.onTimeout(400)
    expect(armed({ application: slice(10), handshakeConfirmed: true }, pto)[0]).toBe(10 + 2 * (PTO + 25))
    pto.onTimeout(900)
    expect(armed({ handshake: slice(10) }, pto)[0]).toBe(10 + 4 * PTO)
    pto.count = 5000
    expect(Number.isFinite(armed({ handshake: slice(10) }, pto)[0])).toBe(true)
  })

  it('prefers a loss time in any space to a probe (§6.2.1)', () => {
    expect(armed({ initial: slice(0), application: slice(0, 5000) })).toEqual([5000, LossTimerKind.lossTime, RecoverySpace.application])
    expect(armed({ initial: slice(0, 70), handshake: slice(0, 60), application: slice(0, 80) })).toEqual([
      60,
      LossTimerKind.lossTime,
      RecoverySpace.handshake,
    ])
  })

  it('probes for handshake data that a window full of 1-RTT packets holds back', () => {
    const blocked = { hasHandshakeKeys: true, peerCompletedAddressValidation: true, handshake: { ...slice(0), ackElicitingInFlight: 0 } }
    expect(armed(blocked)[0]).toBe(Infinity)
    expect(armed({ ...blocked, handshakeDataPending: true })[0]).toBeLessThan(Infinity)
    expect(armed({ ...blocked, handshakeDataPending: true, handshakeConfirmed: true })[0]).toBe(Infinity)
  })

  it('is not armed for a probe while the server may not send (§6.2.2.1), but is for a loss', () => {
    expect(armed({ initial: slice(0), amplificationBlocked: true })[0]).toBe(Infinity)
    expect(armed({ initial: slice(0, 40), amplificationBlocked: true })[0]).toBe(40)
  })

  it('arms a client with nothing in flight until the server surely validated its address (§6.2.2.1)', () => {
    const waiting = { initial: slice(10, Infinity, 0), peerCompletedAddressValidation: false }
    expect(armed(waiting)).toEqual([10 + PTO, LossTimerKind.antiDeadlock, RecoverySpace.initial])
    expect(armed({ ...waiting, hasHandshakeKeys: true })[2]).toBe(RecoverySpace.handshake)
    expect(armed({ ...waiting, handshakeConfirmed: true })[0]).toBe(Infinity)
    expect(armed({ ...waiting, peerCompletedAddressValidation: true })[0]).toBe(Infinity)
    // 0-RTT data in flight does not unblock the server.
    expect(armed({ ...waiting, application: slice(12) })[1]).toBe(LossTimerKind.antiDeadlock)
    // Initial keys are gone already.
    const pto = new PtoState()
    pto.onSpaceDiscarded(50)
    expect(armed({ ...waiting, initial: null, hasHandshakeKeys: true }, pto)).toEqual([
      50 + PTO,
      LossTimerKind.antiDeadlock,
      RecoverySpace.handshake,
    ])
  })

  it('counts the anti-deadlock timeout from the last event, so that asking again does not postpone it', () => {
    const pto = new PtoState()
    pto.onAck(40, false)
    const waiting = { initial: slice(10, Infinity, 0), peerCompletedAddressValidation: false }
    expect(armed(waiting, pto)[0]).toBe(40 + PTO)
    expect(armed(waiting, pto)[0]).toBe(40 + PTO)
    pto.onTimeout(40 + PTO)
    expect(armed(waiting, pto)[0]).toBe(40 + PTO + 2 * PTO)
  })
})

describe('PtoState: RFC 9002 §6.2.1', () => {
  it('resets the backoff on acknowledgments, but not at a client unsure of its validation', () => {
    const pto = new PtoState()
    pto.onTimeout(1)
    pto.onTimeout(2)
    pto.onAck(3, false)
    expect([pto.count, pto.backoff()]).toEqual([2, 4])
    pto.onAck(4, true)
    expect([pto.count, pto.backoff()]).toEqual([0, 1])
  })

  it('resets when keys are discarded (§6.2.2)', () => {
    const pto = new PtoState()
    pto.onTimeout(1)
    pto.onSpaceDiscarded(2)
    expect(pto.count).toBe(0)
  })
})
