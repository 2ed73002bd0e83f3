import { describe, expect, it } from 'vitest'
import { minimumWindow } from '../../src/congestion/controller.ts'
import { NewReno } from '../../src/congestion/new-reno.ts'
import { describeController, Flow, MTU } from './conformance.ts'

const create = (mtu: number): NewReno => new NewReno(mtu)

describeController('NewReno', create, { afterRecovery: 'reduced' })

describe('NewReno: RFC 9002 §7.3', () => {
  it('doubles per round trip in slow start', () => {
    const flow = new Flow(create)
    const windows: number[] = []
    for (let i = 0; i < 4; i += 1) {
      flow.round()
      windows.push(flow.controller.window())
    }
    expect(windows).toEqual([24000, 48000, 96000, 192000])
  })

  it('halves on loss and then adds one datagram per window', () => {
    const flow = new Flow(create)
    flow.round()
    flow.round()
    const packets = flow.fill()
    flow.now += 50
    flow.lose(packets.slice(0, 1))
    expect(flow.controller.snapshot()).toMatchObject({ window: 24000, slowStartThreshold: 24000, state: 'recovery' })
    flow.acknowledge(packets.slice(1))
    flow.now += 1
    const windows: number[] = []
    for (let i = 0; i < 4; i += 1) {
      flow.round()
      windows.push(flow.controller.window())
    }
    expect(windows).toEqual([24000 + MTU, 24000 + 2 * MTU, 24000 + 3 * MTU, 24000 + 4 * MTU])
    expect(flow.controller.snapshot().state).toBe('congestion_avoidance')
  })

  it('stops slow start at the threshold within one ACK frame', () => {
    const flow = new Flow(create)
    flow.round()
    const packets = flow.fill()
    flow.now += 500
    flow.lose(packets, 'persistent')
    // ssthresh 12000, window 2400
    flow.now += 1
    for (let i = 0; i < 2; i += 1) flow.round()
    expect(flow.controller.window()).toBe(9600)
    flow.round()
    expect(flow.controller.window()).toBe(12000)
  })

  it('does not go below two datagrams', () => {
    const flow = new Flow(create)
    for (let i = 0; i < 10; i += 1) {
      const packets = flow.fill()
      flow.now += 50
      flow.lose(packets)
    }
    expect(flow.controller.window()).toBe(minimumWindow(MTU))
  })

  it('does not grow by packets acknowledged in the frame that also reports their loss', () => {
    const flow = new Flow(create)
    const packets = flow.fill()
    flow.now += 50
    for (const packet of packets.slice(3)) flow.controller.onAcked(flow.now, packet, flow.rtt, 0)
    flow.lose(packets.slice(0, 1))
    flow.controller.onAckBatchEnd(flow.now, 0, false)
    expect(flow.controller.window()).toBe(6000)
  })

  it('paces at twice the window per round trip in slow start, then at 5/4 (§7.7)', () => {
    const flow = new Flow(create)
    expect(flow.controller.pacingRate(flow.rtt)).toBe((2 * 12000) / 50)
    flow.lose(flow.fill())
    expect(flow.controller.pacingRate(flow.rtt)).toBe((1.25 * 6000) / 50)
  })
})
