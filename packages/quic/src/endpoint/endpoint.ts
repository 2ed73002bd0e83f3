// Many connections behind one address, no sockets: routes datagrams, opens connections, answers strangers. A client
// endpoint shares its socket between connections in the same way.
//
// The owner drives each Connection (poll, transmit, onTimeout) and passes the connection-ID events of poll() to onEvent().

import { copyBytes } from '../base/bytes.ts'
import { Ring } from '../base/ring.ts'
import type { RandomSource } from '../base/random.ts'
import { checkVersions } from '../connection/config.ts'
import type { ConnectionConfig } from '../connection/config.ts'
import { Connection } from '../connection/connection.ts'
import type { ConnectionEvent } from '../connection/events.ts'
import type { Transmit } from '../connection/send/transmit-buffer.ts'
import type { PathAddress } from '../path/path-address.ts'
import { MIN_INITIAL_DATAGRAM, PacketType } from '../wire/constants.ts'
import { HeaderResult, HeaderView, parseHeader } from '../wire/header.ts'
import { SUPPORTED_VERSIONS } from '../wire/version.ts'
import { Admission } from './admission.ts'
import type { AdmissionConfig } from './admission.ts'
import { ConnectionRouter } from './connection-router.ts'
import { DEFAULT_MAX_EARLY_DATAGRAMS, EarlyPackets } from './early-packets.ts'
import { StatelessAnswers } from './stateless.ts'
import { checkTokenKeys } from './tokens.ts'

/** RFC 9000 §7.2: a client's first destination connection ID has at least this many bytes. */
const LEAST_FIRST_DESTINATION = 8

/** Default of EndpointConfig.maxHandshakes. */
export const DEFAULT_MAX_HANDSHAKES = 4096

/** Policy, token keys and lifetimes (AdmissionConfig) matter to servers only. */
export interface EndpointConfig extends AdmissionConfig {
  readonly random: RandomSource
  /**
   * Bytes of the connection IDs issued here; the configs' generators must agree. 8 is usual. Clients may have none (0): then there can be
   * one connection to an address, and its datagrams are told by that.
   */
  readonly connectionIdLength: number
  /** QUIC versions a server takes and offers; the connections' configs must agree. Default: all that are spoken. */
  readonly versions?: readonly number[] | undefined
  /** Makes this endpoint a server: called for each new connection, and once for what is answered without one. */
  readonly server?: (() => ConnectionConfig) | undefined
  /** Stateless reset tokens (RFC 9000 §10.3.2); without it unknown connections are answered with silence. */
  readonly resetToken?: ((connectionId: Uint8Array) => Uint8Array) | undefined
  /** Connections accepted and not yet taken with pollIncoming(); further Initials are dropped. Default 1024. */
  readonly maxIncoming?: number | undefined
  /**
   * Handshakes in progress at once, of some 40 KB each; further Initials are dropped, however the policy decides. With `retryAbove(n)` and
   * n below this, forged addresses cannot use it up. Default 4096.
   */
  readonly maxHandshakes?: number | undefined
  /** Datagrams with 0-RTT packets kept for half a second because their Initial packet is late. Default 64; 0 keeps none. */
  readonly maxEarlyDatagrams?: number | undefined
}

export class Endpoint {
  private readonly config: EndpointConfig
  private readonly router: ConnectionRouter<Connection>
  private readonly stateless: StatelessAnswers
  private readonly incoming: Ring<Connection>
  private readonly header: HeaderView
  /** Connections whose handshake is not complete. */
  private readonly handshakes: Set<Connection>
  private readonly early: EarlyPackets
  private readonly maxIncoming: number
  private readonly maxHandshakes: number
  /** Made with the first stranger. */
  private admission: Admission | null
  private tokenKeys: readonly Uint8Array[] | undefined
  private readonly versions: readonly number[]
  private accepting: boolean

  /** Throws RangeError for token keys that are none, versions not spoken here, and a server without connection IDs. */
  constructor(config: EndpointConfig) {
    this.config = config
    this.router = new ConnectionRouter()
    this.stateless = new StatelessAnswers(config.random, config.resetToken ?? null)
    this.incoming = new Ring()
    this.header = new HeaderView()
    this.handshakes = new Set()
    this.early = new EarlyPackets(config.maxEarlyDatagrams ?? DEFAULT_MAX_EARLY_DATAGRAMS)
    this.maxIncoming = config.maxIncoming ?? 1024
    this.maxHandshakes = config.maxHandshakes ?? DEFAULT_MAX_HANDSHAKES
    this.admission = null
    this.tokenKeys = config.tokenKeys === undefined ? undefined : checkTokenKeys(config.tokenKeys)
    this.versions = checkVersions(config.versions ?? SUPPORTED_VERSIONS)
    this.accepting = config.server !== undefined
    if (this.accepting && config.connectionIdLength === 0) throw new RangeError('a server needs connection IDs')
  }

  /** Connections that may still receive packets. */
  get size(): number {
    return this.router.size
  }

  connections(): IterableIterator<Connection> {
    return this.router.connections()
  }

  /** Accepted connections whose handshake is not complete. */
  get handshakesInProgress(): number {
    return this.handshakes.size
  }

  /** Rotates the keys of Retry and NEW_TOKEN tokens: the first seals from now on, all of them open. Throws RangeError. */
  setTokenKeys(keys: readonly Uint8Array[]): void {
    this.tokenKeys = checkTokenKeys(keys)
    this.admission?.setTokenKeys(keys)
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
    // RFC 9287 §3: whether a clear QUIC bit is all right is for the connection to say.
    const result = parseHeader(header, datagram, 0, datagram.length, this.config.connectionIdLength, true)
    if (result === HeaderResult.invalid) return null
    const known = this.find(header, path)
    if (known !== null) {
      known.receive(datagram, path, now, ecn)
      // A handshake ends with a long header packet.
      if (header.packetType !== PacketType.oneRtt) this.noteProgress(known)
      return known
    }
    if (this.config.server === undefined) return this.findReset(datagram, path, now)
    if (result === HeaderResult.unknownVersion || !this.speaks(header)) {
      this.stateless.onUnknownVersion(header, datagram.length, path, this.versions)
    } else if (header.packetType !== PacketType.oneRtt) {
      return this.accept(datagram, path, now, ecn)
    } else if ((header.firstByte & 0x40) !== 0) {
      // Without the QUIC bit it may be of another protocol.
      this.stateless.onUnknownConnection(header, datagram.length, path)
    }
    return null
  }

  /** A new client connection. Drive it at once: its first flight is ready. Throws RangeError or TlsUsageError for a bad configuration. */
  connect(config: ConnectionConfig, path: PathAddress, now: number): Connection {
    const withoutIds = this.config.connectionIdLength === 0
    if (withoutIds && this.router.findRemote(path.remote) !== null) {
      throw new RangeError(`without connection IDs there can be one connection to ${path.remote}`)
    }
    const connection = Connection.connect(config, path, now)
    if (withoutIds) this.router.addRemote(path.remote, connection)
    else this.register(connection)
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
    if (event.kind === 'established' || event.kind === 'closed') this.handshakes.delete(connection)
    else if (event.kind === 'connection-id-issued') this.router.add(event.connectionId, connection)
    else if (event.kind === 'connection-id-retired') this.router.remove(event.connectionId, connection)
    else if (event.kind === 'path-probing') this.expectFrom(event.remote, connection)
  }

  /** The connection is closed: its connection IDs are unknown from now on. */
  forget(connection: Connection): void {
    this.handshakes.delete(connection)
    this.router.forget(connection)
  }

  /** RFC 9000 §5.2: by connection ID, or by the peer's address when we issue none. */
  private find(header: HeaderView, path: PathAddress): Connection | null {
    if (this.config.connectionIdLength > 0) return this.router.find(header.buffer, header.destinationStart, header.destinationLength)
    return header.destinationLength === 0 ? this.router.findRemote(path.remote) : null
  }

  /** False for a long header of a version that this server does not take. */
  private speaks(header: HeaderView): boolean {
    return header.version === 0 || this.versions.includes(header.version)
  }

  /** Without connection IDs, a connection that goes to another server address is known by that, too. */
  private expectFrom(remote: string, connection: Connection): void {
    if (this.config.connectionIdLength === 0 && this.router.findRemote(remote) === null) this.router.addRemote(remote, connection)
  }

  private register(connection: Connection): void {
    for (const connectionId of connection.sourceConnectionIds()) this.router.add(connectionId, connection)
  }

  /** A client looks whether a packet of nobody's connection ID is a stateless reset of one of its own connections (RFC 9000 §10.3.1). */
  private findReset(datagram: Uint8Array, path: PathAddress, now: number): Connection | null {
    for (const connection of this.router.connections()) {
      if (!connection.hasPath(path)) continue
      connection.receive(copyBytes(datagram), path, now)
      if (connection.isClosed()) return connection
    }
    return null
  }

  private noteProgress(connection: Connection): void {
    if (connection.isEstablished() || connection.closeReason() !== null) this.handshakes.delete(connection)
  }

  private accept(datagram: Uint8Array, path: PathAddress, now: number, ecn: number): Connection | null {
    const { header } = this
    const { server } = this.config
    if (server === undefined || !this.accepting) return null
    // RFC 9000 §7.2 is for 0-RTT packets as well: they carry the same connection ID.
    if (header.packetType === PacketType.zeroRtt && header.destinationLength >= LEAST_FIRST_DESTINATION) {
      this.early.add(header, datagram, path, ecn, now)
    }
    if (header.packetType !== PacketType.initial) return null
    // RFC 9000 §14.1, §7.2: too small a datagram or connection ID never starts a connection.
    if (datagram.length < MIN_INITIAL_DATAGRAM || header.destinationLength < LEAST_FIRST_DESTINATION) return null
    const admission = (this.admission ??= this.openAdmission(server))
    const load = { handshakes: this.handshakes.size, connections: this.router.size }
    const admitted = admission.admit(header, datagram, path, load, now)
    if (admitted === null || this.incoming.length >= this.maxIncoming || this.handshakes.size >= this.maxHandshakes) return null
    if (!admission.opens(header)) return null
    const connection = Connection.accept(server(), admitted, path, now)
    connection.receive(datagram, path, now, ecn)
    // Forged or broken first packets leave nothing behind.
    if (!connection.hasReceived()) return null
    admission.onAccepted(admitted)
    this.register(connection)
    this.router.add(admitted.destinationConnectionId, connection)
    this.handshakes.add(connection)
    this.incoming.push(connection)
    for (const early of this.early.take(admitted.destinationConnectionId, path, now)) connection.receive(early.bytes, path, now, early.ecn)
    return connection
  }

  private openAdmission(server: () => ConnectionConfig): Admission {
    return new Admission({ ...this.config, tokenKeys: this.tokenKeys }, server(), this.config.random, this.stateless)
  }
}
