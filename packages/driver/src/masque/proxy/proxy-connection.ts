// The tunnels of one connection to the proxy: picks CONNECT requests and the events of their streams out of the controller's.

import { H3ErrorCode, type Header } from '@quicwire/h3'
import type { ServerH3Controller } from '../../h3/controller.ts'
import type { IncomingH3Headers, ServerH3Event } from '../../h3/events.ts'
import { fieldOf } from '../fields.ts'
import { IpTunnel } from '../ip/ip-tunnel.ts'
import { parseScope } from '../ip/scope.ts'
import { formatProxyStatus } from '../proxy-status.ts'
import { HttpTunnel, type TunnelFlow, type TunnelStream } from '../tunnel/http-tunnel.ts'
import { formatAuthority, parseAuthority, parseTarget } from '../uri/target.ts'
import type { ProxySettings, TunnelCount, TunnelRequest } from './proxy-settings.ts'
import { refusal, Refusal } from './refusal.ts'
import { resolveTarget } from './resolve-target.ts'
import { connectTcp, TcpRelay } from './tcp-relay.ts'
import { connectedSocket, UdpRelay } from './udp-relay.ts'

const nothing = (): void => undefined

/** A tunnel from its request to its end. */
interface Entry {
  readonly stream: TunnelStream
  /** The client has gone. */
  aborted: boolean
  onAborted: (reason: string, orderly: boolean) => void
  /** Ends it in order, if it has no end of its own. */
  close: () => void
}

export class ProxyConnection {
  private readonly settings: ProxySettings
  private readonly count: TunnelCount
  private readonly controller: ServerH3Controller
  /** Of requests that have not come yet; the driver limits their number. */
  private readonly flows: Map<number, TunnelFlow>
  private readonly entries: Map<number, Entry>

  constructor(settings: ProxySettings, count: TunnelCount, controller: ServerH3Controller) {
    this.settings = settings
    this.count = count
    this.controller = controller
    this.flows = new Map()
    this.entries = new Map()
  }

  /** Tunnels open or being opened. */
  get tunnels(): number {
    return this.entries.size
  }

  /** Ends UDP and IP tunnels in order, for a server that closes: they have no end of their own. TCP connections go on to theirs. */
  shutdown(): void {
    for (const entry of this.entries.values()) entry.close()
  }

  /** True when the event is about a tunnel and nobody else's business. */
  on(event: ServerH3Event): boolean {
    switch (event.kind) {
      case 'NewFlow':
        this.flows.set(event.flowId, event)
        return true
      case 'Headers':
        return this.onHeaders(event.incoming)
      case 'ResetStream':
      case 'StreamStopped':
      case 'StreamError': {
        const entry = this.entries.get(event.streamId)
        if (entry === undefined) return false
        entry.aborted = true
        entry.onAborted(`the client aborted the stream, code 0x${event.errorCode.toString(16)}`, event.kind === 'StreamStopped' && event.errorCode === H3ErrorCode.noError)
        return true
      }
      case 'StreamClosed':
        this.dropFlow(event.streamId)
        return this.entries.has(event.streamId)
      case 'ConnectionShutdown':
        this.end()
        return false
      default:
        return false
    }
  }

  private onHeaders(incoming: IncomingH3Headers): boolean {
    const { streamId, headers, send, recv } = incoming
    if (fieldOf(headers, ':method') !== 'CONNECT') {
      this.dropFlow(streamId)
      return false
    }
    const flow = this.flows.get(streamId / 4) ?? null
    this.flows.delete(streamId / 4)
    const abort = (code: number): void => {
      this.controller.shutdownStream(streamId, { kind: 'Both', readErrorCode: code, writeErrorCode: code })
    }
    const entry: Entry = { stream: { streamId, send, recv, flow, abort }, aborted: false, onAborted: nothing, close: nothing }
    void this.serve(entry, headers)
    return true
  }

  private async serve(entry: Entry, headers: readonly Header[]): Promise<void> {
    const { settings } = this
    const { streamId } = entry.stream
    let entered = false
    try {
      if (this.entries.size >= settings.maxTunnelsPerConnection) throw refusal('connection_limit_reached', 'too many tunnels on this connection')
      if (!this.count.enter()) throw refusal('connection_limit_reached', 'too many tunnels')
      entered = true
      this.entries.set(streamId, entry)
      await this.open(entry, headers)
    } catch (error) {
      if (entered) this.leave(streamId)
      if (!(error instanceof Refusal)) settings.onError(error instanceof Error ? error : new Error(String(error)))
      this.refuse(entry, error instanceof Refusal ? error : refusal('proxy_internal_error', 'internal error'))
    }
  }

  private async open(entry: Entry, headers: readonly Header[]): Promise<void> {
    const protocol = fieldOf(headers, ':protocol')
    const path = fieldOf(headers, ':path') ?? ''
    if (protocol === null) return this.openTcp(entry, headers)
    if (protocol === 'connect-udp' && this.settings.udp !== null) return this.openUdp(entry, headers, path)
    if (protocol === 'connect-ip' && this.settings.ip !== undefined) return this.openIp(entry, headers, path)
    // RFC 9220 §3
    throw new Refusal(501, null)
  }

  private async openUdp(entry: Entry, headers: readonly Header[], path: string): Promise<void> {
    const { settings } = this
    const values = settings.udp!.match(path)
    if (values === null) throw new Refusal(404, null)
    const target = parseTarget(values.get('target_host') ?? '', values.get('target_port') ?? '')
    if (target === null) throw refusal('http_request_error', 'no valid target_host and target_port (RFC 9298 §3)')
    const tunnel = new HttpTunnel(entry.stream)
    entry.onAborted = (reason, orderly) => tunnel.onAborted(reason, orderly)
    entry.close = () => tunnel.close()
    await this.authorize({ protocol: 'connect-udp', target, scope: null, headers })
    const [address = ''] = await resolveTarget(target, settings)
    const socket = await connectedSocket(address, target.port)
    if (!(await this.accept(entry, { host: address, port: target.port }, true))) {
      socket.close()
      tunnel.onAborted('the client has gone')
      this.leave(entry.stream.streamId)
      return
    }
    // oxlint-disable-next-line no-new -- the relay lives by its callbacks
    new UdpRelay(tunnel, socket, settings.idleTimeout, () => this.leave(entry.stream.streamId))
  }

  private async openTcp(entry: Entry, headers: readonly Header[]): Promise<void> {
    const { settings } = this
    if (!settings.tcp) throw new Refusal(501, null)
    const target = parseAuthority(fieldOf(headers, ':authority') ?? '')
    if (target === null) throw refusal('http_request_error', ':authority is not a host and a port')
    await this.authorize({ protocol: 'connect-tcp', target, scope: null, headers })
    const addresses = await resolveTarget(target, settings)
    const socket = await connectTcp(addresses, target.port, settings.connectTimeout)
    // Until the relay takes over.
    const ignore = (): void => undefined
    socket.on('error', ignore)
    const accepted = await this.accept(entry, { host: socket.remoteAddress ?? addresses[0]!, port: target.port }, false)
    if (!accepted) {
      socket.resetAndDestroy()
      this.leave(entry.stream.streamId)
      return
    }
    const relay = new TcpRelay(entry.stream, socket, settings.idleTimeout, () => this.leave(entry.stream.streamId))
    entry.onAborted = () => relay.onAborted()
    if (entry.aborted) relay.onAborted()
  }

  private async openIp(entry: Entry, headers: readonly Header[], path: string): Promise<void> {
    const { settings } = this
    const values = settings.ipTemplate.match(path)
    if (values === null) throw new Refusal(404, null)
    const scope = parseScope(values.get('target'), values.get('ipproto'))
    if (scope === null) throw refusal('http_request_error', 'no valid target and ipproto (RFC 9484 §4.6)')
    const http = new HttpTunnel(entry.stream)
    entry.onAborted = (reason, orderly) => http.onAborted(reason, orderly)
    entry.close = () => http.close()
    const request: TunnelRequest = { protocol: 'connect-ip', target: null, scope, headers }
    await this.authorize(request)
    const service = await settings.ip!(request)
    if (service === null) throw refusal('http_request_denied', 'this IP tunnel is not allowed')
    if (!(await this.accept(entry, null, true))) {
      http.onAborted('the client has gone')
      this.leave(entry.stream.streamId)
      return
    }
    service.onOpen(new IpTunnel(http, service.handler, () => this.leave(entry.stream.streamId)))
  }

  private async authorize(request: TunnelRequest): Promise<void> {
    const answer = await this.settings.authorize(request)
    if (answer === true) return
    if (answer === false) throw refusal('http_request_denied', 'not authorized')
    throw new Refusal(answer.status, null, answer.headers)
  }

  /** Sends the response that opens the tunnel. False when the client has gone. */
  private accept(entry: Entry, nextHop: { readonly host: string; readonly port: number } | null, capsules: boolean): Promise<boolean> {
    if (entry.aborted) return Promise.resolve(false)
    const headers: Header[] = [[':status', '200']]
    if (capsules) headers.push(['capsule-protocol', '?1'])
    if (nextHop !== null) headers.push(['proxy-status', formatProxyStatus(this.settings.name, { nextHop: formatAuthority(nextHop) })])
    return entry.stream.send.send({ kind: 'Headers', headers })
  }

  private refuse({ stream, aborted }: Entry, { status, proxyStatus, headers }: Refusal): void {
    stream.flow?.recv.close()
    stream.flow?.send.close()
    if (aborted) return
    const fields: Header[] = [[':status', String(status)], ...headers]
    if (proxyStatus !== null) fields.push(['proxy-status', formatProxyStatus(this.settings.name, proxyStatus)])
    void stream.send.send({ kind: 'Headers', headers: fields, fin: true }).then(() => {
      stream.send.close()
      // RFC 9114 §4.1: the rest of the request is not wanted.
      this.controller.shutdownStream(stream.streamId, { kind: 'Read', errorCode: H3ErrorCode.noError })
    })
  }

  private leave(streamId: number): void {
    if (this.entries.delete(streamId)) this.count.leave()
  }

  private dropFlow(streamId: number): void {
    const flow = this.flows.get(streamId / 4)
    if (flow === undefined) return
    this.flows.delete(streamId / 4)
    flow.recv.close()
    flow.send.close()
  }

  private end(): void {
    for (const entry of this.entries.values()) {
      entry.aborted = true
      entry.onAborted('the connection has ended', false)
    }
    for (const streamId of this.flows.keys()) this.dropFlow(streamId * 4)
  }
}
