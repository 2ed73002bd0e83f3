// What the driver costs above the HTTP/3 layer it drives: the same exchanges through H3Connection on two connections wired back to back, and
// through two drivers with their router, workers and channels on a network in memory. Processor time of both ends; a round is a connection.

import { H3Connection } from '@quicwire/h3'
import type { H3Event, H3StreamEvent, Header } from '@quicwire/h3'
import type { ConnectionEvent, TransportSettings } from '@quicwire/quic'
import { clientH3Driver, connect, createDevCertificate, listen, MemoryNetwork, serverH3Driver } from '@quicwire/driver'
import type { ClientH3Controller, Http3Settings, IncomingH3Headers, ServerH3Controller, ServerH3Event } from '@quicwire/driver'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import { answer } from './child.ts'
import { ConnectionPair } from './connection-pair.ts'
import { beside, microsecondsEach, type Compared } from './rounds.ts'
import { SMALL_BODY } from './work.ts'

const REQUESTS = 4000
const AT_ONCE = 64
const CHUNK = new Uint8Array(16 * 1024).fill(0x63)
const CHUNKS = 4000
const DATAGRAM = new Uint8Array(1000).fill(0x64)
const DATAGRAMS = 10_000

const GET: readonly Header[] = [[':method', 'GET'], [':scheme', 'https'], [':authority', 'bench.example'], [':path', '/']]
const CONNECT: readonly Header[] = [[':method', 'CONNECT'], [':protocol', 'bench'], ...GET.slice(1)]
const OK: readonly Header[] = [[':status', '200'], ['server', 'quicwire']]

/** Large datagrams, so that packets do not hide the layer above: a chunk fits in one. */
const TRANSPORT: Partial<TransportSettings> = {
  mtuDiscovery: false,
  datagramSize: 20_000,
  initialMaxData: 10_000_000,
  initialMaxStreamData: 1_000_000,
  sendBufferLimit: 1024 * 1024,
  maxDatagramFrameSize: 65_535,
}
const HTTP3: Http3Settings = { enableExtendedConnect: true, enableDatagrams: true }

/** The layer alone: what comes is handed to a function, which answers at once. */
class Bare {
  readonly pair: ConnectionPair
  readonly client: H3Connection
  readonly server: H3Connection
  onClient: (event: H3Event) => void
  onServer: (event: H3Event) => void

  constructor() {
    this.pair = new ConnectionPair({ transport: TRANSPORT })
    const { pair } = this
    pair.runUntil(() => pair.client.isConfirmed() && pair.server?.isConfirmed() === true)
    const config = { grease: false, enableDatagrams: true, enableConnectProtocol: true }
    this.client = new H3Connection(pair.client, 'client', config)
    this.server = new H3Connection(pair.server!, 'server', config)
    this.onClient = () => undefined
    this.onServer = () => undefined
    let settings = 0
    pair.onClient = (event) => (settings += this.pump(this.client, event, (said) => this.onClient(said)))
    pair.onServer = (event) => (settings += this.pump(this.server, event, (said) => this.onServer(said)))
    this.client.start()
    this.server.start()
    pair.runUntil(() => settings === 2)
  }

  /** How often SETTINGS were among it. */
  private pump(h3: H3Connection, event: ConnectionEvent, on: (event: H3Event) => void): number {
    if (event.kind === 'datagram') h3.onDatagram()
    else if (event.kind.startsWith('stream')) h3.onStreamEvent(event as H3StreamEvent)
    let settings = 0
    for (let said = h3.poll(); said !== null; said = h3.poll()) {
      if (said.kind === 'connection-error' || said.kind === 'stream-error') throw new Error(said.message)
      if (said.kind === 'settings') settings += 1
      on(said)
    }
    return settings
  }
}

/** Two drivers, and what the application has of them. */
class Driven {
  readonly client: ClientH3Controller
  readonly server: ServerH3Controller
  private readonly end: () => Promise<void>

  private constructor(client: ClientH3Controller, server: ServerH3Controller, end: () => Promise<void>) {
    this.client = client
    this.server = server
    this.end = end
  }

  static async open(): Promise<Driven> {
    const network = new MemoryNetwork()
    const made = createDevCertificate(nodeProvider, { names: ['bench.example'], unixTimeMs: Date.now() })
    const certificates = [{ cert: made.certificatePem, key: made.privateKeyPem }]
    const listener = await listen({ socket: network.bind('10.0.0.2', 2), tls: { certificates }, settings: TRANSPORT })
    const client = clientH3Driver(HTTP3)
    const server = serverH3Driver(HTTP3)
    const accepted = listener.accept().then((incoming) => incoming!.handshake(server.driver))
    const socket = network.bind('10.0.0.1', 1)
    const options = { host: '10.0.0.2', port: 2, tls: { insecure: true }, settings: TRANSPORT, sessionStore: null, tokenStore: null }
    const connection = await connect({ ...options, socket, application: client.driver })
    await accepted
    return new Driven(client.controller, server.controller, async () => {
      await connection.close()
      await listener.close()
    })
  }

  async serve(on: (event: ServerH3Event) => void): Promise<void> {
    for await (const event of this.server.events) on(event)
  }

  ask(requestId: number, headers: readonly Header[], withBody: boolean): void {
    this.client.requestSender().send({ requestId, headers, bodyWriter: withBody ? () => undefined : null })
  }

  close(): Promise<void> {
    return this.end()
  }
}

function bareRequests(): Promise<number> {
  const bare = new Bare()
  let [asked, answered] = [0, 0]
  const ask = (): void => {
    while (asked < REQUESTS && asked - answered < AT_ONCE && bare.client.sendRequest(GET, true) >= 0) asked += 1
  }
  bare.onServer = (event) => {
    if (event.kind !== 'headers') return
    bare.server.sendHeaders(event.streamId, OK, { fin: false })
    bare.server.sendBody(event.streamId, SMALL_BODY, true)
  }
  bare.onClient = (event) => {
    if (event.kind === 'data') while (bare.client.readBody(event.streamId, CHUNK.length) !== null);
    if (event.kind !== 'finished') return
    answered += 1
    ask()
  }
  return microsecondsEach(REQUESTS, () => {
    ask()
    bare.pair.runUntil(() => answered === REQUESTS)
  })
}

async function readToEnd({ recv }: IncomingH3Headers): Promise<number> {
  let bytes = 0
  for await (const frame of recv) if (frame.kind === 'Body') bytes += frame.data.length
  return bytes
}

async function drivenRequests(): Promise<number> {
  const driven = await Driven.open()
  void driven.serve((event) => {
    if (event.kind !== 'Headers') return
    const { send } = event.incoming
    void send.send({ kind: 'Headers', headers: OK }).then(() => send.send({ kind: 'Body', data: SMALL_BODY, fin: true }))
  })
  const cost = await microsecondsEach(REQUESTS, async () => {
    let [asked, answered] = [0, 0]
    const ask = (): void => {
      for (; asked < REQUESTS && asked - answered < AT_ONCE; asked += 1) driven.ask(asked, GET, false)
    }
    ask()
    await new Promise<void>((resolve) => {
      void (async () => {
        for await (const event of driven.client.events) {
          if (event.kind !== 'IncomingHeaders') continue
          void readToEnd(event.incoming).then(() => {
            answered += 1
            ask()
            if (answered === REQUESTS) resolve()
          })
        }
      })()
    })
  })
  await driven.close()
  return cost
}

function bareChunks(): Promise<number> {
  const bare = new Bare()
  let [sent, received, finished] = [0, 0, false]
  const send = (streamId: number): void => {
    for (; sent < CHUNKS * CHUNK.length; ) {
      const left = CHUNKS * CHUNK.length - sent
      const piece = CHUNK.subarray(sent % CHUNK.length)
      const taken = bare.server.sendBody(streamId, piece, piece.length === left)
      if (taken <= 0) return
      sent += taken
    }
  }
  bare.onServer = (event) => {
    if (event.kind === 'headers') bare.server.sendHeaders(event.streamId, OK, { fin: false })
    if (event.kind === 'headers' || event.kind === 'writable') send(event.streamId)
  }
  bare.onClient = (event) => {
    if (event.kind === 'finished') finished = true
    if (event.kind !== 'data') return
    for (let view = bare.client.readBody(event.streamId, CHUNK.length); view !== null; view = bare.client.readBody(event.streamId, CHUNK.length)) {
      received += view.length
    }
  }
  return microsecondsEach(CHUNKS, () => {
    bare.client.sendRequest(GET, true)
    bare.pair.runUntil(() => finished)
    if (received !== CHUNKS * CHUNK.length) throw new Error(`a body of ${received} bytes`)
  })
}

async function drivenChunks(): Promise<number> {
  const driven = await Driven.open()
  void driven.serve((event) => {
    if (event.kind !== 'Headers') return
    const { send } = event.incoming
    void (async () => {
      await send.send({ kind: 'Headers', headers: OK })
      for (let left = CHUNKS; left > 0; left -= 1) await send.send({ kind: 'Body', data: CHUNK, fin: left === 1 })
    })()
  })
  const cost = await microsecondsEach(CHUNKS, async () => {
    driven.ask(0, GET, false)
    for await (const event of driven.client.events) {
      if (event.kind !== 'IncomingHeaders') continue
      const received = await readToEnd(event.incoming)
      if (received !== CHUNKS * CHUNK.length) throw new Error(`a body of ${received} bytes`)
      return
    }
  })
  await driven.close()
  return cost
}

/** Datagrams there and back, AT_ONCE of them under way. */
function bareDatagrams(): Promise<number> {
  const bare = new Bare()
  let [sent, received, stream] = [0, 0, -1]
  const send = (): void => {
    while (sent < DATAGRAMS && sent - received < AT_ONCE && bare.client.sendDatagram(stream, DATAGRAM)) sent += 1
  }
  bare.onServer = (event) => {
    if (event.kind === 'headers') bare.server.sendHeaders(event.streamId, OK, { fin: false })
    if (event.kind !== 'datagram') return
    for (let one = bare.server.receiveDatagram(); one !== null; one = bare.server.receiveDatagram()) bare.server.sendDatagram(one.streamId, one.payload)
  }
  bare.onClient = (event) => {
    if (event.kind === 'headers') stream = event.streamId
    if (event.kind === 'datagram') while (bare.client.receiveDatagram() !== null) received += 1
    if (stream >= 0) send()
  }
  bare.client.sendRequest(CONNECT, false)
  bare.pair.runUntil(() => stream >= 0)
  return microsecondsEach(DATAGRAMS * 2, () => bare.pair.runUntil(() => received === DATAGRAMS))
}

async function drivenDatagrams(): Promise<number> {
  const driven = await Driven.open()
  void driven.serve((event) => {
    if (event.kind === 'Headers') void event.incoming.send.send({ kind: 'Headers', headers: OK })
    if (event.kind !== 'NewFlow') return
    const { recv, send, flowId } = event
    void (async () => {
      for await (const { data } of recv) await send.send({ kind: 'Datagram', data, flowId })
    })()
  })
  let cost = 0
  for await (const event of driven.client.events) {
    // Until then it is not known that the server takes extended CONNECT.
    if (event.kind === 'IncomingSettings') driven.ask(0, CONNECT, true)
    if (event.kind !== 'NewFlow') continue
    const { recv, send, flowId } = event
    cost = await microsecondsEach(DATAGRAMS * 2, async () => {
      let [sent, received] = [0, 0]
      for (; sent < AT_ONCE; sent += 1) await send.send({ kind: 'Datagram', data: DATAGRAM, flowId })
      while (received < DATAGRAMS && (await recv.recv()) !== null) {
        received += 1
        if (sent++ < DATAGRAMS) await send.send({ kind: 'Datagram', data: DATAGRAM, flowId })
      }
    })
    break
  }
  await driven.close()
  return cost
}

const measures: Readonly<Record<string, () => Promise<Compared>>> = {
  requests: () => beside(drivenRequests, bareRequests),
  chunks: () => beside(drivenChunks, bareChunks),
  datagrams: () => beside(drivenDatagrams, bareDatagrams),
}

answer((request) => measures[request]!())
