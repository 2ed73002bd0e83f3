// A client and a server joined in memory, both real from socket to driver. Stream channels hold one frame.

import { createDevCertificate } from '../../quic/src/tls/certificates/development.ts'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import type { Header } from '@quicwire/h3'
import type { Receiver } from '../src/channel/receiver.ts'
import {
  ClientSocket,
  clientH3Driver,
  connect,
  listen,
  MemoryNetwork,
  serverH3Driver,
  type CertificateOption,
  type ClientH3Controller,
  type ClientH3Driver,
  type Clock,
  type Http3Settings,
  type IncomingH3Headers,
  type InboundFrame,
  type InboundFrameStream,
  type Metrics,
  type OutboundFrameSender,
  type QuicConnection,
  type QuicListener,
  type QuicSettings,
  type ServerH3Controller,
  type ServerH3Driver,
} from '../src/index.ts'

export const development = createDevCertificate(nodeProvider, { names: ['localhost', '127.0.0.1'], days: 10, unixTimeMs: Date.now() })
export const certificate: CertificateOption = { cert: development.certificatePem, key: development.privateKeyPem }

export interface Pair {
  readonly network: MemoryNetwork
  readonly listener: QuicListener
  readonly socket: ClientSocket
  readonly client: QuicConnection
  readonly server: QuicConnection
  readonly clientDriver: ClientH3Driver
  readonly serverDriver: ServerH3Driver
  readonly clientController: ClientH3Controller
  readonly serverController: ServerH3Controller
  close(): Promise<void>
}

export interface PairOptions {
  readonly client?: Http3Settings
  readonly server?: Http3Settings
  readonly clientQuic?: QuicSettings
  readonly serverQuic?: QuicSettings
  readonly clock?: Clock
  readonly serverMetrics?: Metrics
}

/** Real time, and what a test adds to it; wake() a connection to have it look at the clock. */
export class AdvancingClock implements Clock {
  private offset: number

  constructor() {
    this.offset = 0
  }

  now(): number {
    return performance.now() + this.offset
  }

  /** `ms`: milliseconds. */
  advance(ms: number): void {
    this.offset += ms
  }
}

export async function h3Pair(options: PairOptions = {}): Promise<Pair> {
  const network = new MemoryNetwork()
  const listener = await listen({
    socket: network.bind('127.0.0.1', 4433),
    tls: { certificates: [certificate] },
    settings: options.serverQuic,
    clock: options.clock,
    metrics: options.serverMetrics,
  })
  const socket = await ClientSocket.over(network.bind('127.0.0.1'), options.clock === undefined ? {} : { clock: options.clock })
  const { driver: clientDriver, controller: clientController } = clientH3Driver({ streamCapacity: 1, ...options.client })
  const { driver: serverDriver, controller: serverController } = serverH3Driver({ streamCapacity: 1, ...options.server })
  const accepting = listener.accept()
  const connecting = connect({
    host: '127.0.0.1',
    port: 4433,
    tls: { ca: development.certificatePem },
    settings: options.clientQuic,
    socket,
    application: clientDriver,
  })
  // Awaited below; a failure of the other side must not be an unhandled one.
  connecting.catch(() => undefined)
  const incoming = await accepting
  if (incoming === null) throw new Error('the listener closed')
  const server = await incoming.handshake(serverDriver)
  const client = await connecting
  return {
    network,
    listener,
    socket,
    client,
    server,
    clientDriver,
    serverDriver,
    clientController,
    serverController,
    async close() {
      await socket.close()
      await listener.close()
    },
  }
}

/** The next event of this kind; others on the way are passed over. */
export async function next<E extends { readonly kind: string }, K extends E['kind']>(
  events: Receiver<E>,
  kind: K,
): Promise<Extract<E, { kind: K }>> {
  for (let event = await events.recv(); event !== null; event = await events.recv()) {
    if (event.kind === kind) return event as Extract<E, { kind: K }>
  }
  throw new Error(`the events ended without ${kind}`)
}

/** Kinds of the events that are there now, in order. */
export function drainEvents<E extends { readonly kind: string }>(events: Receiver<E>): E[] {
  const seen: E[] = []
  for (let event = events.tryRecv(); event !== 'empty' && event !== 'disconnected'; event = events.tryRecv()) seen.push(event)
  return seen
}

/** Lets both ends work until nothing more can happen without a timer. */
export async function settle(turns: number = 30): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** Waits for what happens without a word. */
export async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 2))
}

export const GET: readonly Header[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/test'],
]
export const POST: readonly Header[] = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/test'],
]
export const OK: readonly Header[] = [
  [':status', '200'],
  ['server', 'quicwire'],
]

export interface Exchange {
  readonly streamId: number
  /** The client's sender, null on a request without a body. */
  readonly body: OutboundFrameSender | null
  readonly incoming: IncomingH3Headers
}

let requestId = 0

/** Sends a request and takes it on the server. */
export async function request(pair: Pair, headers: readonly Header[] = GET, withBody: boolean = false): Promise<Exchange> {
  let body: OutboundFrameSender | null = null
  pair.clientController.requestSender().send({
    requestId: requestId++,
    headers,
    bodyWriter: withBody
      ? (sender) => {
          body = sender
        }
      : null,
  })
  const { incoming } = await next(pair.serverController.events, 'Headers')
  return { streamId: incoming.streamId, body, incoming }
}

/** Response headers from the server, taken on the client. */
export async function respond(pair: Pair, exchange: Exchange, fin: boolean = false): Promise<IncomingH3Headers> {
  await exchange.incoming.send.send({ kind: 'Headers', headers: OK, fin })
  return (await next(pair.clientController.events, 'IncomingHeaders')).incoming
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export interface Body {
  readonly text: string
  readonly length: number
  readonly fin: boolean
  readonly trailers: readonly Header[] | null
}

/** Everything up to the end of a stream. */
export async function readAll(recv: InboundFrameStream): Promise<Body> {
  const parts: Uint8Array[] = []
  let trailers: readonly Header[] | null = null
  for (let frame: InboundFrame | null = await recv.recv(); frame !== null; frame = await recv.recv()) {
    if (frame.kind === 'Trailers') trailers = frame.headers
    else if (frame.fin) return { ...joined(parts), fin: true, trailers }
    else parts.push(frame.data)
  }
  return { ...joined(parts), fin: false, trailers }
}

function joined(parts: readonly Uint8Array[]): { text: string; length: number } {
  const all = Buffer.concat(parts)
  return { text: all.toString('latin1'), length: all.length }
}
