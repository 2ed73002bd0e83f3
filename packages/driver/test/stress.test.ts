// Many connections with many streams that end in every way, datagrams among them, on a network that loses packets. QUICWIRE_STRESS=full
// runs 200 connections of 50 streams; the default is a tenth of the one and a fifth of the other.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it } from 'vitest'
import type { Header } from '@quicwire/h3'
import {
  ClientSocket,
  MemoryMetrics,
  MemoryNetwork,
  clientH3Driver,
  connect,
  listen,
  serverH3Driver,
  type ClientH3Controller,
  type ClientH3Driver,
  type H3AuditStats,
  type InboundFrameStream,
  type OutboundFrameSender,
  type QuicConnection,
  type ServerH3Controller,
  type ServerH3Driver,
} from '../src/index.ts'
import { GET, OK, POST, certificate, development } from './support.ts'

const full = process.env['QUICWIRE_STRESS'] === 'full'
const CONNECTIONS = full ? 200 : 20
const STREAMS = full ? 50 : 10
const SEED = 4711
/** Rounds that the heap is compared after, the first of which fills caches and tables. */
const ROUNDS = full ? 2 : 3
/** Bytes of the JavaScript heap that a round may leave for each connection, both ends: dropped handles alone would be five times that. */
const HEAP_SLACK_EACH = full ? 10_000 : 30_000
const LOSS = 0.02
/** A path without delay, and nobody who waits long for a lost CONNECTION_CLOSE. Milliseconds. */
const QUIC = { initialRtt: 10, maxIdleTimeout: 3000 }

/** Mulberry32: a seeded stream of numbers in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of the JavaScript heap when all that can be freed is. */
async function heapInUse(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collect()
    await turn()
  }
  return process.memoryUsage().heapUsed
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function pause(random: () => number): Promise<void> {
  for (let left = Math.floor(random() * 6); left > 0; left--) await turn()
}

interface Fate {
  readonly random: () => number
  readonly abort: (code: number) => void
}

/** Writes until something ends it: a fin, a dropped handle, a reset. */
async function write(send: OutboundFrameSender, { random, abort }: Fate): Promise<void> {
  for (let left = Math.floor(random() * 6); left > 0; left--) {
    if (!(await send.send({ kind: 'Body', data: new Uint8Array(Math.floor(random() * 5000)), fin: false }))) break
    await pause(random)
    if (random() < 0.04) {
      abort(0x2000)
      break
    }
    if (random() < 0.04) {
      send.close()
      return
    }
  }
  if (random() < 0.2) await send.send({ kind: 'Trailers', headers: [['t', '1']] })
  else await send.send({ kind: 'Body', data: new Uint8Array(0), fin: true })
  send.close()
}

/** Reads until the end, slowly, or gives up on the way. */
async function read(recv: InboundFrameStream, { random }: Fate): Promise<void> {
  for (let frame = await recv.recv(); frame !== null; frame = await recv.recv()) {
    if (random() < 0.03) {
      recv.close()
      return
    }
    await pause(random)
  }
}

class ServerSide {
  readonly driver: ServerH3Driver
  private readonly random: () => number
  /** Streams whose request has come. */
  readonly opened: Map<number, H3AuditStats> = new Map()
  readonly closed: Set<number> = new Set()
  ends = 0
  readonly work: Promise<unknown>[] = []

  constructor(random: () => number) {
    const { driver, controller } = serverH3Driver({ enableExtendedConnect: true, streamCapacity: 2 })
    this.driver = driver
    this.random = random
    this.work.push(this.run(controller))
  }

  private async run(controller: ServerH3Controller): Promise<void> {
    for await (const event of controller.events) {
      if (event.kind === 'StreamClosed') once(this.closed, event.streamId)
      else if (event.kind === 'ConnectionShutdown') this.ends++
      else if (event.kind === 'NewFlow') {
        this.work.push(echo(event.recv, (data) => event.send.trySend({ kind: 'Datagram', data, flowId: event.flowId })))
      } else if (event.kind === 'Headers') {
        const { send, recv, streamId, h3AuditStats } = event.incoming
        if (this.opened.has(streamId)) throw new Error(`stream ${streamId} came twice`)
        this.opened.set(streamId, h3AuditStats)
        const fate = {
          random: this.random,
          abort: (code: number) => controller.shutdownStream(streamId, { kind: 'Both', readErrorCode: code, writeErrorCode: code }),
        }
        this.work.push(read(recv, fate))
        if (await send.send({ kind: 'Headers', headers: OK })) this.work.push(write(send, fate))
        else send.close()
      }
    }
  }
}

function once(seen: Set<number>, id: number): void {
  if (seen.has(id)) throw new Error(`${id} came twice`)
  seen.add(id)
}

async function echo(recv: AsyncIterable<{ readonly data: Uint8Array }>, back: (data: Uint8Array) => void): Promise<void> {
  for await (const { data } of recv) back(data)
}

class ClientSide {
  readonly driver: ClientH3Driver
  private readonly controller: ClientH3Controller
  private readonly random: () => number
  private readonly open: Set<number> = new Set()
  readonly started: Set<number> = new Set()
  ends = 0
  flowId = -1
  readonly work: Promise<unknown>[] = []

  constructor(random: () => number) {
    const { driver, controller } = clientH3Driver({ enableExtendedConnect: true, streamCapacity: 2 })
    this.driver = driver
    this.controller = controller
    this.random = random
    this.work.push(this.run())
  }

  /** Sends all requests; resolves when the driver has forgotten every stream. */
  async visit(connection: QuicConnection): Promise<void> {
    const sender = this.controller.requestSender()
    for (let requestId = 0; requestId < STREAMS; requestId++) {
      const withBody = this.random() < 0.6
      const tunnel = requestId === 0
      const headers: readonly Header[] = tunnel
        ? [[':method', 'CONNECT'], [':protocol', 'connect-udp'], [':scheme', 'https'], [':authority', 'a'], [':path', '/']]
        : withBody
          ? POST
          : GET
      if (tunnel) await settings(connection)
      sender.send({ requestId, headers, bodyWriter: tunnel || withBody ? (send) => this.work.push(this.body(send, tunnel)) : null })
      await pause(this.random)
    }
    while (this.started.size < STREAMS || this.driver.openStreams > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  private async body(send: OutboundFrameSender, tunnel: boolean): Promise<void> {
    if (!tunnel) return write(send, { random: this.random, abort: () => send.close() })
    await pause(this.random)
    await send.send({ kind: 'Body', data: new Uint8Array(0), fin: true })
  }

  private async run(): Promise<void> {
    for await (const event of this.controller.events) {
      if (event.kind === 'NewOutboundRequest') {
        once(this.started, event.requestId)
        this.open.add(event.streamId)
      } else if (event.kind === 'NewFlow') {
        for (let i = 0; i < 5; i++) event.send.trySend({ kind: 'Datagram', data: new Uint8Array(20), flowId: event.flowId })
      } else if (event.kind === 'IncomingHeaders') {
        const { send, recv, streamId } = event.incoming
        send.close()
        this.work.push(read(recv, { random: this.random, abort: () => undefined }))
        if (this.random() < 0.05) this.controller.shutdownStream(streamId, { kind: 'Read', errorCode: 0x2001 })
      } else if (event.kind === 'ConnectionShutdown') this.ends++
      else if (event.kind === 'RequestFailed') throw event.error
    }
  }
}

/** Extended CONNECT needs the server's word first. */
async function settings(connection: QuicConnection): Promise<void> {
  while (!connection.transport.isConfirmed()) await new Promise((resolve) => setTimeout(resolve, 2))
  await pause(() => 1)
}

const cleanup: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

/** One round with connections and sockets of its own; everything is closed when it resolves. */
async function round(seed: number): Promise<void> {
  const random = randomFrom(seed)
  const network = new MemoryNetwork()
  network.filter = () => random() >= LOSS
  const metrics = new MemoryMetrics()
  const listener = await listen({ socket: network.bind('10.0.0.1', 443), tls: { certificates: [certificate] }, metrics, settings: QUIC })
  cleanup.push(() => listener.close())
  const servers: ServerSide[] = []
  void (async () => {
    for await (const incoming of listener) {
      const side = new ServerSide(random)
      servers.push(side)
      incoming.start(side.driver)
    }
  })()
  const socket = await ClientSocket.over(network.bind('10.0.0.2'), { metrics })
  cleanup.push(() => socket.close())
  const clients: ClientSide[] = []
  // Some at a time, as they come to a real server.
  const visits = Array.from({ length: CONNECTIONS }, () => async () => {
    const side = new ClientSide(random)
    clients.push(side)
    const tls = { ca: development.certificatePem }
    const common = { host: '10.0.0.1', port: 443, serverName: 'localhost', sessionStore: null, tokenStore: null, tls, socket, settings: QUIC }
    const connection = await connect({ ...common, application: side.driver })
    await side.visit(connection)
    const closing = connection.shutdown()
    await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 2000))])
    await connection.close()
  })
  const queue = visits.values()
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (const visit of queue) await visit()
    }),
  )
  for (const side of [...clients, ...servers]) await Promise.all(side.work)
  expect(servers.length).toBe(CONNECTIONS)
  // Every stream once: opened and closed on the server, started on the client, each connection with one end.
  for (const { opened, closed, ends, driver } of servers) {
    // Those without a StreamClosed ended with the connection, and say so.
    for (const [id, { recvdStreamFin }] of opened) expect(closed.has(id) || recvdStreamFin !== 'None').toBe(true)
    expect([...closed].filter((id) => !opened.has(id))).toEqual([])
    expect([ends, driver.openStreams, driver.openFlows]).toEqual([1, 0, 0])
    expect(opened.size).toBeLessThanOrEqual(STREAMS)
  }
  for (const { started, ends, driver } of clients) expect([started.size, ends, driver.openStreams, driver.openFlows]).toEqual([STREAMS, 1, 0, 0])
  while (listener.connections > 0 || socket.connections > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(metrics.gaugeValue('connections_in_memory')).toBe(0)
  for (const undo of cleanup.splice(0).reverse()) await undo()
}

describe('stress', () => {
  const title = `${ROUNDS} rounds of ${CONNECTIONS} connections of ${STREAMS} streams under ${100 * LOSS} % loss (seeds ${SEED} and up)`
  it(`${title}: nothing is left of them, nor on the heap`, { timeout: 600_000 * ROUNDS }, async () => {
    const rejections: unknown[] = []
    const onRejection = (error: unknown): number => rejections.push(error)
    process.on('unhandledRejection', onRejection)
    const heap: number[] = []
    try {
      for (let i = 0; i < ROUNDS; i++) {
        await round(SEED + i)
        heap.push(await heapInUse())
      }
    } finally {
      process.off('unhandledRejection', onRejection)
    }
    expect(rejections).toEqual([])
    const left = (heap.at(-1)! - heap[0]!) / (CONNECTIONS * (ROUNDS - 1))
    expect(left, `heap after each round: ${heap.join(', ')}`).toBeLessThan(HEAP_SLACK_EACH)
  })
})
