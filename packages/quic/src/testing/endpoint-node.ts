// Makes one node of an endpoint and its connections: routes in, drains events, transmits round robin. Structural, so it
// carries whatever has the endpoint's verbs.

import type { EcnCodepoint } from './link.ts'
import type { SimulatedNode, SimulatedPath, SimulatedTransmit } from './node.ts'

/** A connection as an endpoint's owner handles it; `Event` is what its poll() gives. */
export interface SimulatedConnection<Event> {
  onTimeout(now: number): void
  transmit(out: SimulatedTransmit, now: number): boolean
  nextTimeout(): number
  poll(): Event | null
  isClosed(): boolean
}

export interface SimulatedEndpoint<Event, Connection extends SimulatedConnection<Event>> {
  /** Routes the datagram and hands it to its connection. */
  receive(datagram: Uint8Array, path: SimulatedPath, now: number, ecn: EcnCodepoint): unknown
  pollIncoming(): Connection | null
  transmitStateless(out: SimulatedTransmit): boolean
  onEvent(connection: Connection, event: Event): void
  forget(connection: Connection): void
}

export interface EndpointNodeHooks<Event, Connection> {
  /** A connection was accepted. */
  readonly onConnection?: (connection: Connection, now: number) => void
  readonly onEvent?: (connection: Connection, event: Event, now: number) => void
  /** After events, before transmit: the application's turn. */
  readonly act?: (now: number) => void
}

export class EndpointNode<Event, Connection extends SimulatedConnection<Event>> implements SimulatedNode {
  readonly endpoint: SimulatedEndpoint<Event, Connection>
  /** Live connections, oldest first; closed ones are forgotten after their last event. */
  readonly connections: Connection[]
  private readonly hooks: EndpointNodeHooks<Event, Connection>

  constructor(endpoint: SimulatedEndpoint<Event, Connection>, hooks: EndpointNodeHooks<Event, Connection> = {}) {
    this.endpoint = endpoint
    this.connections = []
    this.hooks = hooks
  }

  /** Takes in a connection that endpoint.connect() made. */
  adopt(connection: Connection): Connection {
    this.connections.push(connection)
    return connection
  }

  receive(datagram: Uint8Array, path: SimulatedPath, now: number, ecn: EcnCodepoint): void {
    this.endpoint.receive(datagram, path, now, ecn)
  }

  onTimeout(now: number): void {
    for (const connection of this.connections) if (connection.nextTimeout() <= now) connection.onTimeout(now)
  }

  act(now: number): void {
    for (let incoming = this.endpoint.pollIncoming(); incoming !== null; incoming = this.endpoint.pollIncoming()) {
      this.connections.push(incoming)
      this.hooks.onConnection?.(incoming, now)
    }
    for (const connection of this.connections.slice()) {
      for (let event = connection.poll(); event !== null; event = connection.poll()) {
        this.endpoint.onEvent(connection, event)
        this.hooks.onEvent?.(connection, event, now)
      }
    }
    this.hooks.act?.(now)
    for (const connection of this.connections.filter((candidate) => candidate.isClosed())) {
      for (let event = connection.poll(); event !== null; event = connection.poll()) {
        this.endpoint.onEvent(connection, event)
        this.hooks.onEvent?.(connection, event, now)
      }
      this.endpoint.forget(connection)
      this.connections.splice(this.connections.indexOf(connection), 1)
    }
  }

  transmit(out: SimulatedTransmit, now: number): boolean {
    if (this.endpoint.transmitStateless(out)) return true
    return this.connections.some((connection) => connection.transmit(out, now))
  }

  nextTimeout(): number {
    let next = Infinity
    for (const connection of this.connections) next = Math.min(next, connection.nextTimeout())
    return next
  }
}
