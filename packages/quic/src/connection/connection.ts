// The public face of a connection: builds the rooms, then delegates. Sans-IO: bytes, addresses and `now` (milliseconds on
// the caller's clock) come in, datagrams, events and one deadline go out. No protocol rule lives here.
//
// After any input, in this order: poll() until null, transmit() until false, arm one timer at nextTimeout().

import { invariant } from '../base/assert.ts'
import { Ring } from '../base/ring.ts'
import { LocalConnectionIds } from '../cid/local-connection-ids.ts'
import { RemoteConnectionIds } from '../cid/remote-connection-ids.ts'
import { randomResetTokens } from '../cid/reset-token.ts'
import { Cubic } from '../congestion/cubic.ts'
import { DatagramQueue } from '../datagram/queue.ts'
import { MigrationRules } from '../path/migration-rules.ts'
import type { PathAddress } from '../path/path-address.ts'
import { Paths } from '../path/paths.ts'
import { preferredAddressPart } from '../path/preferred-address.ts'
import { LossTimer, PtoState } from '../recovery/pto.ts'
import { SentPacketPool } from '../recovery/sent-packet.ts'
import { AckFrequencyRequest } from '../space/ack-frequency-request.ts'
import { PacketNumberSkips } from '../space/packet-number-skips.ts'
import { Spaces } from '../space/spaces.ts'
import { Streams } from '../stream/streams.ts'
import type { ReceiveState } from '../stream/streams.ts'
import type { HandshakeInfo } from '../tls/config.ts'
import { TlsEngine } from '../tls/engine.ts'
import type { TlsAnswer } from '../tls/events.ts'
import type { TraceSink } from '../trace/sink.ts'
import { TransportErrorCode } from '../wire/constants.ts'
import { TransportError } from '../wire/transport-error.ts'
import type { PreferredAddress, TransportParameters } from '../wire/transport-parameters/table.ts'
import { decodeTransportParameters } from '../wire/transport-parameters/codec.ts'
import type { WireValue } from '../wire/varint.ts'
import { closedByApplication, closedByTransport } from './close-reason.ts'
import type { CloseReason } from './close-reason.ts'
import { transportSettings, versionSettings } from './config.ts'
import type { ConnectionConfig } from './config.ts'
import type { ConnectionCore, Role } from './core.ts'
import { onDatagramTooLarge } from './datagram-size.ts'
import { beginClose, closeOnError, endSilently } from './ending.ts'
import type { ConnectionEvent } from './events.ts'
import { driveHandshake } from './handshake/handshake-driver.ts'
import { EarlyData, isInEarlyData } from './handshake/early-data.ts'
import { earlyTicketSettings } from './handshake/early-tickets.ts'
import { HandshakeFacts } from './handshake/handshake-facts.ts'
import { installInitialKeys } from './handshake/initial-keys-install.ts'
import { NewToken } from './handshake/new-token.ts'
import type { TokenIssuer } from './handshake/new-token.ts'
import { greaseParameter, localTransportParameters } from './handshake/parameters.ts'
import { Versions, announcedVersions } from './handshake/version-choice.ts'
import { ServerTokens } from './handshake/token-store.ts'
import { IdleTimer } from './idle.ts'
import { KeyPhase } from './key-phase.ts'
import { Lifecycle } from './lifecycle.ts'
import { migrate, probePath } from './migration.ts'
import { receiveDatagram } from './receive/datagram.ts'
import { DeferredPackets } from './receive/deferred-packets.ts'
import { ReceiveScratch } from './receive/receive-scratch.ts'
import { ConnectionSituation } from './recovery-situation.ts'
import { ConnectionAddressing } from './send/connection-addressing.ts'
import { transmitDatagram } from './send/datagram.ts'
import { SendScratch } from './send/send-scratch.ts'
import type { Transmit } from './send/transmit-buffer.ts'
import { ConnectionStats, pathStatsOf } from './stats.ts'
import type { PathStats } from './stats.ts'
import { nextDeadline, onTimeouts } from './timeouts.ts'

/** RFC 9000 §7.2: the client's first destination connection ID is random and at least 8 bytes long. */
const FIRST_DESTINATION_LENGTH = 8

/** What a server knows from the client's first Initial packet. Copies; the datagram may be reused. */
export interface IncomingInitial {
  /** One that the server speaks. */
  readonly version: number
  readonly destinationConnectionId: Uint8Array
  readonly sourceConnectionId: Uint8Array
  /** The same as `destinationConnectionId`, unless a Retry came before (RFC 9000 §7.3). */
  readonly originalDestinationConnectionId: Uint8Array
  /** The Source Connection ID of that Retry, null without one. */
  readonly retrySourceConnectionId: Uint8Array | null
  /** A token validated the client's address: the amplification limit does not apply (RFC 9000 §8.1). */
  readonly addressValidated: boolean
  /** Makes the client's NEW_TOKEN token, null for none. */
  readonly issueToken: TokenIssuer | null
}

export class Connection {
  readonly role: Role
  /** The destination connection ID of the client's first Initial: names the connection in logs on both sides. */
  readonly originalDestinationConnectionId: Uint8Array
  private readonly core: ConnectionCore

  /** A client connection whose first flight is ready for transmit(). Throws RangeError or TlsUsageError for a bad configuration. */
  static connect(config: ConnectionConfig, path: PathAddress, now: number): Connection {
    const destination = firstDestination(config)
    const connection = new Connection('client', config, path, destination, destination, null, now)
    connection.core.handshake.token = connection.core.serverTokens.take(connection.core.handshake.version)
    connection.core.tls.start(now)
    driveHandshake(connection.core, now)
    return connection
  }

  /** A server connection for a client's first Initial; hand the same datagram to receive() next. */
  static accept(config: ConnectionConfig, initial: IncomingInitial, path: PathAddress, now: number): Connection {
    return new Connection('server', config, path, initial.originalDestinationConnectionId, initial.sourceConnectionId, initial, now)
  }

  private constructor(
    role: Role,
    config: ConnectionConfig,
    path: PathAddress,
    original: Uint8Array,
    destination: Uint8Array,
    initial: IncomingInitial | null,
    now: number,
  ) {
    this.role = role
    this.originalDestinationConnectionId = original
    this.core = buildCore(role, config, path, original, destination, initial, now)
    installInitialKeys(this.core, initial === null ? original : initial.destinationConnectionId)
    this.core.trace?.connectionStarted(now, path.local, path.remote)
  }

  /** Takes ownership of the bytes, which are decrypted in place. Peer input never throws. `ecn`: codepoint of the IP header, 0 if unknown. */
  receive(datagram: Uint8Array, path: PathAddress, now: number, ecn: number = 0): void {
    receiveDatagram(this.core, datagram, path, ecn, now)
  }

  onTimeout(now: number): void {
    onTimeouts(this.core, now)
  }

  /** Fills `out` with one datagram to send. False when there is nothing (more) to send now. */
  transmit(out: Transmit, now: number): boolean {
    return transmitDatagram(this.core, out, now)
  }

  /** When onTimeout() is due, in milliseconds on the caller's clock; Infinity when nothing is pending. */
  nextTimeout(): number {
    return nextDeadline(this.core)
  }

  poll(): ConnectionEvent | null {
    const { core } = this
    return core.events.shift() ?? core.streams.pollEvent() ?? core.localIds.pollEvent() ?? core.datagrams.pollOutcome()
  }

  /** Opens a stream; -1 when the peer's limit allows none (a `streams-available` event follows). */
  openStream(bidirectional: boolean): number {
    return this.core.lifecycle.isOpen() ? this.core.streams.open(bidirectional) : -1
  }

  /**
   * Appends to a stream. Returns how many bytes were taken, which may be fewer than given (a `stream-writable` event
   * follows), or -1 when the sending half is closed, reset or stopped by the peer. Takes ownership of `data`; `fin` counts
   * only when everything was taken.
   */
  streamWrite(id: number, data: Uint8Array, fin: boolean): number {
    return this.core.lifecycle.isOpen() ? this.core.streams.write(id, data, 0, data.length, fin) : -1
  }

  /** Bytes streamWrite() would take now, -1 when the sending half is gone. */
  streamCapacity(id: number): number {
    return this.core.lifecycle.isOpen() ? this.core.streams.capacity(id) : -1
  }

  /** The next contiguous bytes as a view, null when there are none now. */
  streamPeek(id: number): Uint8Array | null {
    return this.core.streams.peek(id)
  }

  /** Gives up `length` of the bytes streamPeek() showed; this is what grants the peer flow-control credit. */
  streamConsume(id: number, length: number): void {
    this.core.streams.consume(id, length)
  }

  /** 0 open, 1 finished (all bytes consumed), 2 reset by the peer, 3 unknown or removed. */
  streamReceiveState(id: number): ReceiveState {
    return this.core.streams.receiveState(id)
  }

  /** Code of the peer's RESET_STREAM or RESET_STREAM_AT, -1 without one. */
  streamResetCode(id: number): WireValue {
    return this.core.streams.resetCode(id)
  }

  /** Code of the peer's STOP_SENDING, -1 without one. */
  streamStopCode(id: number): WireValue {
    return this.core.streams.stopCode(id)
  }

  /** RESET_STREAM: abandons the sending half. */
  streamReset(id: number, code: WireValue): void {
    this.core.streams.reset(id, code)
  }

  /**
   * RESET_STREAM_AT: abandons the sending half but for its first `reliableSize` bytes, which still arrive before the reset. May be said
   * again with the same code and a smaller size; streamReset() afterwards keeps the code. False, and nothing changes: the peer does not
   * take such resets (streamReset() always works), fewer bytes have been written, the code is another or the size larger than before, or
   * the half is reset or done. Throws RangeError for what is no error code or no size.
   */
  streamResetAt(id: number, code: WireValue, reliableSize: number): boolean {
    return this.core.lifecycle.isOpen() && this.core.streams.resetAt(id, code, reliableSize)
  }

  /** STOP_SENDING: abandons the receiving half. */
  streamStop(id: number, code: WireValue): void {
    this.core.streams.stop(id, code)
  }

  /** Lower urgency goes first (0–255); incremental streams of one urgency share, others go one after another. */
  streamSetPriority(id: number, urgency: number, incremental: boolean): void {
    this.core.streams.setPriority(id, urgency, incremental)
  }

  /** Streams the peer's limit still lets us open. */
  streamsLeft(bidirectional: boolean): number {
    return this.core.streams.peerStreamsLeft(bidirectional)
  }

  /** Streams of the kind the peer may have opened altogether, closed ones included: the last MAX_STREAMS we sent. */
  peerStreamLimit(bidirectional: boolean): number {
    return this.core.streams.localStreamLimit(bidirectional)
  }

  /**
   * RFC 9221. Takes the bytes over. False when datagrams were not negotiated, the data is too large, or the queue is full: of 512
   * datagrams or 1 MiB, where `dropOldestDatagrams` makes room instead. With a tag, an integer from 0 of the caller's choice, one
   * `datagram-acknowledged` or `datagram-lost` event with that tag follows, unless the connection ends before; 8192 may be open.
   */
  datagramSend(data: Uint8Array, tag?: number): boolean {
    return this.core.lifecycle.isOpen() && this.core.datagrams.send(data, tag)
  }

  /** The oldest datagram received, null when there is none. 512 of them, or 1 MiB, wait; beyond that the oldest is dropped. */
  datagramReceive(): Uint8Array | null {
    return this.core.datagrams.receive()
  }

  /** The largest payload datagramSend() takes now, 0 when datagrams were not negotiated. */
  datagramMaxSize(): number {
    return this.core.datagrams.maxSize()
  }

  /** Closes with an application code (RFC 9000 §10.2). No effect when the connection is already ending. */
  close(code: WireValue, reason: string, now: number): void {
    beginClose(this.core, closedByApplication(code, reason), now)
  }

  /** Closes with a transport code. */
  closeTransport(code: number, reason: string, now: number): void {
    beginClose(this.core, closedByTransport(code, reason), now)
  }

  /**
   * Ends without a word, also in the closing period, for an owner that cannot send any more: every secret is overwritten, nothing is
   * received or sent. Who can wait calls close() and waits for isClosed().
   */
  destroy(now: number): void {
    endSilently(this.core, closedByTransport(TransportErrorCode.noError, ''), now)
  }

  /** The socket refused the last datagram of that many bytes on the path in use (EMSGSIZE). Smaller ones are sent from now on. */
  onDatagramTooLarge(size: number, now: number): void {
    if (this.core.lifecycle.isOpen()) onDatagramTooLarge(this.core, size, now)
  }

  /**
   * A client moves to another path (RFC 9000 §9): `path.local` names another socket, `path.remote` is remoteAddress() or the server's
   * preferred address. The path is validated first, with a fresh connection ID; on success data goes there (`path-validated`,
   * `path-changed`), otherwise everything stays as it is (`path-validation-failed`). While the server has not issued another
   * connection ID, validation waits for one until it times out. Throws MigrationError, see its codes.
   */
  migrate(path: PathAddress, now: number): void {
    migrate(this.core, path, now)
  }

  /** Validates a path as migrate() does, and stays where it is. The path is then kept for half a minute. Throws MigrationError. */
  probePath(path: PathAddress, now: number): void {
    probePath(this.core, path, now)
  }

  /** Sends a PING soon: keeps a connection alive or checks that it is. */
  ping(): void {
    this.core.sending.pingDue = true
  }

  /** Starts a key update when the rules of RFC 9001 §6 next allow one. */
  updateKeys(): void {
    this.core.keyPhase.request()
  }

  /** Answers the last `need` event. */
  provide(answer: TlsAnswer, now: number): void {
    if (!this.core.lifecycle.isOpen()) return
    try {
      this.core.tls.provide(answer, now)
      driveHandshake(this.core, now)
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      closeOnError(this.core, error, now)
    }
  }

  /**
   * 0-RTT (RFC 9001 §4.6) before the handshake is complete: on a client, early data is offered and not refused, and what is written now
   * may go out in packets that can be replayed; on a server, early data was accepted.
   */
  isInEarlyData(): boolean {
    return isInEarlyData(this.core.early, this.core.lifecycle.state)
  }

  /** The protocol agreed on (RFC 7301), or on a client in early data that of the session; '' when there is none yet. */
  applicationProtocol(): string {
    return this.core.tls.alpn ?? this.core.early.alpn
  }

  /** Servers: a byte of the stream came in a 0-RTT packet before the handshake was complete, so that it may be a replay (RFC 8470). */
  streamIsEarly(id: number): boolean {
    return this.core.early.isEarlyStream(id)
  }

  /** Clients: the `earlyDataContext` stored with the session that early data is offered under; null when none is. */
  earlyDataContext(): Uint8Array | null {
    return this.core.tls.earlySession()?.earlyDataContext ?? null
  }

  /** Clients: bytes to store with the sessions that are given from now on, at most 4096: what 0-RTT with them has to go by. */
  setEarlyDataContext(bytes: Uint8Array): void {
    if (this.role === 'client') this.core.tls.setEarlyDataContext(bytes)
  }

  /** The handshake is complete and the connection is not ending. */
  isEstablished(): boolean {
    return this.core.lifecycle.isEstablished()
  }

  /** At least one packet was authentic. A server drops an attempt for which this never became true. */
  hasReceived(): boolean {
    return this.core.stats.packetsReceived > 0
  }

  isConfirmed(): boolean {
    return this.core.lifecycle.state === 'confirmed'
  }

  isClosing(): boolean {
    return this.core.lifecycle.state === 'closing'
  }

  isDraining(): boolean {
    return this.core.lifecycle.state === 'draining'
  }

  /** Over for good: the object may be dropped. */
  isClosed(): boolean {
    return this.core.lifecycle.state === 'closed'
  }

  closeReason(): CloseReason | null {
    return this.core.lifecycle.reason
  }

  /** Null before the handshake is complete. */
  handshakeInfo(): HandshakeInfo | null {
    return this.core.tls.complete ? this.core.tls.info() : null
  }

  /**
   * Bytes that both ends can derive from this connection's secrets and nobody else (RFC 9846 §7.5). `length` in bytes, at most 255 times that of
   * the suite's hash. Throws TlsUsageError before the handshake is complete, and when the connection is over.
   */
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array {
    return this.core.tls.exportKeyingMaterial(label, context, length)
  }

  /** Milliseconds from start to completion, -1 before. */
  handshakeDuration(): number {
    return this.core.handshake.duration
  }

  peerTransportParameters(): TransportParameters | null {
    return this.core.handshake.peerParameters
  }

  /** The QUIC version in use: the client's first one until the handshake has negotiated another (RFC 9368). */
  version(): number {
    return this.core.handshake.version
  }

  localAddress(): string {
    return this.core.paths.active.address.local
  }

  remoteAddress(): string {
    return this.core.paths.active.address.remote
  }

  /** Clients: where the server would rather be reached (RFC 9000 §9.6), written as remoteAddress() is; '' for nowhere else. */
  preferredAddress(): string {
    return this.core.migration.preferred
  }

  /** A datagram between these addresses belongs to a path of this connection. */
  hasPath(path: PathAddress): boolean {
    return this.core.paths.find(path) !== null
  }

  /** The peer is known to receive at remoteAddress() (RFC 9000 §8): always so on a client. */
  isRemoteAddressValidated(): boolean {
    return this.core.paths.active.amplification.validated
  }

  /** Connection IDs packets for this connection may carry, besides the original one during the handshake. */
  sourceConnectionIds(): readonly Uint8Array[] {
    return this.core.localIds.active()
  }

  /** The counters: one object, brought up to date by this call and live in part. */
  stats(): Readonly<ConnectionStats> {
    const { stats, streams, datagrams, events } = this.core
    stats.streamsOpen = streams.openStreams
    stats.streamBytesWritten = streams.bytesWritten
    stats.streamBytesSent = streams.bytesSent
    stats.streamBytesReceived = streams.bytesReceived
    stats.streamBytesRead = streams.bytesRead
    stats.datagramFramesSent = datagrams.sent
    stats.datagramFramesReceived = datagrams.received
    stats.datagramFramesDropped = datagrams.receivedDropped + datagrams.sendDropped
    stats.eventsWaiting = events.length + streams.eventsWaiting
    return stats
  }

  /** Whom the configuration told to trace the connection: a protocol above may write its own events there. */
  get trace(): TraceSink | null {
    return this.core.trace
  }

  /** Of the path in use. */
  pathStats(): PathStats {
    return pathStatsOf(this.core.paths.active, true)
  }

  /** Of every path: the one in use, those being validated, and those left a moment ago. */
  allPathStats(): PathStats[] {
    const { paths } = this.core
    return paths.all().map((path) => pathStatsOf(path, path === paths.active))
  }
}

/** RFC 9000 §7.2: "at least 8 bytes in length", and unpredictable. */
function firstDestination({ firstDestination: given, random }: ConnectionConfig): Uint8Array {
  if (given !== undefined) {
    if (given.length < FIRST_DESTINATION_LENGTH || given.length > 20) throw new RangeError('a first destination connection ID has 8 to 20 bytes')
    return given.slice()
  }
  const destination = new Uint8Array(FIRST_DESTINATION_LENGTH)
  random.fill(destination)
  return destination
}

function buildCore(
  role: Role,
  config: ConnectionConfig,
  address: PathAddress,
  original: Uint8Array,
  destination: Uint8Array,
  initial: IncomingInitial | null,
  now: number,
): ConnectionCore {
  const settings = transportSettings(config.transport)
  const source = config.connectionIds.generate()
  const resetToken = config.resetToken ?? randomResetTokens(config.random)
  const isServer = role === 'server'
  const { versions: supported, original: firstVersion, preferred } = versionSettings(config)
  const originalVersion = initial === null ? firstVersion : initial.version
  const afterNegotiation = config.afterVersionNegotiation ?? false
  const versions = new Versions({ role, original: originalVersion, supported, preferred, afterNegotiation })
  const localIds = new LocalConnectionIds({ generator: config.connectionIds, resetToken, initial: source })
  const preferredAddress = isServer ? preferredAddressOf(config, localIds) : null
  const identity = {
    role,
    preferredAddress,
    initialSourceConnectionId: source,
    originalDestinationConnectionId: isServer ? original : null,
    retrySourceConnectionId: initial === null ? null : initial.retrySourceConnectionId,
    statelessResetToken: isServer && config.resetToken !== undefined ? config.resetToken(source) : null,
    grease: settings.grease ? greaseParameter(config.random) : null,
  }
  const available = announcedVersions(versions, isServer, settings.grease ? config.random : null)
  const encodeParameters = (chosen: number): Uint8Array =>
    localTransportParameters(settings, { ...identity, versionInformation: { chosen, available } })
  const parameters = encodeParameters(originalVersion)
  if (isServer) versions.encodeParameters = encodeParameters
  const { provider, random } = config
  const pool = new SentPacketPool()
  const spaces = new Spaces(settings.maxAckDelay, pool, new PacketNumberSkips(random, settings.skipPacketNumbers))
  const ackFrequency = new AckFrequencyRequest()
  const lifecycle = new Lifecycle()
  const handshake = new HandshakeFacts(original, originalVersion, now, settings.handshakeTimeout)
  const createController = config.createController ?? ((size: number) => new Cubic(size))
  const { datagramSize, initialRtt, mtuDiscovery, maxProbeSize, ecnCapable } = settings
  const pathConfig = { maxDatagramSize: datagramSize, initialRtt, createController, mtuDiscovery, maxProbeSize, ecnCapable }
  // RFC 9000 §8.1: only servers are bound by the amplification limit, and only while no token has validated the address.
  const remoteIds = new RemoteConnectionIds({ activeConnectionIdLimit: settings.activeConnectionIdLimit, initial: destination })
  const paths = new Paths(address, initial === null || initial.addressValidated, pathConfig, remoteIds)
  const local = decodeTransportParameters(parameters, role)
  const sessions = { sessionVersion: originalVersion, ...(isServer ? earlyTicketSettings(config.tls, local) : {}) }
  const core: ConnectionCore = {
    role,
    settings,
    localIdLength: config.connectionIds.length,
    provider,
    random,
    lifecycle,
    handshake,
    versions,
    early: new EarlyData(),
    newToken: new NewToken(initial === null ? null : initial.issueToken),
    serverTokens: new ServerTokens((isServer ? null : config.tokenStore) ?? null, config.tls.serverName),
    tls: new TlsEngine({ ...config.tls, ...sessions, role, provider, random, transportParameters: parameters }),
    spaces,
    paths,
    migration: new MigrationRules(address, settings.disableActiveMigration, config.preferredAddress !== 'ignore'),
    streams: new Streams({
      role,
      local,
      maxConnectionWindow: settings.maxConnectionWindow,
      maxStreamWindow: settings.maxStreamWindow,
      sendBufferLimit: settings.sendBufferLimit,
    }),
    datagrams: new DatagramQueue({ maxFrameSize: settings.maxDatagramFrameSize, dropOldest: settings.dropOldestDatagrams }),
    localIds,
    remoteIds,
    pto: new PtoState(now),
    lossTimer: new LossTimer(),
    situation: new ConnectionSituation({ role, spaces, lifecycle, handshake, paths, ackFrequency }),
    ackFrequency,
    keyPhase: new KeyPhase(),
    idle: new IdleTimer(settings.maxIdleTimeout, settings.keepAliveInterval, now),
    packetPool: pool,
    deferred: new DeferredPackets(),
    receiving: new ReceiveScratch(),
    sending: new SendScratch(pool),
    addressing: new ConnectionAddressing(handshake, versions, source, random),
    events: new Ring<ConnectionEvent>(),
    stats: new ConnectionStats(),
    trace: config.createTrace?.(original, role, now) ?? null,
  }
  invariant(source.length === config.connectionIds.length, 'the generator makes connection IDs of its stated length')
  core.trace?.parametersSet(now, 'local', local)
  return core
}

/** RFC 9000 §18.2: with connection ID 1 and its reset token; null where none is configured. */
function preferredAddressOf(config: ConnectionConfig, localIds: LocalConnectionIds): PreferredAddress | null {
  const { preferredAddress } = config
  if (preferredAddress === undefined || typeof preferredAddress === 'string') return null
  if (localIds.length === 0) throw new RangeError('a server with empty connection IDs cannot have a preferred address (RFC 9000 §18.2)')
  const addresses = preferredAddressPart(preferredAddress)
  const { connectionId, resetToken } = localIds.issuePreferred()
  return { ...addresses, connectionId, statelessResetToken: resetToken }
}
