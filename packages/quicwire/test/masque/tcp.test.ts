// CONNECT to TCP targets end to end (RFC 9114 §4.4).

import { once } from 'node:events'
import { createHash, randomBytes } from 'node:crypto'
import { pipeline } from 'node:stream/promises'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, connectTcp, type TcpTunnel } from '../../src/index.ts'
import { Closing, insecure, startProxy, tcpServer, until } from './fixtures.ts'

const closing = new Closing()
afterEach(() => closing.all())

function opened(tunnel: TcpTunnel): TcpTunnel {
  tunnel.on('error', () => undefined)
  return closing.add(tunnel, (open) => open.destroy())
}

async function text(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts).toString()
}

describe('a TCP tunnel', () => {
  it('carries bytes both ways, 2 MB each', async () => {
    const server = await startProxy(closing)
    const echo = await tcpServer(closing, (socket) => socket.pipe(socket))
    const tunnel = opened(await connectTcp(server.url, `127.0.0.1:${echo.port}`, insecure))
    const content = randomBytes(2_000_000)
    const hash = createHash('sha256')
    const reading = pipeline(tunnel, hash)
    tunnel.end(content)
    await reading
    expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'))
  })

  it('ends one direction at a time: the client first', async () => {
    const server = await startProxy(closing)
    const sum = await tcpServer(closing, (socket) => {
      void text(socket.iterator({ destroyOnReturn: false })).then((all) => socket.end(`${all.length} bytes`))
    })
    const tunnel = opened(await connectTcp(server.url, `127.0.0.1:${sum.port}`, insecure))
    tunnel.write('12345')
    tunnel.end('678')
    expect(await text(tunnel)).toBe('8 bytes')
  })

  it('ends one direction at a time: the target first', async () => {
    const server = await startProxy(closing)
    let received: Promise<string> | null = null
    const greeting = await tcpServer(closing, (socket) => {
      received = text(socket.iterator({ destroyOnReturn: false }))
      socket.end('hello and goodbye')
    })
    const tunnel = opened(await connectTcp(server.url, `127.0.0.1:${greeting.port}`, insecure))
    expect(await text(tunnel.iterator({ destroyOnReturn: false }))).toBe('hello and goodbye')
    tunnel.write('still ')
    tunnel.end('here')
    expect(await received).toBe('still here')
  })

  it('holds a fast target back while the client does not read', async () => {
    const server = await startProxy(closing)
    let written = 0
    const chunk = Buffer.alloc(65_536)
    const source = await tcpServer(closing, (socket) => {
      const fill = (): void => {
        for (;;) {
          written += chunk.length
          if (!socket.write(chunk)) return
        }
      }
      socket.on('drain', fill)
      fill()
    })
    const settings = { initialMaxStreamData: 100_000, initialMaxData: 200_000, maxStreamWindow: 100_000, maxConnectionWindow: 200_000 }
    const tunnel = opened(await connectTcp(server.url, `127.0.0.1:${source.port}`, { connection: { insecure: true, settings } }))
    let before = -1
    for (let i = 0; i < 100 && before !== written; i++) {
      before = written
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(written).toBe(before)
    const [first] = (await once(tunnel, 'data')) as [Buffer]
    expect(first.length).toBeGreaterThan(0)
    await until(() => written > before, 'the target writing again')
  })

  it('is reset when the target resets (H3_CONNECT_ERROR)', async () => {
    const server = await startProxy(closing)
    let target: Socket | null = null
    const rude = await tcpServer(closing, (socket) => {
      target = socket
    })
    const tunnel = opened(await connectTcp(server.url, `127.0.0.1:${rude.port}`, insecure))
    await until(() => target !== null, 'the target connected')
    const failed = once(tunnel, 'error')
    target!.resetAndDestroy()
    expect(((await failed) as [Error])[0].message).toContain('0x10f')
  })

  it('resets the target when the client gives up', async () => {
    const server = await startProxy(closing)
    const ends: string[] = []
    const patient = await tcpServer(closing, (socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''))
      socket.on('close', () => ends.push('close'))
      socket.resume()
    })
    const tunnel = opened(await connectTcp(server.url, `127.0.0.1:${patient.port}`, insecure))
    tunnel.write('x')
    await until(() => tunnel.writableLength === 0, 'the byte sent')
    tunnel.destroy()
    await until(() => ends.includes('close'), 'the target told')
    expect(ends).toContain('ECONNRESET')
  })

  it('is refused with the reason', async () => {
    const server = await startProxy(closing)
    const gone = await tcpServer(closing, () => undefined)
    gone.server.close()
    await once(gone.server, 'close')
    await expect(connectTcp(server.url, `127.0.0.1:${gone.port}`, insecure)).rejects.toMatchObject({ status: 502, proxyStatus: expect.stringContaining('connection_refused') as string })
    await expect(connectTcp(server.url, '10.0.0.1:80', insecure)).rejects.toMatchObject({ status: 403 })
    await expect(connectTcp(server.url, 'no port', insecure)).rejects.toMatchObject({ code: 'MASQUE_INVALID_TARGET' })
  })

  it('leaves the connection to others', async () => {
    const server = await startProxy(closing)
    const echo = await tcpServer(closing, (socket) => socket.pipe(socket))
    const session = closing.add(await connect(server.url, { insecure: true }), (open) => open.close())
    const first = opened(await connectTcp(session, `127.0.0.1:${echo.port}`))
    const second = opened(await connectTcp(session, `127.0.0.1:${echo.port}`))
    first.destroy()
    second.end('second')
    expect(await text(second)).toBe('second')
    expect(session.masque.tunnels).toBe(0)
  })
})
