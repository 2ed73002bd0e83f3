// Requests in 0-RTT and what they are not used for: RFC 8470.

import { afterEach, describe, expect, it } from 'vitest'
import { clientH3Driver, connect as connectQuic } from '@quicwire/driver'
import { connect, developmentCertificate, serve, type Handler, type ServeOptions, type Server, type Session } from '../src/index.ts'

const certificate = await developmentCertificate()
const open: (Server | Session)[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close()
})

interface Seen {
  readonly line: string
  readonly early: boolean
}

/** A server that writes down what its handler saw, and a client it knows. */
async function acquainted(options: Partial<ServeOptions> = {}): Promise<{ server: Server; seen: Seen[] }> {
  const seen: Seen[] = []
  const handler: Handler = ({ method, path, early }) => {
    seen.push({ line: `${method} ${path}`, early })
    return { status: 200, body: 'seen' }
  }
  const server = await serve({ port: 0, certificate, handler, earlyData: true, ...options })
  open.push(server)
  const first = await connect(server.url, { ca: certificate.cert, earlyData: true })
  expect(await (await first.request('/first')).text()).toBe('seen')
  await first.close()
  seen.length = 0
  return { server, seen }
}

async function again(server: Server): Promise<Session> {
  const session = await connect(server.url, { ca: certificate.cert, earlyData: true })
  // It did not wait for the server.
  expect(session.info.cipher).toBe('')
  open.push(session)
  return session
}

describe('early data (RFC 8470)', () => {
  it('safe requests go out early and say so; the others wait for the handshake', async () => {
    const { server, seen } = await acquainted()
    const session = await again(server)
    const answers = await Promise.all([
      session.request('/read'),
      session.request('/write', { method: 'POST', body: 'x' }),
      session.request('/delete', { method: 'DELETE' }),
    ])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(seen[0]).toEqual({ line: 'GET /read', early: true })
    expect(seen.slice(1).map(({ early }) => early)).toEqual([false, false])
    expect(session.info.cipher).not.toBe('')
  })

  it('a 425 is asked again by itself when the handshake is complete (RFC 8470 §5.2)', async () => {
    const { server, seen } = await acquainted({ takesEarly: () => false })
    const session = await again(server)
    const response = await session.request('/careful')
    expect([response.status, await response.text()]).toEqual([200, 'seen'])
    expect(seen).toEqual([{ line: 'GET /careful', early: false }])
  })

  it('unsafe requests that come early are answered 425 and reach no handler, unless it is asked for', async () => {
    for (const takes of [false, true]) {
      const { server, seen } = await acquainted(takes ? { takesEarly: () => true } : {})
      const { driver, controller } = clientH3Driver()
      const connection = await connectQuic({
        host: '127.0.0.1',
        port: server.port,
        tls: { ca: certificate.cert },
        application: driver,
        earlyData: true,
      })
      const headers = [[':method', 'POST'], [':scheme', 'https'], [':authority', 'localhost'], [':path', '/risky']] as const
      controller.requestSender().send({ requestId: 1, headers, bodyWriter: null })
      for await (const event of controller.events) {
        if (event.kind !== 'IncomingHeaders') continue
        expect(event.incoming.headers[0]).toEqual([':status', takes ? '200' : '425'])
        break
      }
      await connection.close()
      expect(seen).toEqual(takes ? [{ line: 'POST /risky', early: true }] : [])
    }
  })

  it('giving up a request that waits for the handshake sends nothing', async () => {
    const { server, seen } = await acquainted()
    const session = await again(server)
    const abort = new AbortController()
    const waiting = session.request('/never', { method: 'POST', signal: abort.signal })
    abort.abort(new Error('changed my mind'))
    await expect(waiting).rejects.toThrow('changed my mind')
    expect((await session.request('/other')).status).toBe(200)
    await session.request('/more', { method: 'POST' })
    expect(seen.map(({ line }) => line)).toEqual(['GET /other', 'POST /more'])
  })

  it('is off unless both sides ask for it', async () => {
    const { server } = await acquainted({ earlyData: false })
    const session = await connect(server.url, { ca: certificate.cert, earlyData: true })
    open.push(session)
    expect(session.info.cipher).not.toBe('')
  })
})
