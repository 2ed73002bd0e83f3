// A server with several addresses, one of them preferred (RFC 9000 §9.6), over real sockets on loopback.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { ClientSocket, DgramSocket, MemoryNetwork, SocketSet, formatAddress, listen, type ConnectOptions, type QuicSettings } from '../src/index.ts'
import { startEchoClient, startEchoServer, type Cleanup, type EchoClient, type EchoServer } from './echo-server.ts'
import { certificate, settle, until } from './support.ts'

const cleanup: Cleanup = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

interface World extends EchoServer {
  readonly host: string
  /** As `ip:port`. */
  readonly first: string
  readonly second: string
}

const LOOPBACK = { IPv4: '127.0.0.1', IPv6: '::1' } as const

/** A server at two ports, the second of which it prefers, unless `preferred` says otherwise. */
async function twoPorts(family: 'IPv4' | 'IPv6', settings: QuicSettings = {}, preferred?: string): Promise<World> {
  const host = LOOPBACK[family]
  const sockets = [await DgramSocket.bind({ address: host }), await DgramSocket.bind({ address: host })]
  const [first = '', second = ''] = sockets.map(({ localAddress: { address, port } }) => formatAddress(address, port))
  const at = preferred ?? second
  const server = await startEchoServer(cleanup, {
    socket: sockets,
    settings: { preferredAddress: family === 'IPv4' ? { ipv4: at } : { ipv6: at }, ...settings },
  })
  return { ...server, host, first, second }
}

function clientOf(world: World, options: Partial<ConnectOptions> = {}): Promise<EchoClient> {
  return startEchoClient(cleanup, world.port, { host: world.host, ...options })
}

const textOf = ({ address, port }: { address: string; port: number }): string => formatAddress(address, port)

describe.each(['IPv4', 'IPv6'] as const)('a preferred address over %s', (family) => {
  it('is gone to once the handshake is confirmed, on another socket; both sides say where they are', async () => {
    const world = await twoPorts(family)
    const { connection, get } = await clientOf(world)
    const before = textOf(connection.localAddress)
    expect(await get('/before')).toBe('/before')
    await until(() => connection.remoteAddress === world.second)
    expect(await get('/after')).toBe('/after')
    const [server] = world.connections
    await until(() => textOf(server!.localAddress) === world.second)
    await until(() => textOf(connection.localAddress) !== before)
    expect(server!.remoteAddress).toBe(textOf(connection.localAddress))
    expect(connection.stats().pathChanges).toBe(1)
  })

  it('is where a client stays that migrates afterwards', async () => {
    const world = await twoPorts(family)
    const { connection, get } = await clientOf(world)
    await until(() => connection.transport.isConfirmed())
    const before = textOf(connection.localAddress)
    // Asked while the other move is under way: it comes next.
    await connection.migrate()
    expect(connection.remoteAddress).toBe(world.second)
    expect(textOf(connection.localAddress)).not.toBe(before)
    expect(await get('/moved')).toBe('/moved')
    expect(connection.stats().pathChanges).toBe(2)
  })

  it('is refused by a client that ignores it, who may migrate all the same', async () => {
    const world = await twoPorts(family)
    const { connection, get } = await clientOf(world, { settings: { preferredAddress: 'ignore' } })
    await until(() => connection.transport.isConfirmed())
    await connection.migrate()
    expect(await get('/here')).toBe('/here')
    expect(connection.remoteAddress).toBe(world.first)
    expect(textOf(world.connections[0]!.localAddress)).toBe(world.first)
  })

  it('is gone to on the same socket where many connections share one, also without connection IDs', async () => {
    const world = await twoPorts(family)
    for (const connectionIdLength of [8, 0]) {
      const socket = await ClientSocket.bind({ address: world.host, connectionIdLength })
      cleanup.push(() => socket.close())
      const { connection, get } = await clientOf(world, { socket })
      await until(() => connection.remoteAddress === world.second)
      expect(await get(`/${connectionIdLength}`)).toBe(`/${connectionIdLength}`)
      expect(connection.localAddress).toEqual(socket.localAddress)
    }
  })

  it('that nobody answers at is given up, and the connection stays', async () => {
    const silent = createSocket(family === 'IPv4' ? 'udp4' : 'udp6').bind(0, LOOPBACK[family])
    await once(silent, 'listening')
    cleanup.push(() => void silent.close())
    const world = await twoPorts(family, {}, formatAddress(LOOPBACK[family], silent.address().port))
    const { connection, get } = await clientOf(world, { settings: { initialRtt: 5 } })
    await once(silent, 'message')
    expect(await get('/meanwhile')).toBe('/meanwhile')
    // Comes when the other attempt is over.
    await connection.migrate()
    expect(connection.remoteAddress).toBe(world.first)
    expect(await get('/after')).toBe('/after')
    expect(connection.isClosed).toBe(false)
  })

  it('that nothing listens at is given up, and the connection stays', async () => {
    const closed = await DgramSocket.bind({ address: LOOPBACK[family] })
    const dead = textOf(closed.localAddress)
    await closed.close()
    const world = await twoPorts(family, {}, dead)
    const { connection, get } = await clientOf(world, { settings: { initialRtt: 5 } })
    await until(() => connection.transport.isConfirmed())
    await connection.migrate()
    expect(await get('/after')).toBe('/after')
    expect(connection.remoteAddress).toBe(world.first)
  })

  it('does not cost requests that are under way', async () => {
    const world = await twoPorts(family)
    const { connection, get } = await clientOf(world)
    const paths = Array.from({ length: 60 }, (_, i) => `/${i}/${'x'.repeat(400)}`)
    const answers = await Promise.all(paths.map(get))
    // The client takes responses as they come, whichever request they answer.
    expect(answers.sort().join('\n') === paths.sort().join('\n')).toBe(true)
    await until(() => connection.remoteAddress === world.second)
    expect(await get('/last')).toBe('/last')
  })
})

describe('a connection on a given socket', () => {
  it('goes where the socket reaches, and stays where it reaches one address only', async () => {
    const network = new MemoryNetwork()
    const world = await startEchoServer(cleanup, {
      socket: [network.bind('10.0.0.1', 4433), network.bind('10.0.0.1', 4434)],
      settings: { preferredAddress: { ipv4: '10.0.0.1:4434' } },
    })
    const free = await startEchoClient(cleanup, 4433, { host: '10.0.0.1', socket: network.bind('10.0.0.2') })
    await until(() => free.connection.remoteAddress === '10.0.0.1:4434')
    expect(await free.get('/free')).toBe('/free')
    const remoteAddress = { address: '10.0.0.1', port: 4433, family: 'IPv4' } as const
    const bound = await startEchoClient(cleanup, 4433, { host: '10.0.0.1', socket: Object.assign(network.bind('10.0.0.3'), { remoteAddress }) })
    await until(() => bound.connection.transport.isConfirmed())
    await settle()
    expect(await bound.get('/bound')).toBe('/bound')
    expect(bound.connection.remoteAddress).toBe('10.0.0.1:4433')
    expect(textOf(world.connections[0]!.localAddress)).toBe('10.0.0.1:4434')
    expect(textOf(world.connections[1]!.localAddress)).toBe('10.0.0.1:4433')
  })
})

describe('a listener at several addresses', () => {
  it('serves IPv4 and IPv6 together, and says where it and its connections are', async () => {
    const server = await startEchoServer(cleanup, { addresses: [{ host: '127.0.0.1' }, { host: '::1' }] })
    const addresses = server.listener.addresses()
    expect(addresses.map(({ address }) => address)).toEqual(['127.0.0.1', '::1'])
    expect(server.listener.address()).toEqual(addresses[0])
    // A client's own socket is connected: it takes answers from the address it asked only.
    for (const { address, port } of addresses) {
      const { get } = await startEchoClient(cleanup, port, { host: address })
      expect(await get(`/${address}`)).toBe(`/${address}`)
    }
    expect(server.connections.map(({ localAddress }) => localAddress)).toEqual(addresses)
    expect(server.listener.droppedDatagrams).toBe(0)
  })

  it('is all of its addresses or none', async () => {
    const taken = await DgramSocket.bind({ address: '127.0.0.1' })
    cleanup.push(() => taken.close())
    const free = await DgramSocket.bind({ address: '127.0.0.1' })
    await free.close()
    const tls = { certificates: [certificate] }
    const addresses = [{ host: '127.0.0.1', port: free.localAddress.port }, { host: '127.0.0.1', port: taken.localAddress.port }]
    await expect(listen({ tls, addresses })).rejects.toMatchObject({ code: 'QUIC_PORT_IN_USE' })
    const again = await DgramSocket.bind({ address: '127.0.0.1', port: free.localAddress.port })
    await again.close()
    await expect(listen({ tls, addresses: [] })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
  })

  it('refuses a preferred address that is none, and sockets that cannot be told apart', async () => {
    const tls = { certificates: [certificate] }
    for (const preferredAddress of [{}, { ipv4: '[::1]:443' }, { ipv6: '::1' }, { ipv4: '127.0.0.1' }]) {
      await expect(listen({ tls, settings: { preferredAddress } })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
    }
    const [one, other] = [new MemoryNetwork().bind('10.0.0.1', 1), new MemoryNetwork().bind('10.0.0.1', 1)]
    expect(() => new SocketSet([one, other])).toThrow(/addresses of their own/)
    expect(() => new SocketSet([one]).send(1, other.path('10.0.0.2', 1), 0)).toThrow(/none of these sockets/)
  })
})
