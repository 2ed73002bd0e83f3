// CONNECT-UDP end to end (RFC 9298): our client, our proxy, a UDP server on loopback.

import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { connect, connectUdp, MasqueProxy, request, serve, type UdpTunnel } from '../../src/index.ts'
import { Closing, insecure, loopback, startProxy, udpEcho, until } from './fixtures.ts'

const closing = new Closing()
afterEach(() => closing.all())

function opened(tunnel: UdpTunnel): UdpTunnel {
  return closing.add(tunnel, (open) => open.close())
}

/** Sends until an answer comes: UDP may lose. */
async function echo(tunnel: UdpTunnel, text: string): Promise<string> {
  const answer = once(tunnel, 'message')
  tunnel.send(text)
  const again = setInterval(() => tunnel.send(text), 200)
  try {
    return String(((await answer) as [Buffer])[0])
  } finally {
    clearInterval(again)
  }
}

describe('a UDP tunnel', () => {
  it('looks like a connected dgram socket', async () => {
    const server = await startProxy(closing)
    const target = await udpEcho(closing)
    const tunnel = opened(await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure))
    expect(tunnel.usesCapsules).toBe(false)
    const heard = once(tunnel, 'message')
    const sent = await new Promise((resolve) => tunnel.send('ping', (error: Error | null, bytes: number) => resolve([error, bytes])))
    expect(sent).toEqual([null, 4])
    const [message, from] = (await heard) as [Buffer, object]
    expect(String(message)).toBe('ping')
    expect(from).toEqual({ address: '127.0.0.1', port: target.port, family: 'IPv4', size: 4 })
    expect(tunnel.remoteAddress()).toEqual({ address: '127.0.0.1', port: target.port, family: 'IPv4' })
  })

  it('takes the other forms of send, and no other target', async () => {
    const server = await startProxy(closing)
    const target = await udpEcho(closing)
    const tunnel = opened(await connectUdp(server.url, { host: '127.0.0.1', port: target.port }, insecure))
    const forms: (readonly unknown[])[] = [
      [Buffer.from('abcdef')],
      [Buffer.from('abcdef'), target.port, '127.0.0.1'],
      [Buffer.from('__abcdef__'), 2, 6],
      [Buffer.from('__abcdef__'), 2, 6, target.port, '127.0.0.1'],
      [['abc', Buffer.from('def')]],
    ]
    for (const form of forms) {
      const heard = once(tunnel, 'message')
      Reflect.apply(tunnel.send.bind(tunnel) as (...given: unknown[]) => void, null, form)
      expect(String(((await heard) as [Buffer])[0])).toBe('abcdef')
    }
    const refused = await new Promise<Error | null>((resolve) => tunnel.send('x', 9, '192.0.2.1', (error: Error | null) => resolve(error)))
    expect(refused).toMatchObject({ code: 'MASQUE_INVALID_TARGET' })
  })

  it('is an async iterable that ends with the tunnel', async () => {
    const server = await startProxy(closing)
    const target = await udpEcho(closing)
    const tunnel = opened(await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure))
    const seen: string[] = []
    const reading = (async () => {
      for await (const message of tunnel) {
        seen.push(String(message))
        if (seen.length === 3) tunnel.close()
      }
    })()
    for (const text of ['1', '2', '3']) tunnel.send(text)
    await reading
    expect(seen).toEqual(['1', '2', '3'])
    expect(tunnel.closed).toBe(true)
  })

  it('carries empty datagrams (RFC 9298 §5)', async () => {
    const server = await startProxy(closing)
    const target = await udpEcho(closing)
    const tunnel = opened(await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure))
    expect(await echo(tunnel, '')).toBe('')
  })

  it('resolves names at the proxy and says what it found (Proxy-Status)', async () => {
    const target = await udpEcho(closing)
    const asked: string[] = []
    const server = await startProxy(closing, {
      resolve: (name) => {
        asked.push(name)
        return Promise.resolve(['127.0.0.1'])
      },
    })
    const tunnel = opened(await connectUdp(server.url, `echo.example:${target.port}`, insecure))
    expect(asked).toEqual(['echo.example'])
    expect(tunnel.remoteAddress().address).toBe('127.0.0.1')
    expect(await echo(tunnel, 'by name')).toBe('by name')
  })

  it('goes through templates of all kinds', async () => {
    const server = await startProxy(closing, { udpPath: '/masque{?target_host,target_port}' })
    const target = await udpEcho(closing, '::1')
    const tunnel = opened(await connectUdp(`${server.url}masque{?target_host,target_port}`, `[::1]:${target.port}`, insecure))
    expect(await echo(tunnel, 'v6')).toBe('v6')
  })

  it('shares a connection with other tunnels and with requests', async () => {
    const server = await startProxy(closing)
    const target = await udpEcho(closing)
    const session = await connect(server.url, { insecure: true, http3: { enableDatagrams: true } })
    closing.add(session, (open) => open.close())
    const tunnels = await Promise.all([1, 2, 3].map(() => connectUdp(session, `127.0.0.1:${target.port}`)))
    for (const tunnel of tunnels) opened(tunnel)
    const answers = await Promise.all(tunnels.map((tunnel, i) => echo(tunnel, `tunnel ${i}`)))
    expect(answers).toEqual(['tunnel 0', 'tunnel 1', 'tunnel 2'])
    expect(await (await session.request('/')).text()).toBe('ordinary')
    tunnels[0]!.close()
    expect(await echo(tunnels[1]!, 'still')).toBe('still')
  })

  it('falls back to capsules when QUIC datagrams are not to be had (RFC 9297 §3.5)', async () => {
    const server = await startProxy(closing, {}, { settings: { enableDgram: false } })
    const target = await udpEcho(closing)
    const tunnel = opened(await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure))
    expect(tunnel.usesCapsules).toBe(true)
    expect(await echo(tunnel, 'in a capsule')).toBe('in a capsule')
    const large = 'x'.repeat(40_000)
    expect(await echo(tunnel, large)).toBe(large)
  })

  it('tells of datagrams that are too large instead of moving them to capsules (RFC 9298 §6.1)', async () => {
    const server = await startProxy(closing)
    const target = await udpEcho(closing)
    const tunnel = opened(await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure))
    const { error, size } = await new Promise<{ error: Error | null; size: number }>((resolve) => {
      const largest = tunnel.maxPayload
      tunnel.send(Buffer.alloc(largest + 1), (failed: Error | null) => resolve({ error: failed, size: largest }))
    })
    expect(size).toBeGreaterThanOrEqual(1200)
    expect(error).toMatchObject({ code: 'MASQUE_DATAGRAM_TOO_LARGE', errno: 'EMSGSIZE' })
    expect(await echo(tunnel, 'alive')).toBe('alive')
  })

  it('ends at the proxy when the client closes it', async () => {
    const proxy = new MasqueProxy({ policy: loopback })
    const server = closing.add(await serve({ port: 0, handler: () => ({ status: 404 }), proxy }), (open) => open.close({ immediately: true }))
    const target = await udpEcho(closing)
    const session = closing.add(await connect(server.url, { insecure: true }), (open) => open.close())
    const tunnel = await connectUdp(session, `127.0.0.1:${target.port}`)
    expect(proxy.tunnels).toBe(1)
    await tunnel[Symbol.asyncDispose]()
    await until(() => proxy.tunnels === 0, 'the tunnel gone at the proxy')
    expect(session.masque.tunnels).toBe(0)
    const late = await new Promise<Error | null>((resolve) => tunnel.send('late', (error: Error | null) => resolve(error)))
    expect(late).toMatchObject({ code: 'MASQUE_CLOSED' })
  })

  it('ends at the client when it is idle at the proxy, or the proxy goes', async () => {
    const server = await startProxy(closing, { idleTimeout: 50 })
    const target = await udpEcho(closing)
    const idle = opened(await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure))
    let failure: Error | null = null
    idle.on('error', (error) => (failure = error))
    if (!idle.closed) await once(idle, 'close')
    expect(failure).toBeNull()

    const other = await startProxy(closing)
    const tunnel = opened(await connectUdp(other.url, `127.0.0.1:${target.port}`, insecure))
    const aborted = once(tunnel, 'error')
    await other.close({ immediately: true })
    expect((await aborted)[0]).toMatchObject({ code: 'MASQUE_CLOSED' })
  })

  it('ends in order when the proxy closes gracefully', async () => {
    const server = await startProxy(closing)
    const target = await udpEcho(closing)
    const tunnel = opened(await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure))
    let failure: Error | null = null
    tunnel.on('error', (error) => (failure = error))
    const ended = once(tunnel, 'close')
    await server.close()
    await ended
    expect(failure).toBeNull()
  })

  it('ends when nobody listens at the target (ICMP, RFC 9298 §3.1)', async () => {
    const server = await startProxy(closing)
    const gone = await udpEcho(closing)
    const { port } = gone
    const tunnel = opened(await connectUdp(server.url, `127.0.0.1:${port}`, insecure))
    await closing.add(new Promise<void>((resolve) => void gone.socket.close(() => resolve())), (done) => done)
    gone.socket.close = () => gone.socket
    const ended = once(tunnel, 'close')
    const poke = setInterval(() => tunnel.send('anybody?'), 50)
    await ended
    clearInterval(poke)
  })

  it('passes on only what comes from the target (RFC 9298 §3.1)', async () => {
    const server = await startProxy(closing)
    const target = await udpEcho(closing)
    const stranger = await udpEcho(closing)
    let proxyPort = 0
    target.socket.removeAllListeners('message')
    target.socket.on('message', (message, from) => {
      proxyPort = from.port
      stranger.socket.send('forged', from.port, from.address, () => target.socket.send(message, from.port, from.address))
    })
    const tunnel = opened(await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure))
    expect(await echo(tunnel, 'true')).toBe('true')
    expect(proxyPort).toBeGreaterThan(0)
  })
})

describe('a client', () => {
  it('a response that cannot start a tunnel aborts the request (RFC 9298 §3.5)', async () => {
    let status = 200
    const handler = (): { status: number; body: string } => ({ status, body: 'content' })
    const server = closing.add(await serve({ port: 0, handler, http3: { enableExtendedConnect: true } }), (open) => open.close({ immediately: true }))
    await expect(connectUdp(server.url, '192.0.2.1:53', insecure)).rejects.toMatchObject({ code: 'MASQUE_RESPONSE_INVALID' })
    status = 302
    await expect(connectUdp(server.url, '192.0.2.1:53', insecure)).rejects.toMatchObject({ code: 'MASQUE_REFUSED', status: 302 })
  })

  it('sends no payload that is longer than UDP can carry (RFC 9298 §5)', async () => {
    const server = await startProxy(closing, {}, { settings: { enableDgram: false } })
    const target = await udpEcho(closing)
    const tunnel = opened(await connectUdp(server.url, `127.0.0.1:${target.port}`, insecure))
    expect(tunnel.maxPayload).toBe(65_527)
    const error = await new Promise((resolve) => tunnel.send(Buffer.alloc(65_528), (failed: Error | null) => resolve(failed)))
    expect(error).toMatchObject({ code: 'MASQUE_DATAGRAM_TOO_LARGE' })
  })

  it('knows templates and targets that are none before it connects', async () => {
    await expect(connectUdp('https://localhost:1/{+target_host}/{target_port}', '192.0.2.1:53')).rejects.toMatchObject({ code: 'MASQUE_INVALID_TEMPLATE' })
    await expect(connectUdp('http://localhost:1', '192.0.2.1:53')).rejects.toMatchObject({ code: 'MASQUE_INVALID_TEMPLATE' })
    await expect(connectUdp('https://localhost:1', '192.0.2.1')).rejects.toMatchObject({ code: 'MASQUE_INVALID_TARGET' })
  })
})

describe('a proxy refuses', () => {
  const refusals: (readonly [why: string, target: string, status: number, proxyStatus: RegExp])[] = [
    ['loopback', '127.0.0.1:53', 403, /destination_ip_prohibited.*loopback/],
    ['private addresses', '10.1.2.3:53', 403, /destination_ip_prohibited/],
    ['IPv4-mapped loopback', '[::ffff:127.0.0.1]:53', 403, /destination_ip_prohibited/],
    ['NAT64 of a private address', '[64:ff9b::a01:203]:53', 403, /destination_ip_prohibited/],
    ['multicast', '224.0.0.251:5353', 403, /destination_ip_prohibited/],
    ['link-local', '[fe80::1]:53', 403, /destination_ip_prohibited/],
    ['names that lead there', 'inside.example:53', 403, /destination_ip_prohibited/],
    ['numbers that resolvers take for addresses', '2130706433:53', 403, /destination_ip_prohibited/],
    ['names without an address', 'nowhere.example:53', 502, /error=dns_error;rcode="NXDOMAIN"/],
    ['names that take too long', 'slow.example:53', 504, /error=dns_timeout/],
    ['denied names', 'denied.example:53', 403, /http_request_denied/],
  ]

  it.each(refusals)('%s: %s', async (_why, target, status, proxyStatus) => {
    const server = await startProxy(closing, {
      policy: { deny: ['denied.example'] },
      dnsTimeout: 50,
      resolve: (name) => {
        if (name === 'nowhere.example') return Promise.reject(Object.assign(new Error('none'), { code: 'ENOTFOUND' }))
        if (name === 'slow.example') return new Promise(() => undefined)
        return Promise.resolve(['127.0.0.1'])
      },
    })
    const error = await connectUdp(server.url, target, insecure).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'MASQUE_REFUSED', status })
    expect((error as { proxyStatus: string }).proxyStatus).toMatch(proxyStatus)
  })

  it('what does not parse (400), what it does not serve (501), other paths (404), who is not authorized', async () => {
    const server = await startProxy(closing, {
      tcp: false,
      authorize: ({ headers }) => {
        const credentials = headers.find(([name]) => name === 'proxy-authorization')?.[1]
        if (credentials === undefined) return { status: 407, headers: [['proxy-authenticate', 'Basic realm="tunnels"']] }
        return credentials === 'Basic eA=='
      },
    })
    const session = closing.add(await connect(server.url, { insecure: true }), (open) => open.close())
    const status = async (path: string, protocol: string | null, headers: readonly (readonly [string, string])[] = []): Promise<number> => {
      const pseudo = protocol === null ? [] : ([[':protocol', protocol], [':scheme', 'https'], [':path', path]] as const)
      const authority = protocol === null ? path : 'localhost'
      const opening = session.masque.connect([[':method', 'CONNECT'], [':authority', authority], ...pseudo, ...headers])
      return opening.then(
        (stream) => {
          stream.abort(0x100)
          return 200
        },
        (error: { status?: number }) => error.status ?? 0,
      )
    }
    const credentials = [['proxy-authorization', 'Basic eA==']] as const
    expect(await status('/.well-known/masque/udp/127.0.0.1/0/', 'connect-udp')).toBe(400)
    expect(await status('/.well-known/masque/udp//53/', 'connect-udp')).toBe(400)
    expect(await status('/.well-known/masque/udp/fe80%3A%3A1%25eth0/53/', 'connect-udp')).toBe(400)
    expect(await status('/elsewhere', 'connect-udp')).toBe(404)
    expect(await status('/', 'websocket')).toBe(501)
    expect(await status('/.well-known/masque/ip/*/*/', 'connect-ip')).toBe(501)
    expect(await status('127.0.0.1:53', null)).toBe(501)
    expect(await status('/.well-known/masque/udp/127.0.0.1/53/', 'connect-udp')).toBe(407)
    expect(await status('/.well-known/masque/udp/127.0.0.1/53/', 'connect-udp', [['proxy-authorization', 'Basic eQ==']])).toBe(403)
    expect(await status('/.well-known/masque/udp/127.0.0.1/53/', 'connect-udp', credentials)).toBe(200)
    expect(session.closed).toBe(false)
  })

  it('more tunnels than it takes, on one connection and altogether (503)', async () => {
    const server = await startProxy(closing, { maxTunnelsPerConnection: 2, maxTunnels: 3 })
    const target = await udpEcho(closing)
    const at = `127.0.0.1:${target.port}`
    const first = closing.add(await connect(server.url, { insecure: true }), (open) => open.close())
    const second = closing.add(await connect(server.url, { insecure: true }), (open) => open.close())
    const one = opened(await connectUdp(first, at))
    opened(await connectUdp(first, at))
    await expect(connectUdp(first, at)).rejects.toMatchObject({ status: 503 })
    opened(await connectUdp(second, at))
    await expect(connectUdp(second, at)).rejects.toMatchObject({ status: 503 })
    one.close()
    const third = async (): Promise<UdpTunnel | null> => connectUdp(second, at).catch(() => null)
    let tunnel = await third()
    for (let i = 0; i < 100 && tunnel === null; i++) tunnel = await third()
    expect(tunnel).not.toBeNull()
    opened(tunnel!)
  })

  it('is refused itself when it is no proxy', async () => {
    const server = closing.add(await serve({ port: 0, handler: () => ({ status: 200, body: 'no proxy' }) }), (open) => open.close({ immediately: true }))
    await expect(connectUdp(server.url, '192.0.2.1:53', insecure)).rejects.toMatchObject({ code: 'MASQUE_NOT_SUPPORTED' })
    expect(await (await request(server.url, { insecure: true })).text()).toBe('no proxy')
  })

  it('waits no longer than the caller', async () => {
    const server = await startProxy(closing, { resolve: () => new Promise(() => undefined) })
    const signal = AbortSignal.timeout(100)
    await expect(connectUdp(server.url, 'slow.example:53', { ...insecure, signal })).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})
