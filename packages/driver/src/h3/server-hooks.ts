// The server: turns requests into Headers events, enforces the request limit and the time to the first request.

import { H3ErrorCode } from '@quicwire/h3'
import type { CloseReason } from '@quicwire/quic'
import type { HandshakeTimes } from '../app/application.ts'
import { PostAcceptTimeoutError, type ConnectionError } from '../errors.ts'
import type { H3Command, ServerH3Command } from './commands.ts'
import type { H3DriverCore } from './driver-core.ts'
import type { DriverHooks } from './hooks.ts'
import type { HeadersEvent } from './layer-events.ts'
import type { StreamContext } from './stream-context.ts'

export class ServerHooks implements DriverHooks<ServerH3Command> {
  readonly role = 'server'
  private requests: number
  private firstRequestBy: number
  private hasTimedOut: boolean
  private readonly coreCommand: (core: H3DriverCore, command: H3Command) => void

  constructor(coreCommand: (core: H3DriverCore, command: H3Command) => void) {
    this.requests = 0
    this.firstRequestBy = Infinity
    this.hasTimedOut = false
    this.coreCommand = coreCommand
  }

  onEstablished(core: H3DriverCore, times: HandshakeTimes): void {
    // Counted from the start of the handshake; a handshake that took longer meets the deadline at once.
    this.firstRequestBy = times.startedAt + core.settings.postAcceptTimeout
    if (core.settings.origins.length > 0) core.h3.sendOrigin(core.settings.origins)
  }

  onHeaders(core: H3DriverCore, event: HeadersEvent): void {
    this.firstRequestBy = Infinity
    // Nobody is left to answer.
    if (core.isEnding) return
    const { streamId } = event
    if (!core.hasListener || this.requests >= core.settings.maxRequestsPerConnection) {
      // RFC 9114 §4.1.1: not processed, may be retried elsewhere.
      core.h3.stop(streamId, H3ErrorCode.requestRejected)
      core.h3.reset(streamId, H3ErrorCode.requestRejected)
      return
    }
    const { context, ends } = core.addStream(streamId)
    if (this.takesFlows(core)) core.associateFlow(context, event)
    this.requests++
    core.emit({
      kind: 'Headers',
      incoming: {
        streamId,
        headers: event.headers,
        neverIndexed: event.neverIndexed,
        send: ends.send,
        recv: ends.recv,
        readFin: !event.moreFrames,
        h3AuditStats: context.audit,
      },
      priority: core.h3.priorityUpdate(streamId),
      isInEarlyData: core.connection.isInEarlyData() && core.connection.streamIsEarly(streamId),
    })
    if (this.requests >= core.settings.maxRequestsPerConnection) core.sendGoAway()
  }

  onCommand(core: H3DriverCore, command: ServerH3Command): void {
    this.coreCommand(core, command)
  }

  onGoAway(_core: H3DriverCore, _id: number): void {
    // A client's GOAWAY speaks of pushes; there are none.
  }

  onRequestsAvailable(_core: H3DriverCore): void {
    // A server opens no requests.
  }

  takesFlows(core: H3DriverCore): boolean {
    return core.settings.enableExtendedConnect
  }

  onStreamRemoved(core: H3DriverCore, context: StreamContext): void {
    core.emit({ kind: 'StreamClosed', streamId: context.id })
  }

  isIdle(): boolean {
    return true
  }

  nextDeadline(): number {
    return this.firstRequestBy
  }

  onDeadline(core: H3DriverCore): void {
    if (core.now < this.firstRequestBy) return
    this.firstRequestBy = Infinity
    this.hasTimedOut = true
    core.close(H3ErrorCode.noError, 'no request in time')
  }

  onConnClose(_core: H3DriverCore, reason: CloseReason): ConnectionError | null {
    this.firstRequestBy = Infinity
    return this.hasTimedOut && reason.cause === 'local' ? new PostAcceptTimeoutError(reason) : null
  }
}
