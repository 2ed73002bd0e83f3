// Keep-alive (RFC 9000 §10.1.2): a PING after silence, for connections that must not idle out and NATs that forget.

import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../src/base/bytes.ts'
import { CLIENT, Pair, SERVER, pattern } from './pair.ts'

const MOVED = '10.0.0.1:6000'

describe('keepAliveInterval (RFC 9000 §10.1.2)', () => {
  it('keeps a silent connection, with streams open or none; without it both sides idle out', () => {
    for (const side of ['client', 'server', null] as const) {
      const keep = { maxIdleTimeout: 3000, keepAliveInterval: 1000 }
      const none = { maxIdleTimeout: 3000 }
      const pair = new Pair({ client: side === 'client' ? keep : none, server: side === 'server' ? keep : none }).establish()
      pair.network.runFor(60_000)
      expect(pair.client.connection.isEstablished()).toBe(side !== null)
      expect(pair.server.connection.isEstablished()).toBe(side !== null)
    }
  })

  it('costs one packet each way per interval of silence, and none while packets come in', () => {
    const pair = new Pair({ client: { keepAliveInterval: 1000 } }).establish().settle()
    const before = pair.client.connection.stats().packetsSent
    pair.network.runFor(20_000)
    const sent = pair.client.connection.stats().packetsSent - before
    expect(sent).toBeGreaterThanOrEqual(17)
    expect(sent).toBeLessThanOrEqual(20)
  })

  it('is off by default', () => {
    const pair = new Pair().establish().settle()
    const before = pair.client.connection.stats().packetsSent
    pair.network.runFor(20_000)
    expect(pair.client.connection.stats().packetsSent).toBe(before)
  })

  it('asks once per silence; what follows is loss recovery', () => {
    const pair = new Pair({ client: { keepAliveInterval: 1000, maxIdleTimeout: 20_000 } }).establish().settle()
    pair.network.link('server', 'client', { loss: 1 })
    let datagrams = 0
    pair.network.observe(({ from }) => (datagrams += from === CLIENT ? 1 : 0))
    pair.network.run(() => pair.client.connection.isClosed(), { time: 60_000 })
    expect(pair.client.closeReasons()).toMatchObject([{ cause: 'idle-timeout' }])
    // PTOs double: two probes each.
    expect(datagrams).toBeLessThan(25)
  })

  it('a client that only listens is found again when its NAT has rebound', () => {
    const run = (keepAliveInterval: number): boolean => {
      const pair = new Pair({ client: { keepAliveInterval, maxIdleTimeout: 5000 } }).establish().settle()
      // Too little for window updates and for a PING among the acknowledgements, which would make the client ask again.
      const data = pattern(40_000)
      pair.network.link('server', 'client', { bandwidth: 1_000_000 })
      const id = pair.server.send(data, true, false)
      pair.network.turnAll()
      pair.network.runFor(50)
      // The binding is lost; when the client has acknowledged what it has, it has no reason to send.
      pair.network.setFilter((bytes, from, to) => (from === SERVER && to !== MOVED ? null : bytes))
      pair.network.runFor(500)
      pair.network.rebind('client', MOVED)
      pair.network.runFor(20_000)
      return pair.client.finished.has(id) && equalBytes(pair.client.bytesOf(id), data)
    }
    expect(run(0)).toBe(false)
    expect(run(1000)).toBe(true)
  })
})
