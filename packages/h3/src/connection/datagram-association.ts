import { H3ErrorCode, connectionError } from '../errors.ts'
import type { HttpDatagram } from '../datagram/quarter-stream-id.ts'
import type { H3Core } from './core.ts'
import { failStream } from './failure.ts'

/** Which HTTP Datagrams reach the application (RFC 9297 §2, §2.1). Throws H3Error. */
export function takeDatagram(core: H3Core): HttpDatagram | null {
  for (;;) {
    const datagram = core.datagrams.next()
    if (datagram === null || welcome(core, datagram)) return datagram
  }
}

/** Whether a datagram may be sent for the request. */
export function mayCarryDatagrams(core: H3Core, streamId: number): boolean {
  const request = core.requests.find(streamId)
  if (request === undefined || !request.send.open) return false
  return core.config.anyDatagrams || request.receive.extendedConnect
}

/** False when it was kept, dropped, or was an error of its stream. */
function welcome(core: H3Core, datagram: HttpDatagram): boolean {
  const { streamId } = datagram
  const request = core.requests.find(streamId)
  if (request === undefined || (core.isServer && !request.receive.heard && !request.receive.done)) return early(core, datagram)
  // RFC 9297 §2.1: after the end of the receiving half they are dropped.
  if (request.receive.done) return false
  if (core.config.anyDatagrams || request.receive.extendedConnect) return true
  failStream(core, streamId, H3ErrorCode.datagramError, 'HTTP Datagram for a request that has no semantics for them (RFC 9297 §2)')
  return false
}

/** A datagram whose request is not known: over, refused, or yet to come. A client knows all its requests. */
function early(core: H3Core, datagram: HttpDatagram): boolean {
  const { streamId } = datagram
  const over = core.requests.seen(streamId) && core.requests.find(streamId) === undefined
  if (!core.isServer || over || core.goaway.refuses(streamId)) return false
  if (streamId / 4 >= core.transport.peerStreamLimit(true)) {
    throw connectionError(H3ErrorCode.idError, `HTTP Datagram for stream ${streamId}, beyond the stream limit (RFC 9297 §2.1)`)
  }
  if (core.config.anyDatagrams) return true
  core.datagrams.hold(datagram)
  return false
}
