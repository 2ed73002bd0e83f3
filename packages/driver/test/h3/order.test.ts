// What the application sees, in which order, on streams that end as they should.

import { afterEach, describe, expect, it } from 'vitest'
import type { Header } from '@quicwire/h3'
import { GET, OK, POST, bytes, drainEvents, h3Pair, next, readAll, request, respond, settle, type Pair } from '../support.ts'

let pair: Pair | null = null
afterEach(async () => {
  await pair?.close()
  pair = null
})

describe('events', () => {
  it('SETTINGS are an event of their own, before any request (B11)', async () => {
    pair = await h3Pair({ client: { additionalSettings: [[0x1234, 99]] } })
    const settings = await next(pair.serverController.events, 'IncomingSettings')
    expect(settings.settings).toContainEqual([0x1234, 99])
    await next(pair.clientController.events, 'IncomingSettings')
  })

  it('an ORIGIN frame is an event with all origins so far (RFC 9412)', async () => {
    pair = await h3Pair({ server: { origins: ['https://a.example', 'https://b.example:8443'] } })
    const event = await next(pair.clientController.events, 'OriginSet')
    expect(event.origins).toEqual(['https://a.example', 'https://b.example:8443'])
  })

  it('request: NewOutboundRequest, then headers, bytes and fin in order; StreamClosed last', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    const seen = drainEvents(pair.clientController.events).filter((event) => event.kind !== 'IncomingSettings')
    expect(seen).toMatchObject([{ kind: 'NewOutboundRequest', streamId: 0 }])
    await exchange.incoming.send.send({ kind: 'Headers', headers: OK })
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('abc'), fin: true })
    await settle()
    const incoming = await next(pair.clientController.events, 'IncomingHeaders')
    await readAll(incoming.incoming.recv)
    await settle()
    expect(drainEvents(pair.clientController.events)).toEqual([
      { kind: 'BodyBytesReceived', streamId: 0, numBytes: 3, fin: false },
      { kind: 'BodyBytesReceived', streamId: 0, numBytes: 0, fin: true },
    ])
    const server = drainEvents(pair.serverController.events)
    expect(server[server.length - 1]).toEqual({ kind: 'StreamClosed', streamId: 0 })
  })

  it('[77] test_additional_headers: a 1xx response and then the final one: both arrive (B2)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    await exchange.incoming.send.send({ kind: 'Headers', headers: [[':status', '103'], ['link', '</x>']] })
    expect(await next(pair.clientController.events, 'InformationalHeaders')).toMatchObject({ headers: [[':status', '103'], ['link', '</x>']] })
    expect((await respond(pair, exchange, true)).headers).toEqual(OK)
  })

  it('[34] server_send_trailers: trailers both ways come before the end (B2)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    await exchange.body!.send({ kind: 'Body', data: bytes('body'), fin: false })
    await exchange.body!.send({ kind: 'Trailers', headers: [['sum', '1']] })
    expect(await readAll(exchange.incoming.recv)).toEqual({ text: 'body', length: 4, fin: true, trailers: [['sum', '1']] })
    const response = await respond(pair, exchange)
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('answer'), fin: false })
    await exchange.incoming.send.send({ kind: 'Trailers', headers: [['sum', '2']] })
    expect(await readAll(response.recv)).toEqual({ text: 'answer', length: 6, fin: true, trailers: [['sum', '2']] })
    await settle()
    expect(pair.serverDriver.openStreams).toBe(0)
    expect(pair.clientDriver.openStreams).toBe(0)
  })

  it('[12] client_fin_before_server_body: the fin is delivered even when the send half ended first (fixed: B10)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    const response = await respond(pair, exchange)
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('0123456789'), fin: true })
    // The one slot of the channel holds the chunk, so the fin waits; now the send half ends.
    await settle()
    await exchange.body!.send({ kind: 'Body', data: new Uint8Array(0), fin: true })
    await settle()
    expect(await readAll(response.recv)).toMatchObject({ text: '0123456789', fin: true })
    await settle()
    expect(pair.clientDriver.openStreams).toBe(0)
  })

  it('[25] verify_pr_2162: the last response bytes first, then the rest of the request', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    const response = await respond(pair, exchange)
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('!'), fin: true })
    expect(await readAll(response.recv)).toMatchObject({ text: '!', fin: true })
    await exchange.body!.send({ kind: 'Body', data: bytes('12345'), fin: true })
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ text: '12345', fin: true })
    await settle()
    expect(pair.serverDriver.openStreams).toBe(0)
  })

  it('a HEAD response and a 204 need no body frame', async () => {
    pair = await h3Pair()
    const head = GET.map(([name, value]) => [name, name === ':method' ? 'HEAD' : value] as const)
    const exchange = await request(pair, head)
    await exchange.incoming.send.send({ kind: 'Headers', headers: [...OK, ['content-length', '1000']], fin: true })
    const { incoming } = await next(pair.clientController.events, 'IncomingHeaders')
    expect(await readAll(incoming.recv)).toMatchObject({ length: 0, fin: true })
  })
})

describe('field compression', () => {
  it('the QPACK table that is announced is one that can be used, either way (B14)', async () => {
    pair = await h3Pair({ server: { qpackMaxTableCapacity: 4096, qpackBlockedStreams: 10 }, client: { qpackMaxTableCapacity: 4096 } })
    const { settings } = await next(pair.clientController.events, 'IncomingSettings')
    expect(settings).toContainEqual([1, 4096])
    const long: readonly Header[] = [...GET, ['x-repeated', 'a value that is worth a place in the table']]
    const sizes: number[] = []
    for (let i = 0; i < 4; i++) {
      const before = pair.client.stats().streamBytesSent
      const exchange = await request(pair, long)
      expect(exchange.incoming.headers).toEqual(long)
      expect((await respond(pair, exchange, true)).headers).toEqual(OK)
      sizes.push(pair.client.stats().streamBytesSent - before)
    }
    expect(sizes[3]).toBeLessThan(sizes[0]! / 2)
    expect(pair.server.isClosed).toBe(false)
  })
})

describe('many requests', () => {
  it('[81] test_bidi_stream_limit_reached: beyond the stream limit they wait and go out in order (B18)', async () => {
    pair = await h3Pair({ serverQuic: { initialMaxStreamsBidi: 2 } })
    const sender = pair.clientController.requestSender()
    for (let id = 100; id < 120; id++) sender.send({ requestId: id, headers: GET, bodyWriter: null })
    const { serverController } = pair
    void (async () => {
      for await (const event of serverController.events) {
        if (event.kind === 'Headers') await event.incoming.send.send({ kind: 'Headers', headers: OK, fin: true })
      }
    })()
    const order: number[] = []
    for (let answered = 0; answered < 20; ) {
      const event = await pair.clientController.events.recv()
      if (event?.kind === 'NewOutboundRequest') order.push(event.requestId)
      if (event?.kind !== 'IncomingHeaders') continue
      answered++
      await readAll(event.incoming.recv)
    }
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => 100 + i))
  })

  it('a request that waited goes out with the one credit that comes (B23)', async () => {
    pair = await h3Pair({ serverQuic: { initialMaxStreamsBidi: 1 } })
    const sender = pair.clientController.requestSender()
    for (const requestId of [1, 2]) sender.send({ requestId, headers: GET, bodyWriter: null })
    const first = (await next(pair.serverController.events, 'Headers')).incoming
    await settle()
    // The second has opened nothing yet.
    expect(pair.clientDriver.openStreams).toBe(1)
    await readAll(first.recv)
    await first.send.send({ kind: 'Headers', headers: OK, fin: true })
    await readAll((await next(pair.clientController.events, 'IncomingHeaders')).incoming.recv)
    expect(await next(pair.clientController.events, 'NewOutboundRequest')).toEqual({ kind: 'NewOutboundRequest', streamId: 4, requestId: 2 })
  })

  it('the queue of waiting requests is bounded', async () => {
    pair = await h3Pair({ client: { maxQueuedRequests: 3 }, serverQuic: { initialMaxStreamsBidi: 1 } })
    const sender = pair.clientController.requestSender()
    for (let id = 0; id < 5; id++) sender.send({ requestId: id, headers: GET, bodyWriter: null })
    expect(await next(pair.clientController.events, 'RequestFailed')).toMatchObject({ requestId: 4 })
  })

  it('hundreds at once, each with its own body', async () => {
    pair = await h3Pair({ client: { streamCapacity: 4 }, server: { streamCapacity: 4 } })
    const { clientController, serverController } = pair
    const total = 300
    void (async () => {
      for await (const event of serverController.events) {
        if (event.kind !== 'Headers') continue
        const { send, headers } = event.incoming
        void (async () => {
          await send.send({ kind: 'Headers', headers: OK })
          await send.send({ kind: 'Body', data: bytes(headers.find(([name]) => name === ':path')![1]), fin: true })
        })()
      }
    })()
    for (let i = 0; i < total; i++) {
      const headers = GET.map(([name, value]) => [name, name === ':path' ? `/r${i}` : value] as const)
      clientController.requestSender().send({ requestId: i, headers, bodyWriter: null })
    }
    const ids = new Map<number, number>()
    const bodies: Promise<void>[] = []
    while (bodies.length < total) {
      const event = await clientController.events.recv()
      if (event?.kind === 'NewOutboundRequest') ids.set(event.streamId, event.requestId)
      if (event?.kind !== 'IncomingHeaders') continue
      const { streamId, recv } = event.incoming
      bodies.push(readAll(recv).then((body) => expect(body.text).toBe(`/r${ids.get(streamId)}`)))
    }
    await Promise.all(bodies)
    await settle()
    expect(pair.clientDriver.openStreams).toBe(0)
    expect(pair.serverDriver.openStreams).toBe(0)
  })
})
