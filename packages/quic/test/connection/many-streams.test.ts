// A hundred thousand streams on one connection: what a stream took is given back when it closes (RFC 9000 §3.4, §4.6).

import { describe, expect, it } from 'vitest'
import type { Connection } from '../../src/connection/connection.ts'
import { Transmit } from '../../src/connection/send/transmit-buffer.ts'
import type { PathAddress } from '../../src/path/path-address.ts'
import { CLIENT, Pair, SERVER } from './pair.ts'

const STREAMS = 100_000
const CONCURRENT = 500

/** Two established connections wired to each other: every datagram arrives half a round trip later, nothing else happens. */
class Wire {
  now: number
  private readonly ends: readonly { readonly connection: Connection; readonly path: PathAddress; readonly act: (connection: Connection) => void }[]
  private readonly out: Transmit

  constructor(pair: Pair, onClient: (connection: Connection) => void, onServer: (connection: Connection) => void) {
    this.now = pair.network.now
    this.out = new Transmit(new Uint8Array(65_535))
    this.ends = [
      { connection: pair.client.connection, path: { local: CLIENT, remote: SERVER }, act: onClient },
      { connection: pair.server.connection, path: { local: SERVER, remote: CLIENT }, act: onServer },
    ]
  }

  /** Both ends have a turn. */
  turn(): void {
    this.now += 5
    const { out } = this
    for (const [index, { connection, act }] of this.ends.entries()) {
      if (connection.nextTimeout() <= this.now) connection.onTimeout(this.now)
      act(connection)
      const other = this.ends[1 - index]!
      while (connection.transmit(out, this.now)) other.connection.receive(out.buffer.slice(0, out.length), other.path, this.now)
    }
  }
}

describe('many streams', () => {
  it(`${STREAMS} are opened, answered and closed, and nothing of them is left at either end`, { timeout: 120_000 }, () => {
    const settings = { initialMaxStreamsBidi: CONCURRENT, initialMaxStreamsUni: CONCURRENT }
    const pair = new Pair({ client: settings, server: settings, serve: () => undefined }).establish().settle()
    const payload = Uint8Array.of(1, 2, 3)
    let opened = 0
    const closed = { client: 0, server: 0 }
    let most = 0
    const read = (connection: Connection, id: number): void => {
      for (let bytes = connection.streamPeek(id); bytes !== null; bytes = connection.streamPeek(id)) connection.streamConsume(id, bytes.length)
    }
    const client = (connection: Connection): void => {
      for (let event = connection.poll(); event !== null; event = connection.poll()) {
        if (event.kind === 'stream-readable') read(connection, event.streamId)
        else if (event.kind === 'stream-closed') closed.client += 1
        else if (event.kind === 'closed') throw new Error(event.reason.reason)
      }
      while (opened < STREAMS) {
        // Every third is unidirectional, every tenth is reset.
        const id = connection.openStream(opened % 3 !== 0)
        if (id < 0) break
        if (opened % 10 === 9) connection.streamReset(id, 1)
        else connection.streamWrite(id, payload, true)
        opened += 1
      }
      most = Math.max(most, connection.stats().streamsOpen)
    }
    const server = (connection: Connection): void => {
      for (let event = connection.poll(); event !== null; event = connection.poll()) {
        if (event.kind === 'stream-readable') read(connection, event.streamId)
        else if (event.kind === 'stream-closed') closed.server += 1
        else if (event.kind === 'closed') throw new Error(event.reason.reason)
        else if (event.kind === 'stream-opened' && event.streamId % 4 === 0) connection.streamWrite(event.streamId, payload, true)
      }
      most = Math.max(most, connection.stats().streamsOpen)
    }
    const wire = new Wire(pair, client, server)
    const collect = (globalThis as { gc?: () => void }).gc
    let heapBefore = 0
    for (let turns = 0; closed.client < STREAMS || closed.server < STREAMS; turns += 1) {
      if (turns > 1_000_000) expect.fail(`stuck: ${opened} opened, ${closed.client} and ${closed.server} closed`)
      wire.turn()
      // Buffers and pools have their working size by then.
      if (heapBefore === 0 && closed.server > STREAMS / 5) {
        collect?.()
        heapBefore = process.memoryUsage().heapUsed
      }
    }
    // The last acknowledgements.
    for (let i = 0; i < 100; i += 1) wire.turn()
    collect?.()
    const growth = process.memoryUsage().heapUsed - heapBefore
    expect(most).toBeLessThanOrEqual(2 * CONCURRENT + CONCURRENT)
    for (const { connection } of [pair.client, pair.server]) {
      expect(connection.stats()).toMatchObject({ streamsOpen: 0, eventsWaiting: 0 })
      expect(connection.pathStats().bytesInFlight).toBe(0)
    }
    if (collect !== undefined) expect(growth).toBeLessThan(4 * 1024 * 1024)
  })
})
