// One client connection: matches the driver's events to the requests waiting for them. Everything a request can end with
// (response, reset, refusal, lost connection) arrives as an event; the pump below is the only reader.

import {
  MasqueClient,
  type ClientH3Controller,
  type ClientH3Driver,
  type ClientH3Event,
  type IncomingH3Headers,
  type OutboundFrameSender,
  type QuicConnection,
} from '@quicwire/driver'
import { BodyStream, ResponseError } from '../http/body-stream.ts'
import { headerCompression } from '../http/header-compression.ts'
import type { BodySource, Header } from '../http/message.ts'
import { TOO_EARLY, headerValue, isSafe, knownLength } from '../http/message.ts'
import { wholePriority, withPriority } from '../http/priority.ts'
import { sendBody } from '../http/send-body.ts'
import { neverIndexed, sensitiveNames } from '../http/sensitive.ts'
import type { IncomingResponse, RequestInit, SentRequest, Session, SessionInfo, SessionStats } from './session.ts'

const H3_REQUEST_CANCELLED = 0x10c
const MISDIRECTED_REQUEST = 421

/** One request from the call to the end of its response. */
interface Exchange {
  requestId: number
  readonly path: string
  readonly headers: readonly Header[]
  readonly sensitiveHeaders: readonly string[]
  readonly body: BodySource
  /** It went out in early data. */
  early: boolean
  /** -1 until the request has a stream. */
  streamId: number
  /** Why the response ended early, once known. */
  failure: Error | null
  /** Gone once the response's head is here or the request failed. */
  waiting: { resolve(response: IncomingResponse): void; reject(error: Error): void } | null
  aborted: boolean
  readonly onInformational: RequestInit['onInformational']
  readonly onSent: RequestInit['onSent']
}

/** What a session says of itself, and to whom. */
export interface SessionFacts {
  readonly describe: () => SessionInfo
  readonly authority: string
  readonly onOrigins: ((origins: readonly string[]) => void) | undefined
}

export class H3Session implements Session {
  readonly authority: string
  readonly masque: MasqueClient
  private readonly describe: () => SessionInfo
  private readonly onOrigins: ((origins: readonly string[]) => void) | undefined
  private originSet: readonly string[] | null
  private readonly driver: ClientH3Driver
  private readonly controller: ClientH3Controller
  private readonly connection: QuicConnection
  private readonly byRequest: Map<number, Exchange>
  private readonly byStream: Map<number, Exchange>
  private readonly ended: Promise<void>
  private nextRequestId: number
  private refusing: boolean
  private failure: Error | null
  private finished: boolean

  constructor(driver: ClientH3Driver, controller: ClientH3Controller, connection: QuicConnection, facts: SessionFacts) {
    this.describe = facts.describe
    this.onOrigins = facts.onOrigins
    this.originSet = null
    this.driver = driver
    this.masque = new MasqueClient(controller)
    this.controller = controller
    this.connection = connection
    this.authority = facts.authority
    this.byRequest = new Map()
    this.byStream = new Map()
    this.nextRequestId = 1
    this.refusing = false
    this.failure = null
    this.finished = false
    this.ended = this.pump()
  }

  get info(): SessionInfo {
    return this.describe()
  }

  get origins(): readonly string[] | null {
    return this.originSet
  }

  get closed(): boolean {
    return this.refusing || this.finished
  }

  request(path: string, init: RequestInit = {}): Promise<IncomingResponse> {
    const { signal } = init
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error)
    if (this.closed) return Promise.reject(this.failure ?? new ResponseError('the connection takes no more requests'))
    const body = init.body ?? null
    let headers: readonly Header[]
    try {
      headers = requestHeaders(init, path, this.authority, body)
    } catch (error) {
      return Promise.reject(error as RangeError)
    }
    const { onInformational, onSent, sensitiveHeaders = [] } = init
    const state = { requestId: -1, streamId: -1, early: false, failure: null, waiting: null, aborted: false }
    const exchange: Exchange = { ...state, path, headers, sensitiveHeaders, body, onInformational, onSent }
    return new Promise<IncomingResponse>((resolve, reject) => {
      const onAbort = (): void => this.abort(exchange, signal!.reason as Error)
      const settled = (): void => signal?.removeEventListener('abort', onAbort)
      exchange.waiting = {
        resolve: (response) => {
          // From here on leaving the body's loop is how a response is cancelled.
          settled()
          resolve(response)
        },
        reject: (error) => {
          settled()
          reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      // RFC 8470 §4: what must not happen twice does not go out early.
      if (this.isEarly && (body !== null || !isSafe(init.method ?? 'GET'))) this.sendLater(exchange)
      else this.send(exchange)
    })
  }

  /** The handshake is not complete: what is sent may be replayed. */
  private get isEarly(): boolean {
    return this.connection.handshakeInfo === null
  }

  private sendLater(exchange: Exchange): void {
    this.connection.established.then(
      () => {
        if (!exchange.aborted) this.send(exchange)
      },
      () => this.fail(exchange, this.lostConnection()),
    )
  }

  private send(exchange: Exchange): void {
    const { headers, body, sensitiveHeaders } = exchange
    exchange.requestId = this.nextRequestId++
    exchange.streamId = -1
    exchange.early = this.isEarly
    this.byRequest.set(exchange.requestId, exchange)
    const sender = this.controller.requestSender()
    const bodyWriter = body === null ? null : (send: OutboundFrameSender) => void this.upload(exchange, send, body, headers)
    const queued = sender.send({ requestId: exchange.requestId, headers, bodyWriter, neverIndexed: neverIndexed(headers, sensitiveHeaders) })
    sender.close()
    if (!queued) this.fail(exchange, this.lostConnection())
  }

  stats(): SessionStats {
    const { packetsSent, packetsReceived, packetsLost } = this.connection.stats()
    return { packetsSent, packetsReceived, packetsLost, qpack: headerCompression(this.driver) }
  }

  async close(): Promise<void> {
    this.refusing = true
    this.controller.shutdown()
    await this.ended
    await this.connection.closed
  }

  private async upload(exchange: Exchange, send: OutboundFrameSender, body: BodySource, headers: readonly Header[]): Promise<void> {
    try {
      const declared = headerValue(headers, 'content-length')
      await sendBody(send, body, [], declared === null ? null : Number(declared))
    } catch (error) {
      this.abort(exchange, error instanceof Error ? error : new Error(String(error)))
    } finally {
      send.close()
    }
  }

  private async pump(): Promise<void> {
    for await (const event of this.controller.events) if (!this.masque.on(event)) this.on(event)
    this.finished = true
    for (const exchange of this.byRequest.values()) this.fail(exchange, this.lostConnection())
    this.byRequest.clear()
    this.byStream.clear()
  }

  private on(event: ClientH3Event): void {
    switch (event.kind) {
      case 'NewOutboundRequest': {
        const exchange = this.byRequest.get(event.requestId)
        if (exchange === undefined) return
        exchange.streamId = event.streamId
        this.byStream.set(event.streamId, exchange)
        if (exchange.aborted) this.cancelStream(event.streamId)
        else exchange.onSent?.(this.sentRequest(event.streamId))
        return
      }
      case 'IncomingHeaders':
        this.onHeaders(event.incoming)
        return
      case 'InformationalHeaders':
        this.byStream.get(event.streamId)?.onInformational?.(statusOf(event.headers), withoutPseudo(event.headers))
        return
      case 'RequestFailed': {
        const exchange = this.byRequest.get(event.requestId)
        if (exchange !== undefined) this.fail(exchange, event.error)
        return
      }
      case 'ResetStream': {
        const why = event.retryable ? 'the server did not process the request' : `the server reset the stream, code ${hex(event.errorCode)}`
        this.failStream(event.streamId, why)
        return
      }
      case 'StreamError':
        this.failStream(event.streamId, `malformed response (${event.message}), code ${hex(event.errorCode)}`)
        return
      case 'BodyBytesReceived': {
        if (!event.fin) return
        const exchange = this.byStream.get(event.streamId)
        if (exchange !== undefined) this.forget(exchange)
        return
      }
      case 'OriginSet':
        this.originSet = event.origins
        this.onOrigins?.(event.origins)
        return
      case 'GoAway':
        this.refusing = true
        return
      case 'ConnectionError':
        this.failure ??= new ResponseError(`HTTP/3 error: ${event.message}, code ${hex(event.errorCode)}`)
        return
      case 'ConnectionShutdown':
        this.failure ??= event.error
        return
      default:
    }
  }

  private onHeaders(incoming: IncomingH3Headers): void {
    const exchange = this.byStream.get(incoming.streamId)
    // Another handle to what the request's body is written to; the upload has its own.
    incoming.send.close()
    const waiting = exchange?.waiting ?? null
    if (exchange === undefined || waiting === null) {
      incoming.recv.close()
      return
    }
    const status = statusOf(incoming.headers)
    if (status === TOO_EARLY && exchange.early) {
      // RFC 8470 §5.2: "a client MAY automatically retry the request", and not in early data.
      incoming.recv.close()
      this.forget(exchange)
      this.sendLater(exchange)
      return
    }
    if (status === MISDIRECTED_REQUEST) this.forgetOrigin(exchange)
    const headers = withoutPseudo(incoming.headers)
    const body = new BodyStream(incoming.recv, () => exchange.failure ?? this.lostConnection())
    exchange.waiting = null
    waiting.resolve({
      ...this.sentRequest(incoming.streamId),
      status,
      headers,
      sensitiveHeaders: sensitiveNames(incoming.neverIndexed),
      body,
      get trailers() {
        return body.trailers
      },
      bytes: () => body.bytes(),
      text: () => body.text(),
    })
  }

  /** RFC 8336 §2.3: after a 421 the request's origin is no longer one to use this connection for. */
  private forgetOrigin({ headers }: Exchange): void {
    const origin = `https://${headerValue(headers, ':authority')}`
    this.controller.forgetOrigin(origin)
    this.originSet = this.originSet?.filter((member) => member !== origin) ?? null
  }

  private sentRequest(streamId: number): SentRequest {
    return { streamId, setPriority: (priority) => this.controller.setPriority(streamId, wholePriority(priority)) }
  }

  private abort(exchange: Exchange, error: Error): void {
    exchange.aborted = true
    exchange.failure ??= error
    if (exchange.streamId >= 0) this.cancelStream(exchange.streamId)
    exchange.waiting?.reject(error)
    exchange.waiting = null
  }

  private cancelStream(streamId: number): void {
    this.controller.shutdownStream(streamId, { kind: 'Both', readErrorCode: H3_REQUEST_CANCELLED, writeErrorCode: H3_REQUEST_CANCELLED })
  }

  private failStream(streamId: number, message: string): void {
    const exchange = this.byStream.get(streamId)
    if (exchange !== undefined) this.fail(exchange, new ResponseError(message))
  }

  private fail(exchange: Exchange, error: Error): void {
    exchange.failure ??= error
    exchange.waiting?.reject(exchange.failure)
    exchange.waiting = null
    this.forget(exchange)
  }

  private forget(exchange: Exchange): void {
    this.byRequest.delete(exchange.requestId)
    if (exchange.streamId >= 0) this.byStream.delete(exchange.streamId)
  }

  private lostConnection(): Error {
    return this.failure ?? new ResponseError('the connection was closed before the response was complete')
  }
}

function requestHeaders(init: RequestInit, path: string, authority: string, body: BodySource): readonly Header[] {
  const given = init.headers ?? []
  const headers: Header[] = [
    [':method', init.method ?? 'GET'],
    [':scheme', 'https'],
    [':authority', headerValue(given, 'host') ?? authority],
    [':path', path],
    ...given.filter(([name]) => name !== 'host'),
  ]
  const length = knownLength(body)
  if (body !== null && length !== null && headerValue(given, 'content-length') === null) headers.push(['content-length', String(length)])
  return withPriority(headers, init.priority)
}

function statusOf(headers: readonly Header[]): number {
  return Number(headerValue(headers, ':status'))
}

function withoutPseudo(headers: readonly Header[]): readonly Header[] {
  return headers.filter(([name]) => !name.startsWith(':'))
}

function hex(code: number | bigint): string {
  return `0x${code.toString(16)}`
}
