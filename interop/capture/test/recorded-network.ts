// Real handshakes and transfers on the simulator, recorded as the runner records them: what the client sends and gets in one pcap,
// what the server sends and gets in the other, and the key log.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { fromUtf8, utf8 } from '../../../packages/quic/src/base/bytes.ts'
import { RandomConnectionIdGenerator } from '../../../packages/quic/src/cid/generator.ts'
import type { ConnectionConfig, TlsSettings, TransportSettings } from '../../../packages/quic/src/connection/config.ts'
import { Connection } from '../../../packages/quic/src/connection/connection.ts'
import type { ConnectionEvent } from '../../../packages/quic/src/connection/events.ts'
import { nodeProvider } from '../../../packages/quic/src/crypto/node/index.ts'
import { NamedGroup } from '../../../packages/quic/src/crypto/provider.ts'
import { Endpoint, type EndpointConfig } from '../../../packages/quic/src/endpoint/endpoint.ts'
import { EndpointNode } from '../../../packages/quic/src/testing/endpoint-node.ts'
import type { LinkConditions } from '../../../packages/quic/src/testing/link.ts'
import { Network } from '../../../packages/quic/src/testing/network.ts'
import type { SimulatedNode } from '../../../packages/quic/src/testing/node.ts'
import { SeededRandom } from '../../../packages/quic/src/testing/seeded-random.ts'
import { createDevCertificate, type DevCertificate } from '../../../packages/quic/src/tls/certificates/development.ts'
import { ServerTickets } from '../../../packages/quic/src/tls/resumption/server-tickets.ts'
import { Peer, UNIX_TIME, pattern } from '../../../packages/quic/test/connection/pair.ts'
import type { RunRecord } from '../../cases/case.ts'
import { pcapHeader, pcapRecord } from '../../link/pcap.ts'
import { ipPacket } from './ip-packet.ts'

export const CLIENT = '193.167.0.100:50000'
export const SERVER = '193.167.100.100:443'

/** Of the captures' clock. */
const SECOND = 1_796_131_271

export type Side = 'left' | 'right'

/** A packet on its way into a capture: the bytes of its datagram, or null to leave it out. */
export type Retouch = (side: Side, source: string, destination: string, bytes: Uint8Array, ecn: number) => { bytes: Uint8Array; ecn: number } | null

export interface RecordedOptions {
  readonly seed?: number
  readonly conditions?: Partial<LinkConditions>
  readonly client?: Partial<TransportSettings>
  readonly server?: Partial<TransportSettings>
  readonly serverTls?: Partial<TlsSettings>
  readonly serverConfig?: Partial<ConnectionConfig>
  readonly endpoint?: Partial<EndpointConfig>
  readonly serverAddress?: string
  readonly serverAddresses?: readonly string[]
  readonly clientIdLength?: number
  /** Bytes of the files that are served, by name. */
  readonly files?: Readonly<Record<string, number>>
  /** Makes the server's certificate of several kilobytes. */
  readonly bigCertificate?: boolean
  readonly retouch?: Retouch
}

const directories: string[] = []
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

let certificate: DevCertificate | null = null
let bigCertificate: DevCertificate | null = null

function identityOf(big: boolean): DevCertificate {
  if (!big) return (certificate ??= createDevCertificate(nodeProvider, { names: ['server4'], unixTimeMs: UNIX_TIME }))
  const names = ['server4', ...Array.from({ length: 320 }, (_, i) => `name-${i}.of-the-server4`)]
  return (bigCertificate ??= createDevCertificate(nodeProvider, { names, unixTimeMs: UNIX_TIME }))
}

export class RecordedNetwork {
  readonly network: Network
  readonly servers: Peer[]
  readonly downloads: Map<string, Uint8Array>
  private readonly options: RecordedOptions
  private readonly records: Record<Side, Uint8Array[]>
  private readonly keys: string[]
  private readonly files: Map<string, Uint8Array>
  private clients: number

  constructor(options: RecordedOptions = {}) {
    this.options = options
    this.network = new Network({ seed: options.seed ?? 1, scenario: 'recorded', conditions: { delay: 15, ...options.conditions } })
    this.servers = []
    this.downloads = new Map()
    this.records = { left: [], right: [] }
    this.keys = []
    this.files = new Map(Object.entries(options.files ?? {}).map(([name, size]) => [name, pattern(size, name.length)]))
    this.clients = 0
    const node = new EndpointNode<ConnectionEvent, Connection>(this.endpoint(), {
      onConnection: (connection) => void this.servers.push(new Peer(connection)),
      onEvent: (connection, event) => this.serve(this.servers.find((peer) => peer.connection === connection)!, event),
    })
    this.network.add('server', this.recorded('right', node), options.serverAddress ?? SERVER, ...(options.serverAddresses ?? []))
  }

  /** A client at an address of its own; goes on the network at once. */
  connect(overrides: Partial<ConnectionConfig> = {}, tls: Partial<TlsSettings> = {}, address: string = CLIENT): Peer {
    const { options } = this
    const name = `client ${(this.clients += 1)}`
    const random = new SeededRandom((options.seed ?? 1) * 1000 + this.clients)
    const config: ConnectionConfig = {
      provider: nodeProvider,
      random,
      connectionIds: new RandomConnectionIdGenerator(random, options.clientIdLength ?? 8),
      versions: [1],
      transport: options.client ?? {},
      tls: {
        alpn: ['hq-interop'],
        groups: [NamedGroup.x25519],
        serverName: 'server4',
        verify: { mode: 'chain', roots: [identityOf(options.bigCertificate === true).certificate], unixTimeMs: UNIX_TIME },
        keylog: (line) => void this.keys.push(line),
        ...tls,
      },
      ...overrides,
    }
    const peer = new Peer(Connection.connect(config, this.network.path(address, options.serverAddress ?? SERVER), this.network.now))
    this.network.add(name, this.recorded('left', new ClientNode(peer)), address)
    return peer
  }

  /** Asks for files and runs until they have come, whole. */
  download(client: Peer, ...names: readonly string[]): this {
    const streams = names.map((name) => [name, this.request(client, name)] as const)
    this.network.run(() => streams.every(([, id]) => client.finished.has(id)), { time: 300_000 })
    for (const [name, id] of streams) this.downloads.set(name, client.bytesOf(id))
    return this
  }

  request(client: Peer, name: string): number {
    const id = client.send(utf8(`GET /${name}\r\n`))
    if (id < 0) throw new Error(`no stream for ${name}`)
    this.network.turnAll()
    return id
  }

  close(client: Peer): this {
    client.connection.close(0, '', this.network.now)
    this.network.turnAll()
    this.network.runFor(200)
    return this
  }

  confirm(client: Peer): this {
    this.network.run(() => client.connection.isConfirmed())
    return this
  }

  /** Writes captures, key log and files into a new folder, which is there until the test file is done. */
  save(): RunRecord & { readonly directory: string } {
    const directory = mkdtempSync(join(tmpdir(), 'quicwire-captures-'))
    directories.push(directory)
    const at = (name: string): string => join(directory, name)
    for (const side of ['left', 'right'] as const) writeFileSync(at(`${side}.pcap`), Buffer.concat([pcapHeader(), ...this.records[side]]))
    writeFileSync(at('keys.log'), this.keys.map((line) => `${line}\n`).join(''))
    for (const folder of ['www', 'downloads']) mkdirSync(at(folder))
    for (const [name, bytes] of this.files) writeFileSync(join(at('www'), name), bytes)
    for (const [name, bytes] of this.downloads) writeFileSync(join(at('downloads'), name), bytes)
    const files = [...this.files.keys()]
    return { directory, leftCapture: at('left.pcap'), rightCapture: at('right.pcap'), keyLogs: [at('keys.log')], www: at('www'), downloads: at('downloads'), files }
  }

  /** The node, with everything that passes it written down. */
  private recorded(side: Side, node: SimulatedNode): SimulatedNode {
    return {
      receive: (datagram, path, now, ecn) => {
        this.record(side, path.remote, path.local, datagram, ecn)
        node.receive(datagram, path, now, ecn)
      },
      transmit: (out, now) => {
        if (!node.transmit(out, now)) return false
        if (out.path !== null) this.record(side, out.path.local, out.path.remote, out.buffer.subarray(0, out.length), out.ecn)
        return true
      },
      onTimeout: (now) => node.onTimeout(now),
      nextTimeout: () => node.nextTimeout(),
      act: (now) => node.act?.(now),
    }
  }

  private record(side: Side, source: string, destination: string, bytes: Uint8Array, ecn: number): void {
    const kept = this.options.retouch === undefined ? { bytes, ecn } : this.options.retouch(side, source, destination, bytes, ecn)
    if (kept !== null) this.records[side].push(pcapRecord(ipPacket(source, destination, kept.bytes, kept.ecn), SECOND, this.network.now))
  }

  private serve(peer: Peer, event: ConnectionEvent): void {
    peer.take(event)
    if (event.kind !== 'stream-readable' || !peer.finished.has(event.streamId)) return
    const name = fromUtf8(peer.bytesOf(event.streamId)).replace(/^GET \//, '').trim()
    peer.write(event.streamId, this.files.get(name) ?? utf8('no such file'), true)
  }

  private endpoint(): Endpoint {
    const { options } = this
    const random = new SeededRandom((options.seed ?? 1) * 2 + 1)
    const identity = identityOf(options.bigCertificate === true)
    const key = nodeProvider.importPrivateKey(identity.privateKey)
    const resetToken = (id: Uint8Array): Uint8Array => nodeProvider.hmac('sha256', new Uint8Array(32).fill(7), id).subarray(0, 16)
    const tickets = new ServerTickets(nodeProvider, { earlyData: true })
    const server = (): ConnectionConfig => ({
      provider: nodeProvider,
      random,
      versions: [1],
      connectionIds: new RandomConnectionIdGenerator(random, 8),
      transport: options.server ?? {},
      resetToken,
      tls: { alpn: ['hq-interop'], certificates: [{ chain: [identity.certificate], key }], tickets, ...options.serverTls },
      ...options.serverConfig,
    })
    return new Endpoint({ random, connectionIdLength: 8, resetToken, server, ...options.endpoint })
  }
}

class ClientNode implements SimulatedNode {
  private readonly peer: Peer

  constructor(peer: Peer) {
    this.peer = peer
  }

  receive(...input: Parameters<SimulatedNode['receive']>): void {
    this.peer.connection.receive(...input)
  }

  onTimeout(now: number): void {
    this.peer.connection.onTimeout(now)
  }

  transmit(...input: Parameters<SimulatedNode['transmit']>): boolean {
    return this.peer.connection.transmit(...input)
  }

  nextTimeout(): number {
    return this.peer.connection.nextTimeout()
  }

  act(): void {
    for (let event = this.peer.connection.poll(); event !== null; event = this.peer.connection.poll()) this.peer.take(event)
  }
}
