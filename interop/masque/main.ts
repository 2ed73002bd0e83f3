// CONNECT-UDP with masque-go and CONNECT-IP with connect-ip-go, both roles: our client through its proxy, its client through our proxy, and HTTP/3 of ours inside its
// tunnel. Exit 0 only when every case passed.

import { createHash, randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connect, connectIp, connectUdp, prefixFrom, routeTo, serve, type IpService, type IpTunnel, type UdpTunnel } from 'quicwire'
import { runInstallScript } from '../peers/install-script.ts'
import { Child, lastLine, ProcessError, quoted } from '../process/child.ts'
import { freeUdpPort, waitForQuicServer } from '../process/quic-port.ts'
import { createIdentity, type Identity } from '../smoke/test-files.ts'

const installed = fileURLToPath(new URL('../../node_modules/.cache/quicwire/interop/masque-go', import.meta.url))
const program = join(installed, 'peer')
const ipProgram = join(installed, 'ip-peer')
const DATAGRAMS = 100
const LARGEST = 1200

async function echoServer(): Promise<{ readonly socket: Socket; readonly target: string }> {
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => socket.send(message, from.port, from.address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { socket, target: `127.0.0.1:${socket.address().port}` }
}

async function theirProxy(identity: Identity, directory: string, proxy: string = program): Promise<{ readonly child: Child; readonly port: number }> {
  const port = await freeUdpPort()
  const args = ['proxy', '--listen', `127.0.0.1:${port}`, '--certificate', identity.certificate, '--key', identity.key]
  const child = await Child.start(proxy, args, { name: 'their proxy', logFile: join(directory, 'their-proxy.log') })
  await waitForQuicServer(child, port, 10_000)
  return { child, port }
}

/** One datagram there and back, again until it comes. */
async function exchange(tunnel: UdpTunnel, message: Buffer): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const answer = new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => done(false), 500)
      const onMessage = (received: Buffer): void => {
        if (received.equals(message)) done(true)
      }
      const done = (equal: boolean): void => {
        clearTimeout(timer)
        tunnel.off('message', onMessage)
        resolve(equal)
      }
      tunnel.on('message', onMessage)
    })
    tunnel.send(message)
    if (await answer) return
  }
  throw new Error(`no answer to a datagram of ${message.length} bytes`)
}

async function ourClient(identity: Identity, directory: string): Promise<string> {
  const { child, port } = await theirProxy(identity, directory)
  const { socket, target } = await echoServer()
  try {
    const ca = await readFile(identity.certificate, 'utf8')
    const tunnel = await connectUdp(`https://127.0.0.1:${port}`, target, { connection: { ca } })
    let bytes = 0
    for (let i = 0; i < DATAGRAMS; i++) {
      const message = randomBytes(1 + ((i * 37) % LARGEST))
      await exchange(tunnel, message)
      bytes += message.length
    }
    await tunnel[Symbol.asyncDispose]()
    return `${DATAGRAMS} datagrams, ${bytes} bytes`
  } finally {
    socket.close()
    await child.stop()
  }
}

async function theirClient(identity: Identity, directory: string): Promise<string> {
  const { socket, target } = await echoServer()
  const certificate = { cert: await readFile(identity.certificate, 'utf8'), key: await readFile(identity.key, 'utf8') }
  const server = await serve({ port: 0, certificate, handler: () => ({ status: 404 }), proxy: { policy: { allow: ['127.0.0.1'] } } })
  try {
    const template = `${server.url}.well-known/masque/udp/{target_host}/{target_port}/`
    const args = ['echo', '--ca', identity.certificate, '--proxy', template, '--target', target, '--count', String(DATAGRAMS)]
    const child = await Child.start(program, args, { name: 'masque-go client', logFile: join(directory, 'masque-go-client.log') })
    const { code, signal } = await child.finish(60_000)
    const last = lastLine(child.output())
    if (code !== 0) throw new ProcessError(`masque-go client ended with ${code ?? signal}${quoted(last)}`)
    return last
  } finally {
    socket.close()
    await server.close({ immediately: true })
  }
}

async function http3Inside(identity: Identity, directory: string): Promise<string> {
  const { child, port } = await theirProxy(identity, directory)
  const content = randomBytes(1_000_000)
  const certificate = { cert: await readFile(identity.certificate, 'utf8'), key: await readFile(identity.key, 'utf8') }
  // Its proxy ends a tunnel at the first datagram from the target that does not fit ("DATAGRAM frame too large"), where RFC 9298 §6.1 has
  // it dropped: the target must not probe for its MTU.
  const server = await serve({ port: 0, certificate, handler: () => ({ status: 200, body: content }), settings: { mtuDiscovery: false } })
  try {
    const tunnel = await connectUdp(`https://127.0.0.1:${port}`, `127.0.0.1:${server.port}`, { connection: { ca: certificate.cert } })
    const session = await connect(server.url, { ca: certificate.cert, tunnel })
    const received = await (await session.request('/')).bytes()
    const same = createHash('sha256').update(received).digest('hex') === createHash('sha256').update(content).digest('hex')
    if (!same) throw new Error(`${received.length} bytes that differ`)
    await session.close()
    return `${received.length} bytes, SHA-256 equal`
  } finally {
    await server.close({ immediately: true })
    await child.stop()
  }
}

async function refused(identity: Identity, directory: string): Promise<string> {
  const { child, port } = await theirProxy(identity, directory)
  try {
    const ca = await readFile(identity.certificate, 'utf8')
    const error: unknown = await connectUdp(`https://127.0.0.1:${port}`, 'does-not-exist.invalid:53', { connection: { ca } }).then(
      () => new Error('accepted'),
      (caught: unknown) => caught,
    )
    if ((error as { code?: string }).code !== 'MASQUE_REFUSED') throw error
    return (error as Error).message
  } finally {
    await child.stop()
  }
}

/** An IPv4 UDP packet as far as a tunnel looks at it. */
function packet(source: readonly number[], destination: readonly number[], payload: Buffer): Buffer {
  const bytes = Buffer.alloc(20 + payload.length)
  bytes.set([0x45, 0, bytes.length >> 8, bytes.length & 0xff, 0, 0, 0, 0, 64, 17])
  bytes.set(source, 12)
  bytes.set(destination, 16)
  let sum = 0
  for (let i = 0; i < 20; i += 2) sum += bytes.readUInt16BE(i)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  bytes.writeUInt16BE(~sum & 0xffff, 10)
  bytes.set(payload, 20)
  return bytes
}

async function ourIpClient(identity: Identity, directory: string): Promise<string> {
  const { child, port } = await theirProxy(identity, directory, ipProgram)
  try {
    let onPacket: (bytes: Uint8Array) => void = () => undefined
    let onRoutes: () => void = () => undefined
    const routed = new Promise<void>((resolve) => (onRoutes = resolve))
    const tunnel = await connectIp(`https://127.0.0.1:${port}/ip`, {
      connection: { ca: await readFile(identity.certificate, 'utf8') },
      handler: { onPacket: (bytes) => onPacket(bytes), onRoutes: () => onRoutes() },
    })
    const [address] = await tunnel.requestAddresses([{ version: 4 }, { version: 6 }])
    if (address === undefined) throw new Error('no address')
    await routed
    for (let i = 0; i < DATAGRAMS; i++) {
      const payload = randomBytes(1 + ((i * 37) % 1000))
      const back = new Promise<Uint8Array>((resolve) => (onPacket = resolve))
      const outcome = tunnel.send(packet([...address.address], [198, 51, 100, 7], payload))
      if (outcome !== 'sent') throw new Error(`packet ${i}: ${outcome}`)
      if (!payload.equals((await back).subarray(20))) throw new Error(`packet ${i}: another payload came back`)
    }
    tunnel.close()
    await tunnel.ended
    return `${tunnel.addresses.length} address, ${tunnel.routes.length} route, ${DATAGRAMS} packets`
  } finally {
    await child.stop()
  }
}

async function theirIpClient(identity: Identity, directory: string): Promise<string> {
  const certificate = { cert: await readFile(identity.certificate, 'utf8'), key: await readFile(identity.key, 'utf8') }
  const service = (): IpService => {
    let tunnel: IpTunnel | null = null
    return {
      onOpen: (opened) => {
        tunnel = opened
        void opened.advertiseRoutes([routeTo('198.51.100.0/24')])
      },
      handler: {
        onAddressRequest: ([first, ...rest]) => {
          void tunnel?.assignAddresses([{ requestId: first!.requestId, ...prefixFrom('192.0.2.1/32') }], rest)
        },
        onPacket: (bytes) => {
          const source = bytes.slice(12, 16)
          bytes.copyWithin(12, 16, 20)
          bytes.set(source, 16)
          tunnel?.send(bytes)
        },
      },
    }
  }
  const server = await serve({ port: 0, certificate, handler: () => ({ status: 404 }), proxy: { ipPath: '/ip', ip: service } })
  try {
    const args = ['client', '--ca', identity.certificate, '--proxy', `${server.url}ip`, '--count', String(DATAGRAMS)]
    const child = await Child.start(ipProgram, args, { name: 'connect-ip-go client', logFile: join(directory, 'connect-ip-go-client.log') })
    const { code, signal } = await child.finish(60_000)
    const last = lastLine(child.output())
    if (code !== 0) throw new ProcessError(`connect-ip-go client ended with ${code ?? signal}${quoted(last)}`)
    return last
  } finally {
    await server.close({ immediately: true })
  }
}

const cases = {
  'IP: our client through its proxy': ourIpClient,
  'IP: its client through our proxy': theirIpClient,
  'our client through its proxy: UDP echo': ourClient,
  'its client through our proxy: UDP echo': theirClient,
  'our HTTP/3 through its proxy': http3Inside,
  'our client, a name its proxy cannot resolve': refused,
} as const

process.stdout.write('installing masque-go ... ')
console.log(await runInstallScript(new URL('install.sh', import.meta.url), [installed]))
const directory = await mkdtemp(join(tmpdir(), 'quicwire-masque-'))
const identity = await createIdentity(directory)
let failures = 0
for (const [title, run] of Object.entries(cases)) {
  process.stdout.write(`${title} ... `)
  try {
    console.log(`ok (${await run(identity, directory)})`)
  } catch (error) {
    failures++
    console.log(`FAILED: ${(error as Error).message}`)
  }
}
if (failures > 0) console.log(`Logs: ${directory}`)
else await rm(directory, { recursive: true, force: true })
process.exitCode = failures === 0 ? 0 : 1
