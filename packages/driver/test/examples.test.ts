// The examples run, and the protocols among them show that ApplicationOverQuic is enough to write one.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { EchoServer } from '../../../examples/raw-quic/echo.ts'
import { HqClient, HqServer } from '../../../examples/raw-quic/hq.ts'
import { ClientSocket, MemoryNetwork, connect, listen, type ApplicationOverQuic, type QuicConnection } from '../src/index.ts'
import { certificate, development, settle } from './support.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const node = ['--import', 'tsx', '--conditions=@quicwire/source']
const cleanup: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

async function run(...script: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [...node, ...script], { cwd: root })
  let text = ''
  child.stdout.on('data', (data: Buffer) => (text += data.toString()))
  child.stderr.on('data', (data: Buffer) => (text += data.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, text }
}

describe('examples', () => {
  it('http3: the client gets from the server what it asks for', async () => {
    const server = spawn(process.execPath, [...node, 'examples/http3/server.ts', '--address', '127.0.0.1:0', '--cc-algorithm', 'bbr'], { cwd: root })
    cleanup.push(() => void server.kill('SIGKILL'))
    let ready = ''
    while (!ready.includes('\n')) ready += String(((await once(server.stdout, 'data')) as [Buffer])[0])
    const port = /:([0-9]+)\n/.exec(ready)![1]!
    const got = await run('examples/http3/client.ts', `https://127.0.0.1:${port}/stream-bytes/300000`)
    expect(got).toEqual({ code: 0, text: ':status: 200\ncontent-length: 300000\n300000 bytes\n' })
    server.kill('SIGINT')
    expect(await once(server, 'close')).toEqual([0, null])
  })

  it('raw-quic: two protocols behind one listener', async () => {
    expect(await run('examples/raw-quic/main.ts')).toEqual({
      code: 0,
      text: 'hello over hq-interop\nwhat is said on a stream comes back\n',
    })
  })
})

describe('an application of one’s own', () => {
  async function joined<S extends ApplicationOverQuic, C extends ApplicationOverQuic>(alpn: string, server: S, client: C): Promise<QuicConnection> {
    const network = new MemoryNetwork()
    const listener = await listen({ socket: network.bind('10.0.0.1', 9), tls: { certificates: [certificate], alpn: [alpn] } })
    const socket = await ClientSocket.over(network.bind('10.0.0.2'))
    cleanup.push(() => listener.close(), () => socket.close())
    void listener.accept().then((incoming) => incoming?.start(server))
    const tls = { ca: development.certificatePem, alpn: [alpn] }
    const connection = await connect({ host: '10.0.0.1', port: 9, serverName: 'localhost', tls, socket, application: client })
    cleanup.push(() => connection.close({ code: 0 }))
    return connection
  }

  it('hq-interop: files of every size, more requests than streams, one that is not there', async () => {
    const file = Uint8Array.from({ length: 700_000 }, (_, i) => i % 253)
    const client = new HqClient()
    const connection = await joined('hq-interop', new HqServer((path) => (path === '/none' ? null : file.subarray(0, Number(path.slice(1))))), client)
    expect(connection.alpn).toBe('hq-interop')
    const sizes = Array.from({ length: 150 }, (_, i) => (i === 7 ? file.length : i * 11))
    const bodies = await Promise.all(sizes.map((size) => client.get(`/${size}`)))
    expect(bodies.map((body) => body.length)).toEqual(sizes)
    expect(Buffer.from(bodies[7]!).equals(file)).toBe(true)
    await expect(client.get('/none')).rejects.toThrow('no such file')
    const last = client.get('/5')
    last.catch(() => undefined)
    await connection.close({ code: 0 })
    await expect(last).rejects.toThrow('closed')
  })

  it('echo: both kinds of streams, backpressure, datagrams', async () => {
    const heard = new Map<number, number>()
    const ended = new Set<number>()
    const datagrams: Uint8Array[] = []
    const server = new EchoServer()
    const nothing = (): void => undefined
    const connection = await joined('echo', server, {
      onConnEstablished: nothing,
      shouldAct: () => true,
      onTransportEvent: ({ connection: engine }, event) => {
        if (event.kind === 'datagram') for (let data = engine.datagramReceive(); data !== null; data = engine.datagramReceive()) datagrams.push(data)
        if (event.kind !== 'stream-readable') return
        const id = event.streamId
        for (let data = engine.streamPeek(id); data !== null; data = engine.streamPeek(id)) {
          heard.set(id, (heard.get(id) ?? 0) + data.length)
          engine.streamConsume(id, data.length)
        }
        if (engine.streamReceiveState(id) === 1) ended.add(id)
      },
      processReads: nothing,
      processWrites: nothing,
      waitForData: () => false,
      nextDeadline: () => Infinity,
      onDeadline: nothing,
      onShutdown: nothing,
      onConnClose: nothing,
    })
    const { transport } = connection
    const there = transport.openStream(true)
    const oneWay = transport.openStream(false)
    expect(transport.streamWrite(there, new Uint8Array(600_000), true)).toBe(600_000)
    transport.streamWrite(oneWay, new Uint8Array(5000), true)
    transport.datagramSend(Uint8Array.of(1, 2, 3))
    connection.wake()
    while (ended.size < 2) await settle(5)
    // The server's first one-way stream is 3.
    expect([heard.get(there), heard.get(3)]).toEqual([600_000, 5000])
    expect(datagrams).toEqual([Uint8Array.of(1, 2, 3)])
    expect(server.streams).toBe(2)
  })
})
