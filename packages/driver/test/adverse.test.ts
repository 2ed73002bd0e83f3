// Bad networks and bad neighbours: what must not disturb a connection.

import { createSocket } from 'node:dgram'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { clientH3Driver, connect, listen, serverH3Driver, type QuicListener } from '../src/index.ts'
import { OK, POST, bytes, certificate, development, h3Pair, next, readAll, request, respond, type Pair } from './support.ts'

let pair: Pair | null = null
let listener: QuicListener | null = null
afterEach(async () => {
  await pair?.close()
  await listener?.close()
  pair = null
  listener = null
})

/** A small seeded generator: the same losses every time. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

describe('a lossy network', () => {
  for (const seed of [1, 2, 3]) {
    it(`bodies both ways arrive whole with 5 % loss (seed ${seed})`, async () => {
      pair = await h3Pair({ client: { streamCapacity: 4 }, server: { streamCapacity: 4 } })
      const random = seeded(seed)
      pair.network.filter = () => random() >= 0.05
      const exchange = await request(pair, POST, true)
      const up = new Uint8Array(300_000).map((_, i) => i % 251)
      void exchange.body!.send({ kind: 'Body', data: up.slice(), fin: true })
      expect((await readAll(exchange.incoming.recv)).text).toBe(Buffer.from(up).toString('latin1'))
      const response = await respond(pair, exchange)
      void exchange.incoming.send.send({ kind: 'Body', data: up.slice(), fin: true })
      expect((await readAll(response.recv)).text).toBe(Buffer.from(up).toString('latin1'))
    })
  }
})

describe('strangers', () => {
  it('random, truncated and flipped datagrams leave a listener and its connections alone (RFC 9000 §5.2)', async () => {
    listener = await listen({ host: '127.0.0.1', tls: { certificates: [certificate] } })
    const { port } = listener.address()
    const accepting = listener.accept()
    const { driver, controller } = clientH3Driver({ streamCapacity: 1 })
    const connecting = connect({
      host: '127.0.0.1',
      port,
      serverName: 'localhost',
      tls: { ca: development.certificatePem },
      application: driver,
    })
    const server = serverH3Driver({ streamCapacity: 1 })
    ;(await accepting)!.start(server.driver)
    const connection = await connecting
    const stranger = createSocket('udp4')
    const random = seeded(7)
    for (let i = 0; i < 400; i++) {
      const noise = Uint8Array.from({ length: 1 + Math.floor(random() * 1400) }, () => Math.floor(random() * 256))
      // Half of them look like long headers of version 1.
      if (i % 2 === 0 && noise.length > 6) noise.set([0xc0 | (noise[0]! & 0x3f), 0, 0, 0, 1, 8])
      await new Promise<void>((resolve) => stranger.send(noise, port, '127.0.0.1', () => resolve()))
    }
    stranger.close()
    controller.requestSender().send({ requestId: 1, headers: POST, bodyWriter: null })
    const { incoming } = await next(server.controller.events, 'Headers')
    await incoming.send.send({ kind: 'Headers', headers: OK })
    await incoming.send.send({ kind: 'Body', data: bytes('undisturbed'), fin: true })
    const response = await next(controller.events, 'IncomingHeaders')
    expect(await readAll(response.incoming.recv)).toMatchObject({ text: 'undisturbed', fin: true })
    expect(listener.connections).toBe(1)
    await connection.close()
  })
})

describe('the process', () => {
  it('ends by itself once a client connection is closed', async () => {
    listener = await listen({ host: '127.0.0.1', tls: { certificates: [certificate] } })
    void (async () => {
      for await (const incoming of listener) incoming.start(serverH3Driver().driver)
    })()
    const script = fileURLToPath(new URL('./short-lived-client.ts', import.meta.url))
    const output = await new Promise<string>((resolve, reject) => {
      const port = String((listener as QuicListener).address().port)
      execFile(process.execPath, ['--import', 'tsx', '--conditions=@quicwire/source', script, port], { timeout: 50_000 }, (error, stdout) => {
        if (error === null) resolve(stdout)
        else reject(error)
      })
    })
    expect(output).toBe('established closed\n')
  })
})
