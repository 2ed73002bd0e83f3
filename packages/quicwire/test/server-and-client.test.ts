// serve() and connect() over UDP loopback: what crosses both sides of the front door.

import { afterEach, describe, expect, it } from 'vitest'
import { DgramSocket } from '@quicwire/driver'
import {
  connect, developmentCertificate, headerValue, request, ResponseError, serve, type ByteStream, type Handler, type Header, type Server, type Session,
} from '../src/index.ts'

const certificate = await developmentCertificate()
const open: (Server | Session)[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function start(handler: Handler, errors: Error[] = []): Promise<Server> {
  const server = await serve({ port: 0, certificate, handler, onError: (error) => void errors.push(error) })
  open.push(server)
  return server
}

async function session(server: Server): Promise<Session> {
  const made = await connect(server.url, { ca: certificate.cert })
  open.push(made)
  return made
}

async function pair(handler: Handler, errors: Error[] = []): Promise<{ server: Server; client: Session }> {
  const server = await start(handler, errors)
  return { server, client: await session(server) }
}

async function collect(stream: ByteStream): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

function pattern(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => index * 31 + (index >> 8)))
}

/** Lets timers and sockets run. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds))
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const sockets = await Promise.all(Array.from({ length: count }, () => DgramSocket.bind({ address: '127.0.0.1' })))
  await Promise.all(sockets.map((socket) => socket.close()))
  return sockets.map(({ localAddress }) => localAddress.port)
}

describe('a request', () => {
  it('carries method, path, authority and headers, and the response comes back', async () => {
    const { server, client } = await pair((incoming) => ({
      status: 201,
      headers: [['x-seen', `${incoming.method} ${incoming.path} ${incoming.authority} ${incoming.scheme}`], ['x-two', 'a'], ['x-two', 'b']],
      body: JSON.stringify(incoming.headers),
    }))
    const response = await client.request('/a?b=c', { method: 'DELETE', headers: [['x-one', '1'], ['cookie', 'a=b']] })
    expect(response.status).toBe(201)
    expect(response.headers).toEqual([
      ['x-seen', `DELETE /a?b=c 127.0.0.1:${server.port} https`],
      ['x-two', 'a'],
      ['x-two', 'b'],
      ['content-length', '32'],
    ])
    expect(JSON.parse(await response.text())).toEqual([['x-one', '1'], ['cookie', 'a=b']])
    expect(client.info).toMatchObject({ alpn: 'h3', certificateSha256: certificate.sha256, serverName: '127.0.0.1' })
  })

  it.each([0, 1, 1199, 65_536, 1_500_003])('echoes a body of %i bytes, as one piece and as a stream', async (length) => {
    const { client } = await pair((incoming) => ({ status: 200, body: incoming.body }))
    const body = pattern(length)
    const whole = await client.request('/', { method: 'POST', body })
    expect(Buffer.compare(await collect(whole.body), body)).toBe(0)
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < length; at += 10_007) yield body.subarray(at, at + 10_007)
    }
    const streamed = await client.request('/', { method: 'POST', body: pieces() })
    expect(Buffer.compare(await collect(streamed.body), body)).toBe(0)
  })

  it('gets interim responses before the final one (RFC 9110 §15.2)', async () => {
    const { client } = await pair(async (incoming) => {
      await incoming.inform(103, [['link', '</a.css>; rel=preload']])
      await incoming.inform(102)
      return { status: 200, headers: [['x-final', 'yes']], body: 'final' }
    })
    const interim: [number, readonly Header[]][] = []
    const response = await client.request('/', { onInformational: (status, headers) => void interim.push([status, headers]) })
    expect(interim).toEqual([
      [103, [['link', '</a.css>; rel=preload']]],
      [102, []],
    ])
    expect([response.status, await response.text()]).toEqual([200, 'final'])
  })

  it.each([99, 101, 200, 103.5])('refuses %d as the status of an interim response (RFC 9114 §4.5)', async (status) => {
    const errors: Error[] = []
    const { client } = await pair(async (incoming) => {
      await incoming.inform(status)
      return { status: 200 }
    }, errors)
    expect((await client.request('/')).status).toBe(500)
    expect(errors.map(String)).toEqual([`RangeError: status ${status} is not that of an interim response: 100, or 102 to 199 (RFC 9114 §4.5)`])
  })

  it('may be one of hundreds at a time', async () => {
    const { client } = await pair((incoming) => ({ status: 200, body: `you asked for ${incoming.path}` }))
    const texts = await Promise.all(Array.from({ length: 500 }, async (_, index) => (await client.request(`/${index}`)).text()))
    expect(texts).toEqual(Array.from({ length: 500 }, (_, index) => `you asked for /${index}`))
  })

  it('gets no content for HEAD, 204 and 304 (RFC 9110 §6.4.1)', async () => {
    const { client } = await pair((incoming) => ({ status: Number(incoming.path.slice(1)), body: 'content' }))
    expect(await (await client.request('/200', { method: 'HEAD' })).text()).toBe('')
    expect(await (await client.request('/204')).text()).toBe('')
    expect(await (await client.request('/304')).text()).toBe('')
    expect(await (await client.request('/200')).text()).toBe('content')
  })

  it('gets trailers', async () => {
    const trailers: readonly Header[] = [['x-sum', '42']]
    const { client } = await pair(() => ({ status: 200, body: 'content', trailers }))
    const response = await client.request('/')
    expect(await response.text()).toBe('content')
    expect(response.trailers).toEqual(trailers)
  })

  it('of request() has a connection of its own that ends with the response', async () => {
    const server = await start(() => ({ status: 200, body: pattern(300_000) }))
    const response = await request(server.url, { insecure: true })
    expect((await response.bytes()).length).toBe(300_000)
  })
})

describe('priority (RFC 9218)', () => {
  it.each([
    [{ urgency: 1 }, 'u=1'],
    [{ incremental: true }, 'i'],
    [{ urgency: 3, incremental: false }, 'u=3, i=?0'],
    [{ urgency: 0, incremental: true }, 'u=0, i'],
    [{}, null],
    [undefined, null],
  ])('%j goes out as the field %s, both ways', async (priority, field) => {
    const choice = priority === undefined ? {} : { priority }
    const { client } = await pair((incoming) => ({ status: 200, body: headerValue(incoming.headers, 'priority') ?? 'none', ...choice }))
    const response = await client.request('/', choice)
    expect(await response.text()).toBe(field ?? 'none')
    expect(headerValue(response.headers, 'priority')).toBe(field)
  })

  it('a field of its own goes before it', async () => {
    const { client } = await pair((incoming) => ({ status: 200, body: JSON.stringify(incoming.headers) }))
    const response = await client.request('/', { headers: [['priority', 'u=7']], priority: { urgency: 1 } })
    expect(JSON.parse(await response.text())).toEqual([['priority', 'u=7']])
  })

  it.each([-1, 8, 1.5, NaN])('urgency %d is refused', async (urgency) => {
    const { client } = await pair(() => ({ status: 200 }))
    await expect(client.request('/', { priority: { urgency } })).rejects.toThrow(RangeError)
  })

  it('orders what the server sends: the urgent response is whole before the other one', async () => {
    const started: string[] = []
    const body = pattern(3_000_000)
    const { client } = await pair((incoming) => {
      started.push(incoming.path)
      return { status: 200, body }
    })
    const order: string[] = []
    const get = async (path: string, urgency: number): Promise<void> => {
      const response = await client.request(path, { priority: { urgency } })
      expect((await response.bytes()).length).toBe(body.length)
      order.push(path)
    }
    await Promise.all([get('/later', 6), get('/sooner', 1)])
    expect(started).toEqual(['/later', '/sooner'])
    expect(order).toEqual(['/sooner', '/later'])
  })
})

describe('header compression (RFC 9204)', () => {
  it('is counted at both ends', async () => {
    const { server, client } = await pair(() => ({ status: 200, headers: [['x-served-by', 'cache-7'], ['vary', 'accept-language']], body: 'x' }))
    expect(client.stats().qpack.insertedByUs).toBe(0)
    for (let i = 0; i < 6; i += 1) await (await client.request('/page', { headers: [['x-tenant', 'blue'], ['user-agent', 'test of counters']] })).text()
    const here = client.stats().qpack
    const there = server.stats().qpack
    expect(Math.min(...Object.values(here), ...Object.values(there))).toBeGreaterThan(0)
    expect([there.insertedByPeer, here.insertedByPeer]).toEqual([here.insertedByUs, there.insertedByUs])
    expect(there.referringSectionsReceived).toBe(here.referringSectionsSent)
    await client.close()
    expect(client.stats().qpack.insertedByUs).toBe(here.insertedByUs)
    await server.close()
    expect(server.stats()).toMatchObject({ connections: 1, openConnections: 0, qpack: { insertedByUs: there.insertedByUs } })
  })

  it('is without dynamic tables where the peer allows none', async () => {
    const server = await start(() => ({ status: 200 }))
    const client = await connect(server.url, { ca: certificate.cert, http3: { qpackMaxTableCapacity: 0 } })
    open.push(client)
    for (let i = 0; i < 4; i += 1) await (await client.request('/', { headers: [['x-tenant', 'blue']] })).text()
    const { insertedByUs, insertedByPeer } = client.stats().qpack
    expect(insertedByUs).toBeGreaterThan(0)
    expect(insertedByPeer).toBe(0)
  })
})

describe('what goes wrong with one request', () => {
  it('stays with it: a handler that throws is status 500', async () => {
    const errors: Error[] = []
    const { client } = await pair((incoming) => {
      if (incoming.path === '/bad') throw new Error('boom')
      return { status: 200, body: 'fine' }
    }, errors)
    expect((await client.request('/bad')).status).toBe(500)
    expect(await (await client.request('/good')).text()).toBe('fine')
    expect(errors.map((error) => error.message)).toEqual(['boom'])
  })

  it('is never a clean end of a cut body', async () => {
    const errors: Error[] = []
    async function* breaking(): AsyncGenerator<Uint8Array> {
      yield pattern(5000)
      await pause(20)
      throw new Error('disk on fire')
    }
    const { client } = await pair((incoming) => {
      if (incoming.path === '/breaks') return { status: 200, body: breaking() }
      return { status: 200, headers: [['content-length', incoming.path === '/long' ? '3' : '300']], body: (async function* () { yield pattern(100) })() }
    }, errors)
    for (const path of ['/breaks', '/short', '/long']) {
      const outcome = client.request(path).then((response) => response.bytes())
      await expect(outcome).rejects.toBeInstanceOf(ResponseError)
      // H3_INTERNAL_ERROR: the server's fault.
      if (path === '/breaks') await expect(outcome).rejects.toThrow('0x102')
    }
    expect(errors.map((error) => error.message)).toEqual(['disk on fire', expect.stringContaining('shorter'), expect.stringContaining('longer')])
  })

  it('ends the producer when the reader leaves', async () => {
    let produced = 0
    let ended = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          produced++
          yield pattern(16_384)
        }
      } finally {
        ended = true
      }
    }
    const { client } = await pair((incoming) => ({ status: 200, body: incoming.path === '/endless' ? endless() : 'next' }))
    const response = await client.request('/endless')
    let seen = 0
    for await (const piece of response.body) {
      seen += piece.length
      if (seen > 500_000) break
    }
    await expect.poll(() => ended, { timeout: 10_000 }).toBe(true)
    expect(produced).toBeGreaterThan(30)
    expect(await (await client.request('/')).text()).toBe('next')
  })

  it('can be an abort before the response', async () => {
    const { client } = await pair(async (incoming) => {
      if (incoming.path === '/slow') await pause(3000)
      return { status: 200, body: 'done' }
    })
    const abort = new AbortController()
    const waiting = client.request('/slow', { signal: abort.signal })
    await pause(50)
    abort.abort(new Error('changed my mind'))
    await expect(waiting).rejects.toThrow('changed my mind')
    await expect(client.request('/x', { signal: abort.signal })).rejects.toThrow('changed my mind')
    expect(await (await client.request('/fast')).text()).toBe('done')
  })
})

describe('a slow reader', () => {
  it('holds the producer back', async () => {
    let produced = 0
    async function* large(): AsyncGenerator<Uint8Array> {
      const piece = new Uint8Array(65_536)
      for (let index = 0; index < 3200; index++) {
        produced += piece.length
        yield piece
      }
    }
    const { client } = await pair(() => ({ status: 200, body: large() }))
    const response = await client.request('/')
    const reader = response.body[Symbol.asyncIterator]()
    await reader.next()
    await pause(500)
    const atFirst = produced
    await pause(1000)
    // 200 MB wait to be sent; without a reader nothing more is made than buffers and windows hold.
    expect(produced).toBe(atFirst)
    expect(produced).toBeLessThan(40_000_000)
    await reader.return?.()
  })
})

describe('a connection that dies', () => {
  it('fails the body with its own cause', async () => {
    async function* stuck(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(1000)
      await new Promise(() => {})
    }
    const server = await start(() => ({ status: 200, body: stuck() }))
    const client = await connect(server.url, { ca: certificate.cert, settings: { maxIdleTimeout: 100 } })
    const response = await client.request('/')
    await expect(collect(response.body)).rejects.toMatchObject({ code: 'QUIC_IDLE_TIMEOUT' })
  })
})

describe('a server that closes', () => {
  it('lets running responses finish and takes no new ones', async () => {
    const body = pattern(200_000)
    async function* slow(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < body.length; at += 20_000) {
        yield body.subarray(at, at + 20_000)
        await pause(30)
      }
    }
    const { server, client } = await pair(() => ({ status: 200, body: slow() }))
    const response = await client.request('/')
    const closing = server.close()
    await pause(60)
    expect(client.closed).toBe(true)
    await expect(client.request('/another')).rejects.toThrow(/no more requests/)
    expect(Buffer.compare(await collect(response.body), body)).toBe(0)
    await closing
  })

  it('immediately ends responses with an error', async () => {
    async function* forever(): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield pattern(1000)
        await pause(10)
      }
    }
    const { server, client } = await pair(() => ({ status: 200, body: forever() }))
    const response = await client.request('/')
    const reading = collect(response.body)
    await server.close({ immediately: true })
    await expect(reading).rejects.toThrow()
    expect(client.closed).toBe(true)
  })
})

describe('trust', () => {
  it('is refused to an unknown issuer and to another name, each with its own words', async () => {
    const server = await start(() => ({ status: 200 }))
    await expect(connect(server.url)).rejects.toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED', certificateCheck: 'self-signed' })
    await expect(connect(server.url, { ca: certificate.cert, serverName: 'other.test' })).rejects.toMatchObject({ certificateCheck: 'name-mismatch' })
    const other = await developmentCertificate()
    await expect(connect(server.url, { ca: other.cert })).rejects.toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED' })
  })

  it('is not asked for with insecure', async () => {
    const server = await start(() => ({ status: 200, body: 'x' }))
    const client = await connect(server.url, { insecure: true, serverName: 'other.test' })
    open.push(client)
    expect(await (await client.request('/')).text()).toBe('x')
  })
})

describe('serve()', () => {
  it('says in one line what is wrong with port, host, certificate and key', async () => {
    const server = await start(() => ({ status: 200 }))
    const handler: Handler = () => ({ status: 200 })
    await expect(serve({ port: server.port, certificate, handler })).rejects.toMatchObject({ code: 'QUIC_PORT_IN_USE' })
    await expect(serve({ port: 0, host: '192.0.2.1', certificate, handler })).rejects.toMatchObject({ code: 'QUIC_ADDRESS_NOT_AVAILABLE' })
    await expect(serve({ port: 0, certificate: { cert: 'nonsense', key: certificate.key }, handler })).rejects.toMatchObject({ code: 'QUICWIRE_BAD_CERTIFICATE_FILE' })
    await expect(serve({ port: 0, certificate: { cert: certificate.cert, key: 'nonsense' }, handler })).rejects.toMatchObject({ code: 'QUICWIRE_BAD_CERTIFICATE_FILE' })
    const other = await developmentCertificate()
    await expect(serve({ port: 0, certificate: { cert: certificate.cert, key: other.key }, handler })).rejects.toThrow(/does not belong/)
  })

  it('frees its port', async () => {
    const first = await serve({ port: 0, certificate, handler: () => ({ status: 200 }) })
    await first.close()
    const second = await serve({ port: first.port, certificate, handler: () => ({ status: 200 }) })
    await second.close()
  })

  it('is found at each of its addresses, and clients go to the one it prefers', async () => {
    const ports = await freePorts(2)
    const server = await serve({
      addresses: ports.map((port) => ({ host: '127.0.0.1', port })),
      settings: { preferredAddress: { ipv4: `127.0.0.1:${ports[1]}` } },
      certificate,
      handler: () => ({ status: 200, body: 'here' }),
    })
    open.push(server)
    expect(server.url).toBe(`https://127.0.0.1:${ports[0]}/`)
    const client = await session(server)
    while (client.info.remoteAddress !== `127.0.0.1:${ports[1]}`) await pause(2)
    expect(await (await client.request('/')).text()).toBe('here')
  })

  it('answers many clients at once', async () => {
    const server = await start((incoming) => ({ status: 200, body: incoming.path }))
    const clients = await Promise.all(Array.from({ length: 20 }, () => session(server)))
    const texts = await Promise.all(clients.map(async (client, index) => (await client.request(`/${index}`)).text()))
    expect(texts).toEqual(clients.map((_, index) => `/${index}`))
  })
})

