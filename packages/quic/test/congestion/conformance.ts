/** What every CongestionController must do, whatever its algorithm. Run over each implementation. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CongestionController, CongestionControllerFactory } from '../../src/congestion/controller.ts'
import { initialWindow, minimumWindow } from '../../src/congestion/controller.ts'
import { RttEstimator } from '../../src/recovery/rtt.ts'
import { SentPacket } from '../../src/recovery/sent-packet.ts'

export const MTU = 1200
const RTT = 50

/** A path with one controller: sends full datagrams, acknowledges them a round trip later. */
export class Flow {
  readonly controller: CongestionController
  readonly rtt: RttEstimator = new RttEstimator()
  now: number = 1000
  inFlight: number = 0

  constructor(create: CongestionControllerFactory, mtu: number = MTU) {
    this.controller = create(mtu)
    this.rtt.update(RTT, 0, 0)
  }

  /** Fills the window (or sends `bytes`), waits a round trip, acknowledges all of it in ACK frames of two packets. */
  round(bytes: number = Infinity, appLimited: boolean = false): void {
    const packets = this.fill(bytes, appLimited)
    this.now += RTT
    this.acknowledge(packets, appLimited)
  }

  fill(bytes: number = Infinity, appLimited: boolean = false, size: number = MTU): SentPacket[] {
    const packets: SentPacket[] = []
    let left = bytes
    while (left >= size && this.inFlight + size <= this.controller.window()) {
      const packet = new SentPacket()
      packet.packetNumber = packets.length
      packet.sentAt = this.now
      packet.size = size
      packet.ackEliciting = true
      packet.inFlight = true
      packet.appLimited = appLimited
      this.inFlight += size
      left -= size
      this.controller.onSent(this.now, packet, this.inFlight)
      packets.push(packet)
    }
    return packets
  }

  acknowledge(packets: readonly SentPacket[], appLimited: boolean = false): void {
    for (let i = 0; i < packets.length; i += 2) {
      for (const packet of packets.slice(i, i + 2)) {
        this.inFlight -= packet.size
        this.controller.onAcked(this.now, packet, this.rtt, this.inFlight)
      }
      if (appLimited) this.controller.onAppLimited(this.inFlight)
      this.controller.onAckBatchEnd(this.now, this.inFlight, appLimited)
    }
  }

  lose(packets: readonly SentPacket[], kind: 'loss' | 'persistent' = 'loss'): void {
    let bytes = 0
    for (const packet of packets) {
      bytes += packet.size
      this.inFlight -= packet.size
      this.controller.onLost(this.now, packet, this.inFlight)
    }
    this.controller.onCongestionEvent(this.now, packets.at(-1)!.sentAt, bytes, kind)
  }
}

export interface ControllerTraits {
  /** After the round trip of a loss: the smaller window stays, or the one before it comes back, the path's model being what it was. */
  readonly afterRecovery: 'reduced' | 'restored'
}

export function describeController(name: string, create: CongestionControllerFactory, traits: ControllerTraits): void {
  describe(`CongestionController conformance: ${name}`, () => {
    it('starts with the initial window (RFC 9002 §7.2)', () => {
      expect(create(1200).window()).toBe(12000)
      expect(create(1472).window()).toBe(14720)
      expect(create(1500).window()).toBe(14720)
      expect(create(9000).window()).toBe(18000)
      expect(create(1200).snapshot()).toMatchObject({ state: 'slow_start', window: 12000, minimumWindow: 2400 })
    })

    it('grows while the window is used, and faster than linearly before the first loss (§7.3.1)', () => {
      const flow = new Flow(create)
      for (let i = 0; i < 4; i += 1) flow.round()
      expect(flow.controller.window()).toBeGreaterThan(6 * initialWindow(MTU))
    })

    it('does not grow while the application is the limit (§7.8)', () => {
      const flow = new Flow(create)
      for (let i = 0; i < 20; i += 1) flow.round(2 * MTU, true)
      expect(flow.controller.window()).toBe(initialWindow(MTU))
      flow.round()
      const window = flow.controller.window()
      flow.lose(flow.fill(MTU))
      flow.now += RTT
      flow.round()
      const reduced = flow.controller.window()
      expect(reduced < window).toBe(traits.afterRecovery === 'reduced')
      for (let i = 0; i < 20; i += 1) flow.round(MTU, true)
      expect(flow.controller.window()).toBe(reduced)
    })

    it('reduces on loss and on ECN-CE alike (§7.1)', () => {
      for (const kind of ['loss', 'ecn'] as const) {
        const flow = new Flow(create)
        flow.round()
        const before = flow.controller.window()
        const packets = flow.fill()
        flow.now += RTT
        if (kind === 'loss') flow.lose(packets.slice(-1))
        else flow.controller.onCongestionEvent(flow.now, packets.at(-1)!.sentAt, 0, kind)
        const after = flow.controller.window()
        expect(after).toBeLessThan(before)
        expect(after).toBeGreaterThanOrEqual(minimumWindow(MTU))
        expect(flow.controller.snapshot().state).toBe('recovery')
        expect(flow.controller.snapshot().recoveryStartedAt).toBe(flow.now)
      }
    })

    it('reduces once per round trip (§7.3.2)', () => {
      const flow = new Flow(create)
      flow.round()
      const packets = flow.fill()
      flow.now += RTT
      flow.lose(packets.slice(0, 1))
      const window = flow.controller.window()
      flow.now += 1
      flow.lose(packets.slice(1, 3))
      flow.controller.onCongestionEvent(flow.now, packets[3]!.sentAt, 0, 'ecn')
      expect(flow.controller.window()).toBe(window)
      flow.acknowledge(packets.slice(3))
      expect(flow.controller.window()).toBe(window)
      expect(flow.controller.snapshot().state).toBe('recovery')
      flow.now += 1
      const later = flow.fill()
      flow.now += RTT
      flow.acknowledge(later.slice(0, 1))
      expect(flow.controller.snapshot().state).not.toBe('recovery')
      const again = flow.controller.window()
      flow.lose(later.slice(1, 2))
      expect(flow.controller.window()).toBeLessThan(again)
    })

    it('falls to the minimum window on persistent congestion, and grows again (§7.6.2)', () => {
      const flow = new Flow(create)
      for (let i = 0; i < 3; i += 1) flow.round()
      const packets = flow.fill()
      flow.now += 10 * RTT
      flow.lose(packets, 'persistent')
      expect(flow.controller.window()).toBe(minimumWindow(MTU))
      expect(flow.controller.snapshot().state).not.toBe('recovery')
      flow.now += 1
      flow.round()
      expect(flow.controller.window()).toBeGreaterThan(minimumWindow(MTU))
      // Reported after a plain loss of the same packets it has the same effect.
      const other = new Flow(create)
      const lost = other.fill()
      other.lose(lost)
      other.controller.onCongestionEvent(other.now, lost.at(-1)!.sentAt, 0, 'persistent')
      expect(other.controller.window()).toBe(minimumWindow(MTU))
    })

    it('survives a spurious loss without exceeding what it had', () => {
      const flow = new Flow(create)
      flow.round()
      const before = flow.controller.window()
      const packets = flow.fill()
      flow.now += RTT
      flow.lose(packets.slice(0, 1))
      flow.controller.onSpurious(packets[0]!.sentAt, MTU)
      expect(flow.controller.window()).toBeLessThanOrEqual(before)
      expect(flow.controller.window()).toBeGreaterThanOrEqual(minimumWindow(MTU))
    })

    it('follows the datagram size (§7.2)', () => {
      const controller = create(1200)
      controller.onMtu(1452)
      expect(controller.window()).toBe(initialWindow(1452))
      const flow = new Flow(create)
      const packets = flow.fill()
      flow.now += RTT
      flow.lose(packets, 'persistent')
      flow.controller.onMtu(9000)
      expect(flow.controller.window()).toBeGreaterThanOrEqual(minimumWindow(9000))
    })

    it('paces at least one window per round trip (§7.7)', () => {
      const flow = new Flow(create)
      for (let i = 0; i < 3; i += 1) {
        expect(flow.controller.pacingRate(flow.rtt) * RTT).toBeGreaterThanOrEqual(flow.controller.window())
        flow.round()
      }
      const still = new RttEstimator()
      still.update(0, 0, 0)
      expect(flow.controller.pacingRate(still)).toBeGreaterThan(0)
    })

    it('is as new after reset', () => {
      const flow = new Flow(create)
      flow.round()
      flow.lose(flow.fill())
      flow.controller.reset(1300)
      expect(flow.controller.snapshot()).toEqual(create(1300).snapshot())
      flow.inFlight = 0
      const fresh = new Flow(create, 1300)
      for (const each of [flow, fresh]) for (let i = 0; i < 3; i += 1) each.round()
      expect(flow.controller.window()).toBe(fresh.controller.window())
    })

    it('keeps an integer window within bounds on any history', () => {
      const step = fc.oneof(
        fc.record({ op: fc.constant('round' as const), bytes: fc.integer({ min: 1200, max: 200_000 }), appLimited: fc.boolean() }),
        fc.record({ op: fc.constant('lose' as const), kind: fc.constantFrom('loss' as const, 'persistent' as const) }),
        fc.record({ op: fc.constant('ecn' as const) }),
        fc.record({ op: fc.constant('mtu' as const), mtu: fc.integer({ min: 1200, max: 9000 }) }),
        fc.record({ op: fc.constant('spurious' as const) }),
      )
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const flow = new Flow(create)
          let mtu = MTU
          let sentBytes = initialWindow(9000)
          for (const step of steps) {
            if (step.op === 'round') {
              flow.round(step.bytes, step.appLimited)
              sentBytes += step.bytes
            } else if (step.op === 'lose') {
              const packets = flow.fill(50_000)
              flow.now += RTT
              if (packets.length > 0) flow.lose(packets, step.kind)
            } else if (step.op === 'ecn') {
              flow.controller.onCongestionEvent(flow.now, flow.now - RTT, 0, 'ecn')
            } else if (step.op === 'mtu') {
              mtu = step.mtu
              flow.controller.onMtu(mtu)
            } else {
              flow.controller.onSpurious(flow.now - RTT, MTU)
            }
            const window = flow.controller.window()
            expect(Number.isSafeInteger(window)).toBe(true)
            expect(window).toBeGreaterThanOrEqual(minimumWindow(mtu))
            expect(window).toBeLessThanOrEqual(sentBytes)
            expect(flow.controller.pacingRate(flow.rtt)).toBeGreaterThan(0)
            expect(flow.controller.snapshot().window).toBe(window)
          }
        }),
      )
    })
  })
}
