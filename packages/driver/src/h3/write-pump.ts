// Towards the network: frames of one stream in order, one at a time, until the transport has no room or the channel is empty.

import { H3ErrorCode, H3StateError, type H3Connection, type Header } from '@quicwire/h3'
import type { OutboundFrame } from './frames.ts'
import { SendHalf, type StreamContext } from './stream-context.ts'

export interface WriteSink {
  readonly now: number
  /** The peer's message is malformed, says the application. */
  onPeerStreamError(context: StreamContext): void
  /** The application's frames make no legal message; nothing of the offending one was sent. */
  onMisuse(context: StreamContext, error: H3StateError): void
}

const Written = { whole: 0, blocked: 1, ended: 2 } as const
type Written = (typeof Written)[keyof typeof Written]

/** Moves what can be moved. The caller settles the stream afterwards if its send half is done. */
export function pumpWrites(context: StreamContext, h3: H3Connection, sink: WriteSink): void {
  while (!context.isSendDone) {
    if (context.queued !== null) {
      if (writeQueued(context, h3, sink) !== Written.whole) return
      context.queued = null
      continue
    }
    const next = context.outbound.tryRecv()
    if (next === 'empty') return
    if (next === 'disconnected') {
      sendersGone(context, h3)
      return
    }
    context.queued = next
  }
}

/** All senders dropped without a FIN. */
function sendersGone(context: StreamContext, h3: H3Connection): void {
  if (context.send !== SendHalf.open || context.flowId >= 0) return
  h3.reset(context.id, H3ErrorCode.requestCancelled)
  context.audit.sentResetStreamErrorCode = H3ErrorCode.requestCancelled
  context.endSend(SendHalf.resetByUs)
}

function writeQueued(context: StreamContext, h3: H3Connection, sink: WriteSink): Written {
  const frame = context.queued as OutboundFrame
  try {
    switch (frame.kind) {
      case 'Headers':
        return writeHeaders(context, h3, frame, frame.fin === true, false, sink.now)
      case 'Trailers':
        return writeHeaders(context, h3, frame, true, true, sink.now)
      case 'Body':
        return writeBody(context, h3, frame.data, frame.fin)
      case 'PeerStreamError':
        sink.onPeerStreamError(context)
        return Written.ended
      default:
        // Past the types.
        throw new H3StateError('H3_MESSAGE_STATE', `a stream's sender takes no ${String((frame as { kind?: unknown }).kind)} frames`)
    }
  } catch (error) {
    if (!(error instanceof H3StateError)) throw error
    sink.onMisuse(context, error)
    return Written.ended
  }
}

function isInformational(headers: readonly Header[]): boolean {
  const first = headers[0]
  return first !== undefined && first[0] === ':status' && first[1].length === 3 && first[1].charCodeAt(0) === 0x31
}

function writeHeaders(
  context: StreamContext,
  h3: H3Connection,
  frame: Extract<OutboundFrame, { kind: 'Headers' | 'Trailers' }>,
  fin: boolean,
  trailers: boolean,
  now: number,
): Written {
  const { headers, neverIndexed, priority } = frame
  // Only a priority that was given changes anything: later sections must not undo an earlier choice.
  if (priority !== undefined) h3.setPriority(context.id, priority.urgency, priority.incremental)
  const informational = !trailers && isInformational(headers)
  if (!h3.sendHeaders(context.id, headers, { fin, trailers, informational, neverIndexed })) {
    if (!h3.isSendable(context.id)) return stopped(context)
    if (context.headersBlockedAt < 0) context.headersBlockedAt = now
    return Written.blocked
  }
  if (context.headersBlockedAt >= 0) {
    context.audit.headersFlushDuration += now - context.headersBlockedAt
    context.headersBlockedAt = -1
  }
  if (!informational) context.initialHeadersSent = true
  return fin ? finSent(context) : Written.whole
}

function writeBody(context: StreamContext, h3: H3Connection, data: Uint8Array, fin: boolean): Written {
  const rest = context.remainder ?? data
  if (rest.length === 0 && !fin) return Written.whole
  if (fin && context.send === SendHalf.open) {
    // The message is complete here: no more frames, even while this one waits for room.
    context.send = SendHalf.finQueued
    context.outbound.close()
  }
  const accepted = h3.sendBody(context.id, rest, fin)
  if (accepted < 0) return stopped(context)
  context.audit.downstreamBytesSent += accepted
  if (accepted < rest.length) {
    context.remainder = rest.subarray(accepted)
    return Written.blocked
  }
  // Nothing accepted of nothing: only the half's state tells whether the FIN went out or waits for room.
  if (fin && rest.length === 0 && h3.isSendable(context.id)) return Written.blocked
  context.remainder = null
  return fin ? finSent(context) : Written.whole
}

function finSent(context: StreamContext): Written {
  context.audit.sentStreamFin = 'Explicit'
  context.endSend(SendHalf.finSent)
  return Written.ended
}

/** The peer sent STOP_SENDING or the stream is gone; the event with the code is on its way or has been. */
function stopped(context: StreamContext): Written {
  context.endSend(SendHalf.stoppedByPeer)
  return Written.ended
}

