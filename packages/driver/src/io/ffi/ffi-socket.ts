// DatagramSocket over the system's own calls through node:ffi: Linux on x86-64 and arm64, Node >= 26.1, main thread. Beyond what
// node:dgram gives: ECN marks out and in (RFC 9000 §13.4), DF on every packet (§14), many datagrams per call in both directions.

import { isIPv4, isIPv6 } from 'node:net'
import type { PathAddress } from '@quicwire/quic'
import { socketErrorFrom } from '../../error-mapping.ts'
import { SocketError } from '../../errors.ts'
import type { DatagramBatch, DatagramHandler, DatagramSocket, SocketFeatures } from '../datagram-socket.ts'
import { TRANSIENT, UNREACHABLE, type DgramSocketOptions } from '../dgram-socket.ts'
import { ReceiveQueue } from '../receive-queue.ts'
import { PathTable, UdpPath, formatAddress, unfragmentedCeiling, type SocketAddress } from '../socket-address.ts'
import { ffiSupport, native, type Native } from './availability.ts'
import { errnoName, systemError } from './libc.ts'
import { Readiness } from './readiness.ts'
import { RING_SIZE, receiveRing, type ReceiveRing } from './receive-ring.ts'
import { SendQueue, type Destination } from './send-queue.ts'
import { SockaddrCodec } from './sockaddr.ts'
import { openDescriptor, type Descriptor } from './udp-descriptor.ts'

export type FfiSocketOptions = DgramSocketOptions

/** System calls per look at the socket; libuv says again that more is there. */
const MAX_ROUNDS = 16
const WORDS_V4 = 2
const WORDS_V6 = 7

export class FfiSocket implements DatagramSocket {
  readonly features: SocketFeatures
  readonly localAddress: SocketAddress
  private readonly native: Native
  private readonly fd: number
  private readonly readiness: Readiness
  private readonly sending: SendQueue
  private readonly ring: ReceiveRing
  private readonly codec: SockaddrCodec
  private readonly arrived: ReceiveQueue
  private readonly paths: PathTable
  private readonly connectedPath: UdpPath | null
  private readonly destinations: WeakMap<PathAddress, Destination>
  private handler: DatagramHandler | null
  private lastPath: PathAddress | null
  private lastDestination: Destination | null
  /** The sockaddr of the last sender: datagrams come in runs. */
  private readonly lastName: Int32Array
  private lastSender: UdpPath | null
  private failed: boolean
  private closing: Promise<void> | null

  private constructor(from: Native, codec: SockaddrCodec, { fd, address, port, ecn, segmentation }: Descriptor, options: FfiSocketOptions) {
    const { remote, named } = options
    this.features = { ecn, segmentation }
    this.localAddress = { address, port, family: isIPv4(address) ? 'IPv4' : 'IPv6' }
    this.native = from
    this.fd = fd
    this.codec = codec
    this.arrived = new ReceiveQueue()
    this.paths = new PathTable(named === true ? formatAddress(address, port) : '', unfragmentedCeiling)
    this.connectedPath = remote === undefined ? null : this.paths.intern(remote.address, remote.port)
    this.destinations = new WeakMap()
    this.handler = null
    this.lastPath = null
    this.lastDestination = null
    this.lastName = new Int32Array(WORDS_V6)
    this.lastSender = null
    this.failed = false
    this.closing = null
    this.ring = receiveRing(from)
    this.sending = new SendQueue(from, fd, segmentation, (errno) => this.onSystemError(errno, 'sendmmsg'))
    this.readiness = new Readiness(from, fd, this)
  }

  get dropped(): number {
    return this.arrived.dropped
  }

  /** Rejects with SocketError: QUIC_PORT_IN_USE, …, and QUIC_SOCKET_UNAVAILABLE where ffiSupport() says no. */
  static bind(options: FfiSocketOptions = {}): Promise<FfiSocket> {
    const from = native()
    if (from === null) return Promise.reject(unavailable())
    const v6 = isIPv6(options.address ?? options.remote?.address ?? '')
    const address = options.address ?? (v6 ? '::' : '0.0.0.0')
    const port = options.port ?? 0
    try {
      const codec = new SockaddrCodec(from)
      const descriptor = openDescriptor(from, codec, { ...options, address, port })
      return Promise.resolve(new FfiSocket(from, codec, descriptor, options))
    } catch (error) {
      return Promise.reject(socketErrorFrom(error, address, port))
    }
  }

  open(handler: DatagramHandler): void {
    if (this.handler !== null) throw new SocketError('QUIC_SOCKET_MISUSE', 'this socket already has a reader')
    this.handler = handler
    this.readiness.watch(true, this.sending.blocked)
  }

  receive(): DatagramBatch | null {
    return this.arrived.take()
  }

  path(address: string, port: number): PathAddress {
    if (this.connectedPath !== null) return this.connectedPath
    return this.paths.intern(this.localAddress.family === 'IPv6' && isIPv4(address) ? `::ffff:${address}` : address, port)
  }

  isWritable(): boolean {
    return !this.sending.blocked
  }

  acquire(): Uint8Array {
    return this.sending.acquire()
  }

  send(length: number, path: PathAddress, ecn: number, onTooLarge?: () => void): void {
    if (this.closing !== null) return
    const told = onTooLarge === undefined ? undefined : () => void (this.closing === null && onTooLarge())
    this.sending.push(length, this.destination(path), ecn, told)
  }

  flush(): void {
    if (this.closing === null && !this.sending.blocked && !this.sending.flush()) this.readiness.watch(this.handler !== null, true)
  }

  unref(): void {
    this.readiness.unref()
  }

  close(): Promise<void> {
    if (this.closing === null) {
      if (!this.sending.blocked) this.sending.flush()
      this.closing = this.readiness.close()
      this.native.libc.close(this.fd)
    }
    return this.closing
  }

  // -- from the event loop

  onReady(readable: boolean, writable: boolean): void {
    if (this.closing !== null) return
    if (readable || !writable) this.drain()
    if (!writable || !this.sending.blocked || !this.sending.flush()) return
    this.readiness.watch(this.handler !== null && !this.failed, false)
    this.handler?.onWritable()
  }

  private drain(): void {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const count = this.ring.receive(this.fd)
      if (count < 0) {
        this.onSystemError(this.native.errno[0]!, 'recvmmsg')
        return
      }
      for (let i = 0; i < count; i++) this.take(i)
      if (count < RING_SIZE) return
    }
  }

  private take(i: number): void {
    const { table } = this.ring
    const length = table.length(i)
    const segment = table.segment(i)
    const ecn = table.ecn(i)
    const path = this.sender(table.nameOffset(i))
    table.reset(i)
    // A reply to port 0 cannot be sent.
    if (path.remotePort === 0) return
    const step = segment > 0 && segment < length ? segment : length
    let at = 0
    do {
      const datagram = this.ring.copy(i, at, Math.min(step, length - at))
      if (this.arrived.push(datagram, path, ecn)) this.handler?.onReadable()
      at += step
    } while (at < length)
  }

  private sender(name: number): UdpPath {
    if (this.connectedPath !== null) return this.connectedPath
    const { memory } = this.ring.table
    const { words } = memory
    const first = name >> 2
    const count = this.localAddress.family === 'IPv6' ? WORDS_V6 : WORDS_V4
    let same = this.lastSender !== null
    for (let i = 0; i < count; i++) {
      if (this.lastName[i] === words[first + i]!) continue
      same = false
      this.lastName[i] = words[first + i]!
    }
    if (same) return this.lastSender!
    const { address, port } = this.codec.decode(memory, name)
    return (this.lastSender = this.paths.intern(address, port))
  }

  // -- sending

  private destination(path: PathAddress): Destination {
    if (path === this.lastPath) return this.lastDestination!
    let destination = this.destinations.get(path)
    if (destination === undefined) {
      destination = this.destinationOf(path)
      this.destinations.set(path, destination)
    }
    this.lastPath = path
    return (this.lastDestination = destination)
  }

  private destinationOf(path: PathAddress): Destination {
    if (!(path instanceof UdpPath)) throw new SocketError('QUIC_SOCKET_MISUSE', `path ${path.remote} does not come from a UDP socket`)
    const name = this.codec.encode(path.remoteAddress, path.remotePort)
    return { name: this.connectedPath === null ? name : null, v4: isIPv4(path.remoteAddress) || path.remoteAddress.startsWith('::ffff:') }
  }

  private onSystemError(errno: number, syscall: string): void {
    const { handler } = this
    const code = errnoName(errno)
    if (handler === null || this.closing !== null || TRANSIENT.has(code)) return
    if (UNREACHABLE.has(code)) handler.onUnreachable(systemError(errno, syscall))
    else if (syscall === 'recvmmsg') {
      this.failed = true
      this.readiness.watch(false, this.sending.blocked)
      handler.onFailed(systemError(errno, syscall))
    }
  }
}

function unavailable(): SocketError {
  const support = ffiSupport()
  const reason = support.available ? '' : support.reason
  const cause = support.available ? undefined : support.cause
  return new SocketError('QUIC_SOCKET_UNAVAILABLE', `the ffi socket needs Node 26.1 or later on Linux, in the main thread (${reason})`, cause)
}
