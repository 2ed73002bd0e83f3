// Sessions from one connection to the next (RFC 9001 §4.5): who gives tickets, who keeps sessions, and for whom they are good.

import { afterEach, describe, expect, it } from 'vitest'
import {
  ClientSocket,
  MemoryNetwork,
  MemorySessionStore,
  clientH3Driver,
  connect,
  listen,
  processSessions,
  processTokens,
  serverH3Driver,
  type ConnectOptions,
  type QuicConnection,
  type QuicListener,
  type ServerTlsOptions,
  type SessionStore,
} from '../src/index.ts'
import { certificate, development, settle } from './support.ts'

const PORT = 4712
const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
  processSessions.clear()
  processTokens.clear()
})

async function server(network: MemoryNetwork, tls: Partial<ServerTlsOptions> = {}): Promise<QuicListener> {
  const listener = await listen({ socket: network.bind('10.0.0.1', PORT), tls: { certificates: [certificate], ...tls } })
  cleanup.push(() => listener.close())
  void (async () => {
    for await (const incoming of listener) incoming.start(serverH3Driver({}).driver)
  })()
  return listener
}

async function visit(network: MemoryNetwork, options: Partial<ConnectOptions> = {}): Promise<QuicConnection> {
  const socket = await ClientSocket.over(network.bind('10.0.0.2'))
  cleanup.push(() => socket.close())
  const connection = await connect({
    host: '10.0.0.1',
    port: PORT,
    serverName: 'localhost',
    tls: { ca: development.certificatePem },
    socket,
    application: clientH3Driver({}).driver,
    ...options,
  })
  await settle()
  return connection
}

async function resumes(network: MemoryNetwork, options: Partial<ConnectOptions> = {}): Promise<boolean | undefined> {
  return (await visit(network, options)).handshakeInfo?.resumed
}

describe('sessions', () => {
  it('are kept for the process, and the server knows its clients by tickets', async () => {
    const network = new MemoryNetwork()
    await server(network)
    expect(await resumes(network)).toBe(false)
    expect(processSessions.size).toBe(2)
    expect(await resumes(network)).toBe(true)
  })

  it('stay with a store of their own, or nowhere', async () => {
    const network = new MemoryNetwork()
    await server(network)
    const sessionStore = new MemorySessionStore()
    expect(await resumes(network, { sessionStore })).toBe(false)
    expect(await resumes(network)).toBe(false)
    expect(await resumes(network, { sessionStore })).toBe(true)
    expect(await resumes(network, { sessionStore: null })).toBe(false)
  })

  it('are not found by clients that trust other roots, or none in particular', async () => {
    const network = new MemoryNetwork()
    await server(network)
    await visit(network, { tls: { insecure: true } })
    expect(await resumes(network)).toBe(false)
    expect(await resumes(network, { tls: { insecure: true } })).toBe(true)
    // The session of a client with the right root is there.
    expect(processSessions.size).toBeGreaterThan(1)
    await expect(visit(network, { tls: {} })).rejects.toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED' })
  })

  it('are not given by a server that wants none', async () => {
    const network = new MemoryNetwork()
    await server(network, { tickets: false })
    expect(await resumes(network)).toBe(false)
    expect(await resumes(network)).toBe(false)
    expect(processSessions.size).toBe(0)
  })

  it('survive the listener under shared keys, and end with rotated ones', async () => {
    const network = new MemoryNetwork()
    const keys = [new Uint8Array(32).fill(1)]
    const first = await server(network, { ticketKeys: keys })
    await visit(network)
    await first.close()
    const second = await server(network, { ticketKeys: keys })
    expect(await resumes(network)).toBe(true)
    second.setTicketKeys([new Uint8Array(32).fill(2)])
    expect(await resumes(network)).toBe(false)
    expect(() => second.setTicketKeys([])).toThrow('32 bytes')
  })

  it('cost nothing but themselves when a store fails', async () => {
    const network = new MemoryNetwork()
    await server(network)
    const warnings: string[] = []
    const listener = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', listener)
    const broken: SessionStore = {
      take: () => {
        throw new Error('disk on fire')
      },
      put: () => {
        throw new Error('disk on fire')
      },
    }
    expect(await resumes(network, { sessionStore: broken })).toBe(false)
    await settle()
    process.off('warning', listener)
    expect(warnings).toContain('disk on fire')
  })
})

describe('options', () => {
  it('are checked: a ticket key has 32 bytes', async () => {
    const network = new MemoryNetwork()
    await expect(server(network, { ticketKeys: [new Uint8Array(5)] })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
  })
})
