// Bodies and their ends in the orders the catalogue names, stream channels of one frame.

import { afterEach, describe, expect, it } from 'vitest'
import {
  GET,
  POST,
  bytes,
  drainEvents,
  h3Pair,
  next,
  readAll,
  request,
  respond,
  settle,
  type Exchange,
  type Pair,
} from '../support.ts'
import type { InboundFrame } from '../../src/index.ts'

let pair: Pair | null = null
afterEach(async () => {
  await pair?.close()
  pair = null
})

const CANCELLED = 0x10c
const TEN = bytes('0123456789')
const EMPTY = new Uint8Array(0)

async function body(exchange: Exchange, data: Uint8Array, fin: boolean): Promise<void> {
  expect(await exchange.incoming.send.send({ kind: 'Body', data: data.slice(), fin })).toBe(true)
  await settle(6)
}

function expectEmpty(both: Pair): void {
  expect(both.clientDriver.openStreams).toBe(0)
  expect(both.serverDriver.openStreams).toBe(0)
}

function expectChunk(frame: InboundFrame | null, length: number): void {
  expect(frame).toMatchObject({ kind: 'Body', fin: false })
  if (frame?.kind === 'Body') {
    expect(frame.data.length).toBe(length)
    // What is idle retains nothing: a chunk's memory is its own, or the packet it came in.
    expect(frame.data.buffer.byteLength).toBeLessThanOrEqual(65_536)
  }
}

describe('client_side_driver', () => {
  it('[13] client_body_recv_buf: chunks arrive intact, then the fin', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    const response = await respond(pair, exchange)
    for (let i = 0; i < 4; i++) {
      await body(exchange, TEN, i === 3)
      const frame = await response.recv.recv()
      expectChunk(frame, 10)
      expect(frame).toMatchObject({ data: TEN })
    }
    expect(await response.recv.recv()).toMatchObject({ data: EMPTY, fin: true })
    await settle()
    expectEmpty(pair)
  })

  it('[14] client_body_recv_buf_not_allocated_when_idle: a response without content has readFin and one empty fin', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    const response = await respond(pair, exchange, true)
    expect(response.readFin).toBe(true)
    expect(await readAll(response.recv)).toMatchObject({ length: 0, fin: true })
    expect(response.h3AuditStats.downstreamBytesRecvd).toBe(0)
  })

  it('[15] client_body_recv_buf_allocated_on_body_and_released_on_close: nothing is left of a stream', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    const response = await respond(pair, exchange)
    await body(exchange, TEN, false)
    expectChunk(await response.recv.recv(), 10)
    await body(exchange, TEN, true)
    expectChunk(await response.recv.recv(), 10)
    expect(await response.recv.recv()).toMatchObject({ fin: true })
    await settle()
    expectEmpty(pair)
  })

  it('[16] client_body_recv_buf_reallocates_and_releases: chunks of two sizes', async () => {
    pair = await h3Pair({ client: { maxRecvBodyBufSize: 20 } })
    const exchange = await request(pair)
    const response = await respond(pair, exchange)
    for (let i = 0; i < 4; i++) {
      await body(exchange, TEN, i === 3)
      expectChunk(await response.recv.recv(), 10)
    }
    expect(await response.recv.recv()).toMatchObject({ fin: true })
    await settle()
    expectEmpty(pair)
  })

  it('[17] client_body_recv_buf_releases_when_exhausted: a stream goes on after a large chunk', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    const response = await respond(pair, exchange)
    await body(exchange, new Uint8Array(1024), false)
    expectChunk(await response.recv.recv(), 1024)
    expect(pair.clientDriver.openStreams).toBe(1)
    await body(exchange, TEN, false)
    expectChunk(await response.recv.recv(), 10)
    await body(exchange, TEN, true)
    expectChunk(await response.recv.recv(), 10)
    expect(await response.recv.recv()).toMatchObject({ fin: true })
    await settle()
    expectEmpty(pair)
  })

  it('[19] client_send_reset_stream_when_outbound_frame_channel_drops_2: the same after the response has ended', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    const response = await respond(pair, exchange)
    await body(exchange, TEN, true)
    expect(await readAll(response.recv)).toMatchObject({ text: '0123456789', fin: true })
    expect(pair.clientDriver.openStreams).toBe(1)
    response.send.close()
    exchange.body!.close()
    expect(await next(pair.serverController.events, 'ResetStream')).toMatchObject({ streamId: 0, errorCode: CANCELLED })
    await settle()
    expectEmpty(pair)
    expect(response.h3AuditStats).toMatchObject({
      sentResetStreamErrorCode: CANCELLED,
      recvdStreamFin: 'Explicit',
      sentStreamFin: 'None',
      downstreamBytesRecvd: 10,
      downstreamBytesSent: 0,
    })
  })

  it('[20] client_send_reset_stream_with_full_stream: what waits for credit is lost with the handle', async () => {
    pair = await h3Pair({ serverQuic: { initialMaxStreamData: 60, maxStreamWindow: 60 }, clientQuic: { sendBufferLimit: 30 } })
    const exchange = await request(pair, POST, true)
    const response = await respond(pair, exchange, true)
    expect(await readAll(response.recv)).toMatchObject({ fin: true })
    await exchange.body!.send({ kind: 'Body', data: new Uint8Array(500), fin: false })
    await settle()
    expect(response.h3AuditStats.downstreamBytesSent).toBeLessThan(500)
    exchange.body!.close()
    response.send.close()
    await settle()
    // The frame that was accepted still goes first: only then are the senders seen to be gone.
    expect(pair.clientDriver.openStreams).toBe(1)
    const reading = readAll(exchange.incoming.recv)
    expect(await next(pair.serverController.events, 'ResetStream')).toMatchObject({ errorCode: CANCELLED })
    expect(await reading).toMatchObject({ fin: false })
    await settle()
    expectEmpty(pair)
    expect(response.h3AuditStats).toMatchObject({
      sentResetStreamErrorCode: CANCELLED,
      recvdStreamFin: 'Explicit',
      sentStreamFin: 'None',
      downstreamBytesSent: 500,
    })
  })

  it('[22] client_receives_goaway_during_streaming_response: the response goes on', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    const response = await respond(pair, exchange)
    await body(exchange, TEN, false)
    expectChunk(await response.recv.recv(), 10)
    pair.serverController.sendGoAway()
    await body(exchange, TEN, false)
    expectChunk(await response.recv.recv(), 10)
    const seen = drainEvents(pair.clientController.events).filter(({ kind }) => kind !== 'IncomingSettings' && kind !== 'NewOutboundRequest')
    expect(seen.filter(({ kind }) => kind !== 'BodyBytesReceived')).toEqual([{ kind: 'GoAway', id: 4 }])
    await body(exchange, TEN, true)
    expectChunk(await response.recv.recv(), 10)
    expect(await response.recv.recv()).toMatchObject({ fin: true })
  })
})

describe('server_side_driver', () => {
  it('[23] server_body_recv_buf_not_allocated_when_idle: headers with fin, answer of headers and an empty fin', async () => {
    pair = await h3Pair()
    const exchange = await request(pair)
    expect(exchange.incoming.readFin).toBe(true)
    const response = await respond(pair, exchange)
    await body(exchange, EMPTY, true)
    expect(await readAll(response.recv)).toMatchObject({ length: 0, fin: true })
    await readAll(exchange.incoming.recv)
    await settle()
    expectEmpty(pair)
  })

  it('[24] client_fin_before_server_body: on the server', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    const response = await respond(pair, exchange)
    await exchange.body!.send({ kind: 'Body', data: bytes('12345'), fin: true })
    expect(await readAll(exchange.incoming.recv)).toMatchObject({ text: '12345', fin: true })
    await body(exchange, bytes('!'), true)
    expect(await readAll(response.recv)).toMatchObject({ text: '!', fin: true })
    await settle()
    expectEmpty(pair)
  })

  it('[30] server_sends_reset_stream_while_reading_process_reads: a reset that is read before the body is', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    const response = await respond(pair, exchange)
    await exchange.body!.send({ kind: 'Body', data: bytes('first'), fin: false })
    expectChunk(await exchange.incoming.recv.recv(), 5)
    // Both arrive in one turn of the server: the bytes are there and the reset with them.
    await exchange.body!.send({ kind: 'Body', data: bytes('later'), fin: false })
    pair.clientController.shutdownStream(0, { kind: 'Write', errorCode: 4242 })
    expect(await next(pair.serverController.events, 'ResetStream')).toMatchObject({ streamId: 0, errorCode: 4242 })
    await readAll(exchange.incoming.recv)
    expect(exchange.incoming.recv.tryRecv()).toBe('disconnected')
    expect(exchange.incoming.h3AuditStats).toMatchObject({ recvdResetStreamErrorCode: 4242, recvdStreamFin: 'None' })
    await body(exchange, EMPTY, true)
    expect(await readAll(response.recv)).toMatchObject({ length: 0, fin: true })
    await settle()
    expectEmpty(pair)
  })

  it('[33] server_driver_drop_channel_after_fin_2: dropped with the end unread, nothing is stopped and nothing said to be (fixed: B26)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, POST, true)
    await exchange.body!.send({ kind: 'Body', data: bytes('12345'), fin: false })
    await settle()
    await exchange.body!.send({ kind: 'Body', data: bytes('123456'), fin: true })
    await settle()
    exchange.incoming.recv.close()
    const response = await respond(pair, exchange)
    await body(exchange, bytes('!'), true)
    expect(await readAll(response.recv)).toMatchObject({ text: '!', fin: true })
    await settle()
    expectEmpty(pair)
    expect(drainEvents(pair.serverController.events).filter(({ kind }) => kind === 'BodyBytesReceived')).toMatchObject([{ numBytes: 5 }])
    // RFC 9000 §3.5: STOP_SENDING would be "unnecessary", the transport sends none.
    expect(exchange.incoming.h3AuditStats.sentStopSendingErrorCode).toBe(-1)
    expect(exchange.incoming.h3AuditStats).toMatchObject({ sentStreamFin: 'Explicit', downstreamBytesSent: 1 })
    expect(drainEvents(pair.clientController.events).map(({ kind }) => kind)).not.toContain('StreamStopped')
  })
})

describe('priorities of responses', () => {
  it('later sections without one keep the earlier choice, and the default is that of RFC 9218 §4 (B15)', async () => {
    pair = await h3Pair()
    const exchange = await request(pair, GET)
    const given: unknown[] = []
    const { transport } = pair.server
    const set = transport.streamSetPriority.bind(transport)
    transport.streamSetPriority = (id, urgency, incremental) => {
      given.push([id, urgency, incremental])
      set(id, urgency, incremental)
    }
    await exchange.incoming.send.send({ kind: 'Headers', headers: [[':status', '103']] })
    await settle(4)
    expect(given).toEqual([])
    await exchange.incoming.send.send({ kind: 'Headers', headers: [[':status', '200']], priority: { urgency: 1, incremental: true } })
    await exchange.incoming.send.send({ kind: 'Body', data: bytes('x'), fin: false })
    await exchange.incoming.send.send({ kind: 'Trailers', headers: [['t', '1']] })
    await settle()
    expect(given).toEqual([[0, 125, true]])
  })
})
