// Two connections wired back to back in memory, for figures that no socket may blur: the cost of a packet in this code.

import { Connection, Endpoint, RandomConnectionIdGenerator, Transmit } from '@quicwire/quic'
import type { ConnectionConfig, ConnectionEvent, PathAddress, TransportSettings } from '@quicwire/quic'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import type { CryptoProvider, NamedGroup, ServerCertificate, TrustAnchors, VerifyPolicy } from '@quicwire/quic'
import { createDevCertificate } from '@quicwire/quic'

const CLIENT: PathAddress = { local: '10.0.0.1:1', remote: '10.0.0.2:2' }
const SERVER: PathAddress = { local: '10.0.0.2:2', remote: '10.0.0.1:1' }

export interface PairOptions {
  readonly provider?: CryptoProvider
  /** Default: a new development certificate, which the client does not verify. */
  readonly certificate?: ServerCertificate
  /** What the client verifies `certificate` against. */
  readonly roots?: TrustAnchors
  readonly groups?: readonly NamedGroup[]
  readonly transport?: Partial<TransportSettings>
}

export class ConnectionPair {
  readonly client: Connection
  server: Connection | null
  now: number
  packets: number
  /** UDP payload, both ways. */
  bytes: number
  onClient: (event: ConnectionEvent) => void
  onServer: (event: ConnectionEvent) => void
  private readonly endpoint: Endpoint
  private readonly out: Transmit

  constructor(options: PairOptions = {}) {
    const provider = options.provider ?? nodeProvider
    const transport = options.transport ?? {}
    const groups = options.groups === undefined ? {} : { groups: options.groups }
    const certificate = options.certificate ?? developmentCertificate(provider)
    const random = provider.random
    const common = { provider, random, connectionIds: new RandomConnectionIdGenerator(random, 8), transport }
    const serverConfig: ConnectionConfig = {
      ...common,
      tls: { ...groups, alpn: ['bench'], certificates: [certificate] },
    }
    this.endpoint = new Endpoint({ random, connectionIdLength: 8, server: () => serverConfig })
    this.now = 1000
    this.packets = 0
    this.bytes = 0
    this.onClient = () => {}
    this.onServer = () => {}
    this.server = null
    this.out = new Transmit(new Uint8Array(65_535))
    const verify: VerifyPolicy =
      options.roots === undefined ? { mode: 'insecure' } : { mode: 'chain', roots: options.roots, unixTimeMs: Date.now() }
    this.client = Connection.connect(
      { ...common, tls: { ...groups, alpn: ['bench'], serverName: 'bench.example', verify } },
      CLIENT,
      this.now,
    )
  }

  /** One turn: everything the client has goes to the server and back again. */
  turn(): void {
    this.drain(this.client, this.onClient)
    this.carry(this.client, SERVER)
    if (this.server !== null) {
      this.drain(this.server, this.onServer)
      this.carry(this.server, CLIENT)
    }
    this.now += 0.5
    this.tick(this.client)
    if (this.server !== null) this.tick(this.server)
  }

  runUntil(done: () => boolean): void {
    for (let turns = 0; !done(); turns += 1) {
      if (turns > 5_000_000) throw new Error('the pair does not come to an end')
      this.turn()
    }
  }

  private tick(connection: Connection): void {
    if (connection.nextTimeout() <= this.now) connection.onTimeout(this.now)
  }

  private drain(connection: Connection, on: (event: ConnectionEvent) => void): void {
    for (let event = connection.poll(); event !== null; event = connection.poll()) {
      if (connection === this.server) this.endpoint.onEvent(connection, event)
      on(event)
    }
  }

  private carry(from: Connection, path: PathAddress): void {
    const { out } = this
    while (from.transmit(out, this.now)) {
      // A socket hands out a fresh buffer for every datagram; so does this.
      const datagram = Buffer.allocUnsafeSlow(out.length)
      datagram.set(out.buffer.subarray(0, out.length))
      this.packets += 1
      this.bytes += out.length
      if (path === CLIENT) {
        this.client.receive(datagram, CLIENT, this.now)
      } else {
        this.endpoint.receive(datagram, SERVER, this.now)
        this.server ??= this.endpoint.pollIncoming()
      }
    }
  }
}

function developmentCertificate(provider: CryptoProvider): ServerCertificate {
  const made = createDevCertificate(provider, { names: ['bench.example'], unixTimeMs: Date.now() })
  return { chain: [made.certificate], key: provider.importPrivateKey(made.privateKey) }
}
