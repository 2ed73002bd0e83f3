// Paths that reorder (RFC 9002 §6.1): what spurious losses teach, per path, and that real losses are found all the same.

import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../src/base/bytes.ts'
import { Pair, pattern } from './pair.ts'
import type { Peer } from './pair.ts'

const LINE = { delay: 20, bandwidth: 20_000_000, queue: 400 }
const CLIENT_SETTINGS = { mtuDiscovery: false }

/** Uploads without end. */
function keepSending(pair: Pair): void {
  const { connection } = pair.client
  const id = connection.openStream(false)
  const chunk = pattern(20_000)
  const refill = (): void => {
    while (connection.streamWrite(id, chunk.slice(), false) === chunk.length);
  }
  refill()
  pair.network.observe(() => refill())
}

function spurious(peer: Peer): number {
  return peer.connection.stats().packetsSpuriouslyLost
}

describe('a path that reorders', () => {
  it.each([
    ['by a few packets', { reorder: 0.02, reorderDelay: 6 }],
    ['by half a round trip', { reorder: 0.02, reorderDelay: 22 }],
  ])('%s: after some spurious losses there are none any more', (_, reordering) => {
    const pair = new Pair({ seed: 5, conditions: { ...LINE, ...reordering }, client: CLIENT_SETTINGS }).establish()
    keepSending(pair)
    pair.network.turnAll()
    pair.network.runFor(2500)
    const learned = spurious(pair.client)
    const sent = pair.client.connection.stats().packetsSent
    expect(learned).toBeGreaterThan(0)
    pair.network.runFor(5000)
    const more = spurious(pair.client) - learned
    expect(pair.client.connection.stats().packetsSent - sent).toBeGreaterThan(2000)
    expect(more).toBeLessThanOrEqual(learned * 0.1)
  })

  it('real losses are found while the thresholds are up, and by acknowledgments, not by probes', () => {
    const pair = new Pair({ seed: 5, conditions: { ...LINE, reorder: 0.02, reorderDelay: 6, loss: 0.01 }, client: CLIENT_SETTINGS }).establish()
    const before = pair.client.connection.stats().ptoCount
    const id = pair.client.send(pattern(1_500_000), true, false)
    pair.network.turnAll()
    pair.network.run(() => pair.server.finished.has(id), { time: 60_000 })
    expect(equalBytes(pair.server.bytesOf(id), pattern(1_500_000))).toBe(true)
    const { packetsLost, packetsSpuriouslyLost, ptoCount } = pair.client.connection.stats()
    expect(packetsLost - packetsSpuriouslyLost).toBeGreaterThan(5)
    expect(ptoCount - before).toBeLessThanOrEqual(2)
  })

  it('that stops reordering gets the thresholds of RFC 9002 back', () => {
    const pair = new Pair({ seed: 5, conditions: { ...LINE, reorder: 0.02, reorderDelay: 6 }, client: CLIENT_SETTINGS }).establish()
    keepSending(pair)
    pair.network.turnAll()
    pair.network.runFor(2000)
    expect(spurious(pair.client)).toBeGreaterThan(0)
    pair.network.between('client', 'server', { reorder: 0 })
    pair.network.runFor(15_000)
    // A packet held back by six others is lost again to a sender that waits for three.
    const before = spurious(pair.client)
    pair.network.between('client', 'server', { reorder: 0.02 })
    pair.network.runFor(500)
    expect(spurious(pair.client)).toBeGreaterThan(before)
  })
})
