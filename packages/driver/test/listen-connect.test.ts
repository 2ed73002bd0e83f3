import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createDevCertificate } from '../../quic/src/tls/certificates/development.ts'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import {
  ClientSocket,
  DgramSocket,
  MemoryMetrics,
  MemoryNetwork,
  clientH3Driver,
  connect,
  listen,
  serverH3Driver,
  type ConnectOptions,
  type ListenOptions,
  type QuicConnection,
  type QuicListener,
} from '../src/index.ts'
import { GET, OK, bytes, certificate, development, next, readAll } from './support.ts'

const cleanup: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

/** Answers every request with its path. */
async function echoServer(options: Partial<ListenOptions> = {}): Promise<{ listener: QuicListener; port: number; connections: QuicConnection[] }> {
  const listener = await listen({ host: '127.0.0.1', tls: { certificates: [certificate] }, ...options })
  const connections: QuicConnection[] = []
  cleanup.push(() => listener.close())
  void (async () => {
    for await (const incoming of listener) {
      const { driver, controller } = serverH3Driver({ streamCapacity: 1 })
      connections.push(incoming.start(driver))
      void (async () => {
        for await (const event of controller.events) {
          if (event.kind !== 'Headers') continue
          const { headers, send } = event.incoming
          const path = headers.find(([name]) => name === ':path')![1]
          await send.send({ kind: 'Headers', headers: OK })
          await send.send({ kind: 'Body', data: bytes(path), fin: true })
        }
      })()
    }
  })()
  return { listener, port: listener.address().port, connections }
}

async function client(port: number, options: Partial<ConnectOptions> = {}): Promise<{ connection: QuicConnection; get(path: string): Promise<string>; events: ReturnType<typeof clientH3Driver>['controller']['events'] }> {
  const { driver, controller } = clientH3Driver({ streamCapacity: 1 })
  const connection = await connect({
    host: '127.0.0.1',
    port,
    serverName: 'localhost',
    tls: { ca: development.certificatePem },
    application: driver,
    ...options,
  })
  cleanup.push(async () => {
    await connection.close()
  })
  let id = 0
  return {
    connection,
    events: controller.events,
    async get(path) {
      const headers = GET.map(([name, value]) => [name, name === ':path' ? path : value] as const)
      controller.requestSender().send({ requestId: id++, headers, bodyWriter: null })
      const { incoming } = await next(controller.events, 'IncomingHeaders')
      return (await readAll(incoming.recv)).text
    },
  }
}

function refusedPort(): Promise<number> {
  return DgramSocket.bind({ address: '127.0.0.1' }).then(async (socket) => {
    const { port } = socket.localAddress
    await socket.close()
    return port
  })
}

describe('listen and connect over UDP', () => {
  it('serves several connections, each with many requests', async () => {
    const { port } = await echoServer()
    for (const count of [5, 10, 15]) {
      const { get, connection } = await client(port)
      for (let i = 0; i < count; i++) expect(await get(`/r${i}`)).toBe(`/r${i}`)
      expect(connection.handshakeInfo).toMatchObject({ alpn: 'h3', serverName: 'localhost' })
      expect(connection.remoteAddress).toBe(`127.0.0.1:${port}`)
    }
  })

  it('many client connections share one socket', async () => {
    const { port } = await echoServer()
    const socket = await ClientSocket.bind({ address: '127.0.0.1' })
    cleanup.push(() => socket.close())
    const clients = await Promise.all(Array.from({ length: 8 }, () => client(port, { socket })))
    expect(socket.connections).toBe(8)
    const answers = await Promise.all(clients.map(({ get }, i) => get(`/c${i}`)))
    expect(answers).toEqual(clients.map((_, i) => `/c${i}`))
  })

  it('works over IPv6', async () => {
    const listener = await echoServer({ host: '::1' })
    const { get } = await client(listener.port, { host: '[::1]' })
    expect(await get('/six')).toBe('/six')
  })

  it('both sides learn of a close, with code and words', async () => {
    const { port, connections } = await echoServer()
    const { connection, get, events } = await client(port)
    await get('/x')
    const server = connections[0]!
    void server.close({ code: 0x1234, reason: 'enough' })
    expect(await connection.closed).toMatchObject({ cause: 'peer', application: true, code: 0x1234, reason: 'enough' })
    expect(connection.error).toMatchObject({ code: 'QUIC_PEER_CLOSED' })
    expect(await next(events, 'ConnectionShutdown')).toMatchObject({ error: { code: 'QUIC_PEER_CLOSED' }, reason: { code: 0x1234 } })
    expect(await events.recv()).toBe(null)
    expect(await server.closed).toMatchObject({ cause: 'local', code: 0x1234 })
    expect(server.error).toBe(null)
  })

  it('an idle connection ends with an idle timeout on both sides', async () => {
    const { port, connections } = await echoServer({ settings: { maxIdleTimeout: 150 } })
    const { connection, events } = await client(port)
    await connection.closed
    expect(connection.error).toMatchObject({ code: 'QUIC_IDLE_TIMEOUT', name: 'IdleTimeoutError' })
    expect(await next(events, 'ConnectionShutdown')).toMatchObject({ error: { code: 'QUIC_IDLE_TIMEOUT' } })
    await connections[0]!.closed
    expect(connections[0]!.error).toMatchObject({ code: 'QUIC_IDLE_TIMEOUT' })
  })

  it('graceful close: GOAWAY, what is under way finishes, then H3_NO_ERROR', async () => {
    const listener = await listen({ host: '127.0.0.1', tls: { certificates: [certificate] } })
    cleanup.push(() => listener.close())
    const { driver, controller } = clientH3Driver()
    const accepting = listener.accept()
    const connecting = connect({
      host: '127.0.0.1',
      port: listener.address().port,
      tls: { insecure: true },
      application: driver,
    })
    const server = serverH3Driver()
    ;(await accepting)!.start(server.driver)
    const connection = await connecting
    controller.requestSender().send({ requestId: 1, headers: GET, bodyWriter: null })
    const { incoming } = await next(server.controller.events, 'Headers')
    const closing = listener.close({ graceful: true })
    await next(controller.events, 'GoAway')
    controller.requestSender().send({ requestId: 2, headers: GET, bodyWriter: null })
    expect(await next(controller.events, 'RequestFailed')).toMatchObject({ requestId: 2, error: { code: 'H3_GOAWAY_RECEIVED' } })
    await incoming.send.send({ kind: 'Headers', headers: OK })
    await incoming.send.send({ kind: 'Body', data: bytes('late but whole'), fin: true })
    const response = (await next(controller.events, 'IncomingHeaders')).incoming
    expect(await readAll(response.recv)).toMatchObject({ text: 'late but whole', fin: true })
    expect(await connection.closed).toMatchObject({ cause: 'peer', application: true, code: 0x100 })
    await closing
  })

  it('an immediate close overrules a graceful one', async () => {
    const listener = await listen({ host: '127.0.0.1', tls: { certificates: [certificate] } })
    const { driver, controller } = clientH3Driver()
    const accepting = listener.accept()
    const connecting = connect({ host: '127.0.0.1', port: listener.address().port, tls: { insecure: true }, application: driver })
    const server = serverH3Driver()
    ;(await accepting)!.start(server.driver)
    const connection = await connecting
    controller.requestSender().send({ requestId: 1, headers: GET, bodyWriter: null })
    await next(server.controller.events, 'Headers')
    const graceful = listener.close({ graceful: true, timeout: 3_600_000 })
    await next(controller.events, 'GoAway')
    expect(connection.isClosed).toBe(false)
    await Promise.all([graceful, listener.close()])
    expect(await connection.closed).toMatchObject({ cause: 'peer', application: true, code: 0x100 })
  })

  it('the port is free again after close', async () => {
    const { listener, port } = await echoServer()
    await client(port)
    await listener.close()
    const again = await DgramSocket.bind({ address: '127.0.0.1', port })
    await again.close()
  })

  it('runs on the noble provider', async () => {
    const { port } = await echoServer({ crypto: 'noble' })
    const { get } = await client(port, { crypto: 'noble' })
    expect(await get('/portable')).toBe('/portable')
  })

  it('answers RSA on the noble provider with WebCrypto', async () => {
    const { rsa } = await import('./rsa-certificate.ts')
    const { port } = await echoServer({ crypto: 'noble', tls: { certificates: [{ cert: rsa.cert, key: rsa.key }] } })
    const { get } = await client(port, { crypto: 'noble', tls: { ca: rsa.cert, verifyTime: rsa.verifyTime } })
    expect(await get('/rsa')).toBe('/rsa')
  })
})

describe('what can go wrong, each with its own code', () => {
  it('a port in use', async () => {
    const { port } = await echoServer()
    await expect(echoServer({ port })).rejects.toMatchObject({ code: 'QUIC_PORT_IN_USE', name: 'SocketError' })
  })

  it('no certificate, a broken certificate, a broken key', async () => {
    await expect(listen({ tls: {} })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
    await expect(listen({ tls: { certificates: [{ cert: 'x', key: 'y' }] } })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
    await expect(listen({ tls: { certificates: [{ ...certificate, key: 'y' }] } })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
  })

  it('settings out of range, an unknown provider', async () => {
    await expect(echoServer({ settings: { datagramSize: 100 } })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
    await expect(echoServer({ crypto: 'rot13' as 'node' })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
  })

  it('a host without an address', async () => {
    await expect(client(4433, { host: 'nowhere.invalid' })).rejects.toMatchObject({ code: 'QUIC_NAME_NOT_FOUND', name: 'NameError' })
  })

  it('a closed port, on a socket of its own: refused as soon as the system says so', async () => {
    await expect(client(await refusedPort())).rejects.toMatchObject({ code: 'QUIC_CONNECTION_REFUSED', name: 'ConnectionError' })
  })

  it('nobody answers: a connect timeout', async () => {
    const network = new MemoryNetwork()
    const socket = await ClientSocket.over(network.bind())
    await expect(client(4433, { socket, settings: { handshakeTimeout: 100 } })).rejects.toMatchObject({
      code: 'QUIC_CONNECT_TIMEOUT',
      name: 'ConnectTimeoutError',
    })
  })

  it('giving up with a signal', async () => {
    const network = new MemoryNetwork()
    const socket = await ClientSocket.over(network.bind())
    const abort = new AbortController()
    const connecting = client(4433, { socket, signal: abort.signal })
    setTimeout(() => abort.abort(new Error('user went away')), 20)
    await expect(connecting).rejects.toThrow('user went away')
  })

  it('a certificate for another name, from nobody known, expired', async () => {
    const { port } = await echoServer()
    await expect(client(port, { serverName: 'example.org' })).rejects.toMatchObject({
      code: 'QUIC_CERTIFICATE_REFUSED',
      certificateCheck: 'name-mismatch',
    })
    await expect(client(port, { tls: {} })).rejects.toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED', certificateCheck: 'self-signed' })
    const year = 365 * 24 * 3_600_000
    await expect(
      client(port, { tls: { ca: development.certificatePem, verifyTime: Date.now() + year } }),
    ).rejects.toMatchObject({ certificateCheck: 'expired' })
  })

  it('no common application protocol: the alert is in the error (RFC 7301 §3.2)', async () => {
    const { port } = await echoServer()
    await expect(client(port, { tls: { insecure: true, alpn: ['h2'] } })).rejects.toMatchObject({
      code: 'QUIC_HANDSHAKE_FAILED',
      name: 'HandshakeError',
      alert: 120,
    })
  })

  it('a refused connection says so', async () => {
    const listener = await listen({ host: '127.0.0.1', tls: { certificates: [certificate] } })
    cleanup.push(() => listener.close())
    void listener.accept().then((incoming) => incoming?.refuse())
    await expect(client(listener.address().port)).rejects.toMatchObject({ code: 'QUIC_CONNECTION_REFUSED' })
  })

  it('a full backlog refuses', async () => {
    const metrics = new MemoryMetrics()
    const listener = await listen({ host: '127.0.0.1', tls: { certificates: [certificate] }, settings: { listenBacklog: 0 }, metrics })
    cleanup.push(() => listener.close())
    await expect(client(listener.address().port)).rejects.toMatchObject({ code: 'QUIC_CONNECTION_REFUSED' })
    // Packets are counted, and a ClientHello may have two.
    expect(metrics.counter('rejected_initial_packet_count', 'accept queue overflow')).toBeGreaterThan(0)
    expect(metrics.counter('accepted_initial_packet_count')).toBe(0)
  })

  it('an application that throws ends its connection, not the process', async () => {
    const listener = await listen({ host: '127.0.0.1', tls: { certificates: [certificate] } })
    cleanup.push(() => listener.close())
    const { driver } = serverH3Driver()
    const throwing = Object.assign(Object.create(driver) as typeof driver, {
      onTransportEvent: () => {
        throw new Error('application bug')
      },
    })
    const started = listener.accept().then((incoming) => incoming!.start(throwing))
    const { connection } = await client(listener.address().port)
    const server = await started
    await server.closed
    expect(server.error).toMatchObject({ code: 'QUIC_APPLICATION_FAILED' })
    expect(await connection.closed).toMatchObject({ cause: 'peer', application: false, code: 1 })
  })

  it('a driver of the wrong role is refused', async () => {
    const { port } = await echoServer()
    await expect(client(port, { application: serverH3Driver().driver })).rejects.toMatchObject({ code: 'QUIC_APPLICATION_FAILED' })
  })
})

describe('logs', () => {
  it('SSLKEYLOGFILE lines and one qlog file per connection and side', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'quicwire-'))
    cleanup.push(() => rmSync(folder, { recursive: true }))
    const settings = { keylogFile: join(folder, 'keys'), qlogDir: join(folder, 'qlog') }
    const { port, listener } = await echoServer({ settings })
    const { get, connection } = await client(port, { settings })
    await get('/logged')
    const id = Buffer.from(connection.originalDestinationConnectionId).toString('hex')
    await connection.close()
    await connection.whenFinished()
    await listener.close()
    const keys = readFileSync(settings.keylogFile, 'latin1')
    expect(keys).toMatch(/^CLIENT_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]{64,96}$/m)
    expect(readdirSync(settings.qlogDir).sort()).toEqual([`${id}_client.sqlog`, `${id}_server.sqlog`])
    let text = ''
    while (!text.includes('connection_closed')) {
      await new Promise((resolve) => setTimeout(resolve, 10))
      text = readFileSync(join(settings.qlogDir, `${id}_client.sqlog`), 'utf8')
    }
    for (const record of text.split('\u001e').slice(1)) expect(() => JSON.parse(record)).not.toThrow()
  })
})

describe('certificates', () => {
  it('are chosen by name', async () => {
    const other = createDevCertificate(nodeProvider, { names: ['other.test'], unixTimeMs: Date.now() })
    const { port } = await echoServer({
      tls: { selectCertificate: (name) => (name === 'other.test' ? { cert: other.certificate, key: other.privateKey } : certificate) },
    })
    const { connection } = await client(port, { serverName: 'other.test', tls: { ca: other.certificatePem } })
    expect(connection.handshakeInfo?.peerCertificates[0]).toEqual(other.certificate)
    await client(port)
  })
})
