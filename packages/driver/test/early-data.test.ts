// 0-RTT through the driver: RFC 9001 §4.6, RFC 9114 §7.2.4.2, RFC 8470.

import { afterEach, describe, expect, it } from 'vitest'
import {
  ClientSocket,
  MemoryNetwork,
  MemorySessionStore,
  clientH3Driver,
  connect,
  http3EarlyData,
  listen,
  serverH3Driver,
  type ApplicationOverQuic,
  type ClientH3Controller,
  type ConnectOptions,
  type Http3Settings,
  type QuicConnection,
  type QuicListener,
  type SessionStore,
  type StoredSession,
} from '../src/index.ts'
import type { Header } from '@quicwire/h3'
import { GET, OK, certificate, development, next, readAll, settle } from './support.ts'

const PORT = 4713
const cleanup: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

interface Seen {
  readonly path: string
  readonly early: boolean
}

interface Place {
  readonly network: MemoryNetwork
  readonly store: MemorySessionStore
  readonly seen: Seen[]
  listener: QuicListener
}

/** A server that answers everything and writes down what came early. */
async function serve(
  place: Omit<Place, 'listener'>,
  http3: Http3Settings = {},
  keys?: readonly Uint8Array[],
  alpn: readonly string[] = ['h3'],
): Promise<QuicListener> {
  const listener = await listen({
    socket: place.network.bind('10.0.0.1', PORT),
    tls: { certificates: [certificate], earlyData: true, ticketKeys: keys, alpn },
    earlyDataPolicy: http3EarlyData(http3),
  })
  cleanup.push(() => listener.close())
  void (async () => {
    for await (const incoming of listener) {
      const { driver, controller } = serverH3Driver(http3)
      incoming.start(driver)
      void (async () => {
        for await (const event of controller.events) {
          if (event.kind !== 'Headers') continue
          place.seen.push({ path: event.incoming.headers.find(([name]) => name === ':path')![1], early: event.isInEarlyData })
          void event.incoming.send.send({ kind: 'Headers', headers: OK, fin: true })
        }
      })()
    }
  })()
  return listener
}

async function place(http3: Http3Settings = {}): Promise<Place> {
  const made = { network: new MemoryNetwork(), store: new MemorySessionStore(), seen: [] }
  return { ...made, listener: await serve(made, http3) }
}

async function visit(at: Place, options: Partial<ConnectOptions> = {}): Promise<{ connection: QuicConnection; controller: ClientH3Controller }> {
  const socket = await ClientSocket.over(at.network.bind('10.0.0.2'))
  cleanup.push(() => socket.close())
  const { driver, controller } = clientH3Driver({})
  const connection = await connect({
    host: '10.0.0.1',
    port: PORT,
    serverName: 'localhost',
    tls: { ca: development.certificatePem },
    socket,
    sessionStore: at.store,
    tokenStore: null,
    earlyData: true,
    application: driver,
    ...options,
  })
  return { connection, controller }
}

function send(controller: ClientH3Controller, path: string, more: readonly Header[] = []): void {
  const headers = GET.map(([name, value]): Header => [name, name === ':path' ? path : value])
  controller.requestSender().send({ requestId: 0, headers: [...headers, ...more], bodyWriter: null })
}

async function answered(controller: ClientH3Controller): Promise<void> {
  const { incoming } = await next(controller.events, 'IncomingHeaders')
  expect(incoming.headers).toEqual(OK)
  expect(await readAll(incoming.recv)).toMatchObject({ fin: true })
}

/** A first connection, for its session. */
async function acquaint(at: Place): Promise<void> {
  const { connection, controller } = await visit(at)
  send(controller, '/first')
  await answered(controller)
  await settle()
  expect(connection.handshakeInfo?.earlyData).toBe(false)
  await connection.close()
}

describe('early data', () => {
  it('[86] handle_0_rtt_request: the second connection begins with a request, which is told from later ones', async () => {
    const at = await place()
    await acquaint(at)
    expect(at.seen).toEqual([{ path: '/first', early: false }])
    const { connection, controller } = await visit(at)
    // connect() did not wait for the handshake.
    expect(connection.handshakeInfo).toBeNull()
    send(controller, '/early')
    await connection.established
    send(controller, '/late')
    await answered(controller)
    await answered(controller)
    expect(connection.handshakeInfo).toMatchObject({ resumed: true, earlyData: true })
    expect(at.seen.slice(1)).toEqual([
      { path: '/early', early: true },
      { path: '/late', early: false },
    ])
  })

  it('is not offered where the client does not ask for it, or has no session', async () => {
    const at = await place()
    const first = await visit(at)
    expect(first.connection.handshakeInfo).not.toBeNull()
    await settle()
    const second = await visit(at, { earlyData: false })
    expect(second.connection.handshakeInfo).toMatchObject({ resumed: true, earlyData: false })
  })

  it('rejected: the request goes out again, and is early for nobody', async () => {
    const at = await place()
    await acquaint(at)
    // Other ticket keys: nothing is known of the session.
    await at.listener.close()
    at.listener = await serve(at)
    const { connection, controller } = await visit(at)
    expect(connection.handshakeInfo).toBeNull()
    send(controller, '/again')
    await answered(controller)
    expect(connection.handshakeInfo).toMatchObject({ earlyData: false })
    expect(at.seen[1]).toEqual({ path: '/again', early: false })
  })

  it('rejected for another protocol: the streams are gone, and said to be worth another try (RFC 9001 §4.6.2)', async () => {
    const at = await place()
    await acquaint(at)
    await at.listener.close()
    at.listener = await serve(at, {}, undefined, ['h3-next'])
    const { connection, controller } = await visit(at, { tls: { ca: development.certificatePem, alpn: ['h3', 'h3-next'] } })
    expect(connection.handshakeInfo).toBeNull()
    send(controller, '/lost')
    expect(await next(controller.events, 'ResetStream')).toEqual({ kind: 'ResetStream', streamId: 0, errorCode: 0x10b, retryable: true })
    await connection.established
    expect(connection.alpn).toBe('h3-next')
    send(controller, '/found')
    await answered(controller)
    expect(at.seen.slice(1)).toEqual([{ path: '/found', early: false }])
  })

  it('is refused by a server whose SETTINGS promise less than the ticket said (RFC 9114 §7.2.4.2)', async () => {
    const keys = [new Uint8Array(32).fill(7)]
    const made = { network: new MemoryNetwork(), store: new MemorySessionStore(), seen: [] }
    const at: Place = { ...made, listener: await serve(made, { maxHeaderListSize: 20_000 }, keys) }
    await acquaint(at)
    await at.listener.close()
    at.listener = await serve(at, { maxHeaderListSize: 10_000 }, keys)
    const { connection, controller } = await visit(at)
    send(controller, '/careful')
    await answered(controller)
    expect(connection.handshakeInfo).toMatchObject({ resumed: true, earlyData: false })
    expect(connection.isClosed).toBe(false)
  })

  it('keeps to the SETTINGS it remembers: what does not fit fails alone', async () => {
    const at = await place({ maxHeaderListSize: 600 })
    await acquaint(at)
    const { controller } = await visit(at)
    send(controller, '/big', [['x', 'y'.repeat(600)]])
    expect(await next(controller.events, 'RequestFailed')).toMatchObject({ error: { code: 'H3_FIELD_SECTION_TOO_LARGE' } })
    send(controller, '/small')
    await answered(controller)
    expect(at.seen[1]).toEqual({ path: '/small', early: true })
  })

  it('a session that came before the SETTINGS did is not used for it', async () => {
    const at = await place()
    await acquaint(at)
    const stripped: SessionStore = {
      take: (origin) => strip(at.store.take(origin)),
      put: () => undefined,
    }
    const { connection } = await visit(at, { sessionStore: stripped })
    expect(connection.handshakeInfo).toMatchObject({ resumed: true })
  })

  it('an application that does not ask for it begins with the handshake complete', async () => {
    const at = await place()
    await acquaint(at)
    const infos: unknown[] = []
    const { driver } = clientH3Driver({})
    const plain: ApplicationOverQuic = {
      onConnEstablished: (context, info, times) => {
        infos.push(info)
        driver.onConnEstablished(context, info, times)
      },
      shouldAct: () => driver.shouldAct(),
      onTransportEvent: (context, event) => driver.onTransportEvent(context, event),
      processReads: (context) => driver.processReads(context),
      processWrites: () => undefined,
      waitForData: (context) => driver.waitForData(context),
      nextDeadline: () => driver.nextDeadline(),
      onDeadline: () => undefined,
      onShutdown: (context) => driver.onShutdown(context),
      onConnClose: (context, reason) => driver.onConnClose(context, reason),
    }
    const { connection } = await visit(at, { application: plain })
    expect(infos).toHaveLength(1)
    expect(infos[0]).toMatchObject({ earlyData: true })
    expect(connection.handshakeInfo).not.toBeNull()
  })

  it('a handshake that fails after it has begun ends in one event', async () => {
    const at = await place()
    await acquaint(at)
    const { connection, controller } = await visit(at)
    await connection.close()
    expect(await next(controller.events, 'ConnectionShutdown')).toMatchObject({ reason: { cause: 'local' } })
    await expect(connection.established).rejects.toMatchObject({ code: 'QUIC_CLOSED' })
    expect(controller.events.tryRecv()).toBe('disconnected')
  })
})

function strip(session: StoredSession | null): StoredSession | null {
  return session === null ? null : { ...session, earlyDataContext: new Uint8Array(0) }
}
