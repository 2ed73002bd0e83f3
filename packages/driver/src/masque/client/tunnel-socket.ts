// A UDP tunnel as the socket of QUIC connections: QUIC inside MASQUE. It has one peer, whatever address is asked for.

import type { PathAddress } from '@quicwire/quic'
import { DatagramBatch, SEND_BUFFER_SIZE, type DatagramHandler, type DatagramSocket, type SocketFeatures } from '../../io/datagram-socket.ts'
import type { SocketAddress } from '../../io/socket-address.ts'
import { MasqueError } from '../errors.ts'
import type { DatagramOutcome } from '../tunnel/http-tunnel.ts'

/** The tunnel behind it. */
export interface SocketTunnel {
  readonly maxPayload: number
  sendPayload(payload: Uint8Array): DatagramOutcome
  close(callback: () => void): unknown
}

export interface TunnelAddresses {
  readonly local: SocketAddress
  readonly remote: SocketAddress
  /** The remote address as `ip:port`. */
  readonly name: string
}

/** Datagrams kept between two turns. */
const MAX_BATCH = 4096
/** QUIC's smallest datagram (RFC 9000 §14). */
const BASE_SIZE = 1200
/** What is probed for at most where the tunnel's own limit is still unknown: an Ethernet frame's payload. */
const PROBE_CEILING = 1472

export class TunnelSocket implements DatagramSocket {
  readonly features: SocketFeatures
  readonly localAddress: SocketAddress
  readonly remoteAddress: SocketAddress
  dropped: number
  private readonly tunnel: SocketTunnel
  private readonly peer: PathAddress
  private readonly buffer: Uint8Array
  private handler: DatagramHandler | null
  private filling: DatagramBatch
  private spareBatch: DatagramBatch
  private closed: boolean

  constructor(tunnel: SocketTunnel, addresses: TunnelAddresses) {
    this.features = { ecn: false, segmentation: false }
    this.localAddress = addresses.local
    this.remoteAddress = addresses.remote
    this.dropped = 0
    this.tunnel = tunnel
    this.peer = { local: '', remote: addresses.name, maxProbeSize: Math.max(BASE_SIZE, Math.min(PROBE_CEILING, tunnel.maxPayload)) }
    this.buffer = new Uint8Array(SEND_BUFFER_SIZE)
    this.handler = null
    this.filling = new DatagramBatch()
    this.spareBatch = new DatagramBatch()
    this.closed = false
  }

  open(handler: DatagramHandler): void {
    this.handler = handler
  }

  onPayload(payload: Uint8Array): void {
    if (this.handler === null) return
    if (this.filling.length >= MAX_BATCH) {
      this.dropped++
      return
    }
    this.filling.push(payload, this.peer, 0)
    if (this.filling.length === 1) this.handler.onReadable()
  }

  onClosed(error: MasqueError | null): void {
    if (this.closed) return
    this.closed = true
    this.handler?.onFailed(error ?? new MasqueError('MASQUE_CLOSED', 'the tunnel was closed by the proxy'))
  }

  receive(): DatagramBatch | null {
    const full = this.filling
    if (full.length === 0) return null
    this.filling = this.spareBatch
    this.spareBatch = full
    return full
  }

  path(): PathAddress {
    return this.peer
  }

  isWritable(): boolean {
    return true
  }

  acquire(): Uint8Array {
    return this.buffer
  }

  send(length: number, _path: PathAddress, _ecn: number, onTooLarge?: () => void): void {
    if (this.closed) return
    if (this.tunnel.sendPayload(this.buffer.subarray(0, length)) === 'too-large' && onTooLarge !== undefined) queueMicrotask(onTooLarge)
  }

  flush(): void {
    // Every datagram is on its way already.
  }

  close(): Promise<void> {
    if (this.closed) return Promise.resolve()
    this.closed = true
    return new Promise((resolve) => void this.tunnel.close(() => resolve()))
  }
}
