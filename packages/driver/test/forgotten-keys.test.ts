// Attempts that are abandoned leave no key behind: those that lost a race, those that Version Negotiation ended, those that were aborted. Each
// key object of the crypto provider is told to forget its key.

import { afterEach, expect, it, vi } from 'vitest'
import type { CryptoProvider } from '@quicwire/quic'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import { ClientSocket, clientH3Driver, connect, listen, MemoryNetwork, serverH3Driver, VERSION_2, type ConnectOptions, type QuicSettings } from '../src/index.ts'
import { certificate, development } from './support.ts'

const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

/** Counts the keys that were made and those that are still there. */
class Count {
  made: number
  alive: number
  readonly provider: CryptoProvider

  constructor() {
    this.made = 0
    this.alive = 0
    this.provider = {
      ...nodeProvider,
      aead: (...given) => this.add(nodeProvider.aead(...given)),
      headerKey: (...given) => this.add(nodeProvider.headerKey(...given)),
      keyExchange: (group) => this.add(nodeProvider.keyExchange(group)),
    }
  }

  private add<Key extends { destroy(): void }>(key: Key): Key {
    const destroy = key.destroy.bind(key)
    let gone = false
    this.made++
    this.alive++
    key.destroy = () => {
      if (!gone) this.alive--
      gone = true
      destroy()
    }
    return key
  }
}

/** A server at 10.0.0.1, nobody at the other addresses, and a client whose keys are counted. */
async function site(settings?: QuicSettings): Promise<{ keys: Count; open: (options?: Partial<ConnectOptions>) => ReturnType<typeof connect> }> {
  const network = new MemoryNetwork()
  const listener = await listen({ socket: network.bind('10.0.0.1', 4433), tls: { certificates: [certificate] }, settings })
  void (async () => {
    for await (const incoming of listener) incoming.start(serverH3Driver().driver)
  })()
  const socket = await ClientSocket.over(network.bind('10.0.0.2'))
  cleanup.push(() => listener.close(), () => socket.close())
  const keys = new Count()
  const common = { host: 'both.example', port: 4433, serverName: 'localhost', tls: { ca: development.certificatePem }, sessionStore: null }
  const lookup = (): Promise<readonly string[]> => Promise.resolve(['10.0.0.1'])
  return { keys, open: (options) => connect({ ...common, lookup, socket, crypto: keys.provider, application: clientH3Driver().driver, ...options }) }
}

async function expectNone(keys: Count): Promise<void> {
  // Closing takes three PTO (RFC 9000 §10.2), without an answer some three seconds.
  await vi.waitFor(() => expect(keys.alive).toBe(0), { timeout: 30_000, interval: 50 })
}

it('the attempt that lost a race', async () => {
  const { keys, open } = await site()
  const connection = await open({ lookup: () => Promise.resolve(['10.0.0.9', '10.0.0.1']), attemptDelay: 5 })
  expect(keys.made).toBeGreaterThan(15)
  await connection.close()
  await connection.whenFinished()
  await expectNone(keys)
})

it('the attempt before Version Negotiation', async () => {
  const { keys, open } = await site({ versions: [VERSION_2] })
  const connection = await open()
  expect(connection.version).toBe(VERSION_2)
  await connection.close()
  await connection.whenFinished()
  await expectNone(keys)
})

it('attempts that were aborted', async () => {
  const { keys, open } = await site()
  const abort = new AbortController()
  const lookup = (): Promise<readonly string[]> => Promise.resolve(['10.0.0.7', '10.0.0.8'])
  const attempt = open({ lookup, attemptDelay: 1, signal: abort.signal })
  await vi.waitFor(() => expect(keys.made).toBeGreaterThan(8), { timeout: 30_000, interval: 5 })
  abort.abort()
  await expect(attempt).rejects.toThrow()
  await expectNone(keys)
})

it('a connection whose socket is closed before the closing period is over', async () => {
  const network = new MemoryNetwork()
  const socket = await ClientSocket.over(network.bind('10.0.0.2'))
  const keys = new Count()
  const abort = new AbortController()
  const attempt = connect({
    host: '10.0.0.1',
    port: 4433,
    tls: { insecure: true },
    socket,
    crypto: keys.provider,
    signal: abort.signal,
    application: clientH3Driver().driver,
  })
  await vi.waitFor(() => expect(keys.made).toBeGreaterThan(0), { timeout: 30_000, interval: 5 })
  abort.abort()
  await expect(attempt).rejects.toThrow()
  await socket.close()
  await expectNone(keys)
})
