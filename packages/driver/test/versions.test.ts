// QUIC versions, connection IDs and their settings from socket to driver: Version Negotiation with a second attempt (RFC 9368 §2.1),
// QUIC version 2, connections without connection IDs, connection IDs for load balancers.

import { afterEach, describe, expect, it } from 'vitest'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import {
  ClientSocket,
  MemoryNetwork,
  OptionError,
  QuicLbDecoder,
  QuicLbGenerator,
  VERSION_1,
  VERSION_2,
  connect,
  listen,
  type ApplicationOverQuic,
  type ClientSocketOptions,
  type ConnectOptions,
  type ListenOptions,
  type QuicConnection,
} from '../src/index.ts'
import { certificate, development } from './support.ts'

const SERVER_PORT = 4433

const cleanup: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

/** Counts what an application is told about its connection's life. */
class Witness implements ApplicationOverQuic {
  established = 0
  closed = 0
  onConnEstablished(): void {
    this.established += 1
  }
  onConnClose(): void {
    this.closed += 1
  }
  shouldAct(): boolean {
    return true
  }
  onTransportEvent(): void {}
  processReads(): void {}
  processWrites(): void {}
  waitForData(): boolean {
    return false
  }
  nextDeadline(): number {
    return Infinity
  }
  onDeadline(): void {}
  onShutdown(): void {}
}

interface Site {
  readonly network: MemoryNetwork
  readonly servers: QuicConnection[]
  connect(options?: Partial<ConnectOptions>, socketOptions?: ClientSocketOptions): Promise<{ connection: QuicConnection; witness: Witness }>
}

async function site(options: Partial<ListenOptions> = {}): Promise<Site> {
  const network = new MemoryNetwork()
  const socket = network.bind('127.0.0.1', SERVER_PORT)
  const listener = await listen({ socket, tls: { certificates: [certificate] }, ...options })
  cleanup.push(() => listener.close())
  const servers: QuicConnection[] = []
  void (async () => {
    for await (const incoming of listener) servers.push(incoming.start(new Witness()))
  })()
  return {
    network,
    servers,
    connect: async (given = {}, socketOptions = {}) => {
      const socket = await ClientSocket.over(network.bind('127.0.0.1'), socketOptions)
      cleanup.push(() => socket.close())
      const witness = new Witness()
      const common = { host: '127.0.0.1', port: SERVER_PORT, serverName: 'localhost', tls: { ca: development.certificatePem } }
      return { connection: await connect({ ...common, socket, application: witness, ...given }), witness }
    },
  }
}

describe('versions', () => {
  it('are 1 by default, and 2 where the server prefers it', async () => {
    const plain = await (await site()).connect()
    expect(plain.connection.version).toBe(VERSION_1)
    const upgraded = await (await site({ settings: { preferredVersion: VERSION_2 } })).connect()
    expect(upgraded.connection.version).toBe(VERSION_2)
  })

  it('a server of version 2 alone is reached with a second attempt, of which the application hears nothing', async () => {
    const { connect: open, servers } = await site({ settings: { versions: [VERSION_2] } })
    const { connection, witness } = await open()
    expect(connection.version).toBe(VERSION_2)
    expect(connection.isClosed).toBe(false)
    expect(witness).toMatchObject({ established: 1, closed: 0 })
    expect(servers).toHaveLength(1)
    await connection.close()
    expect(witness).toMatchObject({ established: 1, closed: 1 })
    await connection.whenFinished()
  })

  it('without a common one it fails with QUIC_VERSION_NEGOTIATION_FAILED, once', async () => {
    const { connect: open } = await site({ settings: { versions: [VERSION_2] } })
    const witness = new Witness()
    const attempt = open({ settings: { versions: [VERSION_1] }, application: witness })
    await expect(attempt).rejects.toMatchObject({ code: 'QUIC_VERSION_NEGOTIATION_FAILED' })
    expect(witness).toMatchObject({ established: 0, closed: 1 })
  })

  it('a socket of its own outlives the first attempt', async () => {
    const listener = await listen({ host: '127.0.0.1', tls: { certificates: [certificate] }, settings: { versions: [VERSION_2] } })
    cleanup.push(() => listener.close())
    void (async () => {
      for await (const incoming of listener) incoming.start(new Witness())
    })()
    const connection = await connect({
      host: '127.0.0.1',
      port: listener.address().port,
      serverName: 'localhost',
      tls: { ca: development.certificatePem },
      application: new Witness(),
    })
    expect(connection.version).toBe(VERSION_2)
    await connection.close()
  })

  it('that are not spoken are an OptionError on either side', async () => {
    const { connect: open } = await site()
    await expect(open({ settings: { versions: [7] } })).rejects.toThrow(OptionError)
    await expect(open({ settings: { versions: [VERSION_1], originalVersion: VERSION_2 } })).rejects.toThrow(OptionError)
    await expect(site({ settings: { versions: [] } })).rejects.toThrow(OptionError)
    await expect(site({ settings: { versions: [VERSION_1], preferredVersion: VERSION_2 } })).rejects.toThrow(OptionError)
  })
})

describe('connection IDs', () => {
  it('a client can do without, on its own socket and on a shared one', async () => {
    const { connect: open } = await site()
    const { connection } = await open({}, { connectionIdLength: 0 })
    expect(connection.transport.sourceConnectionIds()).toEqual([new Uint8Array(0)])
    const listener = await listen({ host: '127.0.0.1', tls: { certificates: [certificate] } })
    cleanup.push(() => listener.close())
    void (async () => {
      for await (const incoming of listener) incoming.start(new Witness())
    })()
    const own = await connect({
      host: '127.0.0.1',
      port: listener.address().port,
      serverName: 'localhost',
      tls: { ca: development.certificatePem },
      application: new Witness(),
      connectionIdLength: 0,
    })
    expect(own.transport.sourceConnectionIds()[0]).toHaveLength(0)
    await own.close()
  })

  it('on a shared socket without them a second connection to the same address is an OptionError', async () => {
    const { network, connect: open } = await site()
    const socket = await ClientSocket.over(network.bind('127.0.0.1'), { connectionIdLength: 0 })
    cleanup.push(() => socket.close())
    await open({ socket })
    await expect(open({ socket })).rejects.toThrow(OptionError)
  })

  it('of a length that does not exist are an OptionError', async () => {
    const { connect: open } = await site()
    await expect(open({}, { connectionIdLength: 21 })).rejects.toThrow(OptionError)
    const none = { length: 0, generate: () => new Uint8Array(0) }
    await expect(site({ connectionIds: none })).rejects.toThrow(OptionError)
  })

  it('of a server can name it to a load balancer', async () => {
    const config = { configId: 2, serverIdLength: 3, nonceLength: 8, cipher: nodeProvider.blockCipher(new Uint8Array(16).fill(1)) }
    const connectionIds = new QuicLbGenerator({ config, serverId: Uint8Array.of(1, 2, 3), random: nodeProvider.random })
    const { connect: open, servers } = await site({ connectionIds })
    await open()
    const decoder = new QuicLbDecoder({ configs: [config] })
    for (const id of servers[0]!.transport.sourceConnectionIds()) expect(decoder.serverId(id)).toEqual(Uint8Array.of(1, 2, 3))
  })
})
