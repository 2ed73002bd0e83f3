import { describe, expect, it } from 'vitest'
import { Cubic } from '../../src/congestion/cubic.ts'
import { minimumWindow } from '../../src/congestion/controller.ts'
import { Flow, MTU, describeController } from './conformance.ts'

const create = (mtu: number): Cubic => new Cubic(mtu)

describeController('CUBIC', create, { afterRecovery: 'reduced' })

/** A flow that was reduced from `before` (bytes), with recovery over and nothing in flight. */
function reduced(rounds: number): { flow: Flow; before: number } {
  const flow = new Flow(create)
  for (let i = 0; i < rounds; i += 1) flow.round()
  const before = flow.controller.window()
  const packets = flow.fill()
  flow.now += 50
  flow.lose(packets.slice(0, 1))
  flow.acknowledge(packets.slice(1))
  flow.now += 1
  return { flow, before }
}

describe('CUBIC: RFC 9438', () => {
  it('takes the window down to 0.7 of it (§4.6)', () => {
    const flow = new Flow(create)
    flow.round()
    const packets = flow.fill()
    flow.now += 50
    flow.lose(packets.slice(0, 1))
    expect(flow.controller.snapshot()).toMatchObject({ window: 16_800, slowStartThreshold: 16_800, state: 'recovery' })
  })

  it('is back at W_max after K = cbrt(W_max 0.3 / C) seconds, flat around it, then faster and faster (§4.2, §4.4, §4.5)', () => {
    const { flow, before } = reduced(7)
    const k = Math.cbrt((before * 0.3) / MTU / 0.4) * 1000
    expect(k).toBeGreaterThan(7000)
    const start = flow.now
    const growth: number[] = []
    const windows: number[] = []
    while (flow.now < start + 2 * k) {
      const window = flow.controller.window()
      flow.round()
      growth.push(flow.controller.window() - window)
      windows.push(flow.controller.window())
    }
    const atK = Math.round(k / 50)
    expect(Math.abs(windows[atK]! - before)).toBeLessThan(0.01 * before)
    expect(growth[2]!).toBeGreaterThan(10 * growth[atK]!)
    expect(growth.at(-1)!).toBeGreaterThan(10 * growth[atK]!)
    expect(flow.controller.snapshot().state).toBe('congestion_avoidance')
  })

  it('grows at least as Reno would where the curve is slower (§4.3)', () => {
    const { flow } = reduced(1)
    const start = flow.controller.window()
    for (let i = 0; i < 20; i += 1) flow.round()
    // alpha is 9/17 of a datagram for each round trip until the former window, then a whole one; the curve has 1 second only.
    const grown = (flow.controller.window() - start) / MTU
    expect(grown).toBeGreaterThan(20 * (9 / 17) - 1)
    expect(grown).toBeLessThan(21)
  })

  it('aims lower when it loses before it is back (fast convergence, §4.7)', () => {
    const { flow, before } = reduced(7)
    const second = flow.controller.window()
    const packets = flow.fill()
    flow.now += 50
    flow.lose(packets.slice(0, 1))
    flow.acknowledge(packets.slice(1))
    flow.now += 1
    // W_max is now (1 + 0.7) / 2 of the second window: the curve is level there, not at the first window.
    const level = (second * 1.7) / 2
    const k = Math.cbrt((level - 0.7 * second) / MTU / 0.4) * 1000
    const end = flow.now + k
    while (flow.now < end) flow.round()
    expect(Math.abs(flow.controller.window() - level)).toBeLessThan(0.02 * level)
    expect(flow.controller.window()).toBeLessThan(0.9 * before)
  })

  it('takes a reduction back when all that was lost has arrived (§4.9.2)', () => {
    const { flow, before } = reduced(3)
    const controller = flow.controller
    const packets = flow.fill()
    flow.now += 50
    flow.lose(packets.slice(0, 2))
    const small = controller.window()
    controller.onSpurious(packets[0]!.sentAt, MTU)
    expect(controller.window()).toBe(small)
    controller.onSpurious(packets[1]!.sentAt, MTU)
    expect(controller.snapshot()).toMatchObject({ window: Math.floor(before * 0.7), state: 'congestion_avoidance' })
    controller.onSpurious(packets[1]!.sentAt, MTU)
    expect(controller.window()).toBe(Math.floor(before * 0.7))
  })

  it('goes on with slow start when the loss that ended it was none', () => {
    const flow = new Flow(create)
    flow.round()
    const packets = flow.fill()
    flow.now += 50
    flow.lose(packets.slice(0, 1))
    flow.controller.onSpurious(packets[0]!.sentAt, MTU)
    expect(flow.controller.snapshot()).toMatchObject({ window: 24_000, slowStartThreshold: Infinity, state: 'slow_start' })
  })

  it('does not take back what an ECN-CE mark or persistent congestion caused', () => {
    for (const kind of ['ecn', 'persistent'] as const) {
      const flow = new Flow(create)
      flow.round()
      const packets = flow.fill()
      flow.now += 50
      flow.lose(packets.slice(0, 1))
      flow.controller.onCongestionEvent(flow.now, packets[1]!.sentAt, 0, kind)
      const window = flow.controller.window()
      flow.controller.onSpurious(packets[0]!.sentAt, MTU)
      expect(flow.controller.window()).toBe(window)
    }
  })

  it('does not count the time in which the window was not in use (§5.8)', () => {
    const busy = reduced(6).flow
    const idle = reduced(6).flow
    const limited = reduced(6).flow
    for (const flow of [busy, idle, limited]) for (let i = 0; i < 10; i += 1) flow.round()
    idle.now += 60_000
    for (let i = 0; i < 1200; i += 1) limited.round(MTU, true)
    for (const flow of [busy, idle, limited]) for (let i = 0; i < 3; i += 1) flow.round()
    expect(Math.abs(idle.controller.window() - busy.controller.window())).toBeLessThan(2 * MTU)
    expect(Math.abs(limited.controller.window() - busy.controller.window())).toBeLessThan(2 * MTU)
  })

  it('after persistent congestion starts slowly up to the threshold, then with the curve level at what it finds (§4.8)', () => {
    const flow = new Flow(create)
    for (let i = 0; i < 3; i += 1) flow.round()
    const packets = flow.fill()
    flow.now += 500
    flow.lose(packets, 'persistent')
    const threshold = flow.controller.snapshot().slowStartThreshold
    expect(flow.controller.window()).toBe(minimumWindow(MTU))
    expect(threshold).toBe(67_200)
    flow.now += 1
    for (let i = 0; i < 5; i += 1) flow.round()
    expect(flow.controller.window()).toBeGreaterThanOrEqual(threshold)
    expect(flow.controller.window()).toBeLessThan(threshold + 2 * MTU)
  })

  it('paces at twice the window per round trip in slow start, then at 5/4 (RFC 9002 §7.7)', () => {
    const flow = new Flow(create)
    expect(flow.controller.pacingRate(flow.rtt)).toBe((2 * 12_000) / 50)
    flow.lose(flow.fill())
    expect(flow.controller.pacingRate(flow.rtt)).toBe((1.25 * 8400) / 50)
  })
})
