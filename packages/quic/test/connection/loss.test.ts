// Loss of application data: bursts, holes, probes (RFC 9002 §6, §7).

import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../src/base/bytes.ts'
import { blackhole, burstLoss } from '../../src/testing/loss-model.ts'
import { scenarios } from '../../src/testing/scenarios.ts'
import type { ScenarioName } from '../../src/testing/scenarios.ts'
import { CLIENT, Pair, pattern } from './pair.ts'

describe('transfers', () => {
  const names: ScenarioName[] = ['interop', 'longRoundTrip', 'lossy', 'terrible', 'bursty', 'mobile', 'corrupting', 'interrupted']
  for (const name of names) {
    it(`arrive whole: ${name}`, () => {
      const patient = { handshakeTimeout: 0 }
      const pair = new Pair({ seed: 11, scenario: name, conditions: scenarios[name], client: patient, server: patient })
      pair.network.run(() => pair.client.connection.isConfirmed(), { time: 120_000 })
      const size = name === 'terrible' ? 60_000 : 300_000
      const up = pair.client.send(pattern(size))
      pair.network.turnAll()
      pair.network.run(() => pair.client.finished.has(up), { time: 600_000 })
      expect(equalBytes(pair.client.bytesOf(up), pattern(size))).toBe(true)
    })
  }

  for (let seed = 1; seed <= 6; seed += 1) {
    it(`survive bursts (seed ${seed})`, () => {
      const pair = new Pair({ seed }).establish()
      pair.network.between('client', 'server', { loss: burstLoss(0.01, 0.2) })
      const id = pair.client.send(pattern(150_000, seed))
      pair.network.turnAll()
      pair.network.run(() => pair.client.finished.has(id), { time: 120_000 })
      expect(equalBytes(pair.client.bytesOf(id), pattern(150_000, seed))).toBe(true)
    })
  }

  it('use the path they have: 10 Mbit/s for 2 MB take little more than the line needs', () => {
    const pair = new Pair({ conditions: { delay: 15, bandwidth: 10_000_000, queue: 60 } }).establish()
    const start = pair.network.now
    const id = pair.client.send(pattern(2_000_000), true, false)
    pair.network.turnAll()
    pair.network.run(() => pair.server.finished.has(id))
    expect(pair.network.now - start).toBeLessThan(1.6 * ((2_000_000 * 8) / 10_000))
  })
})

describe('probe timeout (RFC 9002 §6.2)', () => {
  it('backs off exponentially while nothing comes back, and starts afresh with the first acknowledgement', () => {
    const pair = new Pair({ client: { maxIdleTimeout: 0 }, server: { maxIdleTimeout: 0 } }).establish().settle()
    pair.network.between('client', 'server', { loss: 1 })
    const times: number[] = []
    pair.network.observe(({ time, from }) => {
      if (from === CLIENT && times.at(-1) !== time) times.push(time)
    })
    const id = pair.client.send(pattern(100))
    pair.network.turnAll()
    pair.network.runFor(60_000)
    const gaps = times.slice(1).map((time, i) => time - times[i]!)
    expect(gaps.length).toBeGreaterThan(5)
    expect(gaps.length).toBeLessThan(14)
    for (let i = 1; i < gaps.length; i += 1) expect(gaps[i]! / gaps[i - 1]!).toBeCloseTo(2, 1)
    pair.network.between('client', 'server', { loss: 0 })
    pair.network.run(() => pair.client.finished.has(id), { time: 120_000 })
    const next = pair.client.send(pattern(100))
    const start = pair.network.now
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(next))
    expect(pair.network.now - start).toBeLessThan(100)
  })

  it('a lost tail is sent again by a probe, without waiting for more', () => {
    const pair = new Pair({ client: { mtuDiscovery: false } }).establish().settle()
    let first = true
    pair.network.setFilter((bytes, from) => {
      if (from !== CLIENT || !first) return bytes
      first = false
      return null
    })
    const start = pair.network.now
    const id = pair.client.send(pattern(10))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
    expect(pair.network.now - start).toBeLessThan(250)
    expect(pair.client.connection.stats().ptoCount).toBe(1)
  })

  it('nothing in flight, nothing to wait for: an idle connection sends nothing', () => {
    const pair = new Pair().establish().settle()
    let sent = 0
    pair.network.observe(() => (sent += 1))
    pair.network.runFor(20_000)
    expect(sent).toBe(0)
    expect(pair.client.connection.pathStats().bytesInFlight).toBe(0)
    expect(pair.server.connection.pathStats().bytesInFlight).toBe(0)
  })

  it('a hole of two seconds shrinks the window to its minimum, and it recovers (RFC 9002 §7.6)', () => {
    const pair = new Pair({ conditions: { delay: 20, bandwidth: 20_000_000, queue: 200 } }).establish()
    const now = pair.network.now
    pair.network.between('client', 'server', { loss: blackhole(now + 300, now + 2300) })
    const id = pair.client.send(pattern(1_500_000), true, false)
    pair.network.turnAll()
    pair.network.run(() => pair.server.finished.has(id), { time: 30_000 })
    expect(pair.server.bytesOf(id).length).toBe(1_500_000)
    pair.network.runFor(2000)
    expect(pair.client.connection.pathStats().bytesInFlight).toBe(0)
  })
})
