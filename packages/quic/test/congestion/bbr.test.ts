import { describe, expect, it } from 'vitest'
import { Bbr } from '../../src/congestion/bbr/index.ts'
import { minimumWindow } from '../../src/congestion/controller.ts'
import { RttEstimator } from '../../src/recovery/rtt.ts'
import { SentPacket } from '../../src/recovery/sent-packet.ts'
import { Flow, MTU, describeController } from './conformance.ts'

const create = (mtu: number): Bbr => new Bbr(mtu)

describeController('BBR', create, { afterRecovery: 'restored' })

const DELAY = 40
/** Bytes per ms: a datagram each 0.5 ms. */
const RATE = 2400
const BDP = RATE * DELAY

/** A line of fixed rate with an endless queue, and a sender that keeps to window and pacing rate. One step is 0.5 ms. */
class Line {
  readonly controller: Bbr = new Bbr(MTU)
  readonly rtt: RttEstimator = new RttEstimator()
  readonly states: string[] = []
  now: number = 0
  inFlight: number = 0
  highest: number = 0
  /** Of the packets that leave the line now, these many are lost first. */
  lossRate: number = 0
  /** The application has this much to send in each step, bytes. */
  supply: number = Infinity
  private readonly queue: SentPacket[] = []
  private readonly under: { packet: SentPacket; at: number }[] = []
  private credit: number = 0
  private loss: number = 0
  private number: number = 0

  run(duration: number): this {
    for (const end = this.now + duration; this.now < end; this.now += 0.5) this.step()
    return this
  }

  visited(): string[] {
    return [...new Set(this.states)]
  }

  private step(): void {
    const { controller, rtt } = this
    while (this.under.length > 0 && this.under[0]!.at <= this.now) this.acknowledge(this.under.shift()!.packet)
    this.credit = Math.min(this.credit + controller.pacingRate(rtt) / 2, 4 * MTU)
    let supply = this.supply
    while (this.credit >= MTU && supply >= MTU && this.inFlight + MTU <= controller.window()) {
      this.send()
      this.credit -= MTU
      supply -= MTU
    }
    if (supply < MTU && this.inFlight + MTU <= controller.window()) controller.onAppLimited(this.inFlight)
    const leaves = this.queue.shift()
    if (leaves !== undefined) {
      this.loss += this.lossRate
      if (this.loss >= 1) {
        this.loss -= 1
        this.inFlight -= MTU
        controller.onLost(this.now, leaves, this.inFlight)
        controller.onCongestionEvent(this.now, leaves.sentAt, MTU, 'loss')
      } else this.under.push({ packet: leaves, at: this.now + DELAY })
    }
    this.states.push(controller.snapshot().state)
    this.highest = Math.max(this.highest, this.inFlight)
  }

  private send(): void {
    const packet = new SentPacket()
    packet.packetNumber = this.number++
    packet.sentAt = this.now
    packet.size = MTU
    packet.ackEliciting = true
    packet.inFlight = true
    this.inFlight += MTU
    this.controller.onSent(this.now, packet, this.inFlight)
    this.queue.push(packet)
  }

  private acknowledge(packet: SentPacket): void {
    this.rtt.update(this.now - packet.sentAt, 0, this.now)
    this.inFlight -= MTU
    this.controller.onAcked(this.now, packet, this.rtt, this.inFlight)
    this.controller.onAckBatchEnd(this.now, this.inFlight, this.supply < MTU)
  }
}

describe('BBR: draft-ietf-ccwg-bbr', () => {
  it('finds the rate in Startup, drains, and cycles through ProbeBW', () => {
    const line = new Line().run(4500)
    expect(line.visited().slice(0, 2)).toEqual(['slow_start', 'drain'])
    expect(line.visited().toSorted()).toEqual(['drain', 'probe_bw_cruise', 'probe_bw_down', 'probe_bw_refill', 'probe_bw_up', 'slow_start'])
    expect(line.controller.pacingRate(line.rtt)).toBeGreaterThan(0.85 * RATE)
    expect(line.controller.pacingRate(line.rtt)).toBeLessThan(1.3 * RATE)
  })

  it('keeps the queue short while it cruises, though nothing is ever lost', () => {
    const line = new Line().run(1000)
    line.highest = 0
    line.run(1000)
    expect(line.controller.snapshot().state).toBe('probe_bw_cruise')
    expect(line.highest).toBeLessThan(1.1 * BDP)
    expect(line.highest).toBeGreaterThan(0.9 * BDP)
  })

  it('bounds what it has in flight by twice the bandwidth-delay product and the aggregation', () => {
    const line = new Line().run(3000)
    expect(line.highest).toBeLessThan(3 * BDP)
    expect(line.controller.window()).toBeLessThan(2.5 * BDP)
  })

  it('visits ProbeRTT when five seconds brought no lower round trip, with half of the product in flight', () => {
    const line = new Line().run(4900)
    expect(line.visited()).not.toContain('probe_rtt')
    let least = Infinity
    for (let i = 0; i < 2000; i += 1) {
      line.run(0.5)
      if (line.states.at(-1) === 'probe_rtt') least = Math.min(least, line.inFlight)
    }
    expect(least).toBeGreaterThan(0.4 * BDP)
    expect(least).toBeLessThan(0.6 * BDP)
    expect(line.states.at(-1)).not.toBe('probe_rtt')
    const there = line.states.filter((state) => state === 'probe_rtt').length / 2
    expect(there).toBeGreaterThanOrEqual(200)
    expect(there).toBeLessThan(400)
  })

  it('does not take a slow application for a slow path', () => {
    const line = new Line().run(1000)
    const rate = line.controller.pacingRate(line.rtt)
    line.supply = 0
    line.run(100)
    for (let i = 0; i < 400; i += 1) {
      line.supply = i % 10 === 0 ? MTU : 0
      line.run(0.5)
    }
    expect(line.controller.pacingRate(line.rtt)).toBeGreaterThan(0.85 * rate)
  })

  it('does not yield to tolerable losses, and lowers its bounds at more', () => {
    const tolerable = new Line().run(1000)
    tolerable.lossRate = 0.01
    tolerable.run(1000)
    expect(tolerable.controller.pacingRate(tolerable.rtt)).toBeGreaterThan(0.9 * RATE)
    const heavy = new Line().run(1000)
    heavy.lossRate = 0.2
    heavy.run(1000)
    expect(heavy.controller.pacingRate(heavy.rtt)).toBeLessThan(0.5 * RATE)
    expect(heavy.controller.window()).toBeLessThan(BDP)
  })

  it('leaves Startup when a round loses too much in many places', () => {
    const lossless = new Line().run(600)
    const line = new Line()
    line.lossRate = 0.1
    line.run(300)
    line.lossRate = 0
    line.run(300)
    expect(line.states.at(-1)).not.toBe('slow_start')
    expect(line.highest).toBeLessThan(0.8 * lossless.highest)
  })

  it('leaves Startup at an ECN-CE mark, and has a smaller window', () => {
    const flow = new Flow(create)
    flow.round()
    const before = flow.controller.window()
    const packets = flow.fill()
    flow.now += 50
    flow.controller.onCongestionEvent(flow.now, packets[0]!.sentAt, 0, 'ecn')
    expect(flow.controller.window()).toBe(Math.floor(0.7 * before))
    flow.acknowledge(packets)
    flow.now += 1
    flow.round()
    expect(flow.controller.snapshot().state).not.toBe('slow_start')
  })

  it('goes back to what it was when the losses were none', () => {
    const flow = new Flow(create)
    for (let i = 0; i < 3; i += 1) flow.round()
    const before = flow.controller.window()
    const packets = flow.fill()
    flow.now += 50
    flow.lose(packets.slice(0, 2))
    flow.controller.onSpurious(packets[0]!.sentAt, MTU)
    expect(flow.controller.window()).toBeLessThan(before)
    flow.controller.onSpurious(packets[1]!.sentAt, MTU)
    expect(flow.controller.snapshot()).toMatchObject({ window: before, state: 'slow_start' })
  })

  it('grows back quickly from persistent congestion: the rate is remembered', () => {
    const line = new Line().run(1000)
    const rate = line.controller.pacingRate(line.rtt)
    line.controller.onCongestionEvent(line.now, line.now, MTU, 'persistent')
    expect(line.controller.window()).toBe(minimumWindow(MTU))
    line.run(500)
    expect(line.controller.window()).toBeGreaterThan(BDP)
    expect(line.controller.pacingRate(line.rtt)).toBeGreaterThan(0.85 * rate)
  })
})
