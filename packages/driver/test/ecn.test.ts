// ECN end to end (RFC 9000 §13.4): a client and a server whose sockets mark and read the field, as their qlog tells it.

import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PathAddress } from '@quicwire/quic'
import { afterEach, describe, expect, it } from 'vitest'
import { FfiSocket, clientH3Driver, connect, listen, serverH3Driver, type DatagramSocket, type SocketKind } from '../src/index.ts'
import { ffiReason, hasFfi } from './io/ffi-under-test.ts'
import { GET, OK, certificate, development, next, readAll } from './support.ts'

const CE = 3

const cleanup: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

/** As a router under load does: one of `every` marked datagrams is changed to CE. */
function congested(socket: DatagramSocket, every: number): DatagramSocket {
  let marked = 0
  const send = (length: number, path: PathAddress, ecn: number, onTooLarge?: () => void): void =>
    socket.send(length, path, ecn === 2 && ++marked > 40 && marked % every === 0 ? CE : ecn, onTooLarge)
  return new Proxy(socket, {
    get: (target, name) => {
      if (name === 'send') return send
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

interface Event {
  readonly name: string
  readonly data: Readonly<Record<string, unknown>>
}

interface Told {
  readonly server: readonly Event[]
  readonly client: readonly Event[]
}

/** A download of 2 MB, in datagrams of 1200 bytes: what the traces of both sides tell. */
async function download(serverSocket: DatagramSocket, clientKind: SocketKind): Promise<Told> {
  const qlogDir = mkdtempSync(join(tmpdir(), 'quicwire-ecn-'))
  cleanup.push(() => rmSync(qlogDir, { recursive: true }))
  const settings = { qlogDir, mtuDiscovery: false }
  const listener = await listen({ socket: serverSocket, tls: { certificates: [certificate] }, settings })
  const { driver, controller } = serverH3Driver({})
  const serving = (async () => {
    ;(await listener.accept())!.start(driver)
    const { send } = (await next(controller.events, 'Headers')).incoming
    await send.send({ kind: 'Headers', headers: OK })
    for (let i = 0; i < 40; i++) await send.send({ kind: 'Body', data: new Uint8Array(50_000), fin: false })
    await send.send({ kind: 'Body', data: new Uint8Array(0), fin: true })
  })()
  const { driver: application, controller: client } = clientH3Driver({})
  const connection = await connect({
    host: '127.0.0.1',
    port: listener.address().port,
    serverName: 'localhost',
    tls: { ca: development.certificatePem },
    settings,
    socket: clientKind,
    application,
  })
  client.requestSender().send({ requestId: 1, headers: GET, bodyWriter: null })
  const { incoming } = await next(client.events, 'IncomingHeaders')
  expect((await readAll(incoming.recv)).length).toBe(2_000_000)
  await serving
  await connection.close()
  await listener.close()
  return { server: events(qlogDir, 'server'), client: events(qlogDir, 'client') }
}

function events(qlogDir: string, role: 'client' | 'server'): readonly Event[] {
  const name = readdirSync(qlogDir).find((file) => file.includes(role))!
  const records = readFileSync(join(qlogDir, name), 'utf8').split('\u001e').filter((text) => text.trim() !== '')
  return records.map((text) => JSON.parse(text) as Event)
}

function ecnStates(told: readonly Event[]): unknown[] {
  return told.filter(({ name }) => name === 'quic:ecn_state_updated').map(({ data }) => data['new'])
}

/** Frames of received ACKs that carry counts. */
function countsHeard(told: readonly Event[]): readonly Record<string, number>[] {
  return told
    .filter(({ name }) => name === 'quic:packet_received')
    .flatMap(({ data }) => (data['frames'] ?? []) as readonly Record<string, number>[])
    .filter((frame) => frame['ect0'] !== undefined)
}

describe.skipIf(!hasFfi)(`ECN over ffi sockets${ffiReason}`, () => {
  it('marks leave, counts come back, both paths prove capable', async () => {
    const { server, client } = await download(await FfiSocket.bind({ address: '127.0.0.1' }), 'ffi')
    expect(ecnStates(server).at(-1)).toBe('capable')
    expect(ecnStates(client).at(-1)).toBe('capable')
    const last = countsHeard(server).at(-1)!
    expect(last['ect0']).toBeGreaterThan(1000)
    expect(last['ce'] ?? 0).toBe(0)
  })

  it('a peer whose socket knows no marks is found out, and nothing breaks', async () => {
    const { server } = await download(await FfiSocket.bind({ address: '127.0.0.1' }), 'dgram')
    expect(ecnStates(server).at(-1)).toBe('failed')
    expect(countsHeard(server)).toEqual([])
  })

  it('CE makes the sender slow down', async () => {
    const socket = congested(await FfiSocket.bind({ address: '127.0.0.1' }), 400)
    const { server } = await download(socket, 'ffi')
    expect(ecnStates(server).at(-1)).toBe('capable')
    expect(countsHeard(server).at(-1)!['ce']).toBeGreaterThan(0)
    const slower = server.filter(({ name, data }) => name === 'quic:congestion_state_updated' && data['trigger'] === 'ecn')
    expect(slower.length).toBeGreaterThan(0)
    expect(windows(server).some((window, i, all) => i > 0 && window < all[i - 1]!)).toBe(true)
  })
})

function windows(told: readonly Event[]): readonly number[] {
  return told.map(({ data }) => data?.['congestion_window']).filter((window) => typeof window === 'number')
}
