import { describe, expect, it } from 'vitest'
import { RateSampler } from '../../src/congestion/rate-sampler.ts'
import { SentPacket } from '../../src/recovery/sent-packet.ts'

const SIZE = 1200

class Path {
  readonly sampler: RateSampler = new RateSampler()
  inFlight: number = 0

  send(now: number): SentPacket {
    const packet = new SentPacket()
    packet.sentAt = now
    packet.size = SIZE
    this.inFlight += SIZE
    this.sampler.onSent(now, packet, this.inFlight)
    return packet
  }

  /** One ACK frame. */
  ack(now: number, packets: readonly SentPacket[], leastRtt: number = 1): number {
    this.sampler.clear()
    for (const packet of packets) {
      this.inFlight -= SIZE
      this.sampler.onAcked(now, packet)
    }
    this.sampler.finish(leastRtt)
    return this.sampler.rate
  }

  lose(packet: SentPacket): void {
    this.inFlight -= SIZE
    this.sampler.onLost(packet)
  }
}

describe('RateSampler: draft-ietf-ccwg-bbr', () => {
  it('measures the rate of a steady path', () => {
    const path = new Path()
    const sent: SentPacket[] = []
    let rate = 0
    for (let now = 0; now < 200; now += 1) {
      sent.push(path.send(now))
      if (now >= 40) rate = path.ack(now, [sent[now - 40]!])
    }
    expect(rate).toBeCloseTo(SIZE, 6)
    expect(path.sampler.rtt).toBe(40)
    expect(path.sampler.inFlightAtSend).toBe(41 * SIZE)
  })

  it('is not deceived by acknowledgments that come in one lump: sending took longer', () => {
    const path = new Path()
    const sent = Array.from({ length: 40 }, (_, i) => path.send(i * 2))
    path.ack(100, sent.slice(0, 1))
    const rate = path.ack(101, sent.slice(1))
    expect(rate).toBeLessThanOrEqual(SIZE / 2)
    expect(rate).toBeGreaterThan(0.7 * (SIZE / 2))
  })

  it('gives no rate for less than a round trip, nor for a packet older than the last sample', () => {
    const path = new Path()
    const [late, first, second] = [path.send(0), path.send(1), path.send(2)]
    expect(path.ack(50, [first!, second!], 50)).toBeGreaterThan(0)
    expect(path.ack(51, [late!], 50)).toBe(0)
    expect(path.sampler.rtt).toBe(-1)
    const third = path.send(60)
    expect(path.ack(70, [third], 50)).toBe(0)
    expect(path.sampler.delivered).toBe(4 * SIZE)
  })

  it('leaves silence out', () => {
    const path = new Path()
    path.ack(40, [path.send(0)])
    const sent = [path.send(10_000), path.send(10_001)]
    expect(path.ack(10_041, sent)).toBeCloseTo((2 * SIZE) / 41, 6)
  })

  it('marks what is sent while the application has too little, until that is delivered', () => {
    const path = new Path()
    const first = path.send(0)
    path.sampler.onAppLimited(path.inFlight)
    const second = path.send(10)
    path.ack(40, [first])
    expect(path.sampler.appLimited).toBe(false)
    const third = path.send(45)
    path.ack(50, [second])
    expect(path.sampler.appLimited).toBe(true)
    const fourth = path.send(55)
    path.ack(85, [third])
    expect(path.sampler.appLimited).toBe(true)
    path.ack(95, [fourth])
    expect(path.sampler.appLimited).toBe(false)
  })

  it('tells what was lost between sending and acknowledgment', () => {
    const path = new Path()
    const [before, lost, after] = [path.send(0), path.send(1), path.send(2)]
    path.lose(before!)
    const later = path.send(30)
    path.lose(lost!)
    path.ack(45, [after!])
    expect(path.sampler.lostSince).toBe(2 * SIZE)
    path.ack(70, [later])
    expect(path.sampler.lostSince).toBe(SIZE)
  })
})
