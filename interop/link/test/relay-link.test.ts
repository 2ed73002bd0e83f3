import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { IpPacket } from '../ip-packet.ts'
import type { Link } from '../link.ts'
import { openLink } from '../open-link.ts'
import { wrongChecksums } from './packets.ts'

const FAST = '--delay=1ms --bandwidth=100Mbps --queue=100'

let directory = ''
let closing: (() => Promise<void> | void)[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'quicwire-relay-'))
})

afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
  await rm(directory, { recursive: true })
})

async function open(scenario: string): Promise<Link> {
  const link = await openLink('relay', { scenario, seed: 1, corruption: 'drop', directory })
  closing.push(() => link.close())
  return link
}

async function socketAt(family: 4 | 6, port: number = 0): Promise<Socket> {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6')
  socket.bind(port, family === 4 ? '127.0.0.1' : '::1')
  await once(socket, 'listening')
  closing.push(() => void socket.close())
  return socket
}

/** Echoes, and says to what ports it did. */
async function echoServer(family: 4 | 6, port: number): Promise<string[]> {
  const socket = await socketAt(family, port)
  const seen: string[] = []
  socket.on('message', (message, from) => {
    seen.push(`${from.address} ${from.port}`)
    socket.send(message, from.port, from.address)
  })
  return seen
}

async function exchange(client: Socket, port: number, text: string): Promise<void> {
  const address = client.address().family === 'IPv4' ? '127.0.0.1' : '::1'
  const answer = once(client, 'message').then(([message]) => expect(String(message)).toBe(text))
  client.send(text, port, address)
  await answer
}

/** Sends, again and again, until the server has seen so many sockets: rebinding takes some answers. */
async function sendUntilSeen(client: Socket, port: number, seen: readonly string[], sockets: number): Promise<string[]> {
  for (;;) {
    const different = [...new Set(seen)]
    if (different.length >= sockets) return different
    client.send('x', port, '127.0.0.1')
    await delay(20)
  }
}

function portOf(authority: string): number {
  return Number(authority.slice(authority.lastIndexOf(':') + 1))
}

async function packetsOf(file: string): Promise<IpPacket[]> {
  const bytes = await readFile(file)
  const packets: IpPacket[] = []
  for (let at = 24; at < bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) packets.push(IpPacket.parse(bytes.subarray(at + 16, at + 16 + bytes.readUInt32LE(at + 8)))!)
  return packets
}

function described(packet: IpPacket): string {
  return `${packet.source.join('.')}:${packet.sourcePort} ${packet.destination.join('.')}:${packet.destinationPort} ${packet.hops} ${Buffer.from(packet.payload).toString()}`
}

describe('the relay', () => {
  test("carries datagrams both ways; the captures have the simulator's addresses", async () => {
    const link = await open(`simple-p2p ${FAST}`)
    expect(link.place('client', ['a', 'b'])).toEqual(['a', 'b'])
    await echoServer(4, Number(link.environment('server')['LISTEN_PORT']))
    const client = await socketAt(4)
    const { port } = client.address()
    link.start()
    await exchange(client, portOf(link.authority('server4')), 'one')
    await link.close()
    const [there, back] = [`193.167.0.100:${port} 193.167.100.100:443`, `193.167.100.100:443 193.167.0.100:${port}`]
    const [left, right] = [await packetsOf(link.leftCapture), await packetsOf(link.rightCapture)]
    expect(left.map((packet) => described(packet))).toEqual([`${there} 64 one`, `${back} 62 one`])
    expect(right.map((packet) => described(packet))).toEqual([`${there} 62 one`, `${back} 64 one`])
    for (const { bytes } of [...left, ...right]) expect(wrongChecksums(bytes)).toEqual([])
  })

  test('IPv6 on ::1', async () => {
    const link = await open(`simple-p2p ${FAST}`)
    expect(link.environment('server')['LISTEN_ADDRESS']).toBe('::')
    await echoServer(6, Number(link.environment('server')['LISTEN_PORT']))
    const client = await socketAt(6)
    link.start()
    await exchange(client, portOf(link.authority('server6')), 'six')
    await link.close()
    const [packet] = await packetsOf(link.leftCapture)
    expect([packet!.version, packet!.destination[7], packet!.destination[15], packet!.destinationPort]).toEqual([6, 0, 0, 443])
  })

  test("the server's preferred address leads through the relay to a port of its own", async () => {
    const link = await open(`simple-p2p ${FAST}`)
    const environment = link.environment('server')
    const [told, listened] = [environment['PREFERRED_ADDRESSES']!, environment['PREFERRED_LISTEN']!]
    for (const text of [told, listened]) expect(text).toMatch(/^127\.0\.0\.1:(\d+) \[::1\]:\1$/)
    const seen = await echoServer(4, portOf(listened))
    const client = await socketAt(4)
    link.start()
    await exchange(client, portOf(told), 'moved')
    await link.close()
    expect(seen.length).toBe(1)
    expect((await packetsOf(link.rightCapture)).map(({ sourcePort, destinationPort }) => [sourcePort, destinationPort])).toEqual([
      [client.address().port, 4443],
      [4443, client.address().port],
    ])
  })

  test.each([['', /^127\.0\.0\.1 \d+$/], ['--rebind-addr', /^127\.0\.(0\.1|1\.\d+) \d+$/]])('rebinding %s: the server sees other sockets, the log says which', async (option, address) => {
    const link = await open(`rebind ${FAST} --first-rebind=100ms --rebind-freq=100ms ${option}`)
    const seen = await echoServer(4, Number(link.environment('server')['LISTEN_PORT']))
    link.start()
    const [first, second] = await sendUntilSeen(await socketAt(4), portOf(link.authority('server4')), seen, 2)
    await link.close()
    for (const where of [first, second]) expect(where).toMatch(address)
    const bindings = (await readFile(join(directory, 'nat.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as { outside: string })
    const fromClient = (await packetsOf(link.rightCapture)).filter(({ destinationPort }) => destinationPort === 443)
    const used = [...new Set(fromClient.map(({ source, sourcePort }) => `${source.join('.')}:${sourcePort}`))]
    expect(used.length).toBeGreaterThan(1)
    expect(bindings.map(({ outside }) => outside)).toEqual(expect.arrayContaining(used))
  })

  test('a server is there once it answers Version Negotiation, of which the captures have nothing', async () => {
    const link = await open(`simple-p2p ${FAST}`)
    expect(await link.awaitServer(150)).toBe(false)
    const server = await socketAt(4, Number(link.environment('server')['LISTEN_PORT']))
    const probes: Buffer[] = []
    server.on('message', (message, from) => {
      probes.push(message)
      if (probes.length > 1) server.send(Uint8Array.of(0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), from.port, from.address)
      else server.send(Uint8Array.of(0xc0, 0, 0, 0, 1, 0, 0, 0), from.port, from.address)
    })
    expect(await link.awaitServer(10_000)).toBe(true)
    // Long header, version "WAIT", no connection IDs.
    expect([probes[0]!.length, probes[0]!.subarray(0, 7).toString('latin1')]).toEqual([1207, '\u00c0WAIT\0\0'])
    await link.close()
    expect((await readFile(link.leftCapture)).length).toBe(24)
  })

  test('a scenario it does not know is refused before anything is opened', async () => {
    await expect(openLink('relay', { scenario: 'wormhole', seed: 1, corruption: 'drop', directory })).rejects.toMatchObject({ code: 'ERR_INTEROP_SCENARIO' })
  })
})
