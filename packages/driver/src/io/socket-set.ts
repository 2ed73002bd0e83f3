// Several sockets as one: a server that is reached at more than one address, with one connection-ID router behind all of them. A path says
// at which it was, and answers leave from there (RFC 9000 §9.6: a preferred address is told from the original one by it).

import type { PathAddress } from '@quicwire/quic'
import { SocketError } from '../errors.ts'
import { DatagramBatch, type DatagramHandler, type DatagramSocket, type SocketFeatures } from './datagram-socket.ts'
import { formatAddress, type SocketAddress } from './socket-address.ts'

/** A path of one of the sockets, under that socket's name. */
class MemberPath implements PathAddress {
  readonly local: string
  readonly remote: string
  readonly maxProbeSize?: number
  readonly member: Member
  readonly path: PathAddress

  constructor(member: Member, path: PathAddress) {
    this.local = member.name
    this.remote = path.remote
    if (path.maxProbeSize !== undefined) this.maxProbeSize = path.maxProbeSize
    this.member = member
    this.path = path
  }
}

class Member {
  readonly socket: DatagramSocket
  readonly name: string
  private readonly paths: WeakMap<PathAddress, MemberPath>
  private last: MemberPath | null

  constructor(socket: DatagramSocket) {
    this.socket = socket
    this.name = formatAddress(socket.localAddress.address, socket.localAddress.port)
    this.paths = new WeakMap()
    this.last = null
  }

  /** The same object for the same path. */
  pathFor(path: PathAddress): MemberPath {
    // Datagrams come in runs from one peer.
    if (this.last?.path === path) return this.last
    let known = this.paths.get(path)
    if (known === undefined) {
      known = new MemberPath(this, path)
      this.paths.set(path, known)
    }
    this.last = known
    return known
  }
}

export class SocketSet implements DatagramSocket {
  readonly features: SocketFeatures
  /** Of the first. */
  readonly localAddress: SocketAddress
  private readonly members: readonly Member[]
  private readonly first: Member
  private readonly arrived: DatagramBatch

  /** At least one socket, none of them open. Throws SocketError when two are bound to the same address. */
  constructor(sockets: readonly DatagramSocket[]) {
    const [first] = sockets
    if (first === undefined) throw new SocketError('QUIC_SOCKET_MISUSE', 'a set of sockets needs one')
    this.features = {
      ecn: sockets.every(({ features }) => features.ecn),
      segmentation: sockets.every(({ features }) => features.segmentation),
    }
    this.localAddress = first.localAddress
    this.members = sockets.map((socket) => new Member(socket))
    this.first = this.members[0]!
    this.arrived = new DatagramBatch()
    const names = new Set(this.members.map(({ name }) => name))
    if (names.size !== sockets.length) throw new SocketError('QUIC_SOCKET_MISUSE', 'sockets of a set need addresses of their own')
  }

  localAddresses(): readonly SocketAddress[] {
    return this.members.map(({ socket }) => socket.localAddress)
  }

  get dropped(): number {
    return this.members.reduce((sum, { socket }) => sum + socket.dropped, 0)
  }

  open(handler: DatagramHandler): void {
    const shared: DatagramHandler = {
      onReadable: () => handler.onReadable(),
      // The others may still be full.
      onWritable: () => {
        if (this.isWritable()) handler.onWritable()
      },
      onUnreachable: (error) => handler.onUnreachable(error),
      onFailed: (error) => handler.onFailed(error),
    }
    for (const { socket } of this.members) socket.open(shared)
  }

  receive(): DatagramBatch | null {
    const { arrived } = this
    for (const member of this.members) {
      const batch = member.socket.receive()
      if (batch === null) continue
      for (let i = 0; i < batch.length; i++) arrived.push(batch.datagrams[i]!, member.pathFor(batch.paths[i]!), batch.ecn[i]!)
      batch.clear()
    }
    return arrived.length === 0 ? null : arrived
  }

  /** From the first. */
  path(address: string, port: number): PathAddress {
    return this.first.pathFor(this.first.socket.path(address, port))
  }

  isWritable(): boolean {
    return this.members.every(({ socket }) => socket.isWritable())
  }

  acquire(): Uint8Array {
    return this.first.socket.acquire()
  }

  send(length: number, path: PathAddress, ecn: number, onTooLarge?: () => void): void {
    if (!(path instanceof MemberPath)) throw new SocketError('QUIC_SOCKET_MISUSE', `path ${path.remote} is of none of these sockets`)
    const { member } = path
    if (member !== this.first) member.socket.acquire().set(this.acquire().subarray(0, length))
    member.socket.send(length, path.path, ecn, onTooLarge)
  }

  flush(): void {
    for (const { socket } of this.members) socket.flush()
  }

  unref(): void {
    for (const { socket } of this.members) socket.unref?.()
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map(({ socket }) => socket.close()))
  }
}
