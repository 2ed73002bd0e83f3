// Handshake: until the engine says 'established', or until early data is possible and the application wants to begin with it. Stream
// events that arrive earlier (a client sees 0.5-RTT data) are kept and given to the application once it has been told about the connection.

import type { ConnectionEvent } from '@quicwire/quic'
import { CloseStage } from './close-stage.ts'
import { RunningStage } from './running-stage.ts'
import type { ApplicationOverQuic, ConnectionStage, StageHost } from './stage.ts'

export class HandshakeStage implements ConnectionStage {
  readonly kind = 'handshake'
  readonly sends = true
  private readonly host: StageHost
  private readonly application: ApplicationOverQuic
  private readonly early: ConnectionEvent[]

  constructor(host: StageHost, application: ApplicationOverQuic) {
    this.host = host
    this.application = application
    this.early = []
  }

  /** The stage to go on with: a client may begin in early data at once. */
  begin(): ConnectionStage {
    return this.host.connection.role === 'client' ? this.beginEarly() : this
  }

  onEvent(event: ConnectionEvent): ConnectionStage {
    switch (event.kind) {
      case 'closed':
        return this.close(event)
      case 'established':
        return this.run()
      case 'early-data':
        return event.accepted && this.host.connection.role === 'server' ? this.beginEarly() : this
      default:
        this.early.push(event)
        return this
    }
  }

  onRead(): boolean {
    return false
  }

  deadline(): number {
    return Infinity
  }

  onDeadline(): void {
    // The engine watches the handshake timeout.
  }

  private beginEarly(): ConnectionStage {
    const { connection, context } = this.host
    if (!connection.isInEarlyData()) return this
    let wanted = false
    try {
      wanted = this.application.startsInEarlyData?.(context) === true
    } catch (error) {
      this.host.applicationFailed(error)
    }
    return wanted ? this.run() : this
  }

  private run(): ConnectionStage {
    if (!this.host.claim()) return new CloseStage()
    const { connection, context, startedAt, handshakeTimeout: timeout } = this.host
    const info = connection.handshakeInfo()
    try {
      const times = { startedAt, timeout, deadline: startedAt + timeout, elapsed: context.now - startedAt }
      this.application.onConnEstablished(context, info, times)
    } catch (error) {
      this.host.applicationFailed(error)
      return this
    }
    this.host.reportBegun()
    if (info !== null) this.host.reportEstablished()
    let stage: ConnectionStage = new RunningStage(this.host, this.application)
    for (const early of this.early) stage = stage.onEvent(early)
    return stage
  }

  private close(event: Extract<ConnectionEvent, { kind: 'closed' }>): ConnectionStage {
    if (this.host.handOver(event.reason)) return new CloseStage()
    try {
      this.application.onConnClose(this.host.context, event.reason)
    } finally {
      this.host.reportClosed(event.reason)
    }
    return new CloseStage()
  }
}
