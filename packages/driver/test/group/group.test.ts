// Several workers on one port: each connection stays with one of them, also when it moves.

import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import {
  MemoryNetwork,
  MemorySessionStore,
  WorkerConnectionIds,
  WorkerGroup,
  clientH3Driver,
  connect,
  workerOf,
  type QuicConnection,
} from '../../src/index.ts'
import { Outbox, type Datagrams } from '../../src/group/messages.ts'
import { SharedSocket } from '../../src/group/port-socket.ts'
import { GET, certificate, development, next, readAll, settle } from '../support.ts'

const WORKERS = 3
const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

async function group(): Promise<WorkerGroup> {
  const made = await WorkerGroup.bind({ host: '127.0.0.1', workers: WORKERS })
  cleanup.push(() => made.close())
  for (let index = 0; index < WORKERS; index++) {
    const member = made.member(index)
    // Node 20 does not load --import in worker threads.
    const script = new URL('./worker.ts', import.meta.url).href
    const worker = new Worker(`import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(script)}) })`, {
      eval: true,
      workerData: { member, certificate },
      transferList: [member.port],
      execArgv: ['--conditions=@quicwire/source'],
    })
    cleanup.push(async () => {
      worker.postMessage('close')
      await once(worker, 'exit')
    })
    await once(worker, 'message')
  }
  return made
}

interface Visit {
  readonly connection: QuicConnection
  /** Which worker answers. */
  ask(): Promise<number>
}

async function visit(port: number, sessionStore: MemorySessionStore | null = null): Promise<Visit> {
  const { driver, controller } = clientH3Driver()
  const connection = await connect({
    host: '127.0.0.1',
    port,
    serverName: 'localhost',
    tls: { ca: development.certificatePem },
    sessionStore,
    tokenStore: null,
    application: driver,
  })
  cleanup.push(() => connection.close())
  return {
    connection,
    async ask() {
      controller.requestSender().send({ requestId: 0, headers: GET, bodyWriter: null })
      const { incoming } = await next(controller.events, 'IncomingHeaders')
      await readAll(incoming.recv)
      return Number(incoming.headers.find(([name]) => name === 'worker')![1])
    },
  }
}

describe('connection IDs of workers', () => {
  it('lead back to the worker that made them, in long and short headers', () => {
    for (const count of [1, 2, 3, 7, 256]) {
      for (let index = 0; index < count; index += Math.ceil(count / 5)) {
        const ids = new WorkerConnectionIds(nodeProvider.random, 8, index, count)
        for (let i = 0; i < 40; i++) {
          const id = ids.generate()
          expect(workerOf(Uint8Array.of(0x40, ...id), count)).toBe(index)
          expect(workerOf(Uint8Array.of(0xe0, 0, 0, 0, 1, 8, ...id), count)).toBe(index)
        }
      }
    }
    expect(workerOf(Uint8Array.of(0xc0, 0, 0, 0, 1, 0), 4)).toBe(-1)
    expect(workerOf(new Uint8Array(0), 4)).toBe(-1)
    expect(() => new WorkerConnectionIds(nodeProvider.random, 8, 3, 3)).toThrow(RangeError)
    expect(() => new WorkerConnectionIds(nodeProvider.random, 0, 0, 3)).toThrow(RangeError)
  })
})

describe('a group of worker threads', () => {
  it('serves many connections from several workers; one that moves keeps its own, and sessions are good with all', async () => {
    const { localAddress } = await group()
    const seen = new Set<number>()
    const store = new MemorySessionStore()
    let moved = false
    for (let i = 0; i < 20 && (seen.size < 2 || !moved); i++) {
      const { connection, ask } = await visit(localAddress.port, store)
      const worker = await ask()
      seen.add(worker)
      expect(await ask()).toBe(worker)
      if (i > 0) expect(connection.handshakeInfo?.resumed).toBe(true)
      if (!moved) {
        while (!connection.transport.isConfirmed()) await settle(2)
        await connection.migrate()
        expect(await ask()).toBe(worker)
        moved = true
      }
      await settle()
    }
    expect(seen.size).toBeGreaterThan(1)
  })

  it('a worker’s place can be taken once', async () => {
    const made = await WorkerGroup.bind({ host: '127.0.0.1', workers: 1 })
    cleanup.push(() => made.close())
    made.member(0).port.close()
    expect(() => made.member(0)).toThrow(/taken/)
    expect(() => made.member(1)).toThrow(/no place/)
    await expect(WorkerGroup.bind({ workers: 0 })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
  })
})

describe('sockets that the system shares', () => {
  it('pass on what belongs to another worker, and take what is passed to them', async () => {
    const network = new MemoryNetwork()
    const { port1, port2 } = new MessageChannel()
    const shared = new SharedSocket(network.bind('10.0.0.1', 443), port2, 1, 3)
    const passed: Datagrams[] = []
    port1.on('message', (message: Datagrams) => passed.push(message))
    let readable = 0
    const nothing = (): void => undefined
    shared.open({ onReadable: () => readable++, onWritable: nothing, onUnreachable: nothing, onFailed: nothing })
    const client = network.bind('10.0.0.2', 5)
    client.open({ onReadable: nothing, onWritable: nothing, onUnreachable: nothing, onFailed: nothing })
    const give = (...bytes: number[]): void => {
      client.acquire().set(bytes)
      client.send(bytes.length, client.path('10.0.0.1', 443), 0)
    }
    give(0x40, 4, 4, 4) // ours: 4 mod 3 is 1
    give(0x40, 5, 5, 5) // worker 2's
    give(0xe0, 0, 0, 0, 1, 1, 6) // a Handshake packet of worker 0
    give(0xc0, 0, 0, 0, 1, 1, 6) // an Initial: a connection begins where it comes in
    expect(readable).toBe(1)
    const batch = shared.receive()!
    expect(batch.datagrams.slice(0, batch.length).map((datagram) => datagram![0])).toEqual([0x40, 0xc0])
    batch.clear()
    while (passed.length === 0) await settle(2)
    expect(passed).toMatchObject([{ kind: 'foreign', addresses: ['10.0.0.2', '10.0.0.2'], ports: [5, 5] }])
    expect(passed[0]!.datagrams.map((datagram) => datagram[0])).toEqual([0x40, 0xe0])
    const inbox = new Outbox(port1, 'in')
    inbox.add(Uint8Array.of(0x41, 4), '10.0.0.3', 6)
    inbox.post()
    while (readable < 2) await settle(2)
    const more = shared.receive()!
    expect([more.length, more.paths[0]!.remote]).toEqual([1, '10.0.0.3:6'])
    expect(shared.dropped).toBe(0)
    await shared.close()
    await client.close()
    port1.close()
  })
})
