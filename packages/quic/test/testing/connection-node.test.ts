// Connection and Endpoint have the verbs the simulator asks for: a transfer through every named scenario.

import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import type { Connection, ConnectionConfig, ConnectionEvent } from '../../src/index.ts'
import { Endpoint, RandomConnectionIdGenerator, ReceiveState } from '../../src/index.ts'
import { EndpointNode, Network, scenarios, type ScenarioName } from '../../src/testing/index.ts'
import { createDevCertificate } from '../../src/tls/certificates/development.ts'

const CLIENT = '10.0.0.1:1000'
const SERVER = '10.0.0.2:443'
const NOW = Date.UTC(2026, 0, 1)
const certificate = createDevCertificate(nodeProvider, { names: ['server.test'], unixTimeMs: NOW })

/** Uploads `total` patterned bytes on one stream; returns the network after the server has read the end. */
function upload(scenario: ScenarioName, seed: number, total: number): { network: Network; mismatches: number; connection: Connection } {
  const network = new Network({ seed, scenario, conditions: scenarios[scenario] })
  const random = network.random.fork('endpoints')
  const common = { provider: nodeProvider, random, connectionIds: new RandomConnectionIdGenerator(random, 8) }
  const serverConfig: ConnectionConfig = {
    ...common,
    tls: { alpn: ['test'], certificates: [{ chain: [certificate.certificate], key: nodeProvider.importPrivateKey(certificate.privateKey) }] },
  }
  const clientConfig: ConnectionConfig = {
    ...common,
    tls: { alpn: ['test'], serverName: 'server.test', verify: { mode: 'chain', roots: [certificate.certificate], unixTimeMs: NOW } },
  }
  let received = 0
  let mismatches = 0
  let finished = false
  const server = new EndpointNode<ConnectionEvent, Connection>(new Endpoint({ random, connectionIdLength: 8, server: () => serverConfig }), {
    onEvent: (connection, event) => {
      if (event.kind !== 'stream-readable') return
      const { streamId } = event
      for (let piece = connection.streamPeek(streamId); piece !== null; piece = connection.streamPeek(streamId)) {
        for (const byte of piece) if (byte !== (received++ & 0xff)) mismatches++
        connection.streamConsume(streamId, piece.length)
      }
      finished ||= connection.streamReceiveState(streamId) === ReceiveState.finished
    },
  })
  let sent = 0
  let streamId = -1
  const endpoint = new Endpoint({ random, connectionIdLength: 8 })
  const client = new EndpointNode<ConnectionEvent, Connection>(endpoint, {
    onEvent: (connection, event) => {
      if (event.kind === 'established') streamId = connection.openStream(true)
      if (event.kind === 'closed') throw new Error(`client closed: ${event.reason.cause} ${event.reason.reason}`)
    },
    act: () => {
      while (streamId >= 0 && sent < total) {
        const piece = Uint8Array.from({ length: Math.min(16_384, total - sent) }, (_, index) => sent + index)
        const accepted = connection.streamWrite(streamId, piece, sent + piece.length === total)
        if (accepted <= 0) return
        sent += accepted
      }
    },
  })
  network.add('client', client, CLIENT)
  network.add('server', server, SERVER)
  const connection = client.adopt(endpoint.connect(clientConfig, network.path(CLIENT, SERVER), network.now))
  network.run(() => finished, { time: 300_000 })
  network.explain(() => expect(received).toBe(total))
  return { network, mismatches, connection }
}

describe('a transfer in the simulator', () => {
  it.each(Object.keys(scenarios) as ScenarioName[])('arrives unchanged in scenario %s', (scenario) => {
    for (const seed of [1, 2, 3]) expect(upload(scenario, seed, 200_000).mismatches).toBe(0)
  })

  it('takes as long as the line needs, and repeats to the last microsecond', () => {
    // 2 MB at 10 Mbit/s: 1.6 s of line time for the payload alone.
    const first = upload('interop', 5, 2_000_000)
    expect(first.network.now - 1000).toBeGreaterThan(1600)
    expect(first.network.now - 1000).toBeLessThan(4000)
    expect(upload('interop', 5, 2_000_000).network.now).toBe(first.network.now)
  })
})
