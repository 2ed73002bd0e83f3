// `pnpm bench`: every figure with its ratio to something measured in the same run, as a table and as JSON.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { Child } from './child.ts'
import type { HandshakeCost } from './handshake-cost.ts'
import type { HeaderRichCost } from './header-rich.ts'
import type { PacketCost } from './packet-cost.ts'
import type { QpackCost } from './qpack.ts'
import type { Compared } from './rounds.ts'
import type { Echoes } from './tunnel-client.ts'
import { BULK_BYTES, HANDSHAKES, IDLE_CONNECTIONS } from './work.ts'

const RESULT_FILE = 'node_modules/.cache/quicwire/bench.json'

interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** Beside what, and how it compares. */
  readonly beside: string
  readonly ratio: number | null
}

const rows: Row[] = []

function add(name: string, value: number, unit: string, beside: string = '', reference: number | null = null): void {
  rows.push({ name, value, unit, beside, ratio: reference === null ? null : value / reference })
  console.log(line(rows[rows.length - 1]!))
}

function line(row: Row): string {
  const value = row.value >= 100 ? row.value.toFixed(0) : row.value.toFixed(2)
  const ratio = row.ratio === null ? '' : `${row.ratio.toFixed(2)} x ${row.beside}`
  return `${row.name.padEnd(46)} ${value.padStart(9)} ${row.unit.padEnd(12)} ${ratio}`
}

async function number(child: Child, request: string): Promise<{ value: number; cpuSeconds: number }> {
  const { value, cost } = await child.ask(request)
  return { value: value as number, cpuSeconds: cost.cpuSeconds }
}

interface StackFigures {
  readonly bulk: number
  readonly small: number
  readonly handshakes: number
}

async function floor(datagramSize: number): Promise<number> {
  const child = Child.start('./floor.ts', [String(datagramSize)])
  const { value } = await number(child, 'push')
  child.stop()
  return value
}

async function http2(): Promise<StackFigures> {
  const server = Child.start('./http2-server.ts', [])
  const url = (await server.ask('start')).value as string
  const client = Child.start('./http2-client.ts', [url])
  const bulk = (await number(client, 'bulk')).value
  const small = (await number(client, 'small')).value
  const handshakes = (await number(client, 'handshakes')).value
  client.stop()
  server.stop()
  return { bulk, small, handshakes }
}

async function quicwire(datagramSize: number | 'found', reference: StackFigures): Promise<void> {
  const label = datagramSize === 'found' ? 'datagrams by MTU discovery' : `${datagramSize}-byte datagrams`
  const bottom = datagramSize === 'found' ? null : await floor(datagramSize)
  if (bottom !== null) add(`floor: seal + send, ${label}`, bottom, 'MB/s')
  const server = Child.start('./quicwire-server.ts', [String(datagramSize)])
  const url = (await server.ask('start')).value as string
  const client = Child.start('./quicwire-client.ts', [url, String(datagramSize)])
  await client.ask('small')
  await server.ask('reset')
  const bulk = await number(client, 'bulk')
  const serverCpu = (await server.ask('reset')).cost.cpuSeconds
  add(`bulk download, ${label}`, bulk.value, 'MB/s', bottom === null ? '' : 'floor', bottom)
  add(`  beside node:http2`, bulk.value, 'MB/s', 'http2', reference.bulk)
  const gigabytes = BULK_BYTES / 1e9
  add(`  processor, server`, serverCpu / gigabytes, 's/GB')
  add(`  processor, client`, bulk.cpuSeconds / gigabytes, 's/GB')
  if (datagramSize === 'found') {
    add('64 concurrent 100-byte GETs', (await number(client, 'small')).value, 'req/s', 'http2', reference.small)
    add(`handshakes, one after another (${HANDSHAKES})`, (await number(client, 'handshakes')).value, '/s', 'http2', reference.handshakes)
    const before = (await number(server, 'heap')).value
    await client.ask('idle')
    const after = (await number(server, 'heap')).value
    add(`server heap per idle connection`, (after - before) / IDLE_CONNECTIONS / 1024, 'KiB')
  }
  client.stop()
  server.stop()
}

async function packetCost(): Promise<void> {
  const child = Child.start('./packet-cost.ts', [])
  const cost = (await child.ask('measure')).value as PacketCost
  child.stop()
  add('packet on the in-memory pair, both ends', cost.microseconds, 'us')
  add('  garbage', cost.heapBytes, 'B/packet', 'node:crypto alone', cost.cryptoHeapBytes)
}

const HANDSHAKES_MEASURED: Readonly<Record<string, string>> = {
  'full node': 'full TLS handshake, node:crypto, both ends',
  'resumed node': 'resumed TLS handshake, node:crypto',
  'hybrid node': 'full TLS handshake, X25519MLKEM768',
  'quic node': 'full QUIC handshake on the in-memory pair',
  'full noble': 'full TLS handshake, noble',
  'resumed noble': 'resumed TLS handshake, noble',
}

async function handshakeCost(): Promise<void> {
  for (const [request, label] of Object.entries(HANDSHAKES_MEASURED)) {
    const child = Child.start('./handshake-cost.ts', [])
    const cost = (await child.ask(request)).value as HandshakeCost
    child.stop()
    // The reference that gives the median ratio: the two ran in turns.
    add(label, cost.milliseconds, 'ms', 'node:tls', cost.milliseconds / cost.ratio)
    add('  node:tls beside it', cost.reference, 'ms')
  }
}

async function qpack(table: 'dynamic' | 'static' | 'fresh'): Promise<void> {
  const child = Child.start('./qpack.ts', [])
  const cost = (await child.ask(table)).value as QpackCost
  child.stop()
  const label = { dynamic: 'dynamic table', static: 'static table only', fresh: 'no string comes back' }[table]
  add(`QPACK, sections of 10 fields encoded, ${label}`, cost.encodePerSecond, '/s')
  add('  garbage', cost.encodeHeapBytes, 'B/section')
  add('  decoded', cost.decodePerSecond, '/s')
  add('  garbage, the strings included', cost.decodeHeapBytes, 'B/section')
  add('  size, instructions included', cost.bytes, 'B/section')
}

async function headerRich(): Promise<void> {
  const costs: HeaderRichCost[] = []
  for (const table of ['static', 'dynamic']) {
    const child = Child.start('./header-rich.ts', [])
    costs.push((await child.ask(table)).value as HeaderRichCost)
    child.stop()
  }
  const [plain, dynamic] = costs as [HeaderRichCost, HeaderRichCost]
  add('page loads, names and values', plain.plainBytes, 'B/exchange')
  add('  QPACK, static table only', plain.codecBytes, 'B/exchange', 'names and values', plain.plainBytes)
  add('  QPACK, dynamic tables', dynamic.codecBytes, 'B/exchange', 'static only', plain.codecBytes)
  add('    processor, static table only', plain.codecMicroseconds, 'us/exchange')
  add('    processor, dynamic tables', dynamic.codecMicroseconds, 'us/exchange', 'static only', plain.codecMicroseconds)
  add('  HTTP/3 on the wire, static table only', plain.wireBytes, 'B/exchange')
  add('  HTTP/3 on the wire, dynamic tables', dynamic.wireBytes, 'B/exchange', 'static only', plain.wireBytes)
  add('    processor, both ends, static table only', plain.wireMicroseconds, 'us/exchange')
  add('    processor, both ends, dynamic tables', dynamic.wireMicroseconds, 'us/exchange', 'static only', plain.wireMicroseconds)
}

const DRIVER_COSTS: Readonly<Record<string, readonly [work: string, each: string]>> = {
  requests: ['GET of 100 bytes through two drivers', 'request'],
  chunks: ['16 KiB of a body through two drivers', 'chunk'],
  datagrams: ['1000-byte datagram through a flow', 'datagram'],
}

async function driverCost(): Promise<void> {
  for (const [request, [label, each]] of Object.entries(DRIVER_COSTS)) {
    const child = Child.start('./driver-cost.ts', [])
    const cost = (await child.ask(request)).value as Compared
    child.stop()
    add(`${label}, both ends`, cost.ours, `us/${each}`, 'the h3 layer alone', cost.ours / cost.ratio)
    add('  the h3 layer alone', cost.reference, `us/${each}`)
    add('  more', cost.difference, `us/${each}`)
  }
}

/** Client, proxy and target in processes of their own. */
async function tunnel(): Promise<void> {
  const proxy = Child.start('./tunnel-proxy.ts', [])
  const proxyUrl = (await proxy.ask('start')).value as string
  const echo = Child.start('./tunnel-client.ts', [proxyUrl])
  const straight = (await echo.ask('straight')).value as Echoes
  add('1000-byte UDP datagrams to an echo and back', straight.perSecond, '/s')
  await proxy.ask('reset')
  const echoed = (await echo.ask('tunnel')).value as Echoes
  const echoCpu = (await proxy.ask('reset')).cost.cpuSeconds
  add('  through a CONNECT-UDP tunnel', echoed.perSecond, '/s', 'no tunnel', straight.perSecond)
  add('  processor, proxy', (echoCpu * 1e6) / (2 * echoed.count), 'us/datagram')
  echo.stop()
  const server = Child.start('./quicwire-server.ts', ['1200'])
  const url = (await server.ask('start')).value as string
  const direct = Child.start('./quicwire-client.ts', [url, '1200'])
  const bulk = (await number(direct, 'bulk')).value
  direct.stop()
  const through = Child.start('./quicwire-client.ts', [url, '1200', proxyUrl])
  await proxy.ask('reset')
  add('bulk download through a CONNECT-UDP tunnel', (await number(through, 'bulk')).value, 'MB/s', 'no tunnel', bulk)
  add('  processor, proxy', (await proxy.ask('reset')).cost.cpuSeconds / (BULK_BYTES / 1e9), 's/GB')
  for (const child of [through, server, proxy]) child.stop()
}

const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, Node ${process.versions.node}, ${process.platform}`
console.log(`${machine}\n`)
const reference = await http2()
add('node:http2 bulk download', reference.bulk, 'MB/s')
add('node:http2 64 concurrent 100-byte GETs', reference.small, 'req/s')
add('node:http2 handshakes', reference.handshakes, '/s')
await quicwire(1200, reference)
await quicwire(8952, reference)
await quicwire('found', reference)
await packetCost()
await handshakeCost()
await qpack('dynamic')
await qpack('static')
await qpack('fresh')
await headerRich()
await driverCost()
await tunnel()
mkdirSync('node_modules/.cache/quicwire', { recursive: true })
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
writeFileSync(RESULT_FILE, `${JSON.stringify({ machine, commit, rows }, null, 2)}\n`)
console.log(`\nwritten to ${RESULT_FILE}`)
