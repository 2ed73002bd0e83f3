// How connections end, and what the application is told.

import { afterEach, describe, expect, it } from 'vitest'
import { encodeFrame } from '../../../h3/src/wire/frame-writer.ts'
import { QpackEncoder } from '../../../qpack/src/index.ts'
import { ClientSocket, MemoryNetwork, clientH3Driver, connect, listen, serverH3Driver } from '../../src/index.ts'
import { AdvancingClock, GET, OK, POST, bytes, certificate, development, drainEvents, h3Pair, next, readAll, request, respond, settle, until, type Pair } from '../support.ts'

let pair: Pair | null = null
afterEach(async () => {
  await pair?.close()
  pair = null
})

describe('closing by dropping the event receiver', () => {
  it('[39] h3_controller_drop_closes_connection_when_maps_empty: closes an idle connection with H3_NO_ERROR', async () => {
    pair = await h3Pair()
    pair.clientController.close()
    expect(await pair.server.closed).toMatchObject({ cause: 'peer', application: true, code: 0x100 })
  })

  it('[42] controller_drop_then_stream_close_triggers_connection_close: waits for streams, and loses nothing of them (B22)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    const response = await respond(pair, exchange)
    pair.serverController.close()
    await settle()
    expect(pair.server.isClosed).toBe(false)
    await exchange.body!.send({ kind: 'Body', data: bytes('1234'), fin: true })
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ text: '1234', fin: true })
    const text = 'x'.repeat(100_000)
    void exchange.incoming.send.send({ kind: 'Body', data: bytes(text), fin: true })
    expect(await readAll(response.recv)).toMatchObject({ text, fin: true })
    expect(await pair.client.closed).toMatchObject({ cause: 'peer', code: 0x100 })
  })

  it('a response the peer has received whole is read whole, however slowly, after the close', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    const response = await respond(pair, exchange)
    const text = 'y'.repeat(120_000)
    pair.serverController.close()
    void exchange.incoming.send.send({ kind: 'Body', data: bytes(text), fin: true })
    await pair.client.closed
    expect(await readAll(response.recv)).toMatchObject({ text, fin: true })
    expect(response.h3AuditStats).toMatchObject({ recvdStreamFin: 'Explicit', downstreamBytesRecvd: text.length })
  })

  it('new requests are then rejected, not fatal (B22)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    pair.serverController.close()
    await settle()
    pair.clientController.requestSender().send({ requestId: 9, headers: GET, bodyWriter: null })
    expect(await next(pair.clientController.events, 'ResetStream')).toMatchObject({ streamId: 4, errorCode: 0x10b })
    const response = await respond(pair, exchange, true)
    expect(response.headers).toEqual(OK)
  })
})

describe('GOAWAY', () => {
  it('names the first request that is not processed; those under way finish (B7)', async () => {
    pair = await h3Pair()
    const first = await request(pair)
    pair.serverController.sendGoAway()
    expect(await next(pair.clientController.events, 'GoAway')).toEqual({ kind: 'GoAway', id: 4 })
    // Once more is no error.
    pair.serverController.sendGoAway()
    const response = await respond(pair, first)
    await first.incoming.send.send({ kind: 'Body', data: bytes('done'), fin: true })
    expect(await readAll(response.recv)).toMatchObject({ text: 'done', fin: true })
    expect(await pair.client.closed).toMatchObject({ cause: 'peer', code: 0x100 })
  })

  it('a request after it fails alone (B1)', async () => {
    pair = await h3Pair()
    const first = await request(pair)
    pair.serverController.sendGoAway()
    await next(pair.clientController.events, 'GoAway')
    pair.clientController.requestSender().send({ requestId: 5, headers: GET, bodyWriter: null })
    expect(await next(pair.clientController.events, 'RequestFailed')).toMatchObject({ requestId: 5, error: { code: 'H3_GOAWAY_RECEIVED' } })
    expect((await respond(pair, first, true)).headers).toEqual(OK)
  })

  it.each([['nothing', true], ['103', false], ['200', false]] as const)(
    'one that refuses a request which was answered with %s: whether it may be sent again (RFC 9114 §4.1.1)',
    async (answer, retryable) => {
      pair = await h3Pair()
      const exchange = await request(pair)
      if (answer !== 'nothing') {
        await exchange.incoming.send.send({ kind: 'Headers', headers: [[':status', answer]] })
        await next(pair.clientController.events, answer === '103' ? 'InformationalHeaders' : 'IncomingHeaders')
      }
      // No server of ours says this: GOAWAY 0 by hand on its control stream.
      const { core } = pair.serverDriver as unknown as { core: { connection: { streamWrite(id: number, data: Uint8Array, fin: boolean): number } } }
      expect(core.connection.streamWrite(3, Uint8Array.of(7, 1, 0), false)).toBe(3)
      pair.server.wake()
      const reset = await next(pair.clientController.events, 'ResetStream')
      expect(reset).toEqual({ kind: 'ResetStream', streamId: 0, errorCode: 0x10b, retryable })
      expect(pair.clientDriver.openStreams).toBe(0)
    },
  )

  it('[38] server_receiving_goaway_keeps_connection_intact: a client may say it too', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    const response = await respond(pair, exchange)
    pair.clientController.sendGoAway()
    expect(await next(pair.serverController.events, 'GoAway')).toMatchObject({ id: 0 })
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('on'), fin: true })
    expect(await readAll(response.recv)).toMatchObject({ text: 'on', fin: true })
  })

  it('[74] test_requests_per_connection_limit: the request limit ends a connection with GOAWAY, not with an axe (B6)', async () => {
    pair = await h3Pair({ server: { maxRequestsPerConnection: 3 } })
    for (let i = 0; i < 3; i++) {
      const exchange = await request(pair, POST, true)
      await exchange.body!.send({ kind: 'Trailers', headers: [['t', '1']] })
      expect(await readAll(exchange.incoming.recv)).toMatchObject({ trailers: [['t', '1']], fin: true })
      if (i === 2) expect(await next(pair.clientController.events, 'GoAway')).toMatchObject({ id: 12 })
      const response = await respond(pair, exchange, true)
      expect(await readAll(response.recv)).toMatchObject({ fin: true })
    }
    expect(await pair.client.closed).toMatchObject({ cause: 'peer', application: true, code: 0x100 })
  })
})

describe('the end as an event', () => {
  it('a close by the peer, with streams open: receivers end without a fin, and the event says who and why (B24)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    const response = await respond(pair, exchange)
    void pair.server.close({ code: 0x102, reason: 'bang' })
    expect(await readAll(response.recv)).toMatchObject({ fin: false })
    expect(await next(pair.clientController.events, 'ConnectionShutdown')).toMatchObject({
      reason: { cause: 'peer', code: 0x102, reason: 'bang' },
      error: { code: 'QUIC_PEER_CLOSED' },
    })
    expect(pair.clientController.events.tryRecv()).toBe('disconnected')
    expect(exchange.body!.isClosed).toBe(true)
    expect(response.h3AuditStats.recvdStreamFin).toBe('Implicit')
    expect(pair.clientController.requestSender().send({ requestId: 1, headers: GET, bodyWriter: null })).toBe(false)
  })

  it('a fin that was seen stays explicit (B13)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, GET)
    await readAll(exchange.incoming.recv)
    void pair.client.close()
    await next(pair.serverController.events, 'ConnectionShutdown')
    expect(exchange.incoming.h3AuditStats.recvdStreamFin).toBe('Explicit')
  })

  it('a violation by the peer is named on the side that found it (B19, RFC 9114 §6.2.1)', async () => {
    pair = await h3Pair()
    // The client's control stream is stream 2: resetting it is H3_CLOSED_CRITICAL_STREAM.
    pair.client.transport.streamReset(2, 0)
    pair.client.wake()
    expect(await next(pair.serverController.events, 'ConnectionError')).toMatchObject({ errorCode: 0x104 })
    expect(await next(pair.serverController.events, 'ConnectionShutdown')).toMatchObject({ reason: { cause: 'local', code: 0x104 } })
    expect(await pair.client.closed).toMatchObject({ cause: 'peer', application: true, code: 0x104 })
  })

  it('[84] test_post_accept_timeout: no request in time: closed with H3_NO_ERROR, and said so', async () => {
    const clock = new AdvancingClock()
    pair = await h3Pair({ server: { postAcceptTimeout: 5000 }, clock })
    await settle()
    expect(pair.server.isClosed).toBe(false)
    clock.advance(5000)
    pair.server.wake()
    expect(await next(pair.serverController.events, 'ConnectionShutdown')).toMatchObject({
      reason: { cause: 'local', application: true, code: 0x100 },
      error: { name: 'PostAcceptTimeoutError', code: 'QUIC_POST_ACCEPT_TIMEOUT' },
    })
    expect(pair.serverController.events.tryRecv()).toBe('disconnected')
    expect(await pair.client.closed).toMatchObject({ cause: 'peer', application: true, code: 0x100, reason: 'no request in time' })
  })

  it('a handshake that was slower than the time to the first request ends in the same way (B9)', async () => {
    const network = new MemoryNetwork()
    const clock = new AdvancingClock()
    const listener = await listen({ socket: network.bind('10.0.0.1', 4433), tls: { certificates: [certificate] }, clock })
    const socket = await ClientSocket.over(network.bind('10.0.0.2'), { clock })
    try {
      const accepting = listener.accept()
      const tls = { ca: development.certificatePem }
      const connecting = connect({ host: '10.0.0.1', port: 4433, serverName: 'localhost', tls, socket, application: clientH3Driver().driver })
      const incoming = (await accepting)!
      const { driver, controller } = serverH3Driver({ postAcceptTimeout: 5000 })
      const server = incoming.start(driver)
      // Not a second of the handshake has been waited for, but this is its time.
      clock.advance(6000)
      const client = await connecting
      expect(await next(controller.events, 'ConnectionShutdown')).toMatchObject({ error: { code: 'QUIC_POST_ACCEPT_TIMEOUT' } })
      expect(server.auditStats).toMatchObject({ sentConnCloseApplicationErrorCode: 0x100 })
      expect(server.auditStats.transportHandshakeDuration).toBeGreaterThan(5000)
      expect(await client.closed).toMatchObject({ cause: 'peer', application: true, code: 0x100 })
    } finally {
      await socket.close()
      await listener.close()
    }
  })

  it('any other end is not called that', async () => {
    pair = await h3Pair({ server: { postAcceptTimeout: 5000 } })
    void pair.server.close()
    expect(await next(pair.serverController.events, 'ConnectionShutdown')).toMatchObject({ reason: { cause: 'local' }, error: null })
  })

  it('[85] test_post_accept_timeout_is_reset: a request in time cancels that', async () => {
    const clock = new AdvancingClock()
    pair = await h3Pair({ server: { postAcceptTimeout: 5000 }, clock })
    const exchange = await request(pair)
    clock.advance(6000)
    pair.server.wake()
    await settle()
    expect(pair.server.isClosed).toBe(false)
    expect((await respond(pair, exchange, true)).headers).toEqual(OK)
  })
})

describe('commands', () => {
  it('ConnectionClose, Custom and Stats run in order', async () => {
    pair = await h3Pair()
    const commands = pair.clientController.cmdSender()
    const seen: string[] = []
    commands.send({ kind: 'Custom', callback: (connection) => seen.push(connection.role) })
    commands.send({ kind: 'Stats', callback: (stats) => seen.push(stats.packetsSent > 0 ? 'sent' : 'idle') })
    commands.send({ kind: 'ConnectionClose', sendApplicationClose: true, errorCode: 0x42, reason: 'by command' })
    expect(await pair.server.closed).toMatchObject({ code: 0x42, reason: 'by command' })
    expect(seen).toEqual(['client', 'sent'])
  })
})

describe('oversized request headers', () => {
  const LIMIT = { client: { qpackMaxTableCapacity: 0 }, server: { maxHeaderListSize: 5000, grease: false } }

  it('[75] test_max_header_list_size_limit: are answered with 431, the connection goes on (fixed: RFC 9114 §4.2.2)', async () => {
    pair = await h3Pair(LIMIT)
    // A client of ours keeps to the server's SETTINGS: this one's transport does not.
    const id = pair.client.transport.openStream(true)
    const fields = [...GET, ['x-big', 'y'.repeat(5000)]] as const
    pair.client.transport.streamWrite(id, encodeFrame(1, new QpackEncoder().encode(id, fields)), true)
    pair.client.wake()
    await until(() => pair!.client.transport.streamPeek(id) !== null)
    const answer = new QpackEncoder().encode(id, [[':status', '431']])
    expect(pair.client.transport.streamPeek(id)).toEqual(encodeFrame(1, answer))
    expect(drainEvents(pair.serverController.events).map(({ kind }) => kind)).not.toContain('Headers')
    expect(pair.serverDriver.openStreams).toBe(0)
    const exchange = await request(pair, [...GET, ['x-big', 'y'.repeat(4000)]])
    expect((await respond(pair, exchange, true)).headers).toEqual(OK)
  })

  it('are not sent to a server that has said so: the request fails alone', async () => {
    pair = await h3Pair(LIMIT)
    const big = [...GET, ['x-big', 'y'.repeat(4000)]] as const
    pair.clientController.requestSender().send({ requestId: 1, headers: big, bodyWriter: null })
    const { incoming } = await next(pair.serverController.events, 'Headers')
    expect(incoming.headers).toHaveLength(5)
    await settle()
    pair.clientController.requestSender().send({ requestId: 2, headers: [...big, ['x-more', 'z'.repeat(2000)]], bodyWriter: null })
    expect(await next(pair.clientController.events, 'RequestFailed')).toMatchObject({ requestId: 2, error: { code: 'H3_FIELD_SECTION_TOO_LARGE' } })
  })
})
