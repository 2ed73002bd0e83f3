// A UDP tunnel for an application (RFC 9298): a connected node:dgram socket in looks, its datagrams also as an async iterable, and a
// DatagramSocket for QUIC connections of our own.

import { EventEmitter } from 'node:events'
import { isIP, isIPv6 } from 'node:net'
import { H3Error, H3ErrorCode, type Header } from '@quicwire/h3'
import { bounded, type BoundedChannel } from '../../channel/bounded.ts'
import { formatAddress } from '../../io/socket-address.ts'
import { MasqueError } from '../errors.ts'
import { tunnelRequest } from '../fields.ts'
import { nextHopOf } from '../proxy-status.ts'
import { fieldOf } from '../fields.ts'
import { CONTEXT_SIZE, contextZeroPayload, inContextZero } from '../tunnel/context.ts'
import { HttpTunnel, type DatagramOutcome, type TunnelHandler } from '../tunnel/http-tunnel.ts'
import { formatAuthority, targetFrom, type TunnelTarget } from '../uri/target.ts'
import { UriTemplate } from '../uri/uri-template.ts'
import type { ConnectedStream, MasqueClient, TunnelRequestOptions } from './masque-client.ts'
import { TunnelSocket } from './tunnel-socket.ts'

/** RFC 9298 §5: the longest UDP payload there is. */
export const MAX_UDP_PAYLOAD = 65_527
/** Datagrams that wait for an async iterator; more are dropped. */
const ITERATOR_CAPACITY = 2048

export interface UdpTunnelOptions extends TunnelRequestOptions {
  /** Further fields of the request, such as `proxy-authorization`. */
  readonly headers?: readonly Header[] | undefined
}

/** What node:dgram tells about where a datagram came from. */
export interface RemoteInfo {
  readonly address: string
  readonly port: number
  readonly family: 'IPv4' | 'IPv6'
  readonly size: number
}

export interface UdpTunnelEvents {
  message: [message: Buffer, from: RemoteInfo]
  /** The tunnel was aborted; 'close' follows. */
  error: [error: MasqueError]
  close: []
}

type SendCallback = (error: Error | null, bytes: number) => void

/** What a QUIC endpoint on the tunnel hears. */
export interface TunnelReader {
  onPayload(payload: Uint8Array): void
  onClosed(error: MasqueError | null): void
}

/** Opens a tunnel to `target`. Rejects with TunnelRefusedError, MasqueError or the reason the request could not be sent. */
export async function openUdpTunnel(
  client: MasqueClient,
  template: UriTemplate | string,
  target: string | TunnelTarget,
  options: UdpTunnelOptions = {},
): Promise<UdpTunnel> {
  const { host, port } = targetFrom(target)
  const parsed = typeof template === 'string' ? UriTemplate.absolute(template, ['target_host', 'target_port']) : template
  const values = { target_host: host, target_port: String(port) }
  const stream = await client.connect(tunnelRequest('connect-udp', parsed, values, options.headers), options)
  return new UdpTunnel(client, stream, { host, port })
}

export class UdpTunnel extends EventEmitter<UdpTunnelEvents> implements TunnelHandler, AsyncIterable<Buffer> {
  readonly capsuleTypes: readonly number[]
  /** What the tunnel was opened for. */
  readonly target: TunnelTarget
  /** Fields of the proxy's response. */
  readonly responseHeaders: readonly Header[]
  private readonly tunnel: HttpTunnel
  private readonly client: MasqueClient
  private readonly from: { readonly address: string; readonly port: number; readonly family: 'IPv4' | 'IPv6' }
  private readonly iterated: Set<BoundedChannel<Buffer>>
  private reader: TunnelReader | null
  private ended: boolean

  constructor(client: MasqueClient, stream: ConnectedStream, target: TunnelTarget) {
    super()
    this.capsuleTypes = []
    this.target = target
    this.responseHeaders = stream.headers
    this.client = client
    const hop = isIP(target.host) === 0 ? nextHopOf(fieldOf(stream.headers, 'proxy-status')) : null
    const address = hop?.host ?? target.host
    this.from = { address, port: target.port, family: isIPv6(address) ? 'IPv6' : 'IPv4' }
    this.iterated = new Set()
    this.reader = null
    this.ended = false
    this.tunnel = new HttpTunnel(stream)
    client.watch(stream.streamId, (reason, orderly) => this.tunnel.onAborted(reason, orderly))
    this.tunnel.start(this)
  }

  get closed(): boolean {
    return this.ended
  }

  /** Bytes of the largest payload the tunnel carries now. It grows as the path's MTU is discovered. */
  get maxPayload(): number {
    return Math.min(MAX_UDP_PAYLOAD, this.tunnel.maxDatagramSize - CONTEXT_SIZE)
  }

  /** Datagrams travel in capsules on the stream, in order and without loss: the proxy does not take QUIC datagrams. */
  get usesCapsules(): boolean {
    return this.tunnel.usesCapsules
  }

  /**
   * Sends one datagram to the target, in the forms of dgram.Socket.send: `send(message)`, `send(message, callback)`,
   * `send(message, port, address, callback)`, `send(message, offset, length, …)`. Port and address, if given, have to be the target's.
   * As with UDP, success means that it has left. Without a callback errors are silent.
   */
  send(message: string | Uint8Array | readonly (string | Uint8Array)[], ...rest: readonly unknown[]): void {
    const callback = rest.find((argument): argument is SendCallback => typeof argument === 'function')
    const others = rest.filter((argument) => argument !== undefined && typeof argument !== 'function')
    const error = this.sendChecked(message, others)
    if (callback !== undefined) queueMicrotask(() => (error instanceof Error ? callback(error, 0) : callback(null, error)))
  }

  /** The payload is copied. */
  sendPayload(payload: Uint8Array): DatagramOutcome {
    if (payload.length > MAX_UDP_PAYLOAD) return 'too-large'
    return this.tunnel.sendDatagram(inContextZero(payload))
  }

  /** This end has no address of its own; the proxy's is not known. */
  address(): { readonly address: string; readonly port: number; readonly family: 'IPv4' | 'IPv6' } {
    return { address: this.from.family === 'IPv6' ? '::' : '0.0.0.0', port: 0, family: this.from.family }
  }

  /** The target; its IP address where that is known (RFC 9209 §2.1.2), else its name. */
  remoteAddress(): { readonly address: string; readonly port: number; readonly family: 'IPv4' | 'IPv6' } {
    return this.from
  }

  /** Ends the tunnel; 'close' follows. */
  close(callback?: () => void): this {
    if (callback !== undefined) {
      if (this.ended) queueMicrotask(callback)
      else this.once('close', callback)
    }
    this.tunnel.close()
    return this
  }

  /** For code written for dgram: a tunnel keeps no process alive by itself. */
  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  /** The tunnel as the socket of a QUIC connection: see ConnectOptions.socket. Closing it closes the tunnel. Once. */
  datagramSocket(): TunnelSocket {
    if (this.reader !== null) throw new MasqueError('MASQUE_INVALID_ARGUMENT', 'this tunnel already carries a QUIC endpoint')
    const socket = new TunnelSocket(this, { local: this.address(), remote: this.from, name: formatAddress(this.from.address, this.from.port) })
    this.reader = socket
    return socket
  }

  /** Datagrams from here on; ends with the tunnel, throws when that was aborted. What a slow reader has no room for is lost. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    if (this.ended) return
    let failure: MasqueError | null = null
    const onError = (error: MasqueError): void => {
      failure = error
    }
    this.on('error', onError)
    const channel = bounded<Buffer>(ITERATOR_CAPACITY)
    this.iterated.add(channel)
    try {
      for await (const message of channel.receiver) yield message
      if (failure !== null) throw failure as MasqueError
    } finally {
      this.iterated.delete(channel)
      this.off('error', onError)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.ended) await new Promise<void>((resolve) => this.close(resolve))
  }

  /** @internal */
  onDatagram(datagram: Uint8Array): void {
    const payload = contextZeroPayload(datagram)
    if (payload === null) return
    // RFC 9298 §5: the stream is aborted.
    if (payload.length > MAX_UDP_PAYLOAD) throw new H3Error(H3ErrorCode.datagramError, 'stream', `a UDP payload of ${payload.length} bytes (RFC 9298 §5)`)
    if (this.reader !== null) {
      this.reader.onPayload(payload)
      return
    }
    const message = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
    for (const { sender } of this.iterated) sender.trySend(message)
    if (this.listenerCount('message') > 0) this.emit('message', message, { ...this.from, size: message.length })
  }

  /** @internal */
  onCapsule(): void {
    // None was asked for.
  }

  /** @internal */
  onClosed(error: MasqueError | null): void {
    this.ended = true
    this.client.unwatch(this.tunnel.streamId)
    this.reader?.onClosed(error)
    queueMicrotask(() => {
      if (error !== null && this.listenerCount('error') > 0) this.emit('error', error)
      for (const { sender } of this.iterated) sender.close()
      this.emit('close')
    })
  }

  private sendChecked(message: string | Uint8Array | readonly (string | Uint8Array)[], others: readonly unknown[]): Error | number {
    const hasRange = typeof others[0] === 'number' && typeof others[1] === 'number'
    const [port, address] = (hasRange ? others.slice(2) : others) as readonly [unknown?, unknown?]
    if ((port !== undefined && port !== this.target.port) || (address !== undefined && address !== this.target.host && address !== this.from.address)) {
      return new MasqueError('MASQUE_INVALID_TARGET', `this tunnel leads to ${formatAuthority(this.target)}, not to ${String(address)}:${String(port)}`)
    }
    let payload = bytesOf(message)
    if (hasRange) payload = payload.subarray(others[0] as number, (others[0] as number) + (others[1] as number))
    switch (this.sendPayload(payload)) {
      case 'too-large':
        return Object.assign(
          new MasqueError('MASQUE_DATAGRAM_TOO_LARGE', `${payload.length} bytes are more than the ${this.maxPayload} the tunnel carries now`),
          { errno: 'EMSGSIZE' },
        )
      case 'closed':
        return new MasqueError('MASQUE_CLOSED', 'the tunnel is closed')
      default:
        // What a full queue drops is lost as on any network.
        return payload.length
    }
  }
}

function bytesOf(message: string | Uint8Array | readonly (string | Uint8Array)[]): Uint8Array {
  if (typeof message === 'string') return Buffer.from(message)
  if (message instanceof Uint8Array) return message
  return Buffer.concat(message.map(bytesOf))
}
