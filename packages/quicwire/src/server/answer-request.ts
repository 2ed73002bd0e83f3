// One request on a server: headers in, handler, response out. Whatever goes wrong with one request stays with it: a
// handler that throws gives 500, a body that breaks resets the stream (never a clean end of a cut body).

import { joinCookies, type IncomingH3Headers } from '@quicwire/driver'
import { BodyStream, ResponseError } from '../http/body-stream.ts'
import type { Handler, Header, IncomingRequest, OutgoingResponse, Priority } from '../http/message.ts'
import { TOO_EARLY, headerValue, isSafe, knownLength } from '../http/message.ts'
import { wholePriority, withPriority } from '../http/priority.ts'
import { sendBody } from '../http/send-body.ts'
import { neverIndexed, sensitiveNames } from '../http/sensitive.ts'

/** What answers the requests of a server. */
export interface Answerer {
  readonly handler: Handler
  readonly onError: (error: Error) => void
  /** Of early requests: which reach the handler; the others are answered 425. */
  readonly takesEarly: (request: IncomingRequest) => boolean
}

export const takesSafe = (request: IncomingRequest): boolean => isSafe(request.method)

/** What can be done to the stream of a request beside answering it. */
export interface RequestStreamControl {
  /** Resets what has been sent of the response, when the rest cannot follow. */
  abort(): void
  setPriority(priority: Required<Priority>): void
}

/** `early`: it may be a replay. */
export async function answerRequest(incoming: IncomingH3Headers, early: boolean, answerer: Answerer, control: RequestStreamControl): Promise<void> {
  const { onError } = answerer
  const body = new BodyStream(incoming.recv, () => new ResponseError('the request was cut short by the client'))
  const request = requestFrom(incoming, body, early, control)
  try {
    await send(incoming, request, await response(request, answerer))
    // Without a final frame this resets the stream.
    incoming.send.close()
  } catch (error) {
    control.abort()
    onError(asError(error))
  } finally {
    // What is left of the request is not wanted.
    if (!body.complete) body.cancel()
  }
}

function requestFrom(incoming: IncomingH3Headers, body: BodyStream, early: boolean, control: RequestStreamControl): IncomingRequest {
  const fields = incoming.headers
  // RFC 9114 §4.2.1: an application that knows nothing of HTTP/3 gets one cookie line.
  const headers = joinCookies(fields).filter(([name]) => !name.startsWith(':'))
  return {
    method: headerValue(fields, ':method') ?? '',
    path: headerValue(fields, ':path') ?? '',
    authority: headerValue(fields, ':authority') ?? headerValue(fields, 'host') ?? '',
    scheme: headerValue(fields, ':scheme') ?? '',
    headers,
    sensitiveHeaders: sensitiveNames(incoming.neverIndexed),
    body,
    early,
    inform: (status, interim = []) => inform(incoming, status, interim),
    setPriority: (priority) => control.setPriority(wholePriority(priority)),
  }
}

async function inform(incoming: IncomingH3Headers, status: number, headers: readonly Header[]): Promise<boolean> {
  if (!Number.isInteger(status) || status < 100 || status > 199 || status === 101) {
    throw new RangeError(`status ${status} is not that of an interim response: 100, or 102 to 199 (RFC 9114 §4.5)`)
  }
  return incoming.send.send({ kind: 'Headers', headers: [[':status', String(status)], ...headers] })
}

async function response(request: IncomingRequest, { handler, onError, takesEarly }: Answerer): Promise<OutgoingResponse> {
  try {
    if (request.early && !takesEarly(request)) return { status: TOO_EARLY }
    return await handler(request)
  } catch (error) {
    onError(asError(error))
    return { status: 500, headers: [['content-type', 'text/plain']], body: request.method === 'HEAD' ? null : 'internal error\n' }
  }
}

async function send(incoming: IncomingH3Headers, request: IncomingRequest, given: OutgoingResponse): Promise<void> {
  // RFC 9110 §6.4.1: responses to HEAD, and 204 and 304, have no content.
  const bodiless = request.method === 'HEAD' || given.status === 204 || given.status === 304
  const source = given.body ?? null
  const trailers = bodiless ? [] : (given.trailers ?? [])
  const headers: Header[] = [[':status', String(given.status)], ...withPriority(given.headers ?? [], given.priority)]
  const length = knownLength(source)
  const declared = headerValue(headers, 'content-length')
  if (declared === null && length !== null && !bodiless) headers.push(['content-length', String(length)])
  const nothing = bodiless || (length === 0 && trailers.length === 0)
  const started = await incoming.send.send({ kind: 'Headers', headers, fin: nothing, neverIndexed: neverIndexed(headers, given.sensitiveHeaders) })
  if (nothing || !started) {
    await release(source)
    return
  }
  await sendBody(incoming.send, source, trailers, declared === null ? null : Number(declared), given.sensitiveHeaders)
}

/** A stream body that will not be read still holds its file. */
async function release(source: OutgoingResponse['body']): Promise<void> {
  if (source === null || source === undefined || typeof source === 'string' || source instanceof Uint8Array) return
  await source[Symbol.asyncIterator]().return?.()
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
