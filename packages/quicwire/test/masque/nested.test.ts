// HTTP/3 inside MASQUE: our QUIC over our tunnels, also two deep.

import { createHash, randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, connectUdp, MasqueProxy, serve, type Session } from '../../src/index.ts'
import { Closing, insecure, loopback, startProxy, until } from './fixtures.ts'

const closing = new Closing()
afterEach(() => closing.all())

const content = randomBytes(300_000)
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function origin(): Promise<{ readonly url: string; readonly port: number }> {
  const server = await serve({
    port: 0,
    handler: async (request) => {
      if (request.method !== 'POST') return { status: 200, body: content }
      const parts: Uint8Array[] = []
      for await (const part of request.body) parts.push(part)
      return { status: 200, body: digest(Buffer.concat(parts)) }
    },
  })
  return closing.add(server, (open) => open.close({ immediately: true }))
}

async function exchange(session: Session): Promise<void> {
  const response = await session.request('/content')
  expect(digest(await response.bytes())).toBe(digest(content))
  expect(await (await session.request('/', { method: 'POST', body: content })).text()).toBe(digest(content))
}

describe('HTTP/3 inside MASQUE', () => {
  it('one tunnel', async () => {
    const proxy = new MasqueProxy({ policy: loopback })
    const server = closing.add(await serve({ port: 0, handler: () => ({ status: 404 }), proxy }), (open) => open.close({ immediately: true }))
    const target = await origin()
    const tunnel = await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure)
    const session = await connect(target.url, { insecure: true, tunnel })
    await exchange(session)
    await session.close()
    // The tunnel is the connection's own socket.
    await until(() => proxy.tunnels === 0, 'the tunnel gone')
    expect(tunnel.closed).toBe(true)
  })

  it('two tunnels, one in the other', async () => {
    const outer = await startProxy(closing)
    const inner = await startProxy(closing)
    const target = await origin()
    const first = await connectUdp(outer.url, `127.0.0.1:${inner.port}`, insecure)
    const second = await connectUdp(inner.url, `127.0.0.1:${target.port}`, { connection: { insecure: true, tunnel: first } })
    const session = closing.add(await connect(target.url, { insecure: true, tunnel: second }), (open) => open.close())
    await exchange(session)
  })

  it('through capsules', async () => {
    const server = await startProxy(closing, {}, { settings: { enableDgram: false } })
    const target = await origin()
    const tunnel = await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure)
    expect(tunnel.usesCapsules).toBe(true)
    const session = closing.add(await connect(target.url, { insecure: true, tunnel }), (open) => open.close())
    await exchange(session)
  })

  it('ends with the tunnel', async () => {
    const server = await startProxy(closing)
    const target = await origin()
    const tunnel = await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure)
    const session = await connect(target.url, { insecure: true, tunnel })
    expect(() => tunnel.datagramSocket()).toThrow(expect.objectContaining({ code: 'MASQUE_INVALID_ARGUMENT' }) as Error)
    await server.close({ immediately: true })
    await expect(session.request('/content').then((response) => response.bytes())).rejects.toThrow()
    expect(tunnel.closed).toBe(true)
  })
})
