// A client and a server connection of @quicwire/quic on the simulated network, with their stream events kept until somebody asks for them.

import { RandomConnectionIdGenerator } from '../../../quic/src/cid/generator.ts'
import type { ConnectionConfig, TransportSettings } from '../../../quic/src/connection/config.ts'
import { Connection } from '../../../quic/src/connection/connection.ts'
import type { ConnectionEvent } from '../../../quic/src/connection/events.ts'
import { NamedGroup } from '../../../quic/src/crypto/provider.ts'
import { Endpoint } from '../../../quic/src/endpoint/endpoint.ts'
import { EndpointNode } from '../../../quic/src/testing/endpoint-node.ts'
import { Network } from '../../../quic/src/testing/network.ts'
import { SeededRandom } from '../../../quic/src/testing/seeded-random.ts'
import { CLIENT, SERVER, UNIX_TIME, certificate } from '../../../quic/test/connection/pair.ts'
import { providerUnderTest as provider } from '../../../quic/test/crypto/provider-under-test.ts'
import type { H3StreamEvent } from '../../src/index.ts'

export class QuicSide {
  readonly role: 'client' | 'server'
  readonly events: H3StreamEvent[] = []
  connection!: Connection
  /** Takes the events instead, each before the next is asked for. */
  listener: ((event: H3StreamEvent) => void) | null = null
  private datagram = false

  constructor(role: 'client' | 'server') {
    this.role = role
  }
  take(event: ConnectionEvent): void {
    switch (event.kind) {
      case 'datagram':
        this.datagram = true
        return
      case 'stream-opened':
      case 'stream-readable':
      case 'stream-writable':
      case 'stream-reset':
      case 'stream-stopped':
      case 'stream-closed':
      case 'streams-available':
        if (this.listener !== null) this.listener(event)
        else this.events.push(event)
        return
      case 'closed':
        throw new Error(`the ${this.role} closed: ${JSON.stringify(event.reason)}`)
      default:
    }
  }
  /** Whether datagrams have come since the last call. */
  hasDatagrams(): boolean {
    const had = this.datagram
    this.datagram = false
    return had
  }
}

export interface QuicPair {
  readonly client: QuicSide
  readonly server: QuicSide
  readonly network: Network
}

/** Established, ALPN and certificate included. */
export function quicPair(settings: Partial<TransportSettings> = {}): QuicPair {
  const network = new Network({ seed: 7, scenario: 'h3', conditions: { delay: 5 } })
  const resetToken = (id: Uint8Array): Uint8Array => provider.hmac('sha256', new Uint8Array(32).fill(7), id).subarray(0, 16)
  const configuration = (seed: number): Omit<ConnectionConfig, 'tls'> => {
    const random = new SeededRandom(seed)
    return { provider, random, connectionIds: new RandomConnectionIdGenerator(random, 8), transport: settings, createTrace: () => null }
  }
  const client = new QuicSide('client')
  const server = new QuicSide('server')
  const key = provider.importPrivateKey(certificate.privateKey)
  const endpoint = new Endpoint({
    random: new SeededRandom(3),
    connectionIdLength: 8,
    resetToken,
    server: () => ({ ...configuration(2), tls: { alpn: ['h3'], certificates: [{ chain: [certificate.certificate], key }] }, resetToken }),
  })
  network.add(
    'server',
    new EndpointNode<ConnectionEvent, Connection>(endpoint, {
      onConnection: (connection) => {
        server.connection = connection
      },
      onEvent: (_, event) => server.take(event),
    }),
    SERVER,
  )
  const tls: ConnectionConfig['tls'] = {
    alpn: ['h3'],
    groups: [NamedGroup.x25519],
    serverName: 'test.example',
    verify: { mode: 'chain', roots: [certificate.certificate], unixTimeMs: UNIX_TIME },
  }
  const connection = Connection.connect({ ...configuration(1), tls }, network.path(CLIENT, SERVER), network.now)
  client.connection = connection
  network.add(
    'client',
    {
      receive: (...input) => connection.receive(...input),
      onTimeout: (now) => connection.onTimeout(now),
      transmit: (...input) => connection.transmit(...input),
      nextTimeout: () => connection.nextTimeout(),
      act: () => {
        for (let event = connection.poll(); event !== null; event = connection.poll()) client.take(event)
      },
    },
    CLIENT,
  )
  network.run(() => connection.isConfirmed() && server.connection?.isConfirmed())
  return { client, server, network }
}
