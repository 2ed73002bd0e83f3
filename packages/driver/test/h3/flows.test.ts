import { afterEach, describe, expect, it } from 'vitest'
import type { Header } from '@quicwire/h3'
import { encodeFrame } from '../../../h3/src/wire/frame-writer.ts'
import { QpackEncoder } from '../../../qpack/src/index.ts'
import { flowIdOf } from '../../src/h3/flow-id.ts'
import type { Receiver } from '../../src/channel/receiver.ts'
import type { InboundDatagram, OutboundDatagramSender } from '../../src/index.ts'
import { bytes, drainEvents, h3Pair, next, respond, settle, type Exchange, type Pair } from '../support.ts'

let pair: Pair | null = null
afterEach(async () => {
  await pair?.close()
  pair = null
})

const CONNECT_UDP: readonly Header[] = [
  [':method', 'CONNECT'],
  [':protocol', 'connect-udp'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/udp'],
]

const flows = { enableExtendedConnect: true }

async function text(recv: Receiver<InboundDatagram>): Promise<string> {
  const datagram = await recv.recv()
  return datagram === null ? 'end' : Buffer.from(datagram.data).toString('latin1')
}

/** A tunnel with its flow ends on both sides. */
async function tunnel(both: Pair): Promise<{ exchange: Exchange; server: Flow; client: Flow; response: Awaited<ReturnType<typeof respond>> }> {
  await settle()
  both.clientController.requestSender().send({ requestId: 1, headers: CONNECT_UDP, bodyWriter: () => undefined })
  const server = await next(both.serverController.events, 'NewFlow')
  const { incoming } = await next(both.serverController.events, 'Headers')
  const client = await next(both.clientController.events, 'NewFlow')
  const exchange = { streamId: incoming.streamId, body: null, incoming }
  return { exchange, server, client, response: await respond(both, exchange) }
}

type Flow = { readonly flowId: number; readonly send: OutboundDatagramSender; readonly recv: Receiver<InboundDatagram> }

describe('flow id of a request', () => {
  it('extended CONNECT: the quarter stream id, whatever the protocol', () => {
    expect(flowIdOf(CONNECT_UDP, 16)).toBe(4)
    expect(flowIdOf([[':method', 'CONNECT'], [':protocol', 'websocket']], 0)).toBe(0)
    expect(flowIdOf([[':method', 'CONNECT']], 4)).toBe(-1)
    expect(flowIdOf([[':method', 'GET'], [':protocol', 'x']], 4)).toBe(-1)
  })

  it('draft-03: its header, wherever it stands', () => {
    expect(flowIdOf([[':method', 'CONNECT-UDP'], ['datagram-flow-id', '7']], 0)).toBe(7)
    expect(flowIdOf([['datagram-flow-id', '7'], [':protocol', 'x'], [':method', 'CONNECT-UDP']], 0)).toBe(7)
    expect(flowIdOf([[':method', 'CONNECT-UDP'], ['datagram-flow-id', 'seven']], 0)).toBe(-1)
  })
})

describe('datagram flows (RFC 9297, RFC 9298)', () => {
  it('carry datagrams both ways; NewFlow precedes Headers', async () => {
    pair = await h3Pair({ client: flows, server: flows })
    const { server, client } = await tunnel(pair)
    expect(server.flowId).toBe(0)
    await client.send.send({ kind: 'Datagram', data: bytes('ping'), flowId: client.flowId })
    expect(await text(server.recv)).toBe('ping')
    await server.send.send({ kind: 'Datagram', data: bytes('pong'), flowId: server.flowId })
    expect(await text(client.recv)).toBe('pong')
  })

  it('FlowShutdown ends flow and stream', async () => {
    pair = await h3Pair({ client: flows, server: flows })
    const { server, client, exchange } = await tunnel(pair)
    await server.send.send({ kind: 'FlowShutdown', flowId: 0, streamId: exchange.streamId })
    expect(await next(pair.clientController.events, 'ResetStream')).toMatchObject({ errorCode: 0x100 })
    expect(await text(server.recv)).toBe('end')
    await settle()
    expect(pair.serverDriver.openFlows).toBe(0)
    expect(pair.clientDriver.openFlows).toBe(0)
    expect(await text(client.recv)).toBe('end')
  })

  it('dropping the stream handles leaves the tunnel up; late datagrams of a closed one revive nothing (B12)', async () => {
    pair = await h3Pair({ client: flows, server: flows })
    const { server, client, exchange } = await tunnel(pair)
    exchange.incoming.send.close()
    exchange.incoming.recv.close()
    await settle()
    await client.send.send({ kind: 'Datagram', data: bytes('still up'), flowId: 0 })
    expect(await text(server.recv)).toBe('still up')
    pair.serverController.shutdownStream(0, { kind: 'Both', readErrorCode: 0x100, writeErrorCode: 0x100 })
    await client.send.send({ kind: 'Datagram', data: bytes('late'), flowId: 0 })
    await settle()
    // And one that comes when nothing of the stream is left.
    expect([pair.serverDriver.openStreams, pair.clientDriver.openStreams]).toEqual([0, 0])
    pair.client.transport.datagramSend(new Uint8Array([0, 1]))
    pair.client.wake()
    await settle()
    expect(pair.serverDriver.openFlows).toBe(0)
    expect(drainEvents(pair.serverController.events).map((event) => event.kind)).not.toContain('NewFlow')
  })

  it('[44] process_dgram_skips_flow_creation_when_extended_connect_disabled: without extended CONNECT a server makes no flows', async () => {
    pair = await h3Pair({ client: { enableDatagrams: true }, server: { enableDatagrams: true } })
    await settle()
    pair.client.transport.datagramSend(new Uint8Array([2, 1]))
    pair.client.wake()
    await settle()
    expect(pair.serverDriver.openFlows).toBe(0)
  })

  it('flows the peer starts by itself are limited (B8)', async () => {
    pair = await h3Pair({ client: flows, server: { ...flows, maxAutonomousFlows: 3 } })
    await settle()
    for (let flow = 1; flow <= 10; flow++) pair.client.transport.datagramSend(new Uint8Array([flow, 1]))
    pair.client.wake()
    await settle()
    expect(pair.serverDriver.openFlows).toBe(3)
  })

  it('a datagram without an id closes with H3_DATAGRAM_ERROR (B8, RFC 9297 §2.1)', async () => {
    pair = await h3Pair({ client: flows, server: flows })
    await settle()
    pair.client.transport.datagramSend(new Uint8Array(0))
    pair.client.wake()
    expect(await next(pair.serverController.events, 'ConnectionError')).toMatchObject({ errorCode: 0x33 })
    expect(await pair.client.closed).toMatchObject({ code: 0x33, application: true })
  })

  it('a flow whose reader is slow loses datagrams instead of growing', async () => {
    pair = await h3Pair({ client: flows, server: { ...flows, flowCapacity: 5 } })
    const { server, client } = await tunnel(pair)
    for (let i = 0; i < 50; i++) await client.send.send({ kind: 'Datagram', data: bytes(`${i}`), flowId: 0 })
    await settle()
    expect(server.recv.length).toBe(5)
    expect(await text(server.recv)).toBe('0')
  })
})

const DRAFT: readonly Header[] = [
  [':method', 'CONNECT-UDP'],
  [':scheme', 'masque'],
  [':authority', 'target.example:53'],
  [':path', '/'],
  ['datagram-flow-id', '0'],
]

describe('an application that lets go of its events', () => {
  it('[40] h3_controller_drop_keeps_connection_alive_when_streams_exist: a tunnel goes on', async () => {
    pair = await h3Pair({ client: flows, server: flows })
    await settle()
    pair.clientController.requestSender().send({ requestId: 1, headers: DRAFT, bodyWriter: () => undefined })
    await settle()
    const kinds = drainEvents(pair.serverController.events).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'NewFlow' || kind === 'Headers')).toEqual(['NewFlow', 'Headers'])
    expect([pair.serverDriver.openStreams, pair.serverDriver.openFlows]).toEqual([1, 1])
    pair.serverController.close()
    await settle()
    expect(pair.server.isClosed).toBe(false)
  })

  it('[41] protocol_without_extended_connect_closes_on_controller_drop: without it no flow keeps the connection', async () => {
    pair = await h3Pair()
    // A client that knows the server's SETTINGS would not send it: here it does not keep to them.
    const id = pair.client.transport.openStream(true)
    const fields: readonly Header[] = [[':method', 'CONNECT'], [':protocol', 'webtransport'], [':scheme', 'https'], [':authority', 'a'], [':path', '/']]
    pair.client.transport.streamWrite(id, encodeFrame(1, new QpackEncoder().encode(id, fields)), true)
    pair.client.wake()
    await settle()
    // RFC 9220 §3: malformed where the setting was not sent; the stream is refused, not the connection.
    expect(drainEvents(pair.serverController.events).map(({ kind }) => kind)).not.toContain('NewFlow')
    expect([pair.serverDriver.openStreams, pair.serverDriver.openFlows]).toEqual([0, 0])
    pair.serverController.close()
    expect(await pair.client.closed).toMatchObject({ cause: 'peer', application: true, code: 0x100 })
  })

  it('[43] controller_drop_then_autonomous_flow_shutdown_triggers_connection_close: with the last flow', async () => {
    pair = await h3Pair({ client: flows, server: flows })
    await settle()
    pair.client.transport.datagramSend(new Uint8Array([8, 1]))
    pair.client.wake()
    const flow = await next(pair.serverController.events, 'NewFlow')
    expect(flow.flowId).toBe(8)
    expect([pair.serverDriver.openStreams, pair.serverDriver.openFlows]).toEqual([0, 1])
    pair.serverController.close()
    await settle()
    expect(pair.server.isClosed).toBe(false)
    await flow.send.send({ kind: 'FlowShutdown', flowId: 8, streamId: 8 })
    expect(await pair.client.closed).toMatchObject({ cause: 'peer', application: true, code: 0x100 })
    expect([pair.serverDriver.openStreams, pair.serverDriver.openFlows]).toEqual([0, 0])
  })
})
