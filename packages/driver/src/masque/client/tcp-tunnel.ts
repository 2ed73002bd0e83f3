// A TCP connection made by a proxy (RFC 9114 §4.4) as a Duplex stream. Either direction ends by itself; a reset by either side is an error.

import { Duplex } from 'node:stream'
import { H3ErrorCode, type Header } from '@quicwire/h3'
import { EMPTY_BODY } from '../../h3/frames.ts'
import { MasqueError } from '../errors.ts'
import { formatAuthority, targetFrom, type TunnelTarget } from '../uri/target.ts'
import type { ConnectedStream, MasqueClient, TunnelRequestOptions } from './masque-client.ts'

export interface TcpTunnelOptions extends TunnelRequestOptions {
  /** Further fields of the request, such as `proxy-authorization`. */
  readonly headers?: readonly Header[] | undefined
}

/** Connects to `target` through the proxy. Rejects with TunnelRefusedError, MasqueError or the reason the request could not be sent. */
export async function openTcpTunnel(client: MasqueClient, target: string | TunnelTarget, options: TcpTunnelOptions = {}): Promise<TcpTunnel> {
  const parsed = targetFrom(target)
  const stream = await client.connect([[':method', 'CONNECT'], [':authority', formatAuthority(parsed)], ...(options.headers ?? [])], options)
  return new TcpTunnel(client, stream, parsed)
}

export class TcpTunnel extends Duplex {
  readonly target: TunnelTarget
  /** Fields of the proxy's response. */
  readonly responseHeaders: readonly Header[]
  private readonly stream: ConnectedStream
  private readonly client: MasqueClient
  private reading: boolean
  private received: boolean
  private sent: boolean

  constructor(client: MasqueClient, stream: ConnectedStream, target: TunnelTarget) {
    super({ allowHalfOpen: true })
    this.target = target
    this.responseHeaders = stream.headers
    this.stream = stream
    this.client = client
    this.reading = false
    this.received = false
    this.sent = false
    client.watch(stream.streamId, (reason) => this.destroy(new MasqueError('MASQUE_CLOSED', reason)))
  }

  override _read(): void {
    if (!this.reading) void this.pull()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    // The driver keeps the bytes until they are acknowledged, the writer may reuse them earlier.
    void this.writeFrame(Uint8Array.from(chunk), false, callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    void this.writeFrame(EMPTY_BODY, true, callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.client.unwatch(this.stream.streamId)
    if (!this.received || !this.sent) this.stream.abort(H3ErrorCode.requestCancelled)
    this.stream.recv.close()
    this.stream.send.close()
    callback(error)
  }

  private async writeFrame(data: Uint8Array, fin: boolean, callback: (error?: Error | null) => void): Promise<void> {
    const sent = await this.stream.send.send({ kind: 'Body', data, fin })
    if (fin) this.sent = sent
    callback(sent ? null : lost())
  }

  private async pull(): Promise<void> {
    this.reading = true
    while (!this.destroyed) {
      const frame = await this.stream.recv.recv()
      if (this.destroyed) return
      if (frame === null) {
        this.destroy(lost())
        return
      }
      if (frame.kind === 'Trailers') continue
      if (frame.fin) {
        this.received = true
        this.push(null)
        return
      }
      if (!this.push(frame.data)) break
    }
    this.reading = false
  }
}

function lost(): MasqueError {
  return new MasqueError('MASQUE_CLOSED', 'the connection through the proxy was aborted')
}
