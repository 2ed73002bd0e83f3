// Streams through whole connections: both kinds, many, slow readers, reset and stop in every order (RFC 9000 §2–§4).

import { describe, expect, it } from 'vitest'
import { EMPTY, equalBytes } from '../../src/base/bytes.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import { Pair, pattern } from './pair.ts'

function kinds(events: readonly ConnectionEvent[], id: number): string[] {
  return events.flatMap((event) => ('streamId' in event && event.streamId === id ? [event.kind] : []))
}

describe('flow control (RFC 9000 §4.1, §4.2)', () => {
  it('grows with a reader that keeps up: far more than the initial windows goes through', () => {
    const pair = new Pair({
      client: { initialMaxData: 20_000, initialMaxStreamData: 10_000 },
      server: { initialMaxData: 20_000, initialMaxStreamData: 10_000 },
      conditions: { delay: 50, loss: 0.01 },
    }).establish()
    const start = pair.network.now
    const up = pair.client.send(pattern(1_000_000), true, false)
    const down = pair.server.send(pattern(1_000_000, 9), true, false)
    pair.network.turnAll()
    pair.network.run(() => pair.server.finished.has(up) && pair.client.finished.has(down), { time: 120_000 })
    expect(equalBytes(pair.server.bytesOf(up), pattern(1_000_000))).toBe(true)
    expect(equalBytes(pair.client.bytesOf(down), pattern(1_000_000, 9))).toBe(true)
    // With fixed windows of 10 kB it would take a hundred round trips of 100 ms.
    expect(pair.network.now - start).toBeLessThan(8000)
  })

  it('a reader that does not read stops the sender at the window; reading lets it go on', () => {
    const pair = new Pair({ server: { initialMaxStreamData: 50_000 }, serve: () => {} }).establish()
    const { client, server } = pair
    // Nothing is taken from the stream, whatever is told.
    server.take = (event) => void server.events.push(event)
    const id = client.send(pattern(400_000), true, false)
    pair.network.turnAll()
    pair.network.runFor(5000)
    let readable = 0
    for (let bytes = server.connection.streamPeek(id); bytes !== null; bytes = server.connection.streamPeek(id)) {
      readable += bytes.length
      server.connection.streamConsume(id, bytes.length)
      if (readable === 50_000) break
    }
    expect(readable).toBe(50_000)
    pair.network.turnAll()
    pair.network.runFor(3000)
    server.read(id)
    expect(server.bytesOf(id).length).toBeGreaterThan(40_000)
    pair.network.turnAll()
    while (!server.finished.has(id)) {
      pair.network.runFor(200)
      server.read(id)
      pair.network.turnAll()
    }
    expect(server.bytesOf(id).length).toBe(350_000)
  })

  it('a stalled stream does not hold up another one', () => {
    const pair = new Pair({ server: { initialMaxStreamData: 30_000 }, serve: () => {} }).establish()
    const { client, server } = pair
    const take = server.take.bind(server)
    server.take = (event) => (event.kind === 'stream-readable' && event.streamId === 2 ? undefined : take(event))
    const stalled = client.send(pattern(200_000), true, false)
    const flowing = client.send(pattern(200_000, 5), true, false)
    expect([stalled, flowing]).toEqual([2, 6])
    pair.network.turnAll()
    pair.network.run(() => server.finished.has(flowing))
    expect(server.finished.has(stalled)).toBe(false)
  })
})

describe('many streams (RFC 9000 §4.6)', () => {
  for (const bidirectional of [true, false]) {
    it(`2000 ${bidirectional ? 'bidirectional' : 'unidirectional'} ones, replenished through MAX_STREAMS under loss`, () => {
      const limit = { initialMaxStreamsBidi: 20, initialMaxStreamsUni: 20 }
      const pair = new Pair({ client: limit, server: limit }).establish()
      pair.network.between('client', 'server', { loss: 0.02 })
      const { client } = pair
      let opened = 0
      let most = 0
      const openMore = (): void => {
        while (opened < 2000 && client.send(pattern(50, opened), true, bidirectional) >= 0) opened += 1
        most = Math.max(most, opened - client.events.filter((event) => event.kind === 'stream-closed').length)
      }
      openMore()
      expect(opened).toBe(20)
      expect(client.connection.streamsLeft(bidirectional)).toBe(0)
      const take = client.take.bind(client)
      client.take = (event) => {
        take(event)
        if (event.kind === 'streams-available') openMore()
      }
      const server = pair.server
      pair.network.turnAll()
      pair.network.run(() => (bidirectional ? client.finished.size === 2000 : server.finished.size === 2000), { time: 300_000 })
      const ids = Array.from({ length: 2000 }, (_, i) => i * 4 + (bidirectional ? 0 : 2))
      const reader = bidirectional ? client : server
      for (const id of ids) expect(reader.bytesOf(id)).toEqual(pattern(50, (id >> 2) & 0xfff))
    })
  }

  it('with a limit of 0 nothing opens', () => {
    const pair = new Pair({ server: { initialMaxStreamsBidi: 0, initialMaxStreamsUni: 0 } }).establish()
    expect(pair.client.connection.openStream(true)).toBe(-1)
    expect(pair.client.connection.openStream(false)).toBe(-1)
    expect(pair.server.connection.openStream(true)).toBe(1)
  })
})

type Step = 'client-reset' | 'client-stop' | 'client-fin' | 'server-reset' | 'server-stop' | 'server-fin'
const steps: Step[] = ['client-reset', 'client-stop', 'client-fin', 'server-reset', 'server-stop', 'server-fin']

describe('reset and stop (RFC 9000 §3)', () => {
  it('RESET_STREAM reaches the reader with its code, and unread data is gone (§3.2)', () => {
    const pair = new Pair({ serve: () => {} }).establish()
    const id = pair.client.send(pattern(1000), false)
    pair.network.turnAll()
    pair.network.runFor(100)
    pair.client.connection.streamReset(id, 4242n)
    pair.network.turnAll()
    pair.network.runFor(100)
    expect(pair.server.events).toContainEqual({ kind: 'stream-reset', streamId: id, code: 4242 })
    expect(pair.server.connection.streamReceiveState(id)).toBe(2)
    expect(pair.client.connection.streamWrite(id, pattern(1), false)).toBe(-1)
  })

  it('STOP_SENDING makes the peer reset with the same code (§3.5)', () => {
    const pair = new Pair({ serve: () => {} }).establish()
    const id = pair.client.send(pattern(1000), false)
    pair.network.turnAll()
    pair.network.runFor(100)
    pair.server.connection.streamStop(id, 77)
    pair.network.turnAll()
    pair.network.runFor(100)
    expect(pair.client.events).toContainEqual({ kind: 'stream-stopped', streamId: id, code: 77 })
    expect(pair.client.connection.streamStopCode(id)).toBe(77)
    expect(pair.client.connection.streamWrite(id, pattern(1), false)).toBe(-1)
  })

  it('every pair of steps in every order, under loss, ends with the stream closed on both sides', () => {
    let seed = 0
    for (const first of steps) {
      for (const second of steps) {
        for (const between of [0, 30]) {
          seed += 1
          const scenario = `${first}, ${between} ms, ${second}`
          const pair = new Pair({ seed, serve: () => {}, scenario, conditions: { loss: seed % 3 === 0 ? 0.2 : 0 } }).establish()
          const { client, server } = pair
          const id = client.send(pattern(3000), false)
          pair.network.turnAll()
          pair.network.run(() => kinds(server.events, id).includes('stream-opened'))
          const take = (step: Step): void => {
            const peer = step.startsWith('client') ? client : server
            if (step.endsWith('reset')) peer.connection.streamReset(id, 1)
            else if (step.endsWith('stop')) peer.connection.streamStop(id, 2)
            else peer.connection.streamWrite(id, EMPTY, true)
          }
          take(first)
          pair.network.turnAll()
          pair.network.runFor(between)
          take(second)
          // Whatever is still open now is ended cleanly; both halves of both sides must come to an end.
          take('client-fin')
          take('server-fin')
          pair.network.turnAll()
          const closed = (events: readonly ConnectionEvent[]): boolean => kinds(events, id).at(-1) === 'stream-closed'
          pair.network.run(() => closed(client.events) && closed(server.events), { time: 60_000 })
          expect(kinds(client.events, id).filter((kind) => kind === 'stream-closed')).toHaveLength(1)
          expect(client.connection.isEstablished() && server.connection.isEstablished()).toBe(true)
        }
      }
    }
  })

  it('a stopped upload gives its credit back to the connection', () => {
    const pair = new Pair({ server: { initialMaxData: 100_000, initialMaxStreamData: 100_000 }, serve: () => {} }).establish()
    const { client, server } = pair
    const take = server.take.bind(server)
    server.take = (event) => {
      if (event.kind === 'stream-readable' && event.streamId % 8 === 2) server.connection.streamStop(event.streamId, 5)
      else take(event)
    }
    for (let i = 0; i < 10; i += 1) {
      client.send(pattern(90_000), true, false)
      const wanted = client.send(pattern(20_000, i), true, false)
      pair.network.turnAll()
      pair.network.run(() => server.finished.has(wanted))
    }
    expect(server.connection.isEstablished()).toBe(true)
  })
})
