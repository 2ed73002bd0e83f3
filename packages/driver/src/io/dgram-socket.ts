// DatagramSocket over node:dgram. Received datagrams are collected while the event loop polls and handed over as one batch.
// Sending asks for no callback: dgram.send keeps the buffer only when the kernel would block, which getSendQueueCount() tells for
// 46 ns; so nearly always one hot buffer serves every packet, and a buffer the kernel has not taken yet is set aside until it has.

import { lookup as dnsLookup } from 'node:dns'
import { createSocket, type Socket } from 'node:dgram'
import { isIP, isIPv4 } from 'node:net'
import type { PathAddress } from '@quicwire/quic'
import { socketErrorFrom } from '../error-mapping.ts'
import { NameError, SocketError } from '../errors.ts'
import type { DatagramBatch, DatagramHandler, DatagramSocket, SocketFeatures } from './datagram-socket.ts'
import { ReceiveQueue } from './receive-queue.ts'
import { SendBuffers } from './send-buffers.ts'
import { PathTable, UdpPath, formatAddress, type SocketAddress } from './socket-address.ts'

/** Asked from the system for either direction; it grants what net.core.rmem_max and wmem_max allow. */
export const KERNEL_BUFFER_SIZE: number = 4 * 1024 * 1024
const RECHECK_INTERVAL = 1

export interface DgramSocketOptions {
  /** Local address. Default: any, of the family of `remote` when there is one, else IPv4. */
  readonly address?: string | undefined
  /** Local port. Default 0: any. */
  readonly port?: number | undefined
  /** Connects the socket: datagrams from elsewhere are not seen, ICMP errors are. */
  readonly remote?: { readonly address: string; readonly port: number } | undefined
  /** Only for IPv6: refuse IPv4-mapped addresses. Default false. */
  readonly ipv6Only?: boolean | undefined
  /** Paths say the local address, which tells them from those of other sockets. Default false: the socket is the only one. */
  readonly named?: boolean | undefined
  /** Lets several processes bind one port. Default false. */
  readonly reusePort?: boolean | undefined
}

/** dgram resolves per send; for a literal that must be neither a tick nor a closure. */
function lookupLiteral(
  hostname: string,
  options: unknown,
  callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
): void {
  const family = isIP(hostname)
  if (family !== 0) callback(null, hostname, family)
  else dnsLookup(hostname, options as 4 | 6, callback)
}

/** The addresses of a host name or literal in the system's order, at least one. Rejects with NameError. */
export function resolveAddresses(host: string, family: 0 | 4 | 6 = 0): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    dnsLookup(host, { family, all: true, verbatim: true }, (error, found) => {
      if (error !== null) reject(new NameError(host, error))
      else resolve(found.map(({ address }) => address))
    })
  })
}

/** The first address of a host name or literal. Rejects with NameError. */
export async function resolveHost(host: string, family: 0 | 4 | 6 = 0): Promise<SocketAddress & { port: 0 }> {
  const [address = ''] = await resolveAddresses(host, family)
  return { address, port: 0, family: isIPv4(address) ? 'IPv4' : 'IPv6' }
}

export class DgramSocket implements DatagramSocket {
  readonly features: SocketFeatures
  readonly localAddress: SocketAddress
  private readonly socket: Socket
  private readonly paths: PathTable
  private readonly connectedPath: UdpPath | null
  private readonly mapToIpv6: boolean
  private handler: DatagramHandler | null
  private readonly arrived: ReceiveQueue
  private readonly buffers: SendBuffers
  private writable: boolean
  private recheck: NodeJS.Timeout | null
  private closed: boolean
  /** False on a connected socket until the peer's first datagram: an ICMP error may surface in the next send alone. */
  private heard: boolean
  private readonly onSent: (error: Error | null) => void

  private constructor(socket: Socket, { remote, named }: DgramSocketOptions) {
    const bound = socket.address()
    // node:dgram shows neither the ECN field nor IP_TOS, nor a way to send several datagrams at once.
    this.features = { ecn: false, segmentation: false }
    this.localAddress = { address: bound.address, port: bound.port, family: bound.family === 'IPv6' ? 'IPv6' : 'IPv4' }
    this.socket = socket
    this.paths = new PathTable(named === true ? formatAddress(bound.address, bound.port) : '')
    this.mapToIpv6 = this.localAddress.family === 'IPv6'
    this.connectedPath = remote === undefined ? null : this.paths.intern(remote.address, remote.port)
    this.handler = null
    this.arrived = new ReceiveQueue()
    this.buffers = new SendBuffers()
    this.writable = true
    this.recheck = null
    this.closed = false
    this.heard = remote === undefined
    this.onSent = (error) => this.reportUnreachable(error)
  }

  get dropped(): number {
    return this.arrived.dropped
  }

  /** Rejects with SocketError, for a port in use with code QUIC_PORT_IN_USE. */
  static bind(options: DgramSocketOptions = {}): Promise<DgramSocket> {
    const family = options.address ?? options.remote?.address ?? '0.0.0.0'
    const type = isIP(family) === 6 ? 'udp6' : 'udp4'
    const address = options.address ?? (type === 'udp6' ? '::' : '0.0.0.0')
    const port = options.port ?? 0
    const remote = options.remote
    let socket: Socket
    try {
      socket = createSocket({
        type,
        ipv6Only: options.ipv6Only ?? false,
        // reusePort came with Node 22.12; earlier ones ignore it.
        ...(options.reusePort === true ? { reusePort: true } : {}),
        lookup: lookupLiteral as never, // dgram's own typing asks for dns.lookup with all its overloads
      })
    } catch (error) {
      return Promise.reject(socketErrorFrom(error, address, port))
    }
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        socket.removeAllListeners()
        try {
          socket.close()
        } catch {
          // Not yet bound: there is nothing to close.
        }
        reject(socketErrorFrom(error, address, port))
      }
      const ready = (): void => {
        socket.removeListener('error', fail)
        growKernelBuffers(socket)
        resolve(new DgramSocket(socket, options))
      }
      socket.once('error', fail)
      socket.bind({ address, port, exclusive: true }, () => {
        if (remote === undefined) ready()
        else {
          socket.connect(remote.port, remote.address, (error?: Error) => {
            if (error) fail(error)
            else ready()
          })
        }
      })
    })
  }

  open(handler: DatagramHandler): void {
    if (this.handler !== null) throw new SocketError('QUIC_SOCKET_MISUSE', 'this socket already has a reader')
    this.handler = handler
    this.socket.on('message', (message, from) => {
      // A reply to port 0 cannot be sent.
      if (from.port === 0) return
      this.heard = true
      const path = this.connectedPath ?? this.paths.intern(from.address, from.port)
      if (this.arrived.push(message, path, 0)) handler.onReadable()
    })
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.closed) return
      if (UNREACHABLE.has(error.code ?? '')) handler.onUnreachable(error)
      else if (!TRANSIENT.has(error.code ?? '')) handler.onFailed(error)
    })
  }

  receive(): DatagramBatch | null {
    return this.arrived.take()
  }

  path(address: string, port: number): PathAddress {
    if (this.connectedPath !== null) return this.connectedPath
    return this.paths.intern(this.mapToIpv6 && isIPv4(address) ? `::ffff:${address}` : address, port)
  }

  isWritable(): boolean {
    return this.writable
  }

  acquire(): Uint8Array {
    return this.buffers.current
  }

  send(length: number, path: PathAddress, _ecn: number, onTooLarge?: () => void): void {
    if (this.closed) return
    const view = this.buffers.filled(length)
    if (onTooLarge !== undefined) this.sendChecked(view, path, onTooLarge)
    else if (!this.heard) this.socket.send(view, this.onSent)
    else if (this.connectedPath !== null) this.socket.send(view)
    else if (path instanceof UdpPath) this.socket.send(view, path.remotePort, path.remoteAddress)
    else throw new SocketError('QUIC_SOCKET_MISUSE', `path ${path.remote} does not come from a UDP socket`)
    if (this.socket.getSendQueueCount() > 0) this.hold()
  }

  flush(): void {
    // Every send() is one system call already.
  }

  unref(): void {
    this.socket.unref()
  }

  close(): Promise<void> {
    if (this.closed) return Promise.resolve()
    this.closed = true
    if (this.recheck !== null) clearTimeout(this.recheck)
    return new Promise((resolve) => {
      this.socket.close(() => resolve())
    })
  }

  private reportUnreachable(error: NodeJS.ErrnoException | null): void {
    if (error !== null && !this.closed && UNREACHABLE.has(error.code ?? '')) this.handler?.onUnreachable(error)
  }

  /** Without a callback dgram keeps what the system said of a datagram to itself. */
  private sendChecked(view: Buffer, path: PathAddress, onTooLarge: () => void): void {
    const check = (error: Error | null): void => {
      if ((error as NodeJS.ErrnoException | null)?.code === 'EMSGSIZE' && !this.closed) onTooLarge()
      else this.reportUnreachable(error)
    }
    if (this.connectedPath !== null) this.socket.send(view, check)
    else if (path instanceof UdpPath) this.socket.send(view, path.remotePort, path.remoteAddress, check)
    else throw new SocketError('QUIC_SOCKET_MISUSE', `path ${path.remote} does not come from a UDP socket`)
  }

  /** The kernel would block: the buffer stays with it. */
  private hold(): void {
    this.buffers.hold()
    if (this.buffers.isExhausted) this.writable = false
    this.recheck ??= setTimeout(() => this.release(), RECHECK_INTERVAL)
  }

  private release(): void {
    this.recheck = null
    if (this.closed) return
    if (this.socket.getSendQueueCount() > 0) {
      this.recheck = setTimeout(() => this.release(), RECHECK_INTERVAL)
      return
    }
    this.buffers.release()
    if (this.writable) return
    this.writable = true
    this.handler?.onWritable()
  }
}

/** ICMP answers a connected socket reports; Windows reports ECONNRESET for the same thing. */
export const UNREACHABLE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH'])
/** Passing conditions of single datagrams: lost like any other. */
export const TRANSIENT: ReadonlySet<string> = new Set(['EMSGSIZE', 'EAGAIN', 'ENOBUFS', 'EPERM', 'EINTR', 'ENETDOWN'])

function growKernelBuffers(socket: Socket): void {
  try {
    socket.setRecvBufferSize(KERNEL_BUFFER_SIZE)
    socket.setSendBufferSize(KERNEL_BUFFER_SIZE)
  } catch {
    // A system that refuses keeps its own sizes.
  }
}
