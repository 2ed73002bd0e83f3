import { H3StateError } from '../errors.ts'
import type { Header } from '../events.ts'
import type { MessageHead } from '../headers/message-head.ts'
import { checkOutgoingRequest, checkOutgoingResponse, checkOutgoingSize, checkOutgoingTrailers } from '../headers/outgoing.ts'
import { neverHasContent } from '../headers/response-head.ts'
import type { RequestStream } from '../streams/request-stream.ts'
import { SettingId } from '../wire/settings.ts'
import type { H3Core } from './core.ts'

/**
 * Field sections we send (RFC 9114 §4.1): checked, coded, and what they say of their stream. Throws H3StateError before anything is sent.
 */

export interface SendHeadersOptions {
  /** End our half with this section. */
  readonly fin: boolean
  readonly trailers?: boolean | undefined
  /** A 1xx response; the final one is still to come. Must agree with `:status`. */
  readonly informational?: boolean | undefined
  /** Those of the headers, the very tuples, that must not be compressed here or on any further hop (RFC 9204 §7.1.3). */
  readonly neverIndexed?: readonly Header[] | undefined
}

type Fields = readonly Header[]

/** The id of the new stream, -1 when the peer's limit forbids one. */
export function sendRequestSection(core: H3Core, headers: Fields, fin: boolean, neverIndexed: Fields): number {
  const head = checkOutgoingRequest(headers, core.peer.value(SettingId.enableConnectProtocol) === 1)
  checkOutgoingSize(headers, core.peer.value(SettingId.maxFieldSectionSize))
  const id = core.transport.openStream(true)
  if (id === -1) {
    core.requestsBlocked = true
    return -1
  }
  const request = core.addRequest(id, head.method, head.protocol !== null)
  request.send.tunnel = head.method === 'CONNECT'
  // RFC 9218 §9: the same order for what we send.
  core.priorities.onRequestField(request, head.priority)
  const block = core.compression.encode(id, headers, neverIndexed)
  core.trace?.frameCreated(id, { type: 'headers', length: block.length, headers })
  request.send.section(block, fin, false, false, core.greaseFrame())
  return id
}

export function sendResponseSection(core: H3Core, request: RequestStream, headers: Fields, options: SendHeadersOptions): boolean {
  const { fin, informational = false } = options
  request.send.checkSection(false)
  const head = checkOutgoingResponse(headers, informational, fin, request.receive.extendedConnect)
  const { status, priority } = head
  if (!send(core, request, headers, options, false)) return false
  if (informational) return true
  request.send.noContent = neverHasContent(request.receive.requestMethod, status)
  request.send.tunnel = opensTunnel(request, head)
  core.priorities.onResponseField(request, priority)
  return true
}

export function sendTrailerSection(core: H3Core, request: RequestStream, headers: Fields, options: SendHeadersOptions): boolean {
  request.send.checkSection(true)
  checkOutgoingTrailers(headers, !core.isServer)
  return send(core, request, headers, options, true)
}

function send(core: H3Core, request: RequestStream, headers: Fields, options: SendHeadersOptions, trailers: boolean): boolean {
  const { fin, informational = false, neverIndexed } = options
  checkOutgoingSize(headers, core.peer.value(SettingId.maxFieldSectionSize))
  // What is coded is sent: the coding may refer to what the peer learns from it.
  if (!request.send.ready()) return false
  const block = core.compression.encode(request.id, headers, neverIndexed)
  core.trace?.frameCreated(request.id, { type: 'headers', length: block.length, headers })
  return request.send.section(block, fin, trailers, !trailers && informational, core.greaseFrame())
}

function opensTunnel(request: RequestStream, head: MessageHead): boolean {
  return request.receive.requestMethod === 'CONNECT' && head.status < 300
}

export function checkUsable(core: H3Core): void {
  if (!core.started) throw new H3StateError('H3_NOT_STARTED', 'start() comes first')
  if (core.failed) throw new H3StateError('H3_CONNECTION_CLOSED', 'the connection has failed')
}
