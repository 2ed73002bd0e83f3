// One simulation from plan to end. It ends with all bytes equal and all streams closed, or with a clean timeout of both ends;
// anything else is a SimulationFailure that carries the seed. Invariants are checked at every datagram.

import { RandomConnectionIdGenerator } from '../../cid/generator.ts'
import { Bbr } from '../../congestion/bbr/index.ts'
import type { CongestionController } from '../../congestion/controller.ts'
import { Cubic } from '../../congestion/cubic.ts'
import { NewReno } from '../../congestion/new-reno.ts'
import type { CloseReason } from '../../connection/close-reason.ts'
import type { ConnectionConfig, TlsSettings, TransportSettings } from '../../connection/config.ts'
import type { Connection } from '../../connection/connection.ts'
import type { ConnectionEvent } from '../../connection/events.ts'
import type { CryptoProvider } from '../../crypto/provider.ts'
import { Endpoint } from '../../endpoint/endpoint.ts'
import { TransportErrorCode } from '../../wire/constants.ts'
import { EndpointNode } from '../endpoint-node.ts'
import type { EcnCodepoint } from '../link.ts'
import { Network } from '../network.ts'
import type { SimulatedNode, SimulatedPath, SimulatedTransmit } from '../node.ts'
import { SeededRandom } from '../seeded-random.ts'
import { SIMULATION_START } from './plan.ts'
import type { Incident, PlannedSide, SimulationPlan } from './plan.ts'
import { Transfer } from './transfer.ts'

const CLIENT_PORT = 1000
const CLIENT = `10.0.0.1:${CLIENT_PORT}`
const SERVER = '10.0.0.2:443'
const ID_LENGTH = 8

/** Virtual ms after which a connection that neither ends nor times out counts as stuck. */
const PATIENCE = 600_000

/** Virtual ms. */
const REBINDING_RETRY = 50
const KEEP_ALIVE = 200

/** What does not come from the seed. */
export interface SimulationSetup {
  readonly provider: CryptoProvider
  /** ALPN has to agree. */
  readonly clientTls: TlsSettings
  readonly serverTls: TlsSettings
  /** Events kept for the report of a failure. Default 50. */
  readonly traceLength?: number
  /** Gets the last events at the end of a run that did not fail. */
  readonly onTrace?: (text: string) => void
}

export interface SimulationOutcome {
  /** `complete`: all bytes equal; `timeout`: both ends gave up without an error. */
  readonly result: 'complete' | 'timeout'
  /** Stream bytes read and compared, both ways. */
  readonly bytes: number
  /** Virtual ms. */
  readonly duration: number
  /** UDP datagrams offered to the network. */
  readonly datagrams: number
}

/** Runs a plan. Throws SimulationFailure. */
export function runSimulation(plan: SimulationPlan, setup: SimulationSetup): SimulationOutcome {
  const network = new Network({
    seed: plan.seed,
    scenario: plan.scenario,
    start: SIMULATION_START,
    ...(setup.traceLength === undefined ? {} : { traceLength: setup.traceLength }),
  })
  const run = new Simulation(plan, setup, network)
  return network.explain(() => run.toTheEnd())
}

class Simulation {
  private readonly network: Network
  private readonly setup: SimulationSetup
  private readonly client: End
  private readonly server: End
  private readonly budget: AmplificationWatch
  private datagrams: number
  /** Public addresses the client has had after its first. */
  private addresses: number

  constructor(plan: SimulationPlan, setup: SimulationSetup, network: Network) {
    this.network = network
    this.setup = setup
    this.datagrams = 0
    this.addresses = 0
    network.link('client', 'server', plan.up)
    network.link('server', 'client', plan.down)
    network.observe(() => (this.datagrams += 1))
    const later = (delay: number, action: () => void): void => network.at(network.now + delay, action)
    const serverTransfer = new Transfer('server', plan.server, plan.client, later)
    const clientTransfer = new Transfer('client', plan.client, plan.server, later)
    const serverRandom = new SeededRandom(plan.seed).fork('server')
    const clientRandom = new SeededRandom(plan.seed).fork('client')
    const serverConfig = configuration(setup, plan.server, serverRandom, setup.serverTls)
    const acceptor = new Endpoint({ random: serverRandom, connectionIdLength: ID_LENGTH, server: () => serverConfig })
    this.server = new End(acceptor, serverTransfer, network)
    this.budget = new AmplificationWatch(this.server)
    const connector = new Endpoint({ random: clientRandom, connectionIdLength: ID_LENGTH })
    this.client = new End(connector, clientTransfer, network)
    network.add('client', this.client.node, CLIENT)
    network.add('server', this.budget, SERVER)
    const clientConfig = configuration(setup, plan.client, clientRandom, setup.clientTls)
    this.client.take(this.client.node.adopt(connector.connect(clientConfig, network.path(CLIENT, SERVER), network.now)))
    for (const incident of plan.incidents) this.schedule(incident)
  }

  toTheEnd(): SimulationOutcome {
    const { network, client, server } = this
    const end = network.now + PATIENCE
    const established = (): boolean => client.connection!.isConfirmed() && server.connection?.isEstablished() === true
    const over = (): boolean => client.reason !== null || (established() && client.transfer.isDone() && server.transfer.isDone())
    try {
      network.run(over, { time: PATIENCE })
    } catch (error) {
      throw new Error(`${String((error as Error).message).split('\n')[0]!}; ${client.transfer.describe()}; ${server.transfer.describe()}`, { cause: error })
    }
    const complete = client.reason === null
    const duration = network.now - SIMULATION_START
    if (complete) this.checkRest()
    // A server that lost sight of the client's address may hear of nothing any more, and both run into their timeouts.
    const closes = client.reason === null
    if (closes) client.connection!.close(0, 'done', network.now)
    // Both ends leave on their own: the server by CONNECTION_CLOSE, or by its idle timeout when that is lost.
    network.turnAll()
    network.run(() => client.isGone() && server.isGone(), { time: end - network.now })
    this.checkSilence()
    this.checkReasons(closes)
    this.setup.onTrace?.(network.trace.format())
    const bytes = client.transfer.bytesRead + server.transfer.bytesRead
    return { result: complete ? 'complete' : 'timeout', bytes, duration, datagrams: this.datagrams }
  }

  private schedule(incident: Incident): void {
    const { network } = this
    network.at(incident.time, () => {
      if (incident.kind === 'change') {
        network.note(`path changes: ${incident.direction} ${JSON.stringify(incident.conditions)}`)
        if (incident.direction !== 'down') network.link('client', 'server', incident.conditions)
        if (incident.direction !== 'up') network.link('server', 'client', incident.conditions)
      } else if (incident.kind === 'rebind') {
        this.rebind()
      } else {
        const { connection } = incident.side === 'client' ? this.client : this.server
        if (incident.kind === 'ping') connection?.ping()
        else connection?.updateKeys()
      }
    })
  }

  /**
   * RFC 9000 §9: an address may change once the handshake is confirmed. Nobody tells the server, which knows from the next packet
   * only: the client's keep-alive, when it has nothing else to say.
   */
  private rebind(): void {
    const { network, client } = this
    const connection = client.connection!
    if (client.reason !== null) return
    if (!connection.isConfirmed()) return network.at(network.now + REBINDING_RETRY, () => this.rebind())
    this.addresses += 1
    network.rebind('client', `10.0.0.1:${CLIENT_PORT + this.addresses}`)
    network.at(network.now + KEEP_ALIVE, () => connection.ping())
  }

  /** With everything said and acknowledged, nothing is left in flight and no stream in the maps. */
  private checkRest(): void {
    const quiet = (end: End): boolean => end.connection!.pathStats().bytesInFlight === 0
    this.network.run(() => (quiet(this.client) && quiet(this.server)) || this.client.reason !== null || this.server.reason !== null, { time: PATIENCE })
    for (const end of [this.client, this.server]) {
      const open = end.connection!.stats().streamsOpen
      if (end.reason === null && open !== 0) throw new Error(`the ${end.transfer.role} still has ${open} streams`)
    }
  }

  private checkSilence(): void {
    const { now } = this.network
    const out = { buffer: new Uint8Array(65_535), length: 0, path: null, ecn: 0 }
    for (const { connection, transfer } of [this.client, this.server]) {
      if (connection === null) continue
      if (connection.transmit(out, now)) throw new Error(`the ${transfer.role} sends after its end`)
      if (connection.nextTimeout() !== Infinity) throw new Error(`the ${transfer.role} has a timer after its end`)
      if (connection.pathStats().bytesInFlight < 0) throw new Error(`the ${transfer.role} has less than nothing in flight`)
    }
  }

  private checkReasons(closed: boolean): void {
    const [ours, theirs] = [this.client.reason!, this.server.reason]
    if (closed && (ours.cause !== 'local' || !ours.application)) throw new Error(`the client ended by ${describe(ours)}`)
    if (!closed && !isTimeout(ours)) throw new Error(`the client ended by ${describe(ours)}`)
    if (theirs !== null && !isTimeout(theirs) && !isFarewell(theirs)) throw new Error(`the server ended by ${describe(theirs)}`)
  }
}

/** One end: its endpoint as a node, and what became of its connection. */
class End {
  readonly node: EndpointNode<ConnectionEvent, Connection>
  readonly transfer: Transfer
  connection: Connection | null
  reason: CloseReason | null

  constructor(endpoint: Endpoint, transfer: Transfer, network: Network) {
    this.transfer = transfer
    this.connection = null
    this.reason = null
    this.node = new EndpointNode<ConnectionEvent, Connection>(endpoint, {
      onConnection: (connection) => this.take(connection),
      onEvent: (connection, event) => {
        if (connection !== this.connection) return
        network.note(`${transfer.role} event ${event.kind}${'streamId' in event ? ` ${event.streamId}` : ''}`)
        if (event.kind === 'closed') this.onClosed(event.reason)
        else transfer.onEvent(event)
      },
    })
  }

  /** A second one can only be made of copies of a first flight that came after the first had failed. */
  take(connection: Connection): void {
    if (this.connection !== null) return
    this.connection = connection
    this.transfer.connection = connection
  }

  isGone(): boolean {
    return this.connection === null || this.node.connections.length === 0
  }

  private onClosed(reason: CloseReason): void {
    if (this.reason !== null) throw new Error('a second closed event')
    this.reason = reason
    if (reason.error !== null) throw reason.error
  }
}

/** RFC 9000 §8.1: before an address is validated, at most three times what came from it goes there. */
class AmplificationWatch implements SimulatedNode {
  private readonly end: End
  private readonly addresses: Map<string, { received: number; sent: number; validated: boolean }>

  constructor(end: End) {
    this.end = end
    this.addresses = new Map()
  }

  receive(datagram: Uint8Array, path: SimulatedPath, now: number, ecn: EcnCodepoint): void {
    this.of(path.remote).received += datagram.length
    this.end.node.receive(datagram, path, now, ecn)
    this.noteValidation()
  }

  transmit(out: SimulatedTransmit, now: number): boolean {
    if (!this.end.node.transmit(out, now)) return false
    this.noteValidation()
    const address = this.of(out.path!.remote)
    address.sent += out.length
    if (!address.validated && address.sent > 3 * address.received) {
      throw new Error(`${address.sent} bytes to ${out.path!.remote}, which sent ${address.received} and is not validated`)
    }
    return true
  }

  onTimeout(now: number): void {
    this.end.node.onTimeout(now)
  }

  nextTimeout(): number {
    return this.end.node.nextTimeout()
  }

  act(now: number): void {
    this.end.node.act(now)
  }

  private of(remote: string): { received: number; sent: number; validated: boolean } {
    let address = this.addresses.get(remote)
    if (address === undefined) this.addresses.set(remote, (address = { received: 0, sent: 0, validated: false }))
    return address
  }

  private noteValidation(): void {
    const { connection } = this.end
    if (connection !== null && connection.isRemoteAddressValidated()) this.of(connection.remoteAddress()).validated = true
  }
}

function configuration(setup: SimulationSetup, plan: PlannedSide, random: SeededRandom, tls: TlsSettings): ConnectionConfig {
  const transport: Partial<TransportSettings> = {
    initialMaxData: plan.connectionWindow,
    initialMaxStreamData: plan.streamWindow,
    initialMaxStreamsBidi: plan.maxStreams,
    initialMaxStreamsUni: plan.maxStreams,
    sendBufferLimit: plan.sendBuffer,
    ecnCapable: plan.ecnCapable,
    mtuDiscovery: plan.mtuDiscovery,
  }
  const connectionIds = new RandomConnectionIdGenerator(random, ID_LENGTH)
  return { provider: setup.provider, random, connectionIds, tls, transport, createController: (size) => controller(plan.controller, size) }
}

function controller(name: PlannedSide['controller'], maxDatagramSize: number): CongestionController {
  if (name === 'bbr') return new Bbr(maxDatagramSize)
  return name === 'cubic' ? new Cubic(maxDatagramSize) : new NewReno(maxDatagramSize)
}

/** Ours, or that of the peer, who says so when its handshake takes too long. */
function isTimeout(reason: CloseReason): boolean {
  if (reason.cause === 'idle-timeout' || reason.cause === 'handshake-timeout') return true
  return reason.cause === 'peer' && !reason.application && reason.code === TransportErrorCode.applicationError
}

function isFarewell(reason: CloseReason): boolean {
  return reason.cause === 'peer' && reason.application && reason.code === TransportErrorCode.noError
}

function describe(reason: CloseReason): string {
  return `${reason.cause}, code ${String(reason.code)}, frame type ${reason.frameType}: ${reason.reason}`
}
