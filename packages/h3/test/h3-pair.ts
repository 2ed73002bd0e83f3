import { QpackEncoder } from '@quicwire/qpack'
import { H3Connection, H3StateError } from '../src/index.ts'
import type { H3Config, H3Event, H3StreamEvent, H3Transport, Header } from '../src/index.ts'
import type { FakeTransport } from './transport-pair.ts'
import { transportPair } from './transport-pair.ts'

/** Where the events of a transport come from. */
export interface EventSource {
  readonly events: H3StreamEvent[]
  hasDatagrams(): boolean
}

/** One endpoint: a connection and everything it has said. */
export class Endpoint<T extends H3Transport = H3Transport> {
  readonly transport: T
  private readonly source: EventSource
  readonly h3: H3Connection
  readonly events: H3Event[] = []
  /** Read bodies as soon as they are there. */
  reading = true
  readonly bodies = new Map<number, number[]>()

  constructor(transport: T, role: 'client' | 'server', source: EventSource, config: H3Config) {
    this.transport = transport
    this.source = source
    this.h3 = new H3Connection(transport, role, config)
  }
  step(): void {
    const { events } = this.source
    for (let event = events.shift(); event !== undefined; event = events.shift()) {
      this.h3.onStreamEvent(event)
      this.poll()
    }
    if (this.source.hasDatagrams()) this.h3.onDatagram()
    this.poll()
  }
  poll(): void {
    for (let event = this.h3.poll(); event !== null; event = this.h3.poll()) {
      this.events.push(event)
      if (event.kind === 'data' && this.reading) this.read(event.streamId)
    }
  }
  read(streamId: number, maxLength = 1 << 20): number {
    const body = this.bodies.get(streamId) ?? []
    this.bodies.set(streamId, body)
    let total = 0
    for (let bytes = this.h3.readBody(streamId, maxLength); bytes !== null; bytes = this.h3.readBody(streamId, maxLength)) {
      for (const byte of bytes) body.push(byte)
      total += bytes.length
    }
    return total
  }
  of<K extends H3Event['kind']>(kind: K): Extract<H3Event, { kind: K }>[] {
    return this.events.filter((event): event is Extract<H3Event, { kind: K }> => event.kind === kind)
  }
  /** What happened on one stream, in words. */
  story(streamId: number): string[] {
    return this.events.flatMap((event) => {
      if (!('streamId' in event) || event.streamId !== streamId) return []
      if (event.kind === 'headers') return [event.trailers ? 'trailers' : event.informational ? 'informational' : 'headers']
      return [event.kind]
    })
  }
  body(streamId: number): string {
    return (this.bodies.get(streamId) ?? []).map((byte) => String.fromCharCode(byte)).join('')
  }
}

export interface Pair {
  readonly client: Endpoint<FakeTransport>
  readonly server: Endpoint<FakeTransport>
  run(piece?: number): void
}

export function h3Pair(clientConfig: H3Config = {}, serverConfig: H3Config = {}, start = true): Pair {
  const transports = transportPair()
  const client = new Endpoint(transports.client, 'client', transports.client, clientConfig)
  const server = new Endpoint(transports.server, 'server', transports.server, serverConfig)
  const run = (piece = 1 << 20): void => {
    for (let round = 0, busy = true; busy; round++) {
      if (round > 10_000) throw new Error('the pair does not come to rest')
      const a = client.transport.deliver(piece, () => server.step())
      const b = server.transport.deliver(piece, () => client.step())
      busy = a || b || client.transport.events.length > 0 || server.transport.events.length > 0
      client.step()
      server.step()
    }
  }
  if (start) {
    client.h3.start()
    server.h3.start()
    run()
  }
  return { client, server, run }
}

/** One H3Connection and, as its peer, a transport that is written to by hand. */
export class Lab {
  readonly subject: Endpoint<FakeTransport>
  readonly raw: FakeTransport
  /** The raw side's control stream; -1 without. */
  control = -1

  constructor(role: 'client' | 'server', config: H3Config = {}, settings: readonly number[] | null = [], datagramLimit = 0) {
    const transports = transportPair()
    for (const side of [transports.client, transports.server]) side.datagramLimit = datagramLimit
    const own = transports[role]
    this.subject = new Endpoint(own, role, own, config)
    this.raw = role === 'client' ? transports.server : transports.client
    this.subject.h3.start()
    if (settings !== null) {
      this.control = this.uni([0x00])
      this.write(this.control, frame(0x04, settings))
    }
    this.run()
  }
  run(piece = 1 << 20): void {
    for (let busy = true; busy; ) {
      const a = this.raw.deliver(piece, () => this.subject.step())
      const b = this.subject.transport.deliver(piece, () => undefined)
      this.raw.events.length = 0
      busy = a || b || this.subject.transport.events.length > 0
      this.subject.step()
    }
  }
  uni(bytes: readonly number[]): number {
    const id = this.raw.openStream(false)
    this.write(id, bytes)
    return id
  }
  /** A request stream: opened by the raw client, or asked for from the subject. */
  request(fields: readonly Header[] = GET): number {
    if (this.raw.role === 'client') return this.raw.openStream(true)
    const id = this.subject.h3.sendRequest(fields, true)
    this.run()
    return id
  }
  write(id: number, bytes: readonly number[], fin = false): void {
    this.raw.streamWrite(id, Uint8Array.from(bytes), fin)
  }
  /** What came of it: the error event, in one word. */
  outcome(): string {
    const connection = this.subject.of('connection-error')[0]
    if (connection !== undefined) return `connection 0x${connection.code.toString(16)}`
    const stream = this.subject.of('stream-error')[0]
    return stream === undefined ? 'ok' : `stream 0x${stream.code.toString(16)}`
  }
}

export const GET: readonly Header[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'example.com'],
  [':path', '/'],
]

export const OK: readonly Header[] = [[':status', '200']]

export function varint(value: number): number[] {
  if (value < 64) return [value]
  if (value < 16384) return [0x40 | (value >> 8), value & 0xff]
  if (value < 2 ** 30) return [0x80 | (value >>> 24), (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
  const high = Math.floor(value / 2 ** 32)
  return [0xc0 | (high >>> 24), (high >>> 16) & 0xff, (high >>> 8) & 0xff, high & 0xff, ...[24, 16, 8, 0].map((s) => (value >>> s) & 0xff)]
}

export function frame(type: number, payload: readonly number[]): number[] {
  return [...varint(type), ...varint(payload.length), ...payload]
}

export function headersFrame(fields: readonly Header[]): number[] {
  return frame(0x01, [...new QpackEncoder().encode(0, fields)])
}

export function dataFrame(text: string): number[] {
  return frame(0x00, [...text].map((c) => c.charCodeAt(0)))
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0))
}

/** The code of the H3StateError a wrong call raises. */
export function stateError(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (error instanceof H3StateError) return error.code
    throw error
  }
  return 'nothing thrown'
}
