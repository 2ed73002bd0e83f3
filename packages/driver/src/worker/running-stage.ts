// Running: the application works. Order of a pass: the engine's events, then reads, then writes, then whatever became ready outside
// the network. An exception from the application ends the connection, never the process.

import type { ConnectionEvent } from '@quicwire/quic'
import type { TransportEvent } from '../app/application.ts'
import { CloseStage } from './close-stage.ts'
import type { ApplicationOverQuic, ConnectionStage, StageHost } from './stage.ts'

export class RunningStage implements ConnectionStage {
  readonly kind = 'running'
  readonly sends = true
  private readonly host: StageHost
  private readonly application: ApplicationOverQuic

  constructor(host: StageHost, application: ApplicationOverQuic) {
    this.host = host
    this.application = application
  }

  onEvent(event: ConnectionEvent): ConnectionStage {
    switch (event.kind) {
      case 'closed':
        try {
          this.application.onConnClose(this.host.context, event.reason)
        } finally {
          this.host.reportClosed(event.reason)
        }
        return new CloseStage()
      case 'established':
        // The application has begun in early data.
        this.host.reportEstablished()
        this.guarded(event)
        return this
      case 'connection-id-issued':
      case 'connection-id-retired':
      case 'path-probing':
      case 'path-validated':
      case 'path-validation-failed':
      case 'path-changed':
      case 'need':
        return this
      default:
        this.guarded(event)
        return this
    }
  }

  onRead(): boolean {
    const application = this.application
    if (!application.shouldAct()) return false
    try {
      application.processReads(this.host.context)
      application.processWrites(this.host.context)
      return application.waitForData(this.host.context)
    } catch (error) {
      this.host.applicationFailed(error)
      return false
    }
  }

  deadline(): number {
    return this.application.nextDeadline()
  }

  onDeadline(): void {
    if (!this.application.shouldAct()) return
    try {
      this.application.onDeadline(this.host.context)
    } catch (error) {
      this.host.applicationFailed(error)
    }
  }

  private guarded(event: TransportEvent): void {
    if (!this.application.shouldAct()) return
    try {
      this.application.onTransportEvent(this.host.context, event)
    } catch (error) {
      this.host.applicationFailed(error)
    }
  }
}
