// DatagramSocket without an operating system: sockets of one MemoryNetwork reach each other by address. Order is kept, nothing is
// lost unless the test says so. Delivery is in the receiver's next turn, as with a real socket.

import type { PathAddress } from '@quicwire/quic'
import { socketErrorFrom } from '../error-mapping.ts'
import { SEND_BUFFER_SIZE, type DatagramBatch, type DatagramHandler, type DatagramSocket, type SocketFeatures } from './datagram-socket.ts'
import { ReceiveQueue } from './receive-queue.ts'
import { PathTable, formatAddress, type SocketAddress } from './socket-address.ts'

/** Return false to lose the datagram; it may be changed in place. */
export type DatagramFilter = (datagram: Uint8Array, from: string, to: string) => boolean

export class MemoryNetwork {
  private readonly sockets: Map<string, MemorySocket>
  private nextPort: number
  filter: DatagramFilter | null
  datagrams: number

  constructor() {
    this.sockets = new Map()
    this.nextPort = 49_152
    this.filter = null
    this.datagrams = 0
  }

  /** Port 0 takes the next free one. Throws SocketError when the address is taken. */
  bind(address: string = '127.0.0.1', port: number = 0): MemorySocket {
    const chosen = port === 0 ? this.nextPort++ : port
    const key = formatAddress(address, chosen)
    if (this.sockets.has(key)) {
      throw socketErrorFrom(Object.assign(new Error('address in use'), { code: 'EADDRINUSE' }), address, chosen)
    }
    const socket = new MemorySocket(this, address, chosen)
    this.sockets.set(key, socket)
    return socket
  }

  deliver(from: MemorySocket, to: string, datagram: Uint8Array): void {
    this.datagrams++
    if (this.filter !== null && !this.filter(datagram, from.name, to)) return
    this.sockets.get(to)?.arrive(datagram, from.localAddress)
  }

  /** The socket is reached, and seen to send, at another port from now on. */
  rename(socket: MemorySocket, before: string, after: string): void {
    this.sockets.delete(before)
    this.sockets.set(after, socket)
  }

  remove(name: string): void {
    this.sockets.delete(name)
  }
}

export class MemorySocket implements DatagramSocket {
  readonly features: SocketFeatures
  localAddress: SocketAddress
  /** Its address as others see it. */
  name: string
  private readonly network: MemoryNetwork
  private readonly paths: PathTable
  private readonly buffer: Uint8Array
  private handler: DatagramHandler | null
  private closed: boolean
  private readonly arrived: ReceiveQueue

  constructor(network: MemoryNetwork, address: string, port: number) {
    this.features = { ecn: false, segmentation: false }
    this.localAddress = { address, port, family: address.includes(':') ? 'IPv6' : 'IPv4' }
    this.name = formatAddress(address, port)
    this.network = network
    this.paths = new PathTable('')
    this.buffer = new Uint8Array(SEND_BUFFER_SIZE)
    this.handler = null
    this.closed = false
    this.arrived = new ReceiveQueue()
  }

  get dropped(): number {
    return this.arrived.dropped
  }

  /** Another port, as when a NAT forgets a mapping; nobody is told. */
  rebind(port: number): void {
    const before = this.name
    this.localAddress = { ...this.localAddress, port }
    this.name = formatAddress(this.localAddress.address, port)
    this.network.rename(this, before, this.name)
  }

  open(handler: DatagramHandler): void {
    this.handler = handler
  }

  arrive(datagram: Uint8Array, from: SocketAddress): void {
    if (this.handler === null) return
    if (this.arrived.push(datagram, this.paths.intern(from.address, from.port), 0)) this.handler.onReadable()
  }

  receive(): DatagramBatch | null {
    return this.arrived.take()
  }

  path(address: string, port: number): PathAddress {
    return this.paths.intern(address, port)
  }

  isWritable(): boolean {
    return true
  }

  acquire(): Uint8Array {
    return this.buffer
  }

  send(length: number, path: PathAddress, _ecn: number): void {
    if (this.closed) return
    this.network.deliver(this, path.remote, this.buffer.slice(0, length))
  }

  flush(): void {
    // send() delivers at once.
  }

  close(): Promise<void> {
    this.closed = true
    this.handler = null
    this.network.remove(this.name)
    return Promise.resolve()
  }
}
