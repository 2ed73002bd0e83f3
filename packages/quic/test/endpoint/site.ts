// A server's site on the simulated network: its endpoint, clients that come and go, and what went over the wire.

import { RandomConnectionIdGenerator } from '../../src/cid/generator.ts'
import type { ConnectionConfig } from '../../src/connection/config.ts'
import { Connection } from '../../src/connection/connection.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import type { TokenStore } from '../../src/connection/handshake/token-store.ts'
import { Endpoint } from '../../src/endpoint/endpoint.ts'
import type { EndpointConfig } from '../../src/endpoint/endpoint.ts'
import { EndpointNode } from '../../src/testing/endpoint-node.ts'
import type { LinkConditions } from '../../src/testing/link.ts'
import { Network } from '../../src/testing/network.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { createDevCertificate } from '../../src/tls/certificates/development.ts'
import type { DevCertificate } from '../../src/tls/certificates/development.ts'
import { PacketType } from '../../src/wire/constants.ts'
import { HeaderView, parseHeader } from '../../src/wire/header.ts'
import { CLIENT, Peer, SERVER, UNIX_TIME, certificate } from '../connection/pair.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'

export interface SiteOptions extends Partial<EndpointConfig> {
  readonly seed?: number
  readonly conditions?: Partial<LinkConditions>
  /** A server certificate with so many names that the amplification limit stops the first flight. */
  readonly bigCertificate?: boolean
}

/** The first packet of a datagram as an observer sees it. */
export interface Seen {
  readonly from: string
  readonly to: string
  readonly time: number
  readonly type: number
  readonly destination: Uint8Array
  readonly source: Uint8Array
  readonly token: Uint8Array
  readonly bytes: Uint8Array
}

export class Site {
  readonly network: Network
  readonly endpoint: Endpoint
  /** The endpoint as a node, to put it on another site's network. */
  readonly node: EndpointNode<ConnectionEvent, Connection>
  readonly servers: Peer[]
  readonly seen: Seen[]
  private readonly options: SiteOptions
  private clients: number

  constructor(options: SiteOptions = {}) {
    this.options = options
    const conditions = { delay: 10, ...options.conditions }
    this.network = new Network({ seed: options.seed ?? 1, scenario: 'address validation', conditions })
    this.servers = []
    this.seen = []
    this.clients = 0
    const random = new SeededRandom((options.seed ?? 1) * 31)
    const identity = options.bigCertificate === true ? bigCertificate() : certificate
    this.endpoint = new Endpoint({ random, connectionIdLength: 8, server: () => serverConfig(random, identity), ...options })
    this.node = new EndpointNode(this.endpoint, {
      onConnection: (connection) => void this.servers.push(new Peer(connection)),
      onEvent: (connection, event) => this.servers.find((peer) => peer.connection === connection)!.take(event),
    })
    this.network.add('server', this.node, SERVER)
    const view = new HeaderView()
    this.network.observe(({ from, to, time, bytes }) => {
      parseHeader(view, bytes, 0, bytes.length, 8, true)
      const ids = { destination: view.destination().slice(), source: view.source().slice() }
      this.seen.push({ from, to, time, type: view.packetType, ...ids, token: view.token().slice(), bytes: bytes.slice() })
    })
  }

  /** A client at an address; goes on the network at once. */
  connect(address: string = CLIENT, tokenStore?: TokenStore, versions?: readonly number[]): Peer {
    this.clients += 1
    const random = new SeededRandom((this.options.seed ?? 1) * 1000 + this.clients)
    const identity = this.options.bigCertificate === true ? bigCertificate() : certificate
    const config: ConnectionConfig = {
      provider,
      random,
      connectionIds: new RandomConnectionIdGenerator(random, 8),
      tls: { alpn: ['test'], serverName: 'test.example', verify: { mode: 'chain', roots: [identity.certificate], unixTimeMs: UNIX_TIME } },
      ...(tokenStore === undefined ? {} : { tokenStore }),
      ...(versions === undefined ? {} : { versions }),
    }
    const peer = new Peer(Connection.connect(config, this.network.path(address, SERVER), this.network.now))
    const { connection } = peer
    this.network.add(
      `client ${this.clients}`,
      {
        receive: (...input) => connection.receive(...input),
        onTimeout: (now) => connection.onTimeout(now),
        transmit: (...input) => connection.transmit(...input),
        nextTimeout: () => connection.nextTimeout(),
        act: () => {
          for (let event = connection.poll(); event !== null; event = connection.poll()) peer.take(event)
        },
      },
      address,
    )
    return peer
  }

  /** Takes the last client off the network, so that its address is free. */
  leave(): void {
    this.network.remove(`client ${this.clients}`)
  }

  confirm(client: Peer): this {
    this.network.run(() => client.connection.isConfirmed())
    return this
  }

  /** Runs until the client's connection has ended, and gives the reason. */
  end(client: Peer): ReturnType<Connection['closeReason']> {
    this.network.run(() => client.connection.closeReason() !== null)
    return client.connection.closeReason()
  }

  retries(): Seen[] {
    return this.seen.filter((packet) => packet.type === PacketType.retry)
  }

  initials(from: string = CLIENT): Seen[] {
    return this.seen.filter((packet) => packet.from === from && packet.type === PacketType.initial)
  }
}

/** The token of the Initial packet a datagram begins with. */
export function tokenOf(datagram: Uint8Array): Uint8Array {
  const view = new HeaderView()
  parseHeader(view, datagram, 0, datagram.length, 8)
  return view.packetType === PacketType.initial ? view.token().slice() : new Uint8Array(0)
}

let big: DevCertificate | null = null

function bigCertificate(): DevCertificate {
  const names = ['test.example', ...Array.from({ length: 800 }, (_, i) => `host-${i}.test.example`)]
  return (big ??= createDevCertificate(provider, { names, unixTimeMs: UNIX_TIME }))
}

export function serverConfig(random: SeededRandom, identity: DevCertificate): ConnectionConfig {
  return {
    provider,
    random,
    connectionIds: new RandomConnectionIdGenerator(random, 8),
    tls: {
      alpn: ['test'],
      certificates: [{ chain: [identity.certificate], key: provider.importPrivateKey(identity.privateKey) }],
      // A big certificate stays big.
      certificateCompression: false,
    },
  }
}

/** The first datagram of a client that nobody drives any further, each number another one. */
export function firstDatagram(number: number, alpn: readonly string[] = ['test'], serverName: string = 'test.example'): Uint8Array {
  const random = new SeededRandom(500_000 + number)
  const config: ConnectionConfig = {
    provider,
    random,
    connectionIds: new RandomConnectionIdGenerator(random, 8),
    tls: { alpn, serverName, verify: { mode: 'insecure' } },
  }
  const connection = Connection.connect(config, { local: CLIENT, remote: SERVER }, 1000)
  const out = { buffer: new Uint8Array(1500), length: 0, path: null, ecn: 0 }
  connection.transmit(out, 1000)
  return out.buffer.slice(0, out.length)
}
