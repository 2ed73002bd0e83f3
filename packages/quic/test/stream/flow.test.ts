import { describe, expect, it } from 'vitest'
import { FlowClock, FlowReceiver } from '../../src/stream/flow-receiver.ts'
import { FlowSender } from '../../src/stream/flow-sender.ts'

describe('credit from the peer (RFC 9000 §4.1)', () => {
  it('ignores limits that do not rise', () => {
    const flow = new FlowSender(100)
    flow.spend(40)
    expect(flow.raise(100)).toBe(false)
    expect(flow.raise(50)).toBe(false)
    expect(flow.credit()).toBe(60)
    expect(flow.raise(101)).toBe(true)
    expect(flow.credit()).toBe(61)
  })

  it('asks for one blocked frame per limit', () => {
    const flow = new FlowSender(10)
    expect(flow.becameBlocked()).toBe(false)
    flow.spend(10)
    expect(flow.becameBlocked()).toBe(true)
    expect(flow.becameBlocked()).toBe(false)
    flow.raise(20)
    expect(flow.becameBlocked()).toBe(false)
    flow.spend(10)
    expect(flow.becameBlocked()).toBe(true)
  })
})

describe('credit to the peer (RFC 9000 §4.2)', () => {
  function flow(rtt: number): { flow: FlowReceiver; clock: FlowClock } {
    const clock = new FlowClock()
    clock.rtt = rtt
    clock.now = 1000
    return { flow: new FlowReceiver(1000, 8000, clock), clock }
  }

  it('is due when half of the window is consumed', () => {
    const { flow: f } = flow(1)
    f.receive(1000)
    f.consume(499)
    expect(f.due).toBe(false)
    f.consume(1)
    expect(f.due).toBe(true)
    expect(f.nextLimit()).toBe(1500)
    f.written(1500)
    expect(f.due).toBe(false)
    expect(f.credit()).toBe(500)
  })

  it('doubles a window that is used up within four round trips, up to the cap', () => {
    const { flow: f, clock } = flow(50)
    const windows: number[] = []
    for (let i = 0; i < 8; i++) {
      const bytes = f.credit()
      f.receive(bytes)
      clock.now += 100
      f.consume(bytes)
      f.written(f.nextLimit())
      windows.push(f.window)
    }
    expect(windows).toEqual([2000, 4000, 8000, 8000, 8000, 8000, 8000, 8000])
  })

  it('leaves the window alone when it is used slowly', () => {
    const { flow: f, clock } = flow(10)
    for (let i = 0; i < 8; i++) {
      const bytes = f.credit()
      f.receive(bytes)
      clock.now += 100
      f.consume(bytes)
      f.written(f.nextLimit())
    }
    expect(f.window).toBe(1000)
  })

  it('repeats a lost limit only when nothing larger was said (RFC 9000 §13.3)', () => {
    const { flow: f } = flow(1)
    f.receive(1000)
    f.consume(600)
    const first = f.nextLimit()
    f.written(first)
    f.consume(400)
    const second = f.nextLimit()
    f.written(second)
    f.lost(first)
    expect(f.due).toBe(false)
    f.lost(second)
    expect(f.due).toBe(true)
  })
})
