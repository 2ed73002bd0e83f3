// Half-streams that end early, seen from both sides. Numbers in brackets: the catalogue of driver behaviour this mirrors.

import { afterEach, describe, expect, it } from 'vitest'
import type { OutboundDatagram, OutboundFrame } from '../../src/index.ts'
import { GET, OK, POST, bytes, drainEvents, h3Pair, next, readAll, request, respond, settle, type Pair } from '../support.ts'

let pair: Pair | null = null
afterEach(async () => {
  await pair?.close()
  pair = null
})

const CANCELLED = 0x10c

/** STOP_SENDING and RESET_STREAM of one abort may arrive in either order. */
async function codesOfAbort(both: Pair): Promise<{ stopped: unknown; reset: unknown }> {
  const codes: { stopped: unknown; reset: unknown } = { stopped: null, reset: null }
  while (codes.stopped === null || codes.reset === null) {
    const event = await both.clientController.events.recv()
    if (event === null) break
    if (event.kind === 'StreamStopped') codes.stopped = event.errorCode
    else if (event.kind === 'ResetStream') codes.reset = event.errorCode
  }
  return codes
}

describe('the application drops a handle', () => {
  it('[18] client_send_reset_stream_when_outbound_frame_channel_drops: client drops its sender: RESET_STREAM H3_REQUEST_CANCELLED, the response goes on', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    const response = await respond(pair, exchange)
    response.send.close()
    exchange.body!.close()
    expect(await next(pair.serverController.events, 'ResetStream')).toMatchObject({ streamId: 0, errorCode: CANCELLED })
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('0123456789'), fin: true })
    expect(await readAll(response.recv)).toMatchObject({ text: '0123456789', fin: true })
    expect(response.h3AuditStats).toMatchObject({
      sentResetStreamErrorCode: CANCELLED,
      recvdStreamFin: 'Explicit',
      sentStreamFin: 'None',
      downstreamBytesRecvd: 10,
      downstreamBytesSent: 0,
    })
    await settle()
    expect(pair.clientDriver.openStreams).toBe(0)
    expect(pair.serverDriver.openStreams).toBe(0)
  })

  it('the body writer dropped before the response resets too (B21)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    exchange.body!.close()
    expect(await next(pair.serverController.events, 'ResetStream')).toMatchObject({ errorCode: CANCELLED })
    // What the response brings cannot send either.
    const response = await respond(pair, exchange, true)
    expect(response.send.isClosed).toBe(true)
  })

  it('a reset before the response leaves nothing of the request (B21)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    await exchange.body!.send({ kind: 'Body', data: bytes('all'), fin: true })
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ text: 'all', fin: true })
    expect(pair.clientDriver.openStreams).toBe(1)
    exchange.incoming.send.close()
    expect(await next(pair.clientController.events, 'ResetStream')).toMatchObject({ streamId: 0, errorCode: CANCELLED })
    await settle()
    expect([pair.clientDriver.openStreams, pair.serverDriver.openStreams]).toEqual([0, 0])
    expect(exchange.body!.isClosed).toBe(true)
  })

  it('[21] client_drop_outbound_frame_channel_after_fin_no_reset: after its FIN a dropped sender resets nothing', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    await exchange.body!.send({ kind: 'Body', data: bytes('all'), fin: true })
    exchange.body!.close()
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ text: 'all', fin: true })
    await respond(pair, exchange, true)
    await settle()
    expect(exchange.incoming.h3AuditStats.recvdResetStreamErrorCode).toBe(-1)
    expect(drainEvents(pair.serverController.events).map((event) => event.kind)).not.toContain('ResetStream')
  })

  it('[31] server_driver_send_stop_sending_after_channel_drop: server drops its receiver: STOP_SENDING at once, without waiting for data (B17)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    exchange.incoming.recv.close()
    expect(await next(pair.clientController.events, 'StreamStopped')).toMatchObject({ streamId: 0, errorCode: CANCELLED })
    expect(exchange.body!.isClosed).toBe(true)
    expect(exchange.incoming.h3AuditStats).toMatchObject({ sentStopSendingErrorCode: CANCELLED, recvdStreamFin: 'None' })
    const response = await respond(pair, exchange)
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('1'), fin: true })
    expect(await readAll(response.recv)).toMatchObject({ text: '1', fin: true })
    await settle()
    expect(pair.serverDriver.openStreams).toBe(0)
    expect(pair.clientDriver.openStreams).toBe(0)
  })

  it('[32] server_driver_drop_channel_after_fin: a receiver dropped after the end stops nothing', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    await exchange.body!.send({ kind: 'Body', data: bytes('12345'), fin: true })
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ text: '12345', fin: true })
    exchange.incoming.recv.close()
    await respond(pair, exchange, true)
    await settle()
    expect(exchange.incoming.h3AuditStats).toMatchObject({ sentStopSendingErrorCode: -1, recvdStreamFin: 'Explicit', downstreamBytesRecvd: 5 })
  })

  it('a handler that crashes drops both: nothing is left on either side', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    exchange.incoming.recv.close()
    exchange.incoming.send.close()
    await next(pair.clientController.events, 'ResetStream')
    await settle()
    expect(pair.serverDriver.openStreams).toBe(0)
    expect(pair.clientDriver.openStreams).toBe(0)
  })
})

describe('the peer aborts', () => {
  it('[27] client_sends_reset_stream_before_server_fin: RESET_STREAM: event, receiver ends without a fin, the other direction goes on', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    const response = await respond(pair, exchange)
    pair.clientController.shutdownStream(0, { kind: 'Write', errorCode: 4242 })
    expect(await next(pair.serverController.events, 'ResetStream')).toEqual({ kind: 'ResetStream', streamId: 0, errorCode: 4242, retryable: false })
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ length: 0, fin: false })
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('four'), fin: false })
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('four'), fin: true })
    expect(await readAll(response.recv)).toMatchObject({ text: 'fourfour', fin: true })
    await settle()
    expect(exchange.incoming.h3AuditStats).toMatchObject({
      recvdResetStreamErrorCode: 4242,
      recvdStreamFin: 'None',
      sentStreamFin: 'Explicit',
      downstreamBytesRecvd: 0,
      downstreamBytesSent: 8,
    })
    expect(pair.serverDriver.openStreams).toBe(0)
  })

  it('[28] client_sends_reset_stream_after_server_fin: RESET_STREAM after our response removes the stream', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    await respond(pair, exchange)
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('foobar 42'), fin: true })
    await settle()
    pair.clientController.shutdownStream(0, { kind: 'Write', errorCode: 4242 })
    await next(pair.serverController.events, 'StreamClosed')
    expect(exchange.incoming.h3AuditStats).toMatchObject({ recvdResetStreamErrorCode: 4242, sentStreamFin: 'Explicit', downstreamBytesSent: 9 })
  })

  it('[26] client_sends_stop_sending: STOP_SENDING reaches an idle producer by itself (B16)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    await respond(pair, exchange)
    pair.clientController.shutdownStream(0, { kind: 'Read', errorCode: 4242 })
    expect(await next(pair.serverController.events, 'StreamStopped')).toEqual({ kind: 'StreamStopped', streamId: 0, errorCode: 4242 })
    expect(exchange.incoming.send.isClosed).toBe(true)
    expect(await exchange.incoming.send.send({ kind: 'Body', data: bytes('x'), fin: false })).toBe(false)
    await exchange.body!.send({ kind: 'Body', data: bytes('123'), fin: true })
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ text: '123', fin: true })
    await settle()
    expect(exchange.incoming.h3AuditStats).toMatchObject({
      recvdStopSendingErrorCode: 4242,
      sentResetStreamErrorCode: -1,
      recvdStreamFin: 'Explicit',
      sentStreamFin: 'None',
      downstreamBytesRecvd: 3,
    })
    expect(pair.serverDriver.openStreams).toBe(0)
  })
})

describe('ShutdownStream', () => {
  it('[35] server_shutdown_stream_write_direction: Write resets our half only; the peer may go on (B3, B4)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    pair.serverController.shutdownStream(0, { kind: 'Write', errorCode: 0x1234 })
    expect(await next(pair.clientController.events, 'ResetStream')).toMatchObject({ errorCode: 0x1234 })
    await exchange.body!.send({ kind: 'Body', data: bytes('still here'), fin: true })
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ text: 'still here', fin: true })
    expect(exchange.incoming.h3AuditStats).toMatchObject({ sentResetStreamErrorCode: 0x1234, sentStopSendingErrorCode: -1 })
  })

  it('[36] server_shutdown_stream_read_direction: Read stops the peer only; our half goes on (B4)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    pair.serverController.shutdownStream(0, { kind: 'Read', errorCode: 0x5678 })
    expect(await next(pair.clientController.events, 'StreamStopped')).toMatchObject({ errorCode: 0x5678 })
    const response = await respond(pair, exchange)
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('y'), fin: true })
    expect(await readAll(response.recv)).toMatchObject({ text: 'y', fin: true })
  })

  it('[37] server_shutdown_stream_both_directions: Both ends both with a code each', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    pair.serverController.shutdownStream(0, { kind: 'Both', readErrorCode: 0xaaaa, writeErrorCode: 0xbbbb })
    expect(await codesOfAbort(pair)).toEqual({ stopped: 0xaaaa, reset: 0xbbbb })
    expect(exchange.incoming.h3AuditStats).toMatchObject({ sentStopSendingErrorCode: 0xaaaa, sentResetStreamErrorCode: 0xbbbb })
    await settle()
    expect(pair.clientDriver.openStreams).toBe(0)
  })

  it('an unknown stream is nobody’s business', async () => {
    pair = await h3Pair()
    pair.serverController.shutdownStream(400, { kind: 'Both', readErrorCode: 1, writeErrorCode: 2 })
    const exchange = await request(pair)
    await respond(pair, exchange, true)
    expect(pair.server.isClosed).toBe(false)
  })
})

describe('messages that make no sense', () => {
  it('body before headers: the peer is told, not left hanging (B5)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('too early'), fin: false })
    expect(await next(pair.serverController.events, 'StreamError')).toMatchObject({ streamId: 0, errorCode: 0x102 })
    expect(await next(pair.clientController.events, 'ResetStream')).toMatchObject({ errorCode: 0x102 })
  })

  it('a malformed response: the client refuses the stream, the connection lives', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    await exchange.incoming.send.send({ kind: 'Headers', headers: [['no-status', 'x']] })
    expect(await next(pair.serverController.events, 'StreamError')).toMatchObject({ streamId: 0 })
    await next(pair.clientController.events, 'ResetStream')
    const second = await request(pair)
    expect((await respond(pair, second, true)).headers).toEqual(OK)
  })

  it('PeerStreamError aborts both directions with H3_MESSAGE_ERROR', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    await exchange.incoming.send.send({ kind: 'PeerStreamError' })
    expect(await codesOfAbort(pair)).toEqual({ stopped: 0x10e, reset: 0x10e })
    expect(exchange.incoming.h3AuditStats).toMatchObject({ sentStopSendingErrorCode: 0x10e, sentResetStreamErrorCode: 0x10e })
  })

  it('a frame of the wrong kind ends its stream, on a flow nothing (B20)', async () => {
    pair = await h3Pair({ client: { enableExtendedConnect: true }, server: { enableExtendedConnect: true } })
    const exchange = await request(pair, POST, true)
    const wrong = { kind: 'Datagram', data: bytes('x'), flowId: 0 } as unknown as OutboundFrame
    await exchange.incoming.send.send(wrong)
    expect(await next(pair.serverController.events, 'StreamError')).toMatchObject({ streamId: 0, errorCode: 0x102 })
    await settle()
    pair.client.transport.datagramSend(new Uint8Array([7, 1]))
    pair.client.wake()
    const flow = await next(pair.serverController.events, 'NewFlow')
    await flow.send.send({ kind: 'Body', data: bytes('x'), fin: true } as unknown as OutboundDatagram)
    await flow.send.send({ kind: 'Datagram', data: bytes('x'), flowId: flow.flowId })
    await settle()
    expect(pair.server.isClosed).toBe(false)
    expect((await respond(pair, await request(pair), true)).headers).toEqual(OK)
  })

  it('a request that may not be sent fails alone', async () => {
    pair = await h3Pair()
    pair.clientController.requestSender().send({ requestId: 77, headers: [['x', 'no pseudo-headers']], bodyWriter: null })
    expect(await next(pair.clientController.events, 'RequestFailed')).toMatchObject({ requestId: 77, error: { code: 'H3_INVALID_FIELDS' } })
    const exchange = await request(pair, GET)
    expect((await respond(pair, exchange, true)).headers).toEqual(OK)
  })
})
