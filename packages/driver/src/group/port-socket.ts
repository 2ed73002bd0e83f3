// The sockets of a worker in a group. PortSocket has no UDP socket of its own: the main thread receives and sends for it. SharedSocket has
// one on the common port (SO_REUSEPORT) and passes on what the system gave to the wrong worker, as after a migration.

import type { MessagePort } from 'node:worker_threads'
import type { PathAddress } from '@quicwire/quic'
import { SocketError } from '../errors.ts'
import { SEND_BUFFER_SIZE, type DatagramBatch, type DatagramHandler, type DatagramSocket, type SocketFeatures } from '../io/datagram-socket.ts'
import { ReceiveQueue } from '../io/receive-queue.ts'
import { PathTable, UdpPath, type SocketAddress } from '../io/socket-address.ts'
import { Backlog } from './backlog.ts'
import { Outbox, type Datagrams } from './messages.ts'
import { mayBegin, workerOf } from './worker-ids.ts'

/** Throws SocketError for a path that is none of UDP. */
export function remoteOf(path: PathAddress): UdpPath {
  if (path instanceof UdpPath) return path
  throw new SocketError('QUIC_SOCKET_MISUSE', `path ${path.remote} does not come from a UDP socket`)
}

/** Without its group a worker's listener fails: others may have the port soon. */
function whenGone(port: MessagePort, handler: DatagramHandler, isClosed: () => boolean): void {
  port.on('close', () => {
    if (!isClosed()) handler.onFailed(new SocketError('QUIC_SOCKET_FAILED', 'the group of this worker has been closed'))
  })
}

export class PortSocket implements DatagramSocket {
  readonly features: SocketFeatures
  readonly localAddress: SocketAddress
  private readonly port: MessagePort
  private readonly outbox: Outbox
  private readonly arrived: ReceiveQueue
  private readonly paths: PathTable
  private readonly buffer: Uint8Array
  private readonly backlog: Backlog
  private closed: boolean

  /** `backlog`: shared with the main thread, for what it passes on. */
  constructor(port: MessagePort, localAddress: SocketAddress, backlog: SharedArrayBuffer) {
    this.backlog = new Backlog(backlog)
    this.features = { ecn: false, segmentation: false }
    this.localAddress = localAddress
    this.port = port
    this.outbox = new Outbox(port, 'out')
    this.arrived = new ReceiveQueue()
    this.paths = new PathTable('')
    this.buffer = new Uint8Array(SEND_BUFFER_SIZE)
    this.closed = false
  }

  get dropped(): number {
    return this.arrived.dropped
  }

  open(handler: DatagramHandler): void {
    this.port.on('message', ({ datagrams, addresses, ports }: Datagrams) => {
      this.backlog.taken(datagrams.length)
      for (const [i, datagram] of datagrams.entries()) {
        if (this.arrived.push(datagram, this.paths.intern(addresses[i]!, ports[i]!), 0)) handler.onReadable()
      }
    })
    whenGone(this.port, handler, () => this.closed)
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

  send(length: number, path: PathAddress): void {
    if (this.closed) return
    const { remoteAddress, remotePort } = remoteOf(path)
    this.outbox.add(this.buffer.slice(0, length), remoteAddress, remotePort)
  }

  flush(): void {
    if (!this.closed) this.outbox.post()
  }

  close(): Promise<void> {
    this.flush()
    this.closed = true
    this.port.close()
    return Promise.resolve()
  }
}

/** Where a worker stands, and how it and the main thread tell each other what is under way between them. */
export interface SharedPlace {
  readonly port: MessagePort
  readonly index: number
  readonly count: number
  /** From the main thread. */
  readonly backlog: SharedArrayBuffer
  /** To the main thread. */
  readonly foreignBacklog: SharedArrayBuffer
}

export class SharedSocket implements DatagramSocket {
  private readonly socket: DatagramSocket
  private readonly port: MessagePort
  private readonly index: number
  private readonly count: number
  private readonly foreign: Outbox
  /** Ours, from our own socket and from the other workers'. */
  private readonly arrived: ReceiveQueue
  private readonly paths: PathTable
  private readonly backlog: Backlog
  private readonly foreignBacklog: Backlog
  private closed: boolean

  /** `socket` is bound to the common port. */
  constructor(socket: DatagramSocket, { port, index, count, backlog, foreignBacklog }: SharedPlace) {
    this.backlog = new Backlog(backlog)
    this.foreignBacklog = new Backlog(foreignBacklog)
    this.socket = socket
    this.port = port
    this.index = index
    this.count = count
    this.foreign = new Outbox(port, 'foreign', this.foreignBacklog)
    this.arrived = new ReceiveQueue()
    this.paths = new PathTable('')
    this.closed = false
  }

  get features(): SocketFeatures {
    return this.socket.features
  }

  get localAddress(): SocketAddress {
    return this.socket.localAddress
  }

  get dropped(): number {
    return this.arrived.dropped + this.socket.dropped + this.foreignBacklog.dropped
  }

  open(handler: DatagramHandler): void {
    this.socket.open(handler)
    this.port.on('message', ({ datagrams, addresses, ports }: Datagrams) => {
      this.backlog.taken(datagrams.length)
      for (const [i, datagram] of datagrams.entries()) {
        if (this.arrived.push(datagram, this.paths.intern(addresses[i]!, ports[i]!), 0)) handler.onReadable()
      }
    })
    whenGone(this.port, handler, () => this.closed)
  }

  receive(): DatagramBatch | null {
    const batch = this.socket.receive()
    if (batch !== null) {
      for (let i = 0; i < batch.length; i++) {
        const datagram = batch.datagrams[i]!
        const { remoteAddress, remotePort } = remoteOf(batch.paths[i]!)
        // A connection begins where the system brings it; it is its own IDs that count from then on.
        const worker = mayBegin(datagram) ? -1 : workerOf(datagram, this.count)
        if (worker < 0 || worker === this.index) this.arrived.push(datagram, this.paths.intern(remoteAddress, remotePort), batch.ecn[i]!)
        else this.foreign.add(datagram, remoteAddress, remotePort)
      }
      batch.clear()
      this.foreign.post()
    }
    return this.arrived.take()
  }

  path(address: string, port: number): PathAddress {
    return this.socket.path(address, port)
  }

  isWritable(): boolean {
    return this.socket.isWritable()
  }

  acquire(): Uint8Array {
    return this.socket.acquire()
  }

  send(length: number, path: PathAddress, ecn: number, onTooLarge?: () => void): void {
    if (!this.closed) this.socket.send(length, path, ecn, onTooLarge)
  }

  flush(): void {
    this.socket.flush()
  }

  async close(): Promise<void> {
    this.closed = true
    this.port.close()
    await this.socket.close()
  }
}
