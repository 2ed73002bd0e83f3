// Several workers on one port: each connection stays with one of them, also when it moves.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { MessageChannel, type Worker } from 'node:worker_threads'
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
  type ConnectOptions,
  type QuicConnection,
} from '../../src/index.ts'
import { Backlog } from '../../src/group/backlog.ts'
import { Outbox, type Datagrams } from '../../src/group/messages.ts'
import { PortSocket, SharedSocket } from '../../src/group/port-socket.ts'
import { MAX_BATCH } from '../../src/io/receive-queue.ts'
import { GET, certificate, development, next, readAll, settle, until } from '../support.ts'
import { sourceThread } from './source-thread.ts'

const WORKERS = 3
const cleanup: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

const shares = await WorkerGroup.bind({ host: '127.0.0.1', workers: 1, sockets: 'system' }).then(
  (made) => made.close().then(() => true),
  () => false,
)
const why = shares ? '' : ` (skipped: dgram of Node ${process.versions.node} does not share ports, or this system does not)`

interface Group {
  readonly group: WorkerGroup
  readonly threads: readonly Worker[]
}

async function startGroup(sockets?: 'main' | 'system'): Promise<Group> {
  const group = await WorkerGroup.bind({ host: '127.0.0.1', workers: WORKERS, sockets })
  cleanup.push(() => group.close())
  const threads: Worker[] = []
  for (let index = 0; index < WORKERS; index++) {
    const member = group.member(index)
    const worker = sourceThread('./worker.ts', { member, certificate }, [member.port])
    threads.push(worker)
    cleanup.push(async () => {
      worker.postMessage('close')
      await once(worker, 'exit')
    })
    await once(worker, 'message')
  }
  await group.ready()
  return { group, threads }
}

interface Visit {
  readonly connection: QuicConnection
  /** Which worker answers. */
  ask(): Promise<number>
}

async function visit(port: number, sessionStore: MemorySessionStore | null = null, options: Partial<ConnectOptions> = {}): Promise<Visit> {
  const { driver, controller } = clientH3Driver()
  const connection = await connect({
    host: '127.0.0.1',
    port,
    serverName: 'localhost',
    tls: { ca: development.certificatePem },
    sessionStore,
    tokenStore: null,
    application: driver,
    ...options,
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
  const cases = [
    ['with the main thread’s socket', 'main', true],
    [`with a socket each on one port${why}`, 'system', shares],
  ] as const
  for (const [title, sockets, possible] of cases) {
    it.skipIf(!possible)(`${title} serves from several workers; connections that move keep theirs, and sessions are good with all`, async () => {
      const { group } = await startGroup(sockets)
      const seen = new Set<number>()
      const store = new MemorySessionStore()
      for (let i = 0; i < 30 && seen.size < 2; i++) {
        const { connection, ask } = await visit(group.localAddress.port, store)
        const worker = await ask()
        seen.add(worker)
        expect(await ask()).toBe(worker)
        if (i > 0) expect(connection.handshakeInfo?.resumed).toBe(true)
        await until(() => connection.transport.isConfirmed())
        // Each move is a new port; the system gives it to any of the workers.
        for (let moves = 0; moves < 20 && (moves === 0 || (sockets === 'system' && group.forwarded === 0)); moves++) {
          await connection.migrate()
          expect(await ask()).toBe(worker)
        }
      }
      expect(seen.size).toBeGreaterThan(1)
      expect(group.forwarded > 0).toBe(sockets === 'system')
    })
  }

  it('has a socket each by default where ports are shared, and says so where they are not', async () => {
    const group = await WorkerGroup.bind({ host: '127.0.0.1', workers: 1 })
    cleanup.push(() => group.close())
    const { sockets, port } = group.member(0)
    port.close()
    expect(sockets).toBe(shares ? 'system' : 'main')
    const asked = WorkerGroup.bind({ host: '127.0.0.1', workers: 1, sockets: 'system' })
    if (shares) await (await asked).close()
    else await expect(asked).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
  })

  it('takes no port that another server has', async () => {
    const first = await WorkerGroup.bind({ host: '127.0.0.1', workers: 1 })
    cleanup.push(() => first.close())
    const { port } = first.localAddress
    await expect(WorkerGroup.bind({ host: '127.0.0.1', port, workers: 1 })).rejects.toMatchObject({ code: 'QUIC_PORT_IN_USE' })
  })

  it('a worker’s place can be taken once', async () => {
    const made = await WorkerGroup.bind({ host: '127.0.0.1', workers: 1 })
    cleanup.push(() => made.close())
    made.member(0).port.close()
    expect(() => made.member(0)).toThrow(/taken/)
    expect(() => made.member(1)).toThrow(/no place/)
    await expect(WorkerGroup.bind({ workers: 0 })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
    await expect(WorkerGroup.bind({ workers: 1, replayCapacity: 1 })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
  })
})

describe('early data of a group', () => {
  it('is taken by whichever worker a session comes back to', async () => {
    const { group, threads } = await startGroup('main')
    const store = new MemorySessionStore()
    const { port } = group.localAddress
    const workers = new Set<number>()
    const first = await visit(port, store)
    workers.add(await first.ask())
    for (let i = 0; i < 30 && workers.size < 2; i++) {
      await settle()
      const { connection, ask } = await visit(port, store, { earlyData: true })
      expect(connection.handshakeInfo).toBeNull()
      workers.add(await ask())
      await connection.established
      expect(connection.handshakeInfo?.earlyData).toBe(true)
    }
    expect(workers.size).toBe(2)
    expect(await earlyRequests(threads)).toBeGreaterThan(0)
  })

  it.skipIf(!shares)(`is not taken again by another worker from whoever has recorded it${why}`, async () => {
    const { group, threads } = await startGroup('system')
    const { port } = group.localAddress
    const store = new MemorySessionStore()
    const relay = await recordingRelay(port)
    const first = await visit(relay.port, store)
    await first.ask()
    await settle()
    await first.connection.close()
    const victim = await visit(relay.port, store, { earlyData: true })
    await victim.ask()
    expect(victim.connection.handshakeInfo?.earlyData).toBe(true)
    expect(await earlyRequests(threads)).toBe(1)
    expect(relay.flights).toHaveLength(2)
    await victim.connection.close()
    const answering = new Set<number>()
    for (let i = 0; i < 100 && answering.size < WORKERS; i++) {
      const by = await replay(relay.flights[1]!, port)
      if (by !== null) answering.add(by)
    }
    // The worker that took it, too, once it has forgotten the connection.
    expect([...answering].sort()).toEqual([0, 1, 2])
    expect(await earlyRequests(threads)).toBe(1)
  })
})

/** What the workers have counted, when all that has been received is done. */
async function earlyRequests(threads: readonly Worker[]): Promise<number> {
  let sum = 0
  for (let round = 0; round < 5; round++) {
    sum = 0
    for (const thread of threads) {
      thread.postMessage('early')
      sum += Number((await once(thread, 'message'))[0])
    }
  }
  return sum
}

interface Relay {
  readonly port: number
  /** Of each client, what it has sent until its first answer. */
  readonly flights: readonly Uint8Array[][]
}

/** Passes datagrams on both ways, with a socket for each client. */
async function recordingRelay(to: number): Promise<Relay> {
  const inside = createSocket('udp4')
  const flights: Uint8Array[][] = []
  const outsides = new Map<number, { readonly socket: Socket; readonly flight: Uint8Array[]; answered: boolean }>()
  inside.on('message', (datagram, { port }) => {
    const known = outsides.get(port)
    const client = known ?? { socket: createSocket('udp4'), flight: [], answered: false }
    if (known === undefined) {
      outsides.set(port, client)
      flights.push(client.flight)
      client.socket.on('message', (answer) => {
        client.answered = true
        inside.send(answer, port, '127.0.0.1')
      })
    }
    if (!client.answered) client.flight.push(datagram)
    client.socket.send(datagram, to, '127.0.0.1')
  })
  inside.bind(0, '127.0.0.1')
  await once(inside, 'listening')
  cleanup.push(() => {
    inside.close()
    for (const { socket } of outsides.values()) socket.close()
  })
  return { port: inside.address().port, flights }
}

/** Sends the datagrams again, from another port; which worker answers: its connection ID says so. Null: a connection they belong to. */
async function replay(datagrams: readonly Uint8Array[], port: number): Promise<number | null> {
  const socket = createSocket('udp4')
  for (const datagram of datagrams) socket.send(datagram, port, '127.0.0.1')
  const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(200) }).catch(() => [null])) as [Buffer | null]
  socket.close()
  if (answer === null) return null
  // RFC 8999 §5.1: after the version come the two connection IDs, each behind its length.
  const source = 6 + answer[5]!
  return answer[source + 1]! % WORKERS
}

describe('sockets that the system shares', () => {
  it('pass on what belongs to another worker, and take what is passed to them', async () => {
    const network = new MemoryNetwork()
    const { port1, port2 } = new MessageChannel()
    const [backlog, foreignBacklog] = [Backlog.memory(), Backlog.memory()]
    const shared = new SharedSocket(network.bind('10.0.0.1', 443), { port: port2, index: 1, count: 3, backlog, foreignBacklog })
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
    const inbox = new Outbox(port1, 'in', new Backlog(backlog))
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

describe('a worker that does not keep up', () => {
  const flood = (outbox: Outbox): void => {
    for (let i = 0; i < MAX_BATCH + 100; i++) outbox.add(Uint8Array.of(0x41, 4), '10.0.0.3', i)
    outbox.post()
  }

  it('is passed on only so many datagrams; the others are dropped and counted, until it has read some', async () => {
    const { port1, port2 } = new MessageChannel()
    const memory = Backlog.memory()
    const sending = new Backlog(memory)
    const outbox = new Outbox(port1, 'in', sending)
    // Nobody reads yet.
    flood(outbox)
    flood(outbox)
    expect(sending.dropped).toBe(MAX_BATCH + 200)
    const socket = new PortSocket(port2, { address: '10.0.0.1', port: 443, family: 'IPv4' }, memory)
    let readable = 0
    const nothing = (): void => undefined
    socket.open({ onReadable: () => void readable++, onWritable: nothing, onUnreachable: nothing, onFailed: nothing })
    while (readable === 0) await settle(2)
    expect(socket.receive()!.length).toBe(MAX_BATCH)
    flood(outbox)
    expect(sending.dropped).toBe(MAX_BATCH + 300)
    await socket.close()
    port1.close()
  })

  it('passes on only so many of others to the main thread', async () => {
    const { port1, port2 } = new MessageChannel()
    const network = new MemoryNetwork()
    const place = { port: port2, index: 1, count: 3, backlog: Backlog.memory(), foreignBacklog: Backlog.memory() }
    const shared = new SharedSocket(network.bind('10.0.0.1', 443), place)
    const nothing = (): void => undefined
    let readable = 0
    shared.open({ onReadable: () => void readable++, onWritable: nothing, onUnreachable: nothing, onFailed: nothing })
    const clients = [network.bind('10.0.0.2', 5), network.bind('10.0.0.2', 6), network.bind('10.0.0.2', 7)]
    for (const client of clients) {
      client.open({ onReadable: nothing, onWritable: nothing, onUnreachable: nothing, onFailed: nothing })
      for (let i = 0; i < MAX_BATCH / 2; i++) {
        client.acquire().set([0x40, 5, 5, 5])
        client.send(4, client.path('10.0.0.1', 443), 0)
      }
      // Each is read, and is of another worker.
      expect(shared.receive()).toBeNull()
    }
    expect(shared.dropped).toBe(MAX_BATCH / 2)
    new Backlog(place.foreignBacklog).taken(10)
    clients[0]!.acquire().set([0x40, 5, 5, 5])
    clients[0]!.send(4, clients[0]!.path('10.0.0.1', 443), 0)
    expect(shared.receive()).toBeNull()
    expect(shared.dropped).toBe(MAX_BATCH / 2)
    await shared.close()
    for (const client of clients) await client.close()
    port1.close()
  })
})
