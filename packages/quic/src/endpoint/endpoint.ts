// Many connections behind one address, no sockets: routes datagrams, opens connections, answers strangers. A client
// endpoint shares its socket between connections in the same way.
//
// The owner drives each Connection (poll, transmit, onTimeout) and passes the connection-ID events of poll() to onEvent().

import { copyBytes } from '../base/bytes.ts'
import { Ring } from '../base/ring.ts'
import type { RandomSource } from '../base/random.ts'
import type { ConnectionConfig } from '../connection/config.ts'
import { Connection } from '../connection/connection.ts'
import type { ConnectionEvent } from '../connection/events.ts'
import type { Transmit } from '../connection/send/transmit-buffer.ts'
import type { PathAddress } from '../path/path-address.ts'
import { MIN_INITIAL_DATAGRAM, PacketType } from '../wire/constants.ts'
import { HeaderResult, HeaderView, parseHeader } from '../wire/header.ts'
import { ConnectionRouter } from './connection-router.ts'
import { StatelessAnswers } from './stateless.ts'

/** RFC 9000 §7.2: a client's first destination connection ID has at least this many bytes. */
const LEAST_FIRST_DESTINATION = 8

export interface EndpointConfig {
  readonly random: RandomSource
  /** Bytes of the connection IDs issued here; the configs' generators must agree. 8 is usual. */
  readonly connectionIdLength: number
  /** Makes this endpoint a server: called for each new connection. */
  readonly server?: (() => ConnectionConfig) | undefined
  /** Stateless reset tokens (RFC 9000 §10.3.2); without it unknown connections are answered with silence. */
  readonly resetToken?: ((connectionId: Uint8Array) => Uint8Array) | undefined
  /** Connections accepted and not yet taken with pollIncoming(); further Initials are dropped. Default 1024. */
  readonly maxIncoming?: number | undefined
}

export class Endpoint {
  private readonly config: EndpointConfig
  private readonly router: ConnectionRouter<Connection>
  private readonly stateless: StatelessAnswers
  private readonly incoming: Ring<Connection>
  private readonly header: HeaderView
  private accepting: boolean

  constructor(config: EndpointConfig) {
    this.config = config
    this.router = new ConnectionRouter()
    this.stateless = new StatelessAnswers(config.random, config.resetToken ?? null)
    this.incoming = new Ring()
    this.header = new HeaderView()
    this.accepting = config.server !== undefined
  }

  /** Connections that may still receive packets. */
  get size(): number {
    return this.router.size
  }

  connections(): IterableIterator<Connection> {
    return this.router.connections()
  }

  /** No new connections from now on. */
  stopAccepting(): void {
    this.accepting = false
  }

  /**
   * Routes one datagram, whose bytes it takes over. Returns the connection that processed it and must be driven now; null
   * when it was answered without one or dropped.
   */
  receive(datagram: Uint8Array, path: PathAddress, now: number, ecn: number = 0): Connection | null {
    const { header } = this
    const result = parseHeader(header, datagram, 0, datagram.length, this.config.connectionIdLength)
    if (result === HeaderResult.invalid) return null
    const known = this.router.find(datagram, header.destinationStart, header.destinationLength)
    if (known !== null) {
      known.receive(datagram, path, now, ecn)
      return known
    }
    if (result === HeaderResult.unknownVersion) {
      if (this.config.server !== undefined) this.stateless.onUnknownVersion(header, datagram.length, path)
      return null
    }
    if (header.packetType === PacketType.oneRtt) return this.onUnknownConnection(datagram, path, now)
    return this.accept(datagram, path, now, ecn)
  }

  /** A new client connection. Drive it at once: its first flight is ready. */
  connect(config: ConnectionConfig, path: PathAddress, now: number): Connection {
    const connection = Connection.connect(config, path, now)
    this.register(connection)
    return connection
  }

  /** The next connection a client opened, null when there is none. */
  pollIncoming(): Connection | null {
    return this.incoming.shift() ?? null
  }

  /** Fills `out` with the next answer that needs no connection. */
  transmitStateless(out: Transmit): boolean {
    return this.stateless.transmit(out)
  }

  /** Keeps the routing true; ignores events of other kinds. */
  onEvent(connection: Connection, event: ConnectionEvent): void {
    if (event.kind === 'connection-id-issued') this.router.add(event.connectionId, connection)
    else if (event.kind === 'connection-id-retired') this.router.remove(event.connectionId, connection)
  }

  /** The connection is closed: its connection IDs are unknown from now on. */
  forget(connection: Connection): void {
    this.router.forget(connection)
  }

  private register(connection: Connection): void {
    for (const connectionId of connection.sourceConnectionIds()) this.router.add(connectionId, connection)
  }

  /** A server resets strangers; a client looks whether the packet is a reset of one of its own connections (RFC 9000 §10.3.1). */
  private onUnknownConnection(datagram: Uint8Array, path: PathAddress, now: number): Connection | null {
    if (this.config.server !== undefined) {
      this.stateless.onUnknownConnection(this.header, datagram.length, path)
      return null
    }
    for (const connection of this.router.connections()) {
      if (connection.remoteAddress() !== path.remote) continue
      connection.receive(copyBytes(datagram), path, now)
      if (connection.isClosed()) return connection
    }
    return null
  }

  private accept(datagram: Uint8Array, path: PathAddress, now: number, ecn: number): Connection | null {
    const { header } = this
    const { server, maxIncoming = 1024 } = this.config
    if (server === undefined || !this.accepting || header.packetType !== PacketType.initial) return null
    // RFC 9000 §14.1, §7.2: too small a datagram or connection ID never starts a connection.
    if (datagram.length < MIN_INITIAL_DATAGRAM || header.destinationLength < LEAST_FIRST_DESTINATION) return null
    if (this.incoming.length >= maxIncoming) return null
    const destinationConnectionId = copyBytes(header.destination())
    const connection = Connection.accept(server(), { destinationConnectionId, sourceConnectionId: copyBytes(header.source()) }, path, now)
    connection.receive(datagram, path, now, ecn)
    // Forged or broken first packets leave nothing behind.
    if (!connection.hasReceived()) return null
    this.register(connection)
    this.router.add(destinationConnectionId, connection)
    this.incoming.push(connection)
    return connection
  }
}
