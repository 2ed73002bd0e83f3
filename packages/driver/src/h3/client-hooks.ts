// The client: sends requests, pairs responses with them. A request that cannot be sent fails alone. Requests beyond the peer's stream
// limit wait in order until it is raised.

import { H3ErrorCode, H3StateError } from '@quicwire/h3'
import { Ring } from '@quicwire/quic/ring'
import type { HandshakeTimes } from '../app/application.ts'
import type { ClientH3Command, H3Command, NewClientRequest } from './commands.ts'
import type { H3DriverCore } from './driver-core.ts'
import type { DriverHooks } from './hooks.ts'
import type { HeadersEvent } from './layer-events.ts'
import { ReceiveHalf, SendHalf, type StreamContext } from './stream-context.ts'

export class ClientHooks implements DriverHooks<ClientH3Command> {
  readonly role = 'client'
  private readonly waiting: Ring<NewClientRequest>
  private readonly maxWaiting: number
  private readonly coreCommand: (core: H3DriverCore, command: H3Command) => void

  constructor(maxWaiting: number, coreCommand: (core: H3DriverCore, command: H3Command) => void) {
    this.waiting = new Ring()
    this.maxWaiting = maxWaiting
    this.coreCommand = coreCommand
  }

  onEstablished(_core: H3DriverCore, _times: HandshakeTimes): void {
    // Requests come as commands.
  }

  onCommand(core: H3DriverCore, command: ClientH3Command): void {
    if (command.kind === 'ForgetOrigin') {
      core.h3.forgetOrigin(command.origin)
      return
    }
    if (command.kind !== 'ClientRequest') {
      this.coreCommand(core, command)
      return
    }
    const request = command.request
    // In order: nothing overtakes a request that waits.
    if (this.waiting.length > 0 || !this.initiate(core, request)) {
      if (this.waiting.length < this.maxWaiting) this.waiting.push(request)
      else fail(core, request, new RangeError(`${this.maxWaiting} requests are already waiting for the peer's stream limit`))
    }
  }

  onRequestsAvailable(core: H3DriverCore): void {
    for (let request = this.waiting.peek(); request !== undefined; request = this.waiting.peek()) {
      // Still blocked: it keeps its place.
      if (!this.initiate(core, request)) return
      this.waiting.shift()
    }
    core.closeIfIdle()
  }

  /** False: blocked by the peer's stream limit. */
  private initiate(core: H3DriverCore, request: NewClientRequest): boolean {
    if (core.isShuttingDown) {
      fail(core, request, new H3StateError('H3_CONNECTION_CLOSED', 'the connection is shutting down'))
      return true
    }
    const bodyless = request.bodyWriter === null
    let streamId: number
    try {
      streamId = core.h3.sendRequest(request.headers, bodyless, request.neverIndexed)
    } catch (error) {
      if (!(error instanceof H3StateError)) throw error
      fail(core, request, error)
      return true
    }
    if (streamId < 0) return false
    const { context, ends } = core.addStream(streamId)
    context.initialHeadersSent = true
    context.pendingResponse = ends
    if (request.priority !== undefined) core.h3.setPriority(streamId, request.priority.urgency, request.priority.incremental)
    if (this.takesFlows(core)) core.associateFlow(context, request)
    if (bodyless) {
      context.audit.sentStreamFin = 'Explicit'
      context.endSend(SendHalf.finSent)
    } else request.bodyWriter?.(ends.send)
    core.emit({ kind: 'NewOutboundRequest', streamId, requestId: request.requestId })
    return true
  }

  onHeaders(core: H3DriverCore, event: HeadersEvent): void {
    const context = core.streams.get(event.streamId)
    if (context === undefined) return
    context.answered = true
    if (event.informational) {
      core.emit({ kind: 'InformationalHeaders', streamId: event.streamId, headers: event.headers })
      return
    }
    const ends = context.pendingResponse
    if (ends === null) return
    context.pendingResponse = null
    core.emit({
      kind: 'IncomingHeaders',
      incoming: {
        streamId: event.streamId,
        headers: event.headers,
        neverIndexed: event.neverIndexed,
        // A clone of a sender the application has closed is closed: the response does not revive the request's body.
        send: ends.send.clone(),
        recv: ends.recv,
        readFin: !event.moreFrames,
        h3AuditStats: context.audit,
      },
    })
  }

  onGoAway(core: H3DriverCore, id: number): void {
    // RFC 9114 §5.2: requests from this id on have not been and will not be processed.
    for (const context of core.streams.values()) {
      if (context.id < id || context.receive !== ReceiveHalf.open) continue
      core.abort(context, H3ErrorCode.requestCancelled, H3ErrorCode.requestCancelled)
      // What has been answered has been processed, whatever the server says (§4.1.1).
      const retryable = !context.answered
      core.emit({ kind: 'ResetStream', streamId: context.id, errorCode: H3ErrorCode.requestRejected, retryable })
      core.settle(context)
    }
    this.failWaiting(core, new H3StateError('H3_GOAWAY_RECEIVED', 'the server takes no more requests on this connection (RFC 9114 §5.2)'))
  }

  takesFlows(core: H3DriverCore): boolean {
    return core.settings.enableDatagrams
  }

  onStreamRemoved(_core: H3DriverCore, _context: StreamContext): void {
    // Clients have no event for it.
  }

  isIdle(): boolean {
    return this.waiting.length === 0
  }

  nextDeadline(): number {
    return Infinity
  }

  onDeadline(_core: H3DriverCore): void {
    // No deadline of its own.
  }

  onConnClose(core: H3DriverCore): null {
    this.failWaiting(core, new H3StateError('H3_CONNECTION_CLOSED', 'the connection has ended'))
    return null
  }

  private failWaiting(core: H3DriverCore, error: Error): void {
    for (let request = this.waiting.shift(); request !== undefined; request = this.waiting.shift()) fail(core, request, error)
  }
}

function fail(core: H3DriverCore, request: NewClientRequest, error: Error): void {
  core.emit({ kind: 'RequestFailed', requestId: request.requestId, error })
}
