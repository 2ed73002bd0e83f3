// Both sides of every test case in this process, over loopback: what the runner would ask for is there at the end.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ffiSupport } from '@quicwire/driver'
import { SeededRandom } from '@quicwire/quic/testing'
import { freeUdpPort } from '../../process/quic-port.ts'
import { certificateChain, writeCertificates } from '../../runner/certificates.ts'
import { writeWantedFiles } from '../../runner/wanted-files.ts'
import { runClient } from '../client.ts'
import type { EndpointEnvironment } from '../environment.ts'
import { runServer } from '../server.ts'
import { clientPlan, serverPlan } from '../testcase.ts'

const root = mkdtempSync(join(tmpdir(), 'quicwire-endpoint-'))
const random = new SeededRandom(7)
const logged = ['SSLKEYLOGFILE', 'QLOGDIR'] as const
const before = logged.map((name) => process.env[name])

beforeAll(() => {
  for (const name of logged) delete process.env[name]
  for (const length of [1, 9] as const) {
    const directory = join(root, `certs-${length}`)
    mkdirSync(directory)
    writeCertificates(directory, certificateChain(length, Date.now(), random))
  }
})

afterAll(() => {
  for (const [index, name] of logged.entries()) if (before[index] !== undefined) process.env[name] = before[index]
  rmSync(root, { recursive: true })
})

interface Run {
  readonly client: string
  readonly server: string
  readonly sizes: readonly number[]
  readonly nameLength?: number
  readonly certificates?: 1 | 9
  /** Asked for besides, without being there. */
  readonly missing?: string
  /** What the files lie in. */
  readonly folder: string
}

/** Ends when client and server have; the key log of both. */
async function run({ client, server, sizes, nameLength, certificates = 1, missing, folder }: Run): Promise<string> {
  const place = join(root, folder)
  const [www, downloads] = ['www', 'downloads'].map((name) => join(place, name)) as [string, string]
  for (const directory of [www, downloads]) mkdirSync(directory, { recursive: true })
  const wanted = sizes.map((sizeBytes) => ({ sizeBytes, ...(nameLength === undefined ? {} : { nameLength }) }))
  const names = writeWantedFiles(www, wanted, random)
  process.env['SSLKEYLOGFILE'] = join(place, 'keys.log')
  const preferredPort = await freeUdpPort()
  const common = {
    www,
    downloads,
    certificates: join(root, `certs-${certificates}`),
    listenAddress: '127.0.0.1',
    listenPort: 0,
    requests: [],
    preferredAddresses: { ipv4: `127.0.0.1:${preferredPort}` },
    preferredListen: [{ host: '127.0.0.1', port: preferredPort }],
  }
  const serving: EndpointEnvironment = { ...common, role: 'server', testcase: server }
  const running = await runServer(serving, serverPlan(server)!)
  try {
    const requests = [...names, ...(missing === undefined ? [] : [missing])].map((name) => new URL(`https://127.0.0.1:${running.port}/${name}`))
    await runClient({ ...common, role: 'client', testcase: client, requests }, clientPlan(client)!)
  } finally {
    await running.close()
  }
  if (clientPlan(client)!.manner !== 'version-negotiation') {
    expect(readdirSync(downloads).sort()).toEqual([...names].sort())
    for (const name of names) expect(readFileSync(join(downloads, name)).equals(readFileSync(join(www, name)))).toBe(true)
    return readFileSync(process.env['SSLKEYLOGFILE'], 'utf8')
  }
  return ''
}

const KIB = 1024
const few = (count: number, size: number): number[] => Array.from({ length: count }, () => size)

/** Distinct connections that logged such a secret; both sides log the same. */
function connectionsWith(keyLog: string, label: string): number {
  return new Set(keyLog.split('\n').filter((line) => line.startsWith(`${label} `)).map((line) => line.split(' ')[1])).size
}

const HANDSHAKE = 'SERVER_HANDSHAKE_TRAFFIC_SECRET'
const EARLY = 'CLIENT_EARLY_TRAFFIC_SECRET'

describe('client and server', () => {
  test.each<[string, string, number[]]>([
    ['handshake', 'handshake', [KIB]],
    ['transfer', 'transfer', [2000 * KIB, 300 * KIB, 0]],
    ['chacha20', 'chacha20', [100 * KIB]],
    ['retry', 'retry', [10 * KIB]],
    ['http3', 'http3', [5 * KIB, 10 * KIB, 500 * KIB]],
    ['keyupdate', 'transfer', [3000 * KIB]],
    ['v2', 'v2', [KIB]],
    ['transfer', 'connectionmigration', [200 * KIB]],
    ['handshake', 'versionnegotiation', [KIB]],
  ])('%s with %s: one connection', async (client, server, sizes) => {
    const keyLog = await run({ client, server, sizes, folder: `${client}-${server}` })
    expect(connectionsWith(keyLog, HANDSHAKE)).toBe(1)
    expect(connectionsWith(keyLog, EARLY)).toBe(0)
  })

  test('multiplexing: 1999 files on one connection', async () => {
    const keyLog = await run({ client: 'transfer', server: 'transfer', sizes: few(1999, 32), folder: 'multiplexing' })
    expect(connectionsWith(keyLog, HANDSHAKE)).toBe(1)
  })

  test('resumption: two connections', async () => {
    const keyLog = await run({ client: 'resumption', server: 'resumption', sizes: [5 * KIB, 10 * KIB], folder: 'resumption' })
    expect(connectionsWith(keyLog, HANDSHAKE)).toBe(2)
    expect(connectionsWith(keyLog, EARLY)).toBe(0)
  })

  test('zerortt: two connections, early data on one', async () => {
    const keyLog = await run({ client: 'zerortt', server: 'zerortt', sizes: few(40, 32), nameLength: 250, folder: 'zerortt' })
    expect(connectionsWith(keyLog, HANDSHAKE)).toBe(2)
    expect(connectionsWith(keyLog, EARLY)).toBe(1)
  })

  test('multiconnect: a connection per file', async () => {
    const keyLog = await run({ client: 'multiconnect', server: 'multiconnect', sizes: few(12, KIB), folder: 'multiconnect' })
    expect(connectionsWith(keyLog, HANDSHAKE)).toBe(12)
  })

  test('amplificationlimit: a chain of nine certificates whose leaf has names that no DNS takes', async () => {
    await run({ client: 'transfer', server: 'transfer', sizes: [5 * KIB], certificates: 9, folder: 'amplification' })
  })

  test('versionnegotiation: the server answers a reserved version', async () => {
    await run({ client: 'versionnegotiation', server: 'versionnegotiation', sizes: [KIB], folder: 'versionnegotiation' })
  })

  test('a file that is not there fails the client', async () => {
    const failing = run({ client: 'transfer', server: 'transfer', sizes: [KIB], missing: 'nothing-of-that-name', folder: 'missing' })
    await expect(failing).rejects.toThrow('/nothing-of-that-name: the server refused it')
  })
})

test('ecn is supported where marks can be set and read', async () => {
  const { available } = ffiSupport()
  expect(clientPlan('ecn') !== null).toBe(available)
  expect(serverPlan('ecn') !== null).toBe(available)
  if (available) await run({ client: 'ecn', server: 'ecn', sizes: [100 * KIB], folder: 'ecn' })
})

test('what is no TESTCASE has no plan', () => {
  for (const name of ['', 'goodput', 'handshakeloss', 'connectionmigration-', 'constructor']) {
    expect(clientPlan(name)).toBeNull()
    expect(serverPlan(name)).toBeNull()
  }
  expect(serverPlan('keyupdate')).toBeNull()
  expect(clientPlan('connectionmigration')).toBeNull()
})
