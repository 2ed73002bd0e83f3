// What a request says of itself beside its message: never-indexed fields, origins, and another priority while it is under way.

import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, developmentCertificate, serve, type ConnectOptions, type Handler, type ServeOptions, type Server, type Session } from '../src/index.ts'

const certificate = await developmentCertificate()
const open: (Server | Session)[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

async function pair(handler: Handler, serving: Partial<ServeOptions> = {}, connecting: ConnectOptions = {}): Promise<{ server: Server; client: Session }> {
  const server = await serve({ port: 0, certificate, handler, ...serving })
  open.push(server)
  const client = await connect(server.url, { ca: certificate.cert, ...connecting })
  open.push(client)
  return { server, client }
}

describe('sensitiveHeaders (RFC 9204 §7.1.3)', () => {
  it('are never indexed, and the other side can see which those were', async () => {
    const { client } = await pair((incoming) => ({
      status: 200,
      headers: [['x-secret', 'of the server'], ['x-open', 'to all']],
      sensitiveHeaders: ['x-secret'],
      body: JSON.stringify(incoming.sensitiveHeaders),
    }))
    for (let i = 0; i < 5; i += 1) {
      const headers = [['x-token', 'of the client'], ['x-plain', 'again'], ['authorization', 'Bearer t']] as const
      const response = await client.request('/', { headers, sensitiveHeaders: ['X-Token'] })
      expect(JSON.parse(await response.text())).toEqual(['x-token', 'authorization'])
      expect(response.sensitiveHeaders).toEqual(['x-secret'])
    }
  })
  it('there are none where nobody says so', async () => {
    const { client } = await pair((incoming) => ({ status: 200, body: String(incoming.sensitiveHeaders.length) }))
    const response = await client.request('/', { headers: [['x-plain', '1']] })
    expect([await response.text(), response.sensitiveHeaders]).toEqual(['0', []])
  })
})

describe('origins (RFC 9412)', () => {
  it('reach the client, with the one it connected to among them (RFC 8336 §2.3)', async () => {
    let heard: (origins: readonly string[]) => void = () => undefined
    const told = new Promise<readonly string[]>((resolve) => void (heard = resolve))
    const { server, client } = await pair(() => ({ status: 204 }), { origins: ['https://other.example', 'https://third.example:8443'] }, { onOrigins: (origins) => heard(origins) })
    const all = [`https://127.0.0.1:${server.port}`, 'https://other.example', 'https://third.example:8443']
    expect(await told).toEqual(all)
    expect(client.origins).toEqual(all)
  })
  it('one that is answered 421 leaves the set (RFC 8336 §2.3)', async () => {
    let heard: () => void = () => undefined
    const told = new Promise<void>((resolve) => void (heard = resolve))
    const { server, client } = await pair(
      (incoming) => ({ status: incoming.authority === 'other.example' ? 421 : 200 }),
      { origins: ['https://other.example', 'https://third.example'] },
      { onOrigins: () => heard() },
    )
    await told
    const own = `https://127.0.0.1:${server.port}`
    expect((await client.request('/', { headers: [['host', 'third.example']] })).status).toBe(200)
    expect(client.origins).toEqual([own, 'https://other.example', 'https://third.example'])
    expect((await client.request('/', { headers: [['host', 'other.example']] })).status).toBe(421)
    expect(client.origins).toEqual([own, 'https://third.example'])
  })
  it('null where the server names none', async () => {
    const { client } = await pair(() => ({ status: 204 }))
    await client.request('/')
    expect(client.origins).toBeNull()
  })
})

/** Priority Field Values (RFC 9218 §4) that the server's stream 4 has had, besides the default. */
const expected: Readonly<Record<string, readonly string[]>> = {
  nobody: [],
  'the client, with the response': ['u=1, i'],
  'the client, before the response': ['u=1'],
  'the server': ['u=1'],
}

describe('another priority while a request is under way (RFC 9218 §7)', () => {
  it.each(['nobody', 'the client, with the response', 'the client, before the response', 'the server'])('given by %s, the server sends by it', async (who) => {
    const qlogDir = await mkdtemp(join(tmpdir(), 'quicwire-priority-'))
    let release: () => void = () => undefined
    const released = new Promise<void>((resolve) => void (release = resolve))
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('slow')
      await released
    }
    try {
      const { server, client } = await pair(
        (incoming) => {
          if (who === 'the server') incoming.setPriority({ urgency: 1 })
          return { status: 200, body: incoming.path === '/second' ? slow() : incoming.path }
        },
        { settings: { qlogDir } },
      )
      await (await client.request('/first')).text()
      const response = await client.request('/second', {
        onSent: (request) => {
          expect(request.streamId).toBe(4)
          if (who === 'the client, before the response') request.setPriority({ urgency: 1 })
        },
      })
      if (who === 'the client, with the response') response.setPriority({ urgency: 1, incremental: true })
      expect(response.streamId).toBe(4)
      // One connection: it has arrived when this is answered.
      await (await client.request('/third')).text()
      release()
      expect(await response.text()).toBe('slow')
      await client.close()
      await server.close()
      const traces = await Promise.all((await readdir(qlogDir)).map((name) => readFile(join(qlogDir, name), 'utf8')))
      const changes = traces.join('\n').match(/"http3:priority_updated","data":\{"stream_id":4,"new":"[^"]*"/g) ?? []
      expect(changes.map((change) => /"new":"(.*)"/.exec(change)![1]).filter((value) => value !== '')).toEqual(expected[who])
    } finally {
      await rm(qlogDir, { recursive: true })
    }
  })
  it('an urgency that is none is refused at once', async () => {
    const { client } = await pair(() => ({ status: 204 }))
    const response = await client.request('/')
    expect(() => response.setPriority({ urgency: 8 })).toThrow(RangeError)
    // The stream has gone: nothing happens.
    response.setPriority({ urgency: 1, incremental: true })
    expect((await client.request('/')).status).toBe(204)
  })
})
