// Nothing between a fast producer and a slow consumer may grow: frames wait in bounded channels, the rest stays with the producer.

import { afterEach, describe, expect, it } from 'vitest'
import { POST, bytes, h3Pair, next, readAll, request, respond, settle, type Pair } from '../support.ts'

let pair: Pair | null = null
afterEach(async () => {
  await pair?.close()
  pair = null
})

const CHUNK = 16_384

describe('backpressure', () => {
  it('a reader that stalls stops the producer within the windows', async () => {
    const window = 100_000
    const sendBufferLimit = 64_000
    pair = await h3Pair({
      serverQuic: { initialMaxData: window, initialMaxStreamData: window, maxStreamWindow: window, maxConnectionWindow: window },
      clientQuic: { sendBufferLimit },
    })
    const exchange = await request(pair, POST, true)
    let accepted = 0
    let stalled = true
    const total = 4_000_000
    const sending = (async () => {
      for (; accepted < total; accepted += CHUNK) await exchange.body!.send({ kind: 'Body', data: new Uint8Array(CHUNK), fin: false })
      await exchange.body!.send({ kind: 'Body', data: new Uint8Array(0), fin: true })
      stalled = false
    })()
    await settle(200)
    expect(stalled).toBe(true)
    // The windows, what the sending side may buffer, the channels of one frame, and the chunk under way.
    expect(accepted).toBeLessThanOrEqual(window + sendBufferLimit + 6 * CHUNK)
    expect(exchange.incoming.h3AuditStats.downstreamBytesRecvd).toBeLessThanOrEqual(2 * CHUNK)
    expect(exchange.incoming.recv.length).toBe(1)
    // And goes on when the reader does.
    const body = await readAll(exchange.incoming.recv)
    await sending
    expect(body.length).toBe(accepted)
    expect(body.fin).toBe(true)
  })

  it('one stalled stream does not stop another', async () => {
    pair = await h3Pair({ serverQuic: { initialMaxStreamData: 50_000, maxStreamWindow: 50_000, initialMaxData: 1_000_000 } })
    const stalled = await request(pair, POST, true)
    void (async () => {
      while (await stalled.body!.send({ kind: 'Body', data: new Uint8Array(CHUNK), fin: false }));
    })()
    await settle()
    const other = await request(pair, POST, true)
    void other.body!.send({ kind: 'Body', data: new Uint8Array(300_000), fin: true })
    expect(await readAll(other.incoming.recv)).toMatchObject({ length: 300_000, fin: true })
    stalled.incoming.recv.close()
    await next(pair.clientController.events, 'StreamStopped')
  })

  it('[29] client_sends_reset_stream_while_reading_wait_for_data: a reset finds a blocked read, and what was buffered stays readable', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    await exchange.body!.send({ kind: 'Body', data: bytes('first'), fin: false })
    await settle()
    await exchange.body!.send({ kind: 'Body', data: bytes('later'), fin: false })
    await settle()
    expect(exchange.incoming.recv.length).toBe(1)
    pair.clientController.shutdownStream(0, { kind: 'Write', errorCode: 4242 })
    expect(await next(pair.serverController.events, 'ResetStream')).toMatchObject({ errorCode: 4242 })
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ text: 'first', fin: false })
    const response = await respond(pair, exchange)
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('fine'), fin: true })
    expect(await readAll(response.recv)).toMatchObject({ text: 'fine', fin: true })
    expect(exchange.incoming.h3AuditStats).toMatchObject({ downstreamBytesRecvd: 5, recvdStreamFin: 'None' })
  })

  it('events of body bytes merge while nobody reads them', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    await settle()
    const sending = (async () => {
      for (let i = 0; i < 40; i++) await exchange.body!.send({ kind: 'Body', data: new Uint8Array(1000), fin: i === 39 })
    })()
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ length: 40_000, fin: true })
    await sending
    expect(pair.serverController.events.length).toBeLessThanOrEqual(3)
    expect(await next(pair.serverController.events, 'BodyBytesReceived')).toMatchObject({ numBytes: 40_000, fin: false })
  })

  it('chunks are joined up to the configured size', async () => {
    pair = await h3Pair({ server: { maxRecvBodyBufSize: 5000 } })
    const exchange = await request(pair, POST, true)
    void exchange.body!.send({ kind: 'Body', data: new Uint8Array(60_000), fin: true })
    const sizes: number[] = []
    for (let frame = await exchange.incoming.recv.recv(); frame?.kind === 'Body' && !frame.fin; frame = await exchange.incoming.recv.recv()) {
      sizes.push(frame.data.length)
      await settle(3)
    }
    expect(Math.max(...sizes)).toBe(5000)
    expect(sizes.reduce((a, b) => a + b)).toBe(60_000)
  })
})
