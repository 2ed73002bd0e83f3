// Close: the application has been told and is out of it. The engine answers packets with CONNECTION_CLOSE or stays silent until its
// closing or draining period is over (RFC 9000 §10.2); then the router forgets the connection.

import type { ConnectionEvent } from '@quicwire/quic'
import type { ConnectionStage } from './stage.ts'

export class CloseStage implements ConnectionStage {
  readonly kind = 'close'
  readonly sends = true

  onEvent(_event: ConnectionEvent): ConnectionStage {
    return this
  }

  onRead(): boolean {
    return false
  }

  deadline(): number {
    return Infinity
  }

  onDeadline(): void {
    // Nothing left to wait for.
  }
}
