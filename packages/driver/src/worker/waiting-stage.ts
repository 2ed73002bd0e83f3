// An accepted connection nobody has started yet: packets are taken in, nothing is sent, events wait for the handshake stage.

import type { ConnectionEvent } from '@quicwire/quic'
import { CloseStage } from './close-stage.ts'
import type { ConnectionStage, StageHost } from './stage.ts'

export class WaitingStage implements ConnectionStage {
  readonly kind = 'waiting'
  readonly sends = false
  readonly events: ConnectionEvent[]
  private readonly host: StageHost

  constructor(host: StageHost) {
    this.host = host
    this.events = []
  }

  onEvent(event: ConnectionEvent): ConnectionStage {
    if (event.kind === 'closed') {
      this.host.reportClosed(event.reason)
      return new CloseStage()
    }
    this.events.push(event)
    return this
  }

  onRead(): boolean {
    return false
  }

  deadline(): number {
    return Infinity
  }

  onDeadline(): void {
    // No deadline of its own: the engine watches the handshake.
  }
}
