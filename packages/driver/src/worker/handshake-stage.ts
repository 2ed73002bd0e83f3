// Handshake: until the engine says 'established'. Stream events that arrive earlier (a client sees 0.5-RTT data) are kept and
// given to the application once it has been told about the connection.

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

  onEvent(event: ConnectionEvent): ConnectionStage {
    if (event.kind === 'closed') return this.close(event)
    if (event.kind !== 'established') {
      this.early.push(event)
      return this
    }
    const { connection, context, startedAt } = this.host
    const info = connection.handshakeInfo()
    if (info === null) {
      this.host.applicationFailed(new Error('established without handshake information'))
      return this
    }
    try {
      this.application.onConnEstablished(context, info, { startedAt, elapsed: context.now - startedAt })
    } catch (error) {
      this.host.applicationFailed(error)
      return this
    }
    this.host.reportEstablished()
    let stage: ConnectionStage = new RunningStage(this.host, this.application)
    for (const early of this.early) stage = stage.onEvent(early)
    return stage
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
