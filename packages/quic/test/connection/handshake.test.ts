import { describe, expect, it } from 'vitest'
import { EMPTY, equalBytes } from '../../src/base/bytes.ts'
import { Pair, pattern } from './pair.ts'

describe('handshake (RFC 9000 §7, RFC 9001 §4)', () => {
  it('completes and is confirmed on both sides', () => {
    const pair = new Pair().establish()
    expect(pair.client.connection.handshakeInfo()?.alpn).toBe('test')
    expect(pair.server.connection.handshakeInfo()?.serverName).toBe('test.example')
    expect(pair.client.events.map((event) => event.kind)).toContain('established')
    expect(pair.server.events.map((event) => event.kind)).toContain('confirmed')
  })

  it('carries an echo with the first data after the handshake', () => {
    const pair = new Pair().establish()
    const data = pattern(100_000)
    const id = pair.client.send(data)
    expect(id).toBe(0)
    pair.network.run(() => pair.client.finished.has(id))
    expect(equalBytes(pair.client.bytesOf(id), data)).toBe(true)
  })

  it('gives streams of both kinds from both sides', () => {
    const pair = new Pair().establish()
    const uni = pair.client.send(pattern(5000), true, false)
    const back = pair.server.send(pattern(3000, 1), true, false)
    const bidi = pair.server.send(EMPTY, true)
    expect([uni, back, bidi]).toEqual([2, 3, 1])
    pair.network.turnAll()
    pair.network.run(() => pair.server.finished.has(2) && pair.client.finished.has(3) && pair.client.finished.has(1))
    expect(equalBytes(pair.server.bytesOf(2), pattern(5000))).toBe(true)
    expect(equalBytes(pair.client.bytesOf(3), pattern(3000, 1))).toBe(true)
  })

  for (let seed = 1; seed <= 40; seed += 1) {
    it(`survives 20 % loss, reordering and duplication in every phase (seed ${seed})`, () => {
      const pair = new Pair({ seed, conditions: { loss: 0.2, reorder: 0.1, duplicate: 0.1 } as never })
      pair.network.run(() => pair.client.connection.isConfirmed() && pair.servers[0]?.connection.isConfirmed() === true, { time: 60_000 })
      const id = pair.client.send(pattern(20_000))
      pair.network.run(() => pair.client.finished.has(id), { time: 120_000 })
      expect(equalBytes(pair.client.bytesOf(id), pattern(20_000))).toBe(true)
    })
  }
})
