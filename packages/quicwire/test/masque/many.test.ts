// Many tunnels that end in every way: each is accounted for once, nothing is left behind.

import { createHash } from 'node:crypto'
import { afterEach, expect, it } from 'vitest'
import { connect, connectTcp, connectUdp, MasqueProxy, serve, type Session } from '../../src/index.ts'
import { Closing, loopback, tcpServer, udpEcho, until } from './fixtures.ts'

const closing = new Closing()
afterEach(() => closing.all())

/** A sequence of numbers below `bound`, the same on every run. */
function numbers(seed: string): (bound: number) => number {
  let count = 0
  return (bound) => createHash('sha256').update(`${seed} ${count++}`).digest().readUInt32BE() % bound
}

async function oneTunnel(session: Session, udp: number, tcp: number, pick: (bound: number) => number): Promise<void> {
  const way = pick(8)
  if (way < 2) {
    const tunnel = await connectTcp(session, `127.0.0.1:${tcp}`)
    tunnel.on('error', () => undefined)
    tunnel.write('some bytes')
    if (way === 0) tunnel.destroy()
    else {
      tunnel.end()
      for await (const _ of tunnel) continue
    }
    return
  }
  if (way === 2) {
    await connectUdp(session, '10.0.0.1:1').catch(() => undefined)
    return
  }
  if (way === 3) {
    const stop = new AbortController()
    const opening = connectUdp(session, `slow.example:${udp}`, { signal: stop.signal }).then((tunnel) => tunnel.close(), () => undefined)
    setTimeout(() => stop.abort(), pick(10))
    await opening
    return
  }
  const path = `/.well-known/masque/udp/127.0.0.1/${udp}/`
  const stream = await session.masque.connect([[':method', 'CONNECT'], [':protocol', 'connect-udp'], [':scheme', 'https'], [':authority', session.authority], [':path', path]])
  const garbage = Uint8Array.from({ length: 1 + pick(50) }, () => pick(256))
  await stream.send.send({ kind: 'Body', data: garbage, fin: way === 4 })
  stream.flow?.send.trySend({ kind: 'Datagram', data: garbage, flowId: stream.flow.flowId })
  if (way === 4) {
    // The proxy answers the FIN, or aborts at what it made of the garbage.
    for (let frame = await stream.recv.recv(); frame !== null && !(frame.kind === 'Body' && frame.fin); frame = await stream.recv.recv()) continue
    stream.abort(0x100)
  } else stream.abort(way === 5 ? 0x100 : 0x10c)
}

it('200 tunnels on 4 connections', async () => {
  const proxy = new MasqueProxy({
    policy: loopback,
    maxTunnelsPerConnection: 1000,
    resolve: () => new Promise((resolve) => setTimeout(() => resolve(['127.0.0.1']), 5)),
  })
  const server = closing.add(await serve({ port: 0, handler: () => ({ status: 200, body: 'alive' }), proxy }), (open) => open.close({ immediately: true }))
  const udp = await udpEcho(closing)
  const tcp = await tcpServer(closing, (socket) => socket.pipe(socket))
  const sessions = await Promise.all([1, 2, 3, 4].map(() => connect(server.url, { insecure: true, http3: { enableDatagrams: true } })))
  for (const session of sessions) closing.add(session, (open) => open.close())
  const pick = numbers('many tunnels')
  const running: Promise<void>[] = []
  for (let i = 0; i < 200; i++) {
    running.push(oneTunnel(sessions[i % 4]!, udp.port, tcp.port, pick))
    if (i % 20 === 19) await Promise.all(running.splice(0))
  }
  await until(() => proxy.tunnels === 0, 'every tunnel gone at the proxy')
  for (const session of sessions) {
    expect(session.masque.tunnels).toBe(0)
    expect(await (await session.request('/')).text()).toBe('alive')
  }
})
