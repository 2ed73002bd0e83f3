// An endpoint's versions (RFC 9000 §6.1, RFC 9368 §2.1), clients without connection IDs (RFC 9000 §5.1, §5.2), and server connection
// IDs that a load balancer reads (draft-ietf-quic-load-balancers).

import { describe, expect, it } from 'vitest'
import { RandomConnectionIdGenerator } from '../../src/cid/generator.ts'
import { QuicLbDecoder } from '../../src/cid/quic-lb/decoder.ts'
import { QuicLbGenerator } from '../../src/cid/quic-lb/generator.ts'
import type { ConnectionConfig } from '../../src/connection/config.ts'
import type { Connection } from '../../src/connection/connection.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import { Endpoint } from '../../src/endpoint/endpoint.ts'
import { EndpointNode } from '../../src/testing/endpoint-node.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { HeaderView, parseHeader } from '../../src/wire/header.ts'
import { decodeSupportedVersions } from '../../src/wire/version-negotiation.ts'
import { isReservedVersion } from '../../src/wire/version.ts'
import { CLIENT, Pair, SERVER, UNIX_TIME, certificate } from '../connection/pair.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'

const V1 = 1
const V2 = 0x6b3343cf
const ROAMER = '10.0.0.9:9'

function clientConfig(random: SeededRandom, length: number): ConnectionConfig {
  return {
    provider,
    random,
    connectionIds: new RandomConnectionIdGenerator(random, length),
    tls: { alpn: ['test'], serverName: 'test.example', verify: { mode: 'chain', roots: [certificate.certificate], unixTimeMs: UNIX_TIME } },
  }
}

/** A client endpoint without connection IDs, on the network of a pair. */
function withoutIds(pair: Pair): { endpoint: Endpoint; node: EndpointNode<ConnectionEvent, Connection>; config: ConnectionConfig } {
  const random = new SeededRandom(77)
  const endpoint = new Endpoint({ random, connectionIdLength: 0 })
  const node = new EndpointNode<ConnectionEvent, Connection>(endpoint)
  pair.network.add('roamer', node, ROAMER)
  return { endpoint, node, config: clientConfig(random, 0) }
}

describe('clients without connection IDs', () => {
  it('share a socket: datagrams belong to who talks to their source', () => {
    const pair = new Pair()
    const { endpoint, node, config } = withoutIds(pair)
    // A second server, which is another address of the same endpoint.
    const other = '10.0.0.3:443'
    pair.network.add('other server', new EndpointNode(pair.endpoint), other)
    const one = node.adopt(endpoint.connect(config, pair.network.path(ROAMER, SERVER), pair.network.now))
    pair.network.run(() => one.isConfirmed())
    // Until nothing is under way any more.
    pair.network.runFor(5000)
    const before = one.stats().datagramsReceived
    const two = node.adopt(endpoint.connect(config, pair.network.path(ROAMER, other), pair.network.now))
    pair.network.run(() => two.isConfirmed())
    expect(one.stats().datagramsReceived).toBe(before)
    expect(endpoint.size).toBe(2)
  })

  it('cannot have two connections to one address (RFC 9000 §5.1), but one after another', () => {
    const pair = new Pair()
    const { endpoint, node, config } = withoutIds(pair)
    const path = pair.network.path(ROAMER, SERVER)
    const one = node.adopt(endpoint.connect(config, path, pair.network.now))
    expect(() => endpoint.connect(config, path, pair.network.now)).toThrow(RangeError)
    pair.network.run(() => one.isConfirmed())
    one.close(0, '', pair.network.now)
    pair.network.run(() => one.isClosed() && endpoint.size === 0)
    const two = node.adopt(endpoint.connect(config, path, pair.network.now))
    pair.network.run(() => two.isConfirmed())
  })

  it('take no packet with a connection ID, and none from a stranger', () => {
    const pair = new Pair()
    const { endpoint, node, config } = withoutIds(pair)
    const one = node.adopt(endpoint.connect(config, pair.network.path(ROAMER, SERVER), pair.network.now))
    pair.network.run(() => one.isConfirmed())
    const before = one.stats().datagramsReceived
    pair.network.inject(new Uint8Array(100).fill(0x45), '10.6.6.6:6', ROAMER)
    pair.network.runFor(1)
    expect(one.stats().datagramsReceived).toBe(before)
  })

  it('are clients: a server needs connection IDs', () => {
    const random = new SeededRandom(1)
    expect(() => new Endpoint({ random, connectionIdLength: 0, server: () => clientConfig(random, 0) })).toThrow(RangeError)
  })
})

describe('the versions of a server', () => {
  it('are offered to clients of others, even of those spoken here', () => {
    for (const [only, first] of [[V1, V2], [V2, V1]] as const) {
      const pair = new Pair({ endpoint: { versions: [only] }, serverConfig: { versions: [only] }, clientConfig: { versions: [first] } })
      const offers: number[][] = []
      const view = new HeaderView()
      pair.network.observe(({ from, bytes }) => {
        if (from !== SERVER) return
        parseHeader(view, bytes, 0, bytes.length, 8)
        offers.push(decodeSupportedVersions(view))
      })
      pair.network.run(() => pair.client.connection.isClosed())
      expect(offers.length).toBeGreaterThan(0)
      for (const offer of offers) {
        expect(offer.filter((version) => !isReservedVersion(version))).toEqual([only])
        expect(offer.filter(isReservedVersion)).toHaveLength(1)
      }
      expect(pair.client.connection.closeReason()).toMatchObject({ cause: 'version-negotiation', versions: { suggested: null } })
      expect(pair.servers).toHaveLength(0)
    }
  })

  it('must be spoken here', () => {
    expect(() => new Endpoint({ random: new SeededRandom(1), connectionIdLength: 8, versions: [V1, 7] })).toThrow(RangeError)
  })
})

describe('packets without the QUIC bit from strangers (RFC 9287)', () => {
  it('are answered with no stateless reset: they may be of another protocol', () => {
    const pair = new Pair().establish()
    const answers: number[] = []
    pair.network.observe(({ to, bytes }) => {
      if (to === '10.7.7.7:7') answers.push(bytes.length)
    })
    pair.network.inject(new Uint8Array(100), '10.7.7.7:7', SERVER)
    pair.network.runFor(50)
    expect(answers).toEqual([])
    pair.network.inject(new Uint8Array(100).fill(0x40), '10.7.7.7:7', SERVER)
    pair.network.runFor(50)
    expect(answers).toHaveLength(1)
  })
})

describe('QUIC-LB connection IDs on a server', () => {
  it('name the server in every datagram of the client but those before it answered', () => {
    const cipher = provider.blockCipher(new Uint8Array(16).fill(9))
    const config = { configId: 1, serverIdLength: 2, nonceLength: 6, cipher }
    const serverId = Uint8Array.of(0xbe, 0xef)
    const connectionIds = new QuicLbGenerator({ config, serverId, random: new SeededRandom(4) })
    const pair = new Pair({ serverConfig: { connectionIds }, endpoint: { connectionIdLength: connectionIds.length } })
    const decoder = new QuicLbDecoder({ configs: [config], lengthIsEncoded: true })
    const named: boolean[] = []
    pair.network.observe(({ from, bytes }) => {
      if (from !== CLIENT || pair.client.connection.stats().packetsReceived === 0) return
      const found = decoder.serverIdOfDatagram(bytes)
      named.push(found !== null && found[0] === 0xbe && found[1] === 0xef)
    })
    pair.establish().settle()
    expect(named.length).toBeGreaterThan(1)
    expect(named.every(Boolean)).toBe(true)
  })
})
