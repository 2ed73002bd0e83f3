// Where the roles differ. Sealed: the two implementations are client-hooks.ts and server-hooks.ts, chosen by the factory functions.

import type { CloseReason } from '@quicwire/quic'
import type { HandshakeTimes } from '../app/application.ts'
import type { ConnectionError } from '../errors.ts'
import type { H3DriverCore } from './driver-core.ts'
import type { HeadersEvent } from './layer-events.ts'
import type { StreamContext } from './stream-context.ts'

export interface DriverHooks<Command extends object> {
  readonly role: 'client' | 'server'
  /** The HTTP/3 connection has just been started. */
  onEstablished(core: H3DriverCore, times: HandshakeTimes): void
  /** The first header section of a message, or an interim one. Trailers are the core's. */
  onHeaders(core: H3DriverCore, event: HeadersEvent): void
  onCommand(core: H3DriverCore, command: Command): void
  /** The peer takes no more requests. */
  onGoAway(core: H3DriverCore, id: number): void
  /** The peer raised its stream limit. */
  onRequestsAvailable(core: H3DriverCore): void
  /** Whether datagrams and extended CONNECT make flows. */
  takesFlows(core: H3DriverCore): boolean
  /** A context has just been removed. */
  onStreamRemoved(core: H3DriverCore, context: StreamContext): void
  /** Something the hooks hold back keeps the connection from being idle. */
  isIdle(): boolean
  nextDeadline(): number
  onDeadline(core: H3DriverCore): void
  /** The error of an end that the hooks have brought about; null for any other. */
  onConnClose(core: H3DriverCore, reason: CloseReason): ConnectionError | null
}
