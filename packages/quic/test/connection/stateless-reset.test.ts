// Stateless resets (RFC 9000 §10.3).

import { describe, expect, it } from 'vitest'
import { RandomConnectionIdGenerator } from '../../src/cid/generator.ts'
import type { Connection } from '../../src/connection/connection.ts'
import { Endpoint } from '../../src/endpoint/endpoint.ts'
import { EndpointNode } from '../../src/testing/endpoint-node.ts'
import { Network } from '../../src/testing/network.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { encodeStatelessReset } from '../../src/wire/stateless-reset.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { CLIENT, Pair, SERVER, UNIX_TIME, certificate, pattern } from './pair.ts'

const STRANGER = '10.0.0.88:9'

/** The server loses all its state, and keeps its keys. */
function forget(pair: Pair): void {
  for (const connection of Array.from(pair.endpoint.connections())) {
    pair.endpoint.forget(connection)
    connection.transmit = () => false
    connection.nextTimeout = () => Infinity
  }
}

describe('stateless reset (RFC 9000 §10.3)', () => {
  it('a server that has forgotten the connection ends it on the client', () => {
    const pair = new Pair().establish().settle()
    forget(pair)
    const resets: number[] = []
    pair.network.observe(({ bytes, from }) => {
      if (from === SERVER) resets.push(bytes.length)
    })
    pair.client.send(pattern(3000))
    pair.network.turnAll()
    pair.network.run(() => pair.client.connection.isClosed())
    expect(pair.client.closeReasons()).toMatchObject([{ cause: 'stateless-reset', application: false }])
    for (const size of resets) expect(size).toBeLessThanOrEqual(43)
    const sent = pair.client.connection.stats().packetsSent
    pair.network.runFor(10_000)
    expect(pair.client.connection.stats().packetsSent).toBe(sent)
  })

  it('also one provoked by a small packet, which is smaller still (§10.3.3)', () => {
    const pair = new Pair().establish().settle()
    forget(pair)
    pair.client.connection.ping()
    pair.network.turnAll()
    pair.network.run(() => pair.client.connection.isClosed(), { time: 5000 })
    expect(pair.client.closeReasons()).toMatchObject([{ cause: 'stateless-reset' }])
  })

  it('every size from 21 bytes on is recognised, none below (§10.3)', () => {
    for (const size of [20, 21, 25, 28, 29, 30, 43, 200, 1200]) {
      const pair = new Pair().establish().settle()
      const token = pair.client.connection.peerTransportParameters()!.statelessResetToken!
      const reset = encodeStatelessReset(token, Math.max(size, 21), new SeededRandom(size)).slice(Math.max(size, 21) - size)
      reset[0] = 0x40 | (reset[0]! & 0x3f)
      pair.network.inject(reset, SERVER, CLIENT)
      pair.network.runFor(5)
      expect(pair.client.connection.isClosed()).toBe(size >= 21)
    }
  })

  it('a wrong token ends nothing; nor does a token of a connection ID that is not in use (§10.3.1)', () => {
    const pair = new Pair().establish().settle()
    const unused = pair.server.connection.sourceConnectionIds()[2]!
    const key = new Uint8Array(32).fill(7)
    for (const token of [new Uint8Array(16), provider.hmac('sha256', key, unused).subarray(0, 16)]) {
      pair.network.inject(encodeStatelessReset(token, 60, new SeededRandom(1)), SERVER, CLIENT)
    }
    pair.network.runFor(100)
    expect(pair.client.connection.isEstablished()).toBe(true)
  })

  it('the right token from another address ends nothing on a client', () => {
    const pair = new Pair().establish().settle()
    const token = pair.client.connection.peerTransportParameters()!.statelessResetToken!
    pair.network.inject(encodeStatelessReset(token, 60, new SeededRandom(1)), STRANGER, CLIENT)
    pair.network.runFor(100)
    expect(pair.client.connection.isEstablished()).toBe(true)
  })

  it('long headers for unknown connections, and datagrams of 21 bytes and less, get no answer', () => {
    const pair = new Pair()
    let answers = 0
    pair.network.observe(({ to }) => (answers += to === STRANGER ? 1 : 0))
    const random = new SeededRandom(4)
    for (let size = 1; size <= 21; size += 1) {
      const short = random.bytes(size)
      short[0] = 0x41
      pair.network.inject(short, STRANGER, SERVER)
    }
    const handshake = random.bytes(1200)
    handshake.set([0xe0, 0, 0, 0, 1, 8])
    pair.network.inject(handshake, STRANGER, SERVER)
    pair.network.runFor(100)
    expect(answers).toBe(0)
  })

  it('two endpoints do not answer each other\'s resets forever (§10.3.3)', () => {
    const network = new Network({ seed: 3 })
    for (const [name, address] of [
      ['a', SERVER],
      ['b', CLIENT],
    ] as const) {
      const random = new SeededRandom(address.length)
      const endpoint = new Endpoint({
        random,
        connectionIdLength: 8,
        resetToken: (id) => provider.hmac('sha256', new Uint8Array(32), id).subarray(0, 16),
        server: () => {
          throw new Error('nobody connects here')
        },
      })
      network.add(name, new EndpointNode(endpoint), address)
    }
    let datagrams = 0
    network.observe(() => (datagrams += 1))
    const first = new SeededRandom(9).bytes(1200)
    first[0] = 0x40
    network.inject(first, CLIENT, SERVER)
    network.runFor(10_000)
    expect(datagrams).toBeGreaterThan(0)
    expect(datagrams).toBeLessThan(30)
  })

  it.each(['a short', 'a long'])('a client endpoint finds its connection by the token: the connection ID of a reset with %s header is random (§10.3.1)', (form) => {
    const pair = new Pair()
    const random = new SeededRandom(12)
    const endpoint = new Endpoint({ random, connectionIdLength: 8 })
    const config = {
      provider,
      random,
      connectionIds: new RandomConnectionIdGenerator(random, 8),
      tls: {
        alpn: ['test'],
        serverName: 'test.example',
        verify: { mode: 'chain', roots: [certificate.certificate], unixTimeMs: UNIX_TIME } as const,
      },
    }
    const address = '10.0.0.50:5'
    const reasons: string[] = []
    const node = new EndpointNode(endpoint, {
      onEvent: (_connection: Connection, event) => void (event.kind === 'closed' && reasons.push(event.reason.cause)),
    })
    const connections = [1, 2].map(() => node.adopt(endpoint.connect(config, pair.network.path(address, SERVER), pair.network.now)))
    pair.network.add('shared', node, address)
    pair.network.run(() => connections.every((connection) => connection.isConfirmed()))
    pair.network.runFor(500)
    const token = connections[1]!.peerTransportParameters()!.statelessResetToken!
    const reset = encodeStatelessReset(token, 43, random)
    if (form === 'a long') {
      reset.set([0xc0, 0x1a, 2, 3, 4, 8])
      reset[14] = 0
    }
    pair.network.inject(reset, SERVER, address)
    pair.network.runFor(10)
    expect(reasons).toEqual(['stateless-reset'])
    expect(connections.map((connection) => connection.isClosed())).toEqual([false, true])
    expect(endpoint.size).toBe(1)
  })
})
