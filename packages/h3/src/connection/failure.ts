import { QpackError } from '@quicwire/qpack'
import type { WireValue } from '@quicwire/quic/varint'
import { H3Error } from '../errors.ts'
import type { RequestStream } from '../streams/request-stream.ts'
import type { H3Core } from './core.ts'

/** How streams and connections end early (RFC 9114 §8). */

/** Turns what peer input raised into an event; anything else is a bug and goes on. */
export function raised(core: H3Core, error: unknown, streamId: number): void {
  if (error instanceof H3Error) {
    if (error.scope === 'stream') failStream(core, streamId, error.wireCode, error.message)
    else failConnection(core, error.wireCode, error.message)
    return
  }
  if (!(error instanceof QpackError)) throw error
  failConnection(core, error.wireCode, error.message)
}

/** Reset and stop: gives up whichever half is still open, without an event. */
export function abortRequest(core: H3Core, request: RequestStream, code: WireValue): void {
  if (!request.receive.done) core.transport.streamStop(request.id, code)
  if (!request.send.done) core.transport.streamReset(request.id, code)
  request.receive.abandon()
  request.send.abandon()
  core.settle(request)
}

export function failStream(core: H3Core, streamId: number, code: number, message: string): void {
  const request = core.requests.find(streamId)
  if (request === undefined) return
  abortRequest(core, request, code)
  core.events.push({ kind: 'stream-error', streamId, code, message })
}

function failConnection(core: H3Core, code: number, message: string): void {
  core.failed = true
  core.requests.clear()
  core.events.push({ kind: 'connection-error', code, message })
}
