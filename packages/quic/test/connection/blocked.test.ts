// What a sender says when flow control holds it back (RFC 9000 §4.1, §19.12–19.14): once per limit, again when that is lost and still
// true, and now and then as long as it lasts.

import { describe, expect, it } from 'vitest'
import { FrameType } from '../../src/wire/constants.ts'
import { Attacker } from './attacker.ts'
import { Pair, pattern } from './pair.ts'
import type { PairOptions } from './pair.ts'

/** A server whose application reads nothing until told to. */
function stalled(server: NonNullable<PairOptions['server']>): { pair: Pair; resume: (id: number) => void } {
  const pair = new Pair({ client: { maxIdleTimeout: 2000 }, server: { maxIdleTimeout: 2000, ...server }, serve: () => undefined }).establish().settle()
  const peer = pair.server
  const read = peer.read.bind(peer)
  Object.assign(peer, { read: () => undefined })
  const resume = (id: number): void => {
    Object.assign(peer, { read })
    read(id)
    pair.network.turnAll()
  }
  return { pair, resume }
}

describe('a blocked sender', () => {
  it.each([
    ['the stream', { initialMaxStreamData: 1000 }],
    ['the connection', { initialMaxData: 1000 }],
  ])('keeps the connection alive while %s has no credit, far beyond the idle timeout (§4.1)', (_what, server) => {
    const { pair, resume } = stalled(server)
    const id = pair.client.send(pattern(5000))
    pair.network.turnAll()
    pair.network.runFor(30_000)
    expect([pair.client.closeReasons(), pair.server.closeReasons()]).toEqual([[], []])
    resume(id)
    pair.network.run(() => pair.server.finished.has(id))
    expect(pair.server.bytesOf(id)).toEqual(pattern(5000))
  })

  it('one that is not blocked is not kept alive', () => {
    const { pair } = stalled({ initialMaxStreamData: 10_000 })
    pair.client.send(pattern(5000))
    pair.network.turnAll()
    pair.network.runFor(30_000)
    expect(pair.client.closeReasons()).toMatchObject([{ cause: 'idle-timeout' }])
  })

  it('says so once per limit, and some six times in three idle timeouts', () => {
    const blocked = [FrameType.dataBlocked, FrameType.streamDataBlocked] as const
    for (const [index, server] of [{ initialMaxData: 1000 }, { initialMaxStreamData: 1000 }].entries()) {
      const attacker = new Attacker('server', {
        client: { maxIdleTimeout: 4000 },
        server: { maxIdleTimeout: 4000, ...server },
        serve: () => undefined,
      })
      const { pair } = attacker
      pair.establish().settle()
      Object.assign(pair.server, { read: () => undefined })
      attacker.opened.length = 0
      pair.client.send(pattern(5000))
      pair.network.turnAll()
      pair.network.runFor(1000)
      expect(attacker.framesOf(blocked[index]!)).toHaveLength(1)
      pair.network.runFor(11_000)
      const all = attacker.framesOf(blocked[index]!)
      expect(all.every((frame) => frame.maximum === 1000)).toBe(true)
      expect(all.length).toBeGreaterThanOrEqual(5)
      expect(all.length).toBeLessThanOrEqual(8)
    }
  })

  it.each([FrameType.dataBlocked, FrameType.streamDataBlocked, FrameType.streamsBlockedBidi])(
    'frame type %i is said again when lost, as long as it is true (§13.3)',
    (type) => {
      const limit = { [FrameType.dataBlocked]: { initialMaxData: 1000 }, [FrameType.streamDataBlocked]: { initialMaxStreamData: 1000 } }
      const server = limit[type as keyof typeof limit] ?? { initialMaxStreamsBidi: 1 }
      const attacker = new Attacker('server', { server, serve: () => undefined })
      const { pair } = attacker
      pair.establish().settle()
      Object.assign(pair.server, { read: () => undefined })
      attacker.opened.length = 0
      // What is dropped is seen all the same.
      pair.network.setFilter((bytes, from) => (from === attacker.victimAddress ? null : bytes))
      pair.client.send(pattern(type === FrameType.streamsBlockedBidi ? 10 : 5000))
      if (type === FrameType.streamsBlockedBidi) expect(pair.client.connection.openStream(true)).toBe(-1)
      pair.network.turnAll()
      pair.network.runFor(1)
      expect(attacker.framesOf(type)).toHaveLength(1)
      pair.network.setFilter(null)
      pair.network.runFor(3000)
      expect(pair.client.closeReasons()).toEqual([])
      expect(attacker.framesOf(type).length).toBeGreaterThanOrEqual(2)
    },
  )
})
