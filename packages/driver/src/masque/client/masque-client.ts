// The tunnels of one client connection, beside its ordinary requests: it makes CONNECT requests and picks the events of their streams
// out of the controller's. Whoever reads the events hands each of them to on() first.

import type { Header } from '@quicwire/h3'
import { H3ErrorCode, SettingId } from '@quicwire/h3'
import type { WireValue } from '@quicwire/quic'
import type { OutboundFrameSender } from '../../h3/frames.ts'
import type { ClientH3Controller } from '../../h3/controller.ts'
import type { ClientH3Event, IncomingH3Headers } from '../../h3/events.ts'
import { MasqueError, TunnelRefusedError } from '../errors.ts'
import type { TunnelFlow, TunnelStream } from '../tunnel/http-tunnel.ts'
import { fieldOf, startsCapsules } from '../fields.ts'

/** An accepted CONNECT. */
export interface ConnectedStream extends TunnelStream {
  readonly headers: readonly Header[]
}

export interface TunnelRequestOptions {
  /** Gives the attempt up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** `orderly`: the proxy wants no more and says that nothing is wrong (STOP_SENDING with H3_NO_ERROR). */
export type AbortListener = (reason: string, orderly: boolean) => void

interface Pending {
  readonly extended: boolean
  streamId: number
  send: OutboundFrameSender | null
  flow: TunnelFlow | null
  settled: boolean
  resolve(stream: ConnectedStream): void
  reject(error: Error): void
}

export class MasqueClient {
  private readonly controller: ClientH3Controller
  /** By request id; ids are negative, so that the connection's other requests may use the rest. */
  private readonly requests: Map<number, Pending>
  private readonly waitingForHeaders: Map<number, Pending>
  private readonly listeners: Map<number, AbortListener>
  private readonly settingsKnown: Promise<void>
  private settleSettings!: () => void
  private extendedConnect: boolean
  private nextRequestId: number
  private flow: TunnelFlow | null
  private failure: MasqueError | null

  constructor(controller: ClientH3Controller) {
    this.controller = controller
    this.requests = new Map()
    this.waitingForHeaders = new Map()
    this.listeners = new Map()
    this.extendedConnect = false
    this.nextRequestId = -1
    this.flow = null
    this.failure = null
    this.settingsKnown = new Promise((resolve) => {
      this.settleSettings = resolve
    })
  }

  /** Reads the controller's events itself: for connections that carry nothing but tunnels. */
  static run(controller: ClientH3Controller): MasqueClient {
    const client = new MasqueClient(controller)
    void (async () => {
      for await (const event of controller.events) client.on(event)
    })()
    return client
  }

  /** Open tunnels and those being opened. */
  get tunnels(): number {
    return this.requests.size + this.waitingForHeaders.size + this.listeners.size
  }

  /**
   * Sends a CONNECT request and resolves when the proxy has accepted it. Rejects with TunnelRefusedError, MasqueError or the reason the
   * request could not be sent.
   */
  async connect(headers: readonly Header[], { signal }: TunnelRequestOptions = {}): Promise<ConnectedStream> {
    signal?.throwIfAborted()
    const extended = fieldOf(headers, ':protocol') !== null
    if (extended) await this.settings(signal)
    if (this.failure !== null) throw this.failure
    if (extended && !this.extendedConnect) {
      throw new MasqueError('MASQUE_NOT_SUPPORTED', 'the server has not enabled extended CONNECT (RFC 9220 §3): it is no such proxy')
    }
    return new Promise<ConnectedStream>((resolve, reject) => {
      const requestId = this.nextRequestId--
      const onAbort = (): void => this.fail(requestId, pending, signal?.reason as Error)
      const settle = (): void => {
        pending.settled = true
        signal?.removeEventListener('abort', onAbort)
      }
      const pending: Pending = {
        extended,
        streamId: -1,
        send: null,
        flow: null,
        settled: false,
        resolve: (stream) => {
          settle()
          resolve(stream)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.requests.set(requestId, pending)
      const sender = this.controller.requestSender()
      const queued = sender.send({
        requestId,
        headers,
        bodyWriter: (send) => {
          pending.send = send
        },
      })
      sender.close()
      if (!queued) this.fail(requestId, pending, closed('the connection has ended'))
    })
  }

  /** Called once when the stream is aborted by the peer or lost with the connection. */
  watch(streamId: number, onAborted: AbortListener): void {
    if (this.failure === null) this.listeners.set(streamId, onAborted)
    else onAborted(this.failure.message, false)
  }

  unwatch(streamId: number): void {
    this.listeners.delete(streamId)
  }

  /** True when the event is about a tunnel and nobody else's business. */
  on(event: ClientH3Event): boolean {
    switch (event.kind) {
      case 'IncomingSettings':
        this.extendedConnect = event.settings.some(([id, value]) => id === SettingId.enableConnectProtocol && value === 1)
        this.settleSettings()
        return false
      case 'NewFlow':
        // It comes right before the NewOutboundRequest of its stream; one that the server started by itself is nobody's.
        dropFlow(this.flow)
        this.flow = event
        return true
      case 'NewOutboundRequest':
        return this.onStream(event.requestId, event.streamId)
      case 'RequestFailed': {
        const pending = this.requests.get(event.requestId)
        if (pending === undefined) return false
        this.fail(event.requestId, pending, event.error)
        return true
      }
      case 'IncomingHeaders':
        return this.onHeaders(event.incoming)
      case 'InformationalHeaders':
        return this.waitingForHeaders.has(event.streamId)
      case 'StreamStopped':
        // RFC 9114 §4.1: a refusal may come with it, and the response is still to be read.
        if (this.waitingForHeaders.has(event.streamId)) return true
        return this.onAborted(event.streamId, event.errorCode, event.errorCode === H3ErrorCode.noError)
      case 'ResetStream':
      case 'StreamError':
        return this.onAborted(event.streamId, event.errorCode, false)
      case 'BodyBytesReceived':
        return this.listeners.has(event.streamId)
      case 'ConnectionShutdown':
        this.end(event.error)
        return false
      default:
        return false
    }
  }

  private async settings(signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) return this.settingsKnown
    let stop = (): void => undefined
    const aborted = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason as Error)
      signal.addEventListener('abort', stop, { once: true })
    })
    try {
      await Promise.race([this.settingsKnown, aborted])
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  private onStream(requestId: number, streamId: number): boolean {
    const flow = this.flow
    this.flow = null
    const pending = this.requests.get(requestId)
    if (pending === undefined) {
      dropFlow(flow)
      if (requestId >= 0) return false
      // Given up before it had a stream.
      this.abort(streamId, H3ErrorCode.requestCancelled)
      return true
    }
    this.requests.delete(requestId)
    pending.streamId = streamId
    if (flow !== null && flow.flowId * 4 === streamId) pending.flow = flow
    else dropFlow(flow)
    this.waitingForHeaders.set(streamId, pending)
    return true
  }

  private onHeaders({ streamId, headers, send, recv }: IncomingH3Headers): boolean {
    const pending = this.waitingForHeaders.get(streamId)
    if (pending === undefined) return false
    // The request's own sender is the one that is used.
    send.close()
    const status = Number(fieldOf(headers, ':status'))
    if (status < 200 || status > 299) {
      this.failStream(pending, new TunnelRefusedError(status, fieldOf(headers, 'proxy-status')))
      return true
    }
    if (pending.extended && !startsCapsules(headers)) {
      this.failStream(pending, new MasqueError('MASQUE_RESPONSE_INVALID', `a ${status} response with content cannot start a tunnel (RFC 9297 §3.2)`))
      return true
    }
    this.waitingForHeaders.delete(streamId)
    const abort = (code: number): void => this.abort(streamId, code)
    pending.resolve({ streamId, headers, send: pending.send!, recv, flow: pending.flow, abort })
    return true
  }

  private onAborted(streamId: number, code: WireValue, orderly: boolean): boolean {
    const reason = `the proxy aborted the stream, code 0x${code.toString(16)}`
    const pending = this.waitingForHeaders.get(streamId)
    if (pending !== undefined) {
      this.failStream(pending, closed(reason))
      return true
    }
    const listener = this.listeners.get(streamId)
    if (listener === undefined) return false
    this.listeners.delete(streamId)
    listener(reason, orderly)
    return true
  }

  private fail(requestId: number, pending: Pending, error: Error): void {
    this.requests.delete(requestId)
    if (pending.streamId >= 0) this.failStream(pending, error)
    else if (!pending.settled) pending.reject(error)
  }

  private failStream(pending: Pending, error: Error): void {
    if (!this.waitingForHeaders.delete(pending.streamId)) return
    this.abort(pending.streamId, H3ErrorCode.requestCancelled)
    dropFlow(pending.flow)
    pending.send?.close()
    pending.reject(error)
  }

  private abort(streamId: number, code: number): void {
    this.controller.shutdownStream(streamId, { kind: 'Both', readErrorCode: code, writeErrorCode: code })
  }

  private end(error: Error | null): void {
    this.failure = new MasqueError('MASQUE_CLOSED', `the connection to the proxy has ended${error === null ? '' : `: ${error.message}`}`, error ?? undefined)
    this.settleSettings()
    for (const [requestId, pending] of this.requests) this.fail(requestId, pending, this.failure)
    for (const pending of this.waitingForHeaders.values()) this.failStream(pending, this.failure)
    for (const listener of this.listeners.values()) listener(this.failure.message, false)
    this.listeners.clear()
  }
}

function dropFlow(flow: TunnelFlow | null): void {
  flow?.recv.close()
  flow?.send.close()
}

function closed(reason: string): MasqueError {
  return new MasqueError('MASQUE_CLOSED', reason)
}
