import { describe, expect, it } from 'vitest'
import { EMPTY, equalBytes } from '../../src/base/bytes.ts'
import { Transmit } from '../../src/connection/send/transmit-buffer.ts'
import { QlogTrace } from '../../src/qlog/index.ts'
import { CLIENT, Pair, SERVER, pattern } from './pair.ts'

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

  it('counts the first probe timeout of a server from the start of the connection (RFC 9002 §6.2.1)', () => {
    const pair = new Pair()
    const { now } = pair.network
    const out = new Transmit(new Uint8Array(65_535))
    expect(pair.client.connection.transmit(out, now)).toBe(true)
    pair.endpoint.receive(out.buffer.slice(0, out.length), pair.network.path(SERVER, CLIENT), now)
    const server = pair.endpoint.pollIncoming()!
    // Its flight is ready and not sent yet: three times the initial RTT of 333 ms from now, not from the clock's zero.
    expect(server.nextTimeout()).toBeCloseTo(now + 999, 0)
    server.onTimeout(now)
    expect(server.stats().ptoCount).toBe(0)
  })

  it('is traced as complete before it is confirmed', () => {
    let log = ''
    const serverTrace = new QlogTrace((text) => void (log += text), { vantagePoint: 'server' })
    new Pair({ serverTrace }).establish()
    const states = Array.from(log.matchAll(/"new":"(handshake_[a-z]+)"/g), ([, state]) => state)
    expect(states).toEqual(['handshake_complete', 'handshake_confirmed'])
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
