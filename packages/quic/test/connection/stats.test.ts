// The counters against what an observer of the network, and the applications, know.

import { describe, expect, it } from 'vitest'
import { Pair, pattern } from './pair.ts'

describe('stats()', () => {
  it('counts what the network saw and the applications moved', () => {
    const pair = new Pair({ conditions: { delay: 10, bandwidth: 10_000_000, queue: 1000 } })
    const seen = { client: { datagrams: 0, bytes: 0 }, server: { datagrams: 0, bytes: 0 } }
    pair.network.observe(({ from, bytes }) => {
      const side = from.startsWith('10.0.0.1') ? seen.client : seen.server
      side.datagrams += 1
      side.bytes += bytes.length
    })
    pair.establish().settle()
    const id = pair.client.send(pattern(200_000))
    expect(pair.client.connection.datagramSend(pattern(10))).toBe(true)
    pair.network.run(() => pair.client.finished.has(id) && pair.server.finished.has(id))
    pair.settle()
    for (const side of ['client', 'server'] as const) {
      const stats = pair[side].connection.stats()
      expect(stats).toMatchObject({
        datagramsSent: seen[side].datagrams,
        bytesSent: seen[side].bytes,
        streamBytesWritten: 200_000,
        streamBytesSent: 200_000,
        streamBytesReceived: 200_000,
        streamBytesRead: 200_000,
        streamBytesRetransmitted: 0,
        packetsRetransmitted: 0,
        streamsOpen: 0,
        eventsWaiting: 0,
      })
      expect(stats.packetsSent).toBeGreaterThanOrEqual(stats.datagramsSent)
      const path = pair[side].connection.pathStats()
      expect(path.minimumRtt).toBeGreaterThanOrEqual(20)
      expect(path.maximumRtt).toBeGreaterThanOrEqual(path.minimumRtt)
      expect(path.maximumRtt).toBeGreaterThanOrEqual(path.latestRtt)
      expect([path.bytesSent, path.bytesReceived]).toEqual([stats.bytesSent, stats.bytesReceived])
      // The line carries 1250 bytes per ms, headers included.
      expect(path.maximumDeliveryRate).toBeGreaterThan(600)
      expect(path.maximumDeliveryRate).toBeLessThan(1400)
      expect(path.bytesInFlight).toBe(0)
      // Some 160 ms of line time each.
      expect(path.bytesInFlightDuration).toBeGreaterThan(160)
      expect(path.bytesInFlightDuration).toBeLessThan(pair.network.now - 1000)
      expect(path.congestionState).toMatch(/^(slow_start|congestion_avoidance|recovery)$/)
    }
    expect(pair.client.connection.stats()).toMatchObject({ datagramFramesSent: 1, datagramFramesReceived: 0 })
    expect(pair.server.connection.stats()).toMatchObject({ datagramFramesSent: 0, datagramFramesReceived: 1 })
  })

  it('counts losses, retransmissions and duplicates', () => {
    const pair = new Pair({ seed: 4, conditions: { loss: 0.1, duplicate: 0.1 } }).establish()
    const id = pair.client.send(pattern(300_000))
    pair.network.run(() => pair.client.finished.has(id) && pair.server.finished.has(id))
    pair.settle()
    for (const { connection } of [pair.client, pair.server]) {
      const stats = connection.stats()
      expect(stats.packetsLost).toBeGreaterThan(5)
      expect(stats.bytesLost).toBeGreaterThan(stats.packetsLost * 20)
      expect(stats.packetsRetransmitted).toBeGreaterThan(5)
      expect(stats.streamBytesRetransmitted).toBeGreaterThan(5000)
      expect(stats.packetsDuplicate).toBeGreaterThan(5)
      expect(stats.packetsDropped).toBeGreaterThanOrEqual(stats.packetsDuplicate)
      expect(stats.streamBytesReceived).toBe(300_000)
    }
  })

  it('a datagram nobody reads, and one too many to send, are dropped ones', () => {
    const pair = new Pair({ client: { dropOldestDatagrams: true } }).establish().settle()
    for (let i = 0; i < 513; i += 1) pair.client.connection.datagramSend(pattern(1))
    expect(pair.client.connection.stats().datagramFramesDropped).toBe(1)
    pair.network.turnAll()
    pair.network.runFor(100)
    for (let i = 0; i < 10; i += 1) pair.client.connection.datagramSend(pattern(1))
    pair.network.turnAll()
    pair.network.runFor(100)
    expect(pair.server.connection.stats()).toMatchObject({ datagramFramesReceived: 522, datagramFramesDropped: 10 })
  })
})
