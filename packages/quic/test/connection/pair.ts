// A client connection and a server endpoint on the simulated network: what the connection tests are written with.

import { RandomConnectionIdGenerator } from '../../src/cid/generator.ts'
import { Connection } from '../../src/connection/connection.ts'
import type { ConnectionConfig, TlsSettings, TransportSettings } from '../../src/connection/config.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import type { CloseReason } from '../../src/connection/close-reason.ts'
import { NamedGroup } from '../../src/crypto/provider.ts'
import type { CryptoProvider } from '../../src/crypto/provider.ts'
import { Endpoint } from '../../src/endpoint/endpoint.ts'
import type { EndpointConfig } from '../../src/endpoint/endpoint.ts'
import { EndpointNode } from '../../src/testing/endpoint-node.ts'
import type { LinkConditions } from '../../src/testing/link.ts'
import { Network } from '../../src/testing/network.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { createDevCertificate } from '../../src/tls/certificates/development.ts'
import type { DevCertificate } from '../../src/tls/certificates/development.ts'
import type { TraceSink } from '../../src/trace/sink.ts'
import { providerUnderTest } from '../crypto/provider-under-test.ts'

export const CLIENT = '10.0.0.1:5000'
export const SERVER = '10.0.0.2:443'
export const UNIX_TIME = Date.UTC(2026, 0, 15)

const ID_LENGTH = 8

export const certificate: DevCertificate = createDevCertificate(providerUnderTest, { names: ['test.example'], unixTimeMs: UNIX_TIME })

export interface PairOptions {
  readonly seed?: number
  readonly scenario?: string
  readonly conditions?: Partial<LinkConditions>
  readonly client?: Partial<TransportSettings>
  readonly server?: Partial<TransportSettings>
  readonly clientTls?: Partial<TlsSettings>
  readonly serverTls?: Partial<TlsSettings>
  /** What is beside transport and TLS in the sides' configuration. */
  readonly clientConfig?: Partial<ConnectionConfig>
  readonly serverConfig?: Partial<ConnectionConfig>
  readonly endpoint?: Partial<EndpointConfig>
  /** Further addresses of the two nodes. */
  readonly clientAddresses?: readonly string[]
  readonly serverAddresses?: readonly string[]
  /** Both sides' cryptography; the one under test by default. */
  readonly provider?: CryptoProvider
  readonly clientTrace?: TraceSink
  readonly serverTrace?: TraceSink
  /** The server's application; by default streams are echoed. */
  readonly serve?: (peer: Peer, event: ConnectionEvent, now: number) => void
  readonly onClientEvent?: (peer: Peer, event: ConnectionEvent, now: number) => void
}

/** One side of a connection with everything it has told so far. */
export class Peer {
  readonly connection: Connection
  readonly events: ConnectionEvent[]
  /** Bytes read from each stream. */
  readonly received: Map<number, Uint8Array[]>
  /** Streams whose end was reached cleanly. */
  readonly finished: Set<number>
  /** Bytes still to be written per stream, with what remains of them. */
  private readonly pending: Map<number, { data: Uint8Array; fin: boolean }>

  constructor(connection: Connection) {
    this.connection = connection
    this.events = []
    this.received = new Map()
    this.finished = new Set()
    this.pending = new Map()
  }

  /** Opens a stream and writes everything to it, as credit allows. */
  send(data: Uint8Array, fin: boolean = true, bidirectional: boolean = true): number {
    const id = this.connection.openStream(bidirectional)
    if (id >= 0) this.write(id, data, fin)
    return id
  }

  write(id: number, data: Uint8Array, fin: boolean): void {
    const accepted = this.connection.streamWrite(id, data, fin)
    if (accepted >= 0 && accepted < data.length) this.pending.set(id, { data: data.subarray(accepted), fin })
  }

  /** Keeps writing and reading; called for every event. */
  take(event: ConnectionEvent): void {
    this.events.push(event)
    if (event.kind === 'stream-writable') {
      const rest = this.pending.get(event.streamId)
      if (rest === undefined) return
      this.pending.delete(event.streamId)
      this.write(event.streamId, rest.data, rest.fin)
    } else if (event.kind === 'stream-readable') {
      this.read(event.streamId)
    }
  }

  read(id: number): void {
    for (let bytes = this.connection.streamPeek(id); bytes !== null; bytes = this.connection.streamPeek(id)) {
      const chunks = this.received.get(id)
      if (chunks === undefined) this.received.set(id, [bytes.slice()])
      else chunks.push(bytes.slice())
      this.connection.streamConsume(id, bytes.length)
    }
    if (this.connection.streamReceiveState(id) === 1) this.finished.add(id)
  }

  bytesOf(id: number): Uint8Array {
    const chunks = this.received.get(id) ?? []
    const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
    let at = 0
    for (const chunk of chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }

  has(kind: ConnectionEvent['kind']): boolean {
    return this.events.some((event) => event.kind === kind)
  }

  closeReasons(): CloseReason[] {
    return this.events.flatMap((event) => (event.kind === 'closed' ? [event.reason] : []))
  }
}

/** Sends back whatever arrives on bidirectional streams, end included. */
export function echo(peer: Peer, event: ConnectionEvent): void {
  if (event.kind !== 'stream-readable' || event.streamId % 4 !== 0) return
  if (peer.finished.has(event.streamId)) peer.write(event.streamId, peer.bytesOf(event.streamId), true)
}

export class Pair {
  readonly network: Network
  readonly endpoint: Endpoint
  readonly client: Peer
  readonly servers: Peer[]
  private readonly options: PairOptions
  private readonly provider: CryptoProvider
  private readonly seed: number

  constructor(options: PairOptions = {}) {
    const seed = options.seed ?? 1
    const provider = options.provider ?? providerUnderTest
    this.options = options
    this.provider = provider
    this.seed = seed
    this.network = new Network({ seed, scenario: options.scenario ?? 'connection', conditions: { delay: 10, ...options.conditions } })
    this.servers = []
    const serve = options.serve ?? echo
    const resetKey = new Uint8Array(32).fill(7)
    const resetToken = (id: Uint8Array): Uint8Array => provider.hmac('sha256', resetKey, id).subarray(0, 16)
    const key = provider.importPrivateKey(certificate.privateKey)
    const serverRandom = new SeededRandom(seed * 2 + 1)
    this.endpoint = new Endpoint({
      random: serverRandom,
      connectionIdLength: ID_LENGTH,
      resetToken,
      server: () => ({
        ...configuration(provider, serverRandom, options.server, options.serverTrace),
        tls: {
          alpn: ['test'],
          certificates: [{ chain: [certificate.certificate], key }],
          ...options.serverTls,
        },
        resetToken,
        ...options.serverConfig,
      }),
      ...options.endpoint,
    })
    const node = new EndpointNode<ConnectionEvent, Connection>(this.endpoint, {
      onConnection: (connection) => void this.servers.push(new Peer(connection)),
      onEvent: (connection, event, now) => {
        const peer = this.servers.find((candidate) => candidate.connection === connection)!
        peer.take(event)
        serve(peer, event, now)
      },
    })
    this.network.add('server', node, SERVER, ...(options.serverAddresses ?? []))
    this.client = this.connect('client', CLIENT, seed * 2)
    for (const address of options.clientAddresses ?? []) this.network.addAddress('client', address)
  }

  /** One more client of the same server, on an address of its own. */
  connect(name: string, address: string, seed: number = this.seed * 1000 + this.servers.length): Peer {
    const { options } = this
    const config: ConnectionConfig = {
      ...configuration(this.provider, new SeededRandom(seed), options.client, options.clientTrace),
      tls: {
        alpn: ['test'],
        // A ClientHello of one datagram; that of the default groups takes two.
        groups: [NamedGroup.x25519],
        serverName: 'test.example',
        verify: { mode: 'chain', roots: [certificate.certificate], unixTimeMs: UNIX_TIME },
        ...options.clientTls,
      },
      ...options.clientConfig,
    }
    const peer = new Peer(Connection.connect(config, this.network.path(address, SERVER), this.network.now))
    this.network.add(name, new ClientNode(peer, options.onClientEvent), address)
    return peer
  }

  get server(): Peer {
    const peer = this.servers[0]
    if (peer === undefined) throw new Error('the server has no connection')
    return peer
  }

  establish(): this {
    this.network.run(() => this.client.connection.isConfirmed() && this.servers[0]?.connection.isConfirmed() === true)
    return this
  }

  /** Lets the exchange that is under way come to rest: acknowledgements, connection IDs. */
  settle(): this {
    this.network.runFor(500)
    return this
  }
}

function configuration(
  provider: CryptoProvider,
  random: SeededRandom,
  transport: Partial<TransportSettings> | undefined,
  trace: TraceSink | undefined,
): Omit<ConnectionConfig, 'tls'> {
  return {
    provider,
    random,
    connectionIds: new RandomConnectionIdGenerator(random, ID_LENGTH),
    transport: transport ?? {},
    createTrace: () => trace ?? null,
  }
}

class ClientNode {
  private readonly peer: Peer
  private readonly onEvent: PairOptions['onClientEvent']

  constructor(peer: Peer, onEvent: PairOptions['onClientEvent']) {
    this.peer = peer
    this.onEvent = onEvent
  }

  receive(...input: Parameters<Connection['receive']>): void {
    this.peer.connection.receive(...input)
  }

  onTimeout(now: number): void {
    this.peer.connection.onTimeout(now)
  }

  transmit(...input: Parameters<Connection['transmit']>): boolean {
    return this.peer.connection.transmit(...input)
  }

  nextTimeout(): number {
    return this.peer.connection.nextTimeout()
  }

  act(now: number): void {
    for (let event = this.peer.connection.poll(); event !== null; event = this.peer.connection.poll()) {
      this.peer.take(event)
      this.onEvent?.(this.peer, event, now)
    }
  }
}

/** Recognisable bytes: every position differs from its neighbours in the same way everywhere. */
export function pattern(length: number, salt: number = 0): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i += 1) bytes[i] = (i * 31 + (i >> 8) * 17 + salt) & 0xff
  return bytes
}
