// H3Driver: the ready-made application that speaks HTTP/3. Made together with its controller; the two share an event and a command
// channel and nothing else. This file maps the worker's callbacks and the HTTP/3 layer's events onto the core and the role's hooks.

import { decodeRememberedSettings, encodeRememberedSettings, type H3Event as LayerEvent, type QpackCounters, type Setting } from '@quicwire/h3'
import type { CloseReason, HandshakeInfo } from '@quicwire/quic'
import type { ApplicationContext, ApplicationOverQuic, HandshakeTimes, TransportEvent } from '../app/application.ts'
import type { Receiver } from '../channel/receiver.ts'
import { unbounded } from '../channel/unbounded.ts'
import { errorFromReason } from '../error-mapping.ts'
import { resolveHttp3Settings, type Http3Settings } from '../settings/http3-settings.ts'
import { quicConnectionStats, socketStats } from '../stats/socket-stats.ts'
import { ClientHooks } from './client-hooks.ts'
import type { ClientH3Command, H3Command, QuicCommand, ServerH3Command } from './commands.ts'
import { ClientH3Controller, ServerH3Controller } from './controller.ts'
import { H3DriverCore, WAKE_COMMAND } from './driver-core.ts'
import type { ClientH3Event, ServerH3Event } from './events.ts'
import type { DriverHooks } from './hooks.ts'
import { ServerHooks } from './server-hooks.ts'

export class H3Driver<Command extends object> implements ApplicationOverQuic {
  private readonly core: H3DriverCore
  private readonly hooks: DriverHooks<Command>
  private readonly commands: Receiver<Command>
  private established: boolean
  /** A client's knowledge of the server for early data. */
  private remembered: readonly Setting[] | null

  /** Use clientH3Driver() or serverH3Driver(). */
  constructor(core: H3DriverCore, hooks: DriverHooks<Command>, commands: Receiver<Command>) {
    this.core = core
    this.hooks = hooks
    this.commands = commands
    this.established = false
    this.remembered = null
  }

  get role(): 'client' | 'server' {
    return this.hooks.role
  }

  /** Streams that have a context now. */
  get openStreams(): number {
    return this.core.streams.size
  }

  /** What QPACK's dynamic tables have been used for, also after the end; null before the handshake. */
  get qpackCounters(): QpackCounters | null {
    return this.core.isStarted ? this.core.h3.qpackCounters() : null
  }

  /** Datagram flows that exist now. */
  get openFlows(): number {
    return this.core.flows.size
  }

  /** A server's requests say whether they came early. A client must remember the server's SETTINGS (RFC 9114 §7.2.4.2). */
  startsInEarlyData(context: ApplicationContext): boolean {
    const { connection } = context
    if (connection.role !== this.hooks.role || !connection.applicationProtocol().startsWith('h3')) return false
    if (this.hooks.role === 'server') return true
    const kept = connection.earlyDataContext()
    if (kept === null || kept.length === 0) return false
    this.remembered = decodeRememberedSettings(kept)
    return this.remembered !== null
  }

  onConnEstablished(context: ApplicationContext, _info: HandshakeInfo | null, times: HandshakeTimes): void {
    if (context.connection.role !== this.hooks.role) {
      throw new TypeError(`a ${this.hooks.role} driver cannot run a ${context.connection.role} connection`)
    }
    requireHttp3(context)
    this.core.start(context, this.hooks.role, this.remembered)
    this.established = true
    this.commands.setWaker(this.core, WAKE_COMMAND)
    this.hooks.onEstablished(this.core, times)
  }

  shouldAct(): boolean {
    return this.established
  }

  onTransportEvent(context: ApplicationContext, event: TransportEvent): void {
    switch (event.kind) {
      case 'datagram':
        this.core.h3.onDatagram()
        return
      case 'early-data':
        if (event.accepted || this.hooks.role === 'server') return
        if (event.streamsKept) this.core.h3.onEarlyDataRejected()
        else {
          requireHttp3(context)
          this.core.startOver(context, this.hooks.role)
        }
        return
      case 'established':
      case 'confirmed':
      // The driver tags no datagrams.
      case 'datagram-acknowledged':
      case 'datagram-lost':
        return
      case 'stream-closed':
        this.core.h3.onStreamEvent(event)
        this.core.onTransportClosed(event.streamId)
        return
      default:
        this.core.h3.onStreamEvent(event)
    }
  }

  processReads(_context: ApplicationContext): void {
    const h3 = this.core.h3
    for (let event = h3.poll(); event !== null; event = h3.poll()) this.onLayerEvent(event)
  }

  processWrites(_context: ApplicationContext): void {
    // Writable streams come as events, frames of the application as wake-ups: nothing to poll for.
  }

  waitForData(_context: ApplicationContext): boolean {
    let any = this.core.serveWoken()
    this.core.sendDatagrams()
    for (let command = this.commands.tryRecv(); command !== 'empty' && command !== 'disconnected'; command = this.commands.tryRecv()) {
      any = true
      this.hooks.onCommand(this.core, command)
    }
    if (!this.core.hasListener) this.core.closeIfIdle()
    return any
  }

  nextDeadline(): number {
    return this.hooks.nextDeadline()
  }

  onDeadline(_context: ApplicationContext): void {
    this.hooks.onDeadline(this.core)
  }

  onShutdown(_context: ApplicationContext): void {
    shutdown(this.core)
  }

  onConnClose(context: ApplicationContext, reason: CloseReason): void {
    const established = this.established
    this.established = false
    if (established && reason.cause !== 'local') {
      this.core.deliverRest()
      this.processReads(context)
    }
    const error = this.hooks.onConnClose(this.core, reason)
    this.commands.setWaker(null, 0)
    this.commands.close()
    // The driver may have begun in early data.
    const complete = context.connection.handshakeInfo() !== null
    this.core.end({ kind: 'ConnectionShutdown', reason, error: error ?? errorFromReason(reason, complete, true) })
  }

  private onLayerEvent(event: LayerEvent): void {
    const core = this.core
    switch (event.kind) {
      case 'headers': {
        const known = core.streams.get(event.streamId)
        if (event.trailers) {
          if (known !== undefined) core.onHeadersOfKnown(known, event)
        } else this.hooks.onHeaders(core, event)
        return
      }
      case 'data': {
        const context = core.streams.get(event.streamId)
        if (context !== undefined) core.read(context)
        return
      }
      case 'writable': {
        const context = core.streams.get(event.streamId)
        if (context !== undefined) core.write(context)
        return
      }
      case 'finished':
        core.onFinished(event.streamId)
        return
      case 'reset':
        core.onPeerReset(event.streamId, event.code, event.retryable)
        return
      case 'stopped':
        core.onPeerStopped(event.streamId, event.code)
        return
      case 'settings':
        if (this.hooks.role === 'client') core.rememberSettings(encodeRememberedSettings(event.settings))
        core.emit({ kind: 'IncomingSettings', settings: event.settings })
        return
      case 'origin':
        core.emit({ kind: 'OriginSet', origins: core.h3.originSet() ?? event.origins })
        return
      case 'goaway':
        core.emit({ kind: 'GoAway', id: event.id })
        this.hooks.onGoAway(core, Number(event.id))
        return
      case 'headers-too-large':
        // RFC 9114 §4.2.2; RFC 6585 §5.
        core.h3.sendHeaders(event.streamId, [[':status', '431']], { fin: true })
        return
      case 'stream-error':
        core.onStreamError(event.streamId, event.code, event.message)
        return
      case 'connection-error':
        core.onConnectionError(event.code, event.message)
        return
      case 'requests-available':
        this.hooks.onRequestsAvailable(core)
        return
      case 'datagram':
        core.receiveDatagrams()
        return
      case 'priority-update':
        // The layer keeps what it says: the hooks ask for a priority with the request's headers.
        return
    }
  }
}

function requireHttp3({ connection }: ApplicationContext): void {
  const protocol = connection.applicationProtocol()
  if (!protocol.startsWith('h3')) throw new TypeError(`the peers agreed on "${protocol}", not on HTTP/3`)
}

function shutdown(core: H3DriverCore): void {
  core.sendGoAway()
  core.isShuttingDown = true
  core.closeIfIdle()
}

function quicCommand(core: H3DriverCore, command: QuicCommand): void {
  switch (command.kind) {
    case 'ConnectionClose':
      if (command.sendApplicationClose) core.connection.close(command.errorCode, command.reason, core.now)
      else core.connection.closeTransport(Number(command.errorCode), command.reason, core.now)
      return
    case 'Custom':
      command.callback(core.connection, core.now)
      return
    case 'Stats':
      command.callback(socketStats(core.connection))
      return
    case 'ConnectionStats':
      command.callback(quicConnectionStats(core.connection))
  }
}

function coreCommand(core: H3DriverCore, command: H3Command): void {
  switch (command.kind) {
    case 'QuicCmd':
      quicCommand(core, command.command)
      return
    case 'GoAway':
      core.sendGoAway()
      return
    case 'Shutdown':
      shutdown(core)
      return
    case 'ShutdownStream':
      core.shutdownStream(command.streamId, command.shutdown)
      return
    case 'SetPriority':
      core.h3.setPriority(command.streamId, command.priority.urgency, command.priority.incremental)
  }
}

export type ClientH3Driver = H3Driver<ClientH3Command>
export type ServerH3Driver = H3Driver<ServerH3Command>

function build<Event extends ClientH3Event | ServerH3Event, Command extends object>(
  settings: Http3Settings,
  makeHooks: (maxQueuedRequests: number) => DriverHooks<Command>,
): { driver: H3Driver<Command>; events: Receiver<Event>; commands: ReturnType<typeof unbounded<Command>>['sender'] } {
  const resolved = resolveHttp3Settings(settings)
  const events = unbounded<ClientH3Event | ServerH3Event>()
  const commands = unbounded<Command>()
  const hooks = makeHooks(resolved.maxQueuedRequests)
  const core: H3DriverCore = new H3DriverCore(resolved, events.sender, {
    onStreamRemoved: (context) => hooks.onStreamRemoved(core, context),
    isIdle: () => hooks.isIdle(),
    takesFlows: () => hooks.takesFlows(core),
  })
  return {
    driver: new H3Driver(core, hooks, commands.receiver),
    // The hooks of a role emit that role's events only.
    events: events.receiver as unknown as Receiver<Event>,
    commands: commands.sender,
  }
}

/** A client's driver and its controller; give the driver to connect(). */
export function clientH3Driver(settings: Http3Settings = {}): { readonly driver: ClientH3Driver; readonly controller: ClientH3Controller } {
  const { driver, events, commands } = build<ClientH3Event, ClientH3Command>(settings, (limit) => new ClientHooks(limit, coreCommand))
  return { driver, controller: new ClientH3Controller(events, commands, (command) => command) }
}

/** A server's driver and its controller; give the driver to IncomingConnection.start(). One per connection. */
export function serverH3Driver(settings: Http3Settings = {}): { readonly driver: ServerH3Driver; readonly controller: ServerH3Controller } {
  const { driver, events, commands } = build<ServerH3Event, ServerH3Command>(settings, () => new ServerHooks(coreCommand))
  return { driver, controller: new ServerH3Controller(events, commands, (command) => command) }
}
