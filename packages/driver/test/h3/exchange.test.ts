import { afterEach, describe, expect, it } from 'vitest'
import { GET, OK, POST, bytes, h3Pair, next, readAll, request, respond, settle, type Pair } from '../support.ts'

let pair: Pair | null = null
afterEach(async () => {
  await pair?.close()
  pair = null
})

describe('a request and its response', () => {
  it('GET: settings first, headers, body, fin, both sides clean up', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    expect(exchange.incoming.headers).toEqual(GET)
    expect(exchange.incoming.readFin).toBe(true)
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ length: 0, fin: true })
    const response = await respond(pair, exchange)
    expect(response.headers).toEqual(OK)
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('hello'), fin: true })
    expect(await readAll(response.recv)).toMatchObject({ text: 'hello', fin: true })
    await next(pair.serverController.events, 'StreamClosed')
    await settle()
    expect(pair.clientDriver.openStreams).toBe(0)
    expect(pair.serverDriver.openStreams).toBe(0)
    expect(response.h3AuditStats).toMatchObject({ recvdStreamFin: 'Explicit', sentStreamFin: 'Explicit', downstreamBytesRecvd: 5 })
  })

  it('headers with fin end the response (B27)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    const response = await respond(pair, exchange, true)
    expect(response.readFin).toBe(true)
    expect(await readAll(response.recv)).toMatchObject({ length: 0, fin: true })
  })

  it('POST: a body larger than every buffer on the way arrives whole', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    const size = 3_000_000
    const chunk = new Uint8Array(50_000).map((_, i) => i & 0xff)
    const sending = (async () => {
      for (let sent = 0; sent < size; sent += chunk.length) await exchange.body!.send({ kind: 'Body', data: chunk.slice(), fin: false })
      await exchange.body!.send({ kind: 'Body', data: new Uint8Array(0), fin: true })
    })()
    const body = await readAll(exchange.incoming.recv)
    await sending
    expect(body.length).toBe(size)
    expect(body.fin).toBe(true)
    expect(exchange.incoming.h3AuditStats.downstreamBytesRecvd).toBe(size)
    const response = await respond(pair, exchange, true)
    expect(response.headers).toEqual(OK)
  })
})
