// The record of early data that threads share: nothing is taken twice, whoever asks.

import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { MemoryNetwork, MemorySessionStore, SharedReplayRegister, http3EarlyData, listen, serverH3Driver, type QuicListener } from '../../src/index.ts'
import { startEchoClient, type Cleanup } from '../echo-server.ts'
import { certificate, OK, settle, until } from '../support.ts'
import { sourceThread } from './source-thread.ts'

const NOW = 1_800_000_000_000
const THREADS = 4

const cleanup: Cleanup = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

/** Ids as far apart as those of binders; `bucket` puts them together. */
function idOf(n: number, bucket: number = n * 2_654_435_761): Uint8Array {
  const id = new Uint8Array(32)
  const view = new DataView(id.buffer)
  view.setUint32(0, bucket >>> 0)
  view.setUint32(4, (n * 40_503 + 1) >>> 0)
  return id
}

describe('a register in shared memory', () => {
  it('takes an id once until it expires, through whichever face of the memory', () => {
    const memory = SharedReplayRegister.memory()
    const [one, other] = [new SharedReplayRegister(memory), new SharedReplayRegister(memory)]
    for (let n = 0; n < 1000; n++) {
      expect((n % 2 === 0 ? one : other).claim(idOf(n), NOW, NOW + 10_000)).toBe(true)
      expect(other.claim(idOf(n), NOW, NOW + 10_000)).toBe(false)
      expect(one.claim(idOf(n), NOW + 10_000, NOW + 20_000)).toBe(false)
    }
    // Words count whole seconds, and two more.
    for (let n = 0; n < 1000; n++) expect(other.claim(idOf(n), NOW + 13_000, NOW + 20_000)).toBe(true)
  })

  it('never grows: where a bucket is full it refuses, until something there has expired', () => {
    const register = new SharedReplayRegister(SharedReplayRegister.memory(64))
    const taken = Array.from({ length: 20 }, (_, n) => register.claim(idOf(n, 4), NOW, NOW + (n === 5 ? 1000 : 60_000)))
    expect(taken.filter(Boolean)).toHaveLength(16)
    expect(register.claim(idOf(100, 5), NOW, NOW + 1000)).toBe(true)
    expect(register.claim(idOf(101, 4), NOW + 5000, NOW + 60_000)).toBe(true)
    expect(register.claim(idOf(102, 4), NOW + 5000, NOW + 60_000)).toBe(false)
    expect(register.claim(idOf(0, 4), NOW + 5000, NOW + 60_000)).toBe(false)
    for (const capacity of [0, 15, 1.5, NaN]) expect(() => SharedReplayRegister.memory(capacity)).toThrow(RangeError)
  })

  it('gives each id to one thread at most when all ask at once, and hardly ever to none', async () => {
    const ids = Array.from({ length: 4000 }, (_, n) => idOf(n))
    const memory = SharedReplayRegister.memory()
    const start = new SharedArrayBuffer(4)
    const threads = Array.from({ length: THREADS }, () => sourceThread('./claiming-thread.ts', { memory, ids, now: NOW, start }))
    await Promise.all(threads.map((thread) => once(thread, 'message')))
    const answers = threads.map((thread) => once(thread, 'message') as Promise<[readonly boolean[]]>)
    Atomics.store(new Int32Array(start), 0, 1)
    Atomics.notify(new Int32Array(start), 0)
    const given = (await Promise.all(answers)).map(([answer]) => answer)
    const counts = ids.map((_, i) => given.filter((answer) => answer[i]).length)
    expect(Math.max(...counts)).toBe(1)
    // Two that meet in the same instant may both be refused.
    expect(counts.filter((count) => count === 1).length).toBeGreaterThan(ids.length / 2)
  })
})

describe('listeners with the same ticket keys', () => {
  interface Place {
    readonly listener: QuicListener
    /** Of its requests, those in early data. */
    readonly early: () => number
  }

  async function serve(network: MemoryNetwork, address: string, memory: SharedArrayBuffer | null): Promise<Place> {
    let early = 0
    const listener = await listen({
      socket: network.bind(address, 443),
      tls: {
        certificates: [certificate],
        earlyData: true,
        ticketKeys: [new Uint8Array(32).fill(3)],
        replayRegister: memory === null ? undefined : new SharedReplayRegister(memory),
      },
      earlyDataPolicy: http3EarlyData(),
    })
    cleanup.push(() => listener.close())
    void (async () => {
      for await (const incoming of listener) {
        const { driver, controller } = serverH3Driver()
        incoming.start(driver)
        void (async () => {
          for await (const event of controller.events) {
            if (event.kind !== 'Headers') continue
            if (event.isInEarlyData) early++
            void event.incoming.send.send({ kind: 'Headers', headers: OK, fin: true })
          }
        })()
      }
    })()
    return { listener, early: () => early }
  }

  /** A session from the first, early data to the second, and the same datagrams once more to each; where early requests were seen. */
  async function replayed(memory: SharedArrayBuffer | null): Promise<readonly number[]> {
    const network = new MemoryNetwork()
    const store = new MemorySessionStore()
    const places = [await serve(network, '10.0.0.1', memory), await serve(network, '10.0.0.2', memory)]
    const ways = { sessionStore: store, earlyData: true }
    const first = await startEchoClient(cleanup, 443, { host: '10.0.0.1', socket: network.bind('10.0.0.8'), ...ways })
    await first.get('/one')
    await settle()
    const recorded: Uint8Array[] = []
    network.filter = (datagram, from, to) => {
      if (to.startsWith('10.0.0.2')) recorded.push(datagram.slice())
      return !from.startsWith('10.0.0.2')
    }
    // The second place's answers are lost, so that what has been recorded is early data alone.
    const second = await startEchoClient(cleanup, 443, { host: '10.0.0.2', socket: network.bind('10.0.0.9'), ...ways })
    void second.get('/two').catch(() => undefined)
    await settle()
    const flight = recorded.splice(0)
    network.filter = null
    for (const [i, to] of ['10.0.0.1', '10.0.0.2'].entries()) {
      const attacker = network.bind(`10.0.0.${66 + i}`)
      let answers = 0
      attacker.open({ onReadable: () => answers++, onWritable: () => undefined, onUnreachable: () => undefined, onFailed: () => undefined })
      for (const datagram of flight) {
        attacker.acquire().set(datagram)
        attacker.send(datagram.length, attacker.path(to, 443), 0)
      }
      if (i === 0) await until(() => answers > 0)
      await settle()
    }
    return places.map(({ early }) => early())
  }

  it('and one register take recorded early data once among them all', async () => {
    expect(await replayed(SharedReplayRegister.memory())).toEqual([0, 1])
  })

  it('and a register each take none for a while after their start', async () => {
    expect(await replayed(null)).toEqual([0, 0])
  })
})
