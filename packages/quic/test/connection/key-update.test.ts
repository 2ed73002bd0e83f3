// Key updates (RFC 9001 §6).

import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../src/base/bytes.ts'
import { Attacker } from './attacker.ts'
import { CLIENT, Pair, SERVER, pattern } from './pair.ts'

describe('key update (RFC 9001 §6)', () => {
  for (const who of ['client', 'server', 'both'] as const) {
    for (const loss of [0, 0.1]) {
      it(`started by the ${who} several times during transfers, ${loss * 100} % loss`, () => {
        const attacker = new Attacker('client', { seed: 5 })
        const pair = attacker.pair.establish()
        pair.network.between('client', 'server', { loss, bandwidth: 4_000_000 })
        const id = pair.client.send(pattern(300_000))
        const generations = new Set<number>()
        for (let i = 1; i <= 6; i += 1) {
          pair.network.at(pair.network.now + i * 300, () => {
            if (who !== 'server') pair.client.connection.updateKeys()
            if (who !== 'client') pair.server.connection.updateKeys()
            generations.add(i)
          })
        }
        pair.network.turnAll()
        pair.network.run(() => pair.client.finished.has(id) && generations.size === 6, { time: 120_000 })
        expect(equalBytes(pair.client.bytesOf(id), pattern(300_000))).toBe(true)
        expect(attacker.pair.client.connection.closeReason()).toBeNull()
      })
    }
  }

  it('the packets really are under new keys, and the peer follows', () => {
    const attacker = new Attacker('client')
    const pair = attacker.pair.establish().settle()
    for (let i = 0; i < 3; i += 1) {
      pair.client.connection.updateKeys()
      const id = pair.client.send(pattern(100))
      pair.network.turnAll()
      pair.network.run(() => pair.client.finished.has(id))
      pair.network.runFor(2000)
    }
    // Generation 3 opens what the server sends now, and nothing else does.
    attacker.opened.length = 0
    pair.server.connection.ping()
    pair.network.turnAll()
    pair.network.runFor(100)
    expect(attacker.opened.length).toBeGreaterThan(0)
    for (const packet of attacker.opened) expect(packet.generation).toBe(3)
  })

  it('before the handshake is confirmed it waits (§6.1)', () => {
    const attacker = new Attacker('server')
    attacker.pair.client.connection.updateKeys()
    attacker.pair.establish()
    const early = attacker.opened.filter((packet) => packet.packetType === 5)
    expect(early.length).toBeGreaterThan(0)
    expect(early[0]!.generation).toBe(0)
  })

  it('updates in quick succession are spaced out by three PTOs: the peer never sees two without its own answer (§6.1, §6.5)', () => {
    const attacker = new Attacker('server')
    const pair = attacker.pair.establish().settle()
    for (let i = 0; i < 50; i += 1) {
      pair.client.connection.updateKeys()
      pair.client.connection.ping()
      pair.network.turnAll()
      pair.network.runFor(5)
    }
    const id = pair.client.send(pattern(1000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
    // A quarter of a second: an update a round trip would be more than five.
    const latest = Math.max(...attacker.opened.map((packet) => packet.generation))
    expect(latest).toBeGreaterThan(0)
    expect(latest).toBeLessThanOrEqual(2)
    expect(pair.client.connection.closeReason()).toBeNull()
    expect(pair.server.connection.closeReason()).toBeNull()
  })

  it('forged key phases are dropped and cost nothing (§6.3)', () => {
    const pair = new Pair().establish().settle()
    let flipped = 0
    pair.network.observe(({ bytes, from, to, dropped }) => {
      if (dropped !== null || flipped >= 200) return
      // Header protection hides the bit; flipping it on the wire flips it behind the mask as well.
      const forged = bytes.slice()
      forged[0]! ^= 0x04
      flipped += 1
      pair.network.inject(forged, from === SERVER ? SERVER : CLIENT, to, 1)
    })
    const id = pair.client.send(pattern(50_000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.finished.has(id))
    expect(flipped).toBeGreaterThan(50)
    expect(pair.client.connection.stats().packetsDropped + pair.server.connection.stats().packetsDropped).toBeGreaterThan(50)
  })
})
