// Page loads of nothing but headers: bytes and processor time, with dynamic tables and with the static one alone, through QPACK by itself and
// through two whole HTTP/3 connections.

import { H3Connection } from '@quicwire/h3'
import type { H3StreamEvent } from '@quicwire/h3'
import { QpackDecoder, QpackEncoder } from '@quicwire/qpack'
import type { FieldLine } from '@quicwire/qpack'
import type { ConnectionEvent } from '@quicwire/quic'
import { answer } from './child.ts'
import { ConnectionPair } from './connection-pair.ts'
import { pageLoads, type PageLoad } from './page-loads.ts'

const EXCHANGES = 100
const CODEC_ROUNDS = 40
const CONNECTION_ROUNDS = 12
/** Requests that a browser has under way. */
const AT_ONCE = 10
const HEAD: FieldLine = [':method', 'HEAD']

export interface HeaderRichCost {
  /** Octets of names and values, per exchange. */
  readonly plainBytes: number
  /** Sections and instructions of both directions, per exchange. */
  readonly codecBytes: number
  /** Encoding and decoding a request and a response. */
  readonly codecMicroseconds: number
  /** UDP payload of both directions, per exchange, without the handshake. */
  readonly wireBytes: number
  /** Of both ends. */
  readonly wireMicroseconds: number
}

/** One direction of a connection, everything in order. */
class Line {
  readonly encoder: QpackEncoder
  readonly decoder: QpackDecoder
  bytes: number

  constructor(capacity: number) {
    this.encoder = new QpackEncoder()
    this.encoder.applySettings(capacity, 100)
    this.decoder = new QpackDecoder({ maxFieldSectionSize: 65_536, maxTableCapacity: capacity, maxBlockedStreams: 100 })
    this.bytes = 0
  }

  carry(streamId: number, fields: readonly FieldLine[]): void {
    const section = this.encoder.encode(streamId, fields)
    const instructions = this.encoder.takeInstructions()
    this.bytes += section.length + (instructions?.length ?? 0)
    if (instructions !== null) this.decoder.onEncoderStream(instructions)
    if (this.decoder.decode(streamId, section, 0, section.length) === null) throw new Error('blocked')
    const acknowledgment = this.decoder.takeInstructions()
    if (acknowledgment === null) return
    this.bytes += acknowledgment.length
    this.encoder.onDecoderStream(acknowledgment)
  }
}

function codec(pages: readonly PageLoad[], capacity: number): { bytes: number; microseconds: number } {
  let bytes = 0
  const load = (): void => {
    for (const { exchanges } of pages) {
      const requests = new Line(capacity)
      const responses = new Line(capacity)
      exchanges.forEach(({ request, response }, i) => {
        requests.carry(i * 4, request)
        responses.carry(i * 4, response)
      })
      bytes += requests.bytes + responses.bytes
    }
  }
  for (let i = 0; i < CODEC_ROUNDS / 4; i += 1) load()
  bytes = 0
  const since = process.cpuUsage()
  for (let i = 0; i < CODEC_ROUNDS; i += 1) load()
  const { user, system } = process.cpuUsage(since)
  const exchanges = CODEC_ROUNDS * pages.length * EXCHANGES
  return { bytes: bytes / exchanges, microseconds: (user + system) / exchanges }
}

/** The same request without content, and for a response without: content-length is checked. */
function bodiless(request: readonly FieldLine[]): readonly FieldLine[] {
  return request.filter(([name]) => name !== 'content-length').map((field) => (field[0] === ':method' ? HEAD : field))
}

/** One page on a connection of its own. Bytes, and microseconds of processor time. */
function connection({ exchanges }: PageLoad, qpackMaxTableCapacity: number): { bytes: number; microseconds: number } {
  const pair = new ConnectionPair({ transport: { mtuDiscovery: false } })
  pair.runUntil(() => pair.client.isConfirmed() && pair.server?.isConfirmed() === true)
  const config = { qpackMaxTableCapacity, grease: false }
  const client = new H3Connection(pair.client, 'client', config)
  const server = new H3Connection(pair.server!, 'server', config)
  const requests = exchanges.map(({ request }) => bodiless(request))
  const before = pair.bytes
  const since = process.cpuUsage()
  let asked = 0
  let answered = 0
  const ask = (): void => {
    // The document first: the rest is known when it has come.
    while (asked < exchanges.length && asked - answered < AT_ONCE && (asked === 0 || answered > 0)) {
      if (client.sendRequest(requests[asked]!, true) < 0) return
      asked += 1
    }
  }
  const pump = (h3: H3Connection, event: ConnectionEvent): void => {
    if (!event.kind.startsWith('stream')) return
    h3.onStreamEvent(event as H3StreamEvent)
    for (let said = h3.poll(); said !== null; said = h3.poll()) {
      if (said.kind === 'connection-error' || said.kind === 'stream-error') throw new Error(said.message)
      if (said.kind === 'headers' && h3 === server) server.sendHeaders(said.streamId, exchanges[said.streamId / 4]!.response, { fin: true })
      if (said.kind === 'finished' && h3 === client) answered += 1
    }
    if (h3 === client) ask()
  }
  pair.onClient = (event) => pump(client, event)
  pair.onServer = (event) => pump(server, event)
  client.start()
  server.start()
  ask()
  pair.runUntil(() => answered === exchanges.length)
  const { user, system } = process.cpuUsage(since)
  return { bytes: pair.bytes - before, microseconds: user + system }
}

function connections(pages: readonly PageLoad[], capacity: number): { bytes: number; microseconds: number } {
  let bytes = 0
  let microseconds = 0
  for (let round = -3; round < CONNECTION_ROUNDS; round += 1) {
    for (const page of pages) {
      const cost = connection(page, capacity)
      if (round < 0) continue
      bytes += cost.bytes
      microseconds += cost.microseconds
    }
  }
  const exchanges = CONNECTION_ROUNDS * pages.length * EXCHANGES
  return { bytes: bytes / exchanges, microseconds: microseconds / exchanges }
}

function cost(capacity: number): HeaderRichCost {
  const pages = pageLoads(EXCHANGES)
  const lists = pages.flatMap(({ exchanges }) => exchanges.flatMap(({ request, response }) => [...request, ...response]))
  const plain = lists.reduce((size, [name, value]) => size + name.length + value.length, 0)
  const alone = codec(pages, capacity)
  const whole = connections(pages, capacity)
  return {
    plainBytes: plain / (pages.length * EXCHANGES),
    codecBytes: alone.bytes,
    codecMicroseconds: alone.microseconds,
    wireBytes: whole.bytes,
    wireMicroseconds: whole.microseconds,
  }
}

answer((request) => Promise.resolve(cost(request === 'static' ? 0 : 16_384)))
