// Address validation from listener to client: policy, Retry, tokens between connections, shared keys (RFC 9000 §8.1).

import { afterEach, describe, expect, it } from 'vitest'
import {
  ClientSocket,
  MemoryNetwork,
  MemoryTokenStore,
  clientH3Driver,
  connect,
  listen,
  processTokens,
  serverH3Driver,
  type ConnectOptions,
  type IncomingAttempt,
  type ListenOptions,
  type QuicConnection,
  type QuicListener,
  type TokenStore,
} from '../src/index.ts'
import { certificate, development, settle } from './support.ts'

const PORT = 4711
const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
  processTokens.clear()
})

interface World {
  readonly network: MemoryNetwork
  readonly listener: QuicListener
  /** `validated` of each connection when it was taken. */
  readonly validated: boolean[]
}

async function world(options: Partial<ListenOptions> = {}, network = new MemoryNetwork(), address: string = '10.0.0.1'): Promise<World> {
  const listener = await listen({ socket: network.bind(address, PORT), tls: { certificates: [certificate] }, ...options })
  cleanup.push(() => listener.close())
  const validated: boolean[] = []
  void (async () => {
    for await (const incoming of listener) {
      validated.push(incoming.validated)
      incoming.start(serverH3Driver({}).driver)
    }
  })()
  return { network, listener, validated }
}

async function client({ network }: World, options: Partial<ConnectOptions> = {}, host: string = '10.0.0.1'): Promise<QuicConnection> {
  const socket = await ClientSocket.over(network.bind('10.0.0.2'))
  cleanup.push(() => socket.close())
  return connect({
    host,
    port: PORT,
    serverName: 'localhost',
    tls: { ca: development.certificatePem },
    socket,
    application: clientH3Driver({}).driver,
    ...options,
  })
}

async function visit(at: World, options: Partial<ConnectOptions> = {}, host?: string): Promise<void> {
  const connection = await client(at, options, host)
  await settle()
  await connection.close()
  await settle()
}

describe('the policy of a listener', () => {
  it('retry: the connection comes validated', async () => {
    const at = await world({ policy: () => 'retry' })
    await visit(at)
    expect(at.validated).toEqual([true])
  })

  it('by default nobody is asked, and the address is not validated yet', async () => {
    const at = await world()
    await visit(at, { tokenStore: null })
    expect(at.validated).toEqual([false])
  })

  it('refuse: the client learns it at once, and the listener has nothing of it', async () => {
    const at = await world({ policy: () => 'refuse' })
    await expect(client(at)).rejects.toMatchObject({ code: 'QUIC_CONNECTION_REFUSED' })
    expect(at.listener.connections).toBe(0)
    expect(at.validated).toEqual([])
  })

  it('ignore: the client is left to its timeout', async () => {
    const at = await world({ policy: () => 'ignore' })
    await expect(client(at, { settings: { handshakeTimeout: 50 } })).rejects.toMatchObject({ name: 'ConnectTimeoutError' })
    expect(at.listener.connections).toBe(0)
  })

  it('is told address, name and protocols', async () => {
    const seen: Pick<IncomingAttempt, 'remote' | 'validated' | 'serverName' | 'alpn'>[] = []
    const at = await world({
      policy: ({ remote, validated, serverName, alpn }) => {
        seen.push({ remote, validated, serverName, alpn })
        return 'accept'
      },
    })
    await visit(at)
    expect(seen[0]).toEqual({ remote: expect.stringMatching(/^10\.0\.0\.2:/), validated: false, serverName: 'localhost', alpn: ['h3'] })
  })

  it('one that throws refuses, and the listener lives on', async () => {
    let broken = true
    const at = await world({
      policy: () => {
        if (broken) throw new Error('no such list')
        return 'accept'
      },
    })
    await expect(client(at)).rejects.toMatchObject({ code: 'QUIC_CONNECTION_REFUSED' })
    broken = false
    await visit(at)
  })
})

describe('tokens between connections (RFC 9000 §8.1.3)', () => {
  it('the process keeps them by default: the second connection comes validated', async () => {
    const at = await world()
    await visit(at)
    expect(processTokens.size).toBe(1)
    await visit(at)
    expect(at.validated).toEqual([false, true])
  })

  it('null keeps none; a store of one\'s own is used instead, under name and port', async () => {
    const at = await world()
    await visit(at, { tokenStore: null })
    expect(processTokens.size).toBe(0)
    const own = new MemoryTokenStore()
    await visit(at, { tokenStore: own })
    expect(processTokens.size).toBe(0)
    expect(own.take(`localhost:${PORT}`)).not.toBeNull()
  })

  it('a store that fails costs nothing but the token', async () => {
    const failing: TokenStore = {
      take: () => {
        throw new Error('disk')
      },
      put: () => {
        throw new Error('disk')
      },
    }
    const at = await world()
    await visit(at, { tokenStore: failing })
    expect(at.validated).toEqual([false])
  })

  it('listeners with the same keys know each other\'s tokens; a rotated-away key is forgotten', async () => {
    const key = new Uint8Array(32).fill(1)
    const network = new MemoryNetwork()
    const one = await world({ tokenKeys: [key] }, network)
    const two = await world({ tokenKeys: [new Uint8Array(32).fill(2), key] }, network, '10.0.0.9')
    await visit(one)
    await visit(two, {}, '10.0.0.9')
    expect(two.validated).toEqual([true])
    two.listener.setTokenKeys([new Uint8Array(32).fill(3)])
    await visit(two, {}, '10.0.0.9')
    expect(two.validated).toEqual([true, false])
  })

  it('keys must be keys', async () => {
    const network = new MemoryNetwork()
    const bad = listen({ socket: network.bind('10.0.0.1', PORT), tls: { certificates: [certificate] }, tokenKeys: [new Uint8Array(5)] })
    await expect(bad).rejects.toMatchObject({ name: 'OptionError' })
    const at = await world({}, new MemoryNetwork())
    expect(() => at.listener.setTokenKeys([])).toThrow(expect.objectContaining({ name: 'OptionError' }))
  })
})
