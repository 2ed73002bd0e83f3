// Bulk uploads of one or more real connections through one simulated bottleneck, sampled as they run. All clients are one
// node, so that they share its line; the server reads and discards.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RandomConnectionIdGenerator } from '../../src/cid/generator.ts'
import type { CongestionController, CongestionControllerFactory } from '../../src/congestion/controller.ts'
import type { ConnectionConfig, TransportSettings } from '../../src/connection/config.ts'
import { Connection } from '../../src/connection/connection.ts'
import type { ConnectionEvent } from '../../src/connection/events.ts'
import { RttEstimator } from '../../src/recovery/rtt.ts'
import { Endpoint } from '../../src/endpoint/endpoint.ts'
import { EndpointNode } from '../../src/testing/endpoint-node.ts'
import { Network } from '../../src/testing/network.ts'
import type { SimulatedNode, SimulatedPath, SimulatedTransmit } from '../../src/testing/node.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import type { EcnCodepoint } from '../../src/testing/link.ts'
import { SERVER, UNIX_TIME, certificate } from '../connection/pair.ts'
import { providerUnderTest } from '../crypto/provider-under-test.ts'

const MIB = 1024 * 1024
/** UDP payload; the link adds its 28 bytes of overhead. */
const DATAGRAM = 1200
const OVERHEAD = 28
const SAMPLE_MS = 50
const CHUNK = new Uint8Array(64 * 1024)

// Nothing but the congestion window and the line is the limit.
const TRANSPORT: Partial<TransportSettings> = {
  datagramSize: DATAGRAM,
  mtuDiscovery: false,
  initialMaxData: 256 * MIB,
  initialMaxStreamData: 256 * MIB,
  maxConnectionWindow: 512 * MIB,
  maxStreamWindow: 512 * MIB,
  sendBufferLimit: 4 * MIB,
}

export interface BottleneckOptions {
  readonly name: string
  readonly seed: number
  /** One upload per controller. */
  readonly controllers: readonly CongestionControllerFactory[]
  /** Bits per second. */
  readonly bandwidth: number
  /** Round trip without queue, ms. */
  readonly roundTrip: number
  /** Queue in multiples of the bandwidth-delay product. Default 1. */
  readonly queue?: number
  /** Rate of datagrams lost on the way to the server. Default 0. */
  readonly loss?: number
  /** Rate of ECT datagrams marked CE on the way to the server. Default 0. */
  readonly ecnMark?: number
  /** Each upload starts this much after the one before, ms. Default 0. */
  readonly stagger?: number
}

/** One row of a trace. Rates in Mbit/s of application bytes over the last sample interval. */
export interface FlowSample {
  readonly time: number
  readonly flow: number
  readonly state: string
  readonly window: number
  readonly inFlight: number
  readonly smoothedRtt: number
  readonly pacing: number
  readonly throughput: number
  readonly lost: number
}

class Upload {
  readonly connection: Connection
  readonly controller: () => CongestionController
  readonly startsAt: number
  stream: number
  /** Bytes the server has read, now and at the last sample. */
  received: number
  receivedBefore: number

  constructor(connection: Connection, controller: () => CongestionController, startsAt: number) {
    this.connection = connection
    this.controller = controller
    this.startsAt = startsAt
    this.stream = -1
    this.received = 0
    this.receivedBefore = 0
  }

  /** As much as the stream takes. */
  write(): void {
    if (this.stream < 0) this.stream = this.connection.openStream(false)
    while (this.stream >= 0 && this.connection.streamWrite(this.stream, CHUNK, false) === CHUNK.length);
  }
}

/** All clients behind one line, told apart by their own address. */
class ClientsNode implements SimulatedNode {
  private readonly uploads: ReadonlyMap<string, Upload>

  constructor(uploads: ReadonlyMap<string, Upload>) {
    this.uploads = uploads
  }

  receive(datagram: Uint8Array, path: SimulatedPath, now: number, ecn: EcnCodepoint): void {
    this.uploads.get(path.local)!.connection.receive(datagram, path, now, ecn)
  }

  onTimeout(now: number): void {
    for (const { connection } of this.uploads.values()) if (connection.nextTimeout() <= now) connection.onTimeout(now)
  }

  transmit(out: SimulatedTransmit, now: number): boolean {
    for (const { connection } of this.uploads.values()) if (connection.transmit(out, now)) return true
    return false
  }

  nextTimeout(): number {
    let next = Infinity
    for (const { connection } of this.uploads.values()) next = Math.min(next, connection.nextTimeout())
    return next
  }

  act(now: number): void {
    for (const upload of this.uploads.values()) {
      for (let event = upload.connection.poll(); event !== null; event = upload.connection.poll()) {
        if (event.kind === 'stream-writable') upload.write()
      }
      if (upload.stream < 0 && now >= upload.startsAt && upload.connection.isConfirmed()) upload.write()
    }
  }
}

export class Bottleneck {
  readonly samples: FlowSample[]
  private readonly options: BottleneckOptions
  private readonly network: Network
  private readonly uploads: Upload[]
  private readonly byConnection: Map<Connection, Upload>
  private readonly started: number

  constructor(options: BottleneckOptions) {
    this.options = options
    this.samples = []
    this.uploads = []
    this.byConnection = new Map()
    const { seed, bandwidth, roundTrip } = options
    this.network = new Network({ seed, scenario: options.name, conditions: { delay: roundTrip / 2 } })
    const bdp = ((bandwidth / 8000) * roundTrip) / (DATAGRAM + OVERHEAD)
    const queue = Math.round(bdp * (options.queue ?? 1))
    this.network.link('clients', 'server', { bandwidth, queue, loss: options.loss ?? 0, ecnMark: options.ecnMark ?? 0 })
    this.started = this.network.now
    this.network.add('server', this.server(), SERVER)
    const addresses = options.controllers.map((_, flow) => `10.0.0.1:${5000 + flow}`)
    const byAddress = new Map<string, Upload>()
    options.controllers.forEach((create, flow) => {
      const upload = this.client(create, addresses[flow]!, flow)
      this.uploads.push(upload)
      byAddress.set(addresses[flow]!, upload)
    })
    this.network.add('clients', new ClientsNode(byAddress), ...addresses)
  }

  /** Lets time pass, sampling. ms. */
  run(duration: number): this {
    const end = this.network.now + duration
    while (this.network.now < end) {
      this.network.runFor(SAMPLE_MS)
      this.uploads.forEach((upload, flow) => this.samples.push(this.sample(upload, flow)))
    }
    return this
  }

  /** Mean rate of a flow from `from` ms on, Mbit/s of application bytes. */
  throughput(flow: number, from: number): number {
    const rows = this.samples.filter((sample) => sample.flow === flow && sample.time > from)
    return rows.reduce((sum, row) => sum + row.throughput, 0) / rows.length
  }

  /** Application bytes of all flows as a part of the line's rate. Headers alone take 5 %, so 0.947 is the most there is. */
  utilisation(from: number): number {
    return (this.uploads.reduce((sum, _, flow) => sum + this.throughput(flow, from), 0) * 1e6) / this.options.bandwidth
  }

  /** Mean of the first flow's smoothed round trip time from `from` ms on. */
  smoothedRtt(from: number): number {
    const rows = this.samples.filter((sample) => sample.flow === 0 && sample.time > from)
    return rows.reduce((sum, row) => sum + row.smoothedRtt, 0) / rows.length
  }

  /** The largest part one flow has of what all have. */
  largestShare(from: number): number {
    const rates = this.uploads.map((_, flow) => this.throughput(flow, from))
    return Math.max(...rates) / rates.reduce((sum, rate) => sum + rate, 0)
  }

  /** Runs assertions; the trace is stored when one fails, or when QUICWIRE_TRACE=1 asks for it, and then also printed. */
  judge(body: () => void): void {
    const asked = process.env['QUICWIRE_TRACE'] === '1'
    try {
      body()
    } catch (error) {
      if (error instanceof Error) error.message += `\ntrace: ${this.store()}`
      throw error
    }
    if (asked) this.print(this.store())
  }

  private store(): string {
    const folder = fileURLToPath(new URL('../../../../node_modules/.cache/quicwire/congestion/', import.meta.url))
    mkdirSync(folder, { recursive: true })
    const file = join(folder, `${this.options.name}-${this.options.seed}.csv`)
    const header = 'time_ms,flow,state,cwnd_bytes,in_flight_bytes,srtt_ms,pacing_mbit_s,throughput_mbit_s,lost_packets'
    const rows = this.samples.map((row) => {
      const { time, flow, state, window, inFlight, smoothedRtt, pacing, throughput, lost } = row
      return [time, flow, state, window, inFlight, smoothedRtt.toFixed(3), pacing.toFixed(3), throughput.toFixed(3), lost].join(',')
    })
    writeFileSync(file, [header, ...rows, ''].join('\n'))
    return file
  }

  private print(file: string): void {
    const flows = this.uploads.length
    const share = flows > 1 ? `, largest share from 10 s on ${this.largestShare(10_000).toFixed(3)}` : ''
    const summary = `utilisation ${this.utilisation(0).toFixed(3)}, from 2 s on ${this.utilisation(2000).toFixed(3)}${share}`
    const lines = this.samples
      .filter((row) => Math.round(row.time) % 500 < SAMPLE_MS)
      .map(
        (row) =>
          `${row.time.toFixed(0).padStart(6)} ms  flow ${row.flow}  cwnd ${String(row.window).padStart(7)}` +
          `  rtt ${row.smoothedRtt.toFixed(1).padStart(6)}  ${row.throughput.toFixed(1).padStart(5)} Mbit/s  ${row.state}`,
      )
    // oxlint-disable-next-line no-console -- asked for with QUICWIRE_TRACE=1
    console.log([file, ...lines, summary].join('\n'))
  }

  private sample(upload: Upload, flow: number): FlowSample {
    const stats = upload.connection.pathStats()
    const received = upload.received - upload.receivedBefore
    upload.receivedBefore = upload.received
    const controller = upload.controller()
    const rtt = new RttEstimator(stats.smoothedRtt)
    return {
      time: this.network.now - this.started,
      flow,
      state: controller.snapshot().state,
      window: stats.congestionWindow,
      inFlight: stats.bytesInFlight,
      smoothedRtt: stats.smoothedRtt,
      pacing: (controller.pacingRate(rtt) * 8) / 1000,
      throughput: (received * 8) / (SAMPLE_MS * 1000),
      lost: upload.connection.stats().packetsLost,
    }
  }

  private client(create: CongestionControllerFactory, address: string, flow: number): Upload {
    const random = new SeededRandom(this.options.seed * 1000 + flow)
    let controller: CongestionController | null = null
    const config: ConnectionConfig = {
      provider: providerUnderTest,
      random,
      connectionIds: new RandomConnectionIdGenerator(random, 8),
      transport: TRANSPORT,
      createController: (size) => (controller = create(size)),
      tls: {
        alpn: ['test'],
        serverName: 'test.example',
        verify: { mode: 'chain', roots: [certificate.certificate], unixTimeMs: UNIX_TIME },
      },
    }
    const connection = Connection.connect(config, this.network.path(address, SERVER), this.network.now)
    return new Upload(connection, () => controller!, this.started + flow * (this.options.stagger ?? 0))
  }

  private server(): SimulatedNode {
    const random = new SeededRandom(this.options.seed * 2 + 1)
    const resetToken = (id: Uint8Array): Uint8Array => providerUnderTest.hmac('sha256', id, id).subarray(0, 16)
    const endpoint = new Endpoint({
      random,
      connectionIdLength: 8,
      resetToken,
      server: () => ({
        provider: providerUnderTest,
        random,
        connectionIds: new RandomConnectionIdGenerator(random, 8),
        transport: TRANSPORT,
        tls: {
          alpn: ['test'],
          certificates: [{ chain: [certificate.certificate], key: providerUnderTest.importPrivateKey(certificate.privateKey) }],
        },
        resetToken,
      }),
    })
    return new EndpointNode<ConnectionEvent, Connection>(endpoint, {
      onConnection: (connection) => {
        const upload = this.uploads.find((candidate) => equal(candidate.connection, connection))
        if (upload !== undefined) this.byConnection.set(connection, upload)
      },
      onEvent: (connection, event) => {
        if (event.kind !== 'stream-readable') return
        for (let bytes = connection.streamPeek(event.streamId); bytes !== null; bytes = connection.streamPeek(event.streamId)) {
          this.byConnection.get(connection)!.received += bytes.length
          connection.streamConsume(event.streamId, bytes.length)
        }
      },
    })
  }
}

function equal(client: Connection, server: Connection): boolean {
  return String(client.originalDestinationConnectionId) === String(server.originalDestinationConnectionId)
}
