import type { WireValue } from '@quicwire/quic/varint'
import { H3ErrorCode, connectionError } from '../errors.ts'
import type { MessageHead } from '../headers/message-head.ts'
import type { RequestStream } from '../streams/request-stream.ts'
import type { H3StreamEvent } from '../transport.ts'
import { isClientInitiated, isUnidirectional } from '../wire/stream-types.ts'
import type { H3Core } from './core.ts'
import { raised } from './failure.ts'

/** What the transport's stream events bring about. Throws H3Error and QpackError. */
export function onStreamEvent(core: H3Core, event: H3StreamEvent): void {
  const id = event.streamId
  switch (event.kind) {
    case 'stream-opened':
    case 'stream-readable':
      return readable(core, id)
    case 'stream-writable':
      return writable(core, id)
    case 'stream-reset':
      return peerReset(core, id, event.code ?? core.transport.streamResetCode(id))
    case 'stream-stopped':
      return peerStopped(core, id, event.code ?? core.transport.streamStopCode(id))
    case 'stream-closed':
      return transportClosed(core, id)
    case 'streams-available':
      return streamsAvailable(core)
    default:
  }
}

/** A server has read a valid header section: the request is known from here on. */
export function onRequestHead(core: H3Core, streamId: number, head: MessageHead): void {
  const request = core.requests.find(streamId)
  if (request === undefined) return
  if (streamId > core.requests.handedOver) core.requests.handedOver = streamId
  core.priorities.onRequestField(request, head.priority)
  core.datagrams.release(streamId)
}

function readable(core: H3Core, id: number): void {
  if (isUnidirectional(id)) {
    if (isClientInitiated(id) !== core.isServer) return
    if (core.uniLedger.firstSight(id)) core.uni.open(id)
    core.uni.readable(id)
    unblock(core)
    return
  }
  const request = core.requests.find(id) ?? acceptRequest(core, id)
  if (request === null) return
  request.receive.advance()
  core.settle(request)
}

/** Goes on with the requests whose sections the QPACK encoder stream has made readable (RFC 9204 §2.2.1), in the order of blocking. */
function unblock(core: H3Core): void {
  const { decoder } = core.compression
  for (let id = decoder.nextUnblocked(); id !== -1 && !core.failed; id = decoder.nextUnblocked()) {
    const request = core.requests.find(id)
    if (request === undefined) continue
    try {
      request.receive.unblock()
      core.settle(request)
    } catch (error) {
      raised(core, error, id)
    }
  }
}

/** The record of a request stream the peer has just opened; null when it is over or refused. */
function acceptRequest(core: H3Core, id: number): RequestStream | null {
  if (!isClientInitiated(id)) {
    // RFC 9114 §6.1: there are no server-initiated bidirectional streams.
    if (core.isServer) return null
    throw connectionError(H3ErrorCode.streamCreationError, 'bidirectional stream from a server (RFC 9114 §6.1)')
  }
  if (!core.isServer || !core.requests.firstSight(id)) return null
  if (core.goaway.refuses(id)) {
    // RFC 9114 §5.2: not processed, so the client may retry it elsewhere.
    core.transport.streamStop(id, H3ErrorCode.requestRejected)
    core.transport.streamReset(id, H3ErrorCode.requestRejected)
    core.compression.decoder.cancelStream(id)
    core.datagrams.drop(id)
    return null
  }
  return core.addRequest(id, '', false)
}

function writable(core: H3Core, id: number): void {
  const request = core.requests.find(id)
  if (request === undefined) return core.local.writable(id)
  if (request.send.flush()) core.events.push({ kind: 'writable', streamId: id })
  core.settle(request)
}

function peerReset(core: H3Core, id: number, code: WireValue): void {
  if (isUnidirectional(id)) {
    if (isClientInitiated(id) === core.isServer) {
      if (core.uniLedger.firstSight(id)) return
      core.uni.reset(id)
    }
    return
  }
  const request = core.requests.find(id) ?? acceptRequest(core, id)
  if (request === null || request.receive.done) return
  const { heard } = request.receive
  request.receive.abandon()
  if (core.isServer && !heard) {
    // The application never heard of this request and cannot end our half (RFC 9114 §4.1.1).
    if (!request.send.done) core.transport.streamReset(id, H3ErrorCode.requestRejected)
    request.send.abandon()
  } else {
    // RFC 9114 §4.1.1: as though it had never been sent. A server that has answered has processed it, whatever it says.
    const retryable = !core.isServer && !heard && code === H3ErrorCode.requestRejected
    core.events.push({ kind: 'reset', streamId: id, code, retryable })
  }
  core.settle(request)
}

function peerStopped(core: H3Core, id: number, code: WireValue): void {
  if (core.local.isCritical(id)) {
    throw connectionError(H3ErrorCode.closedCriticalStream, `the peer stopped a critical stream (RFC 9114 §6.2.1, RFC 9204 §4.2)`)
  }
  if (isUnidirectional(id)) return
  const request = core.requests.find(id) ?? acceptRequest(core, id)
  if (request === null || request.send.done) return
  request.send.abandon()
  core.events.push({ kind: 'stopped', streamId: id, code })
  core.settle(request)
}

/** Both halves are over in the transport: what is left here has been given up, unless it waits for the QPACK encoder stream. */
function transportClosed(core: H3Core, id: number): void {
  core.priorities.closed(id)
  const request = core.requests.find(id)
  if (request === undefined) return
  request.closed = true
  request.send.abandon()
  request.receive.transportClosed()
  core.settle(request)
}

function streamsAvailable(core: H3Core): void {
  core.local.open()
  if (!core.requestsBlocked || core.transport.streamsLeft(true) <= 0) return
  core.requestsBlocked = false
  core.events.push({ kind: 'requests-available' })
}
