// What the router needs from UDP: batches in, buffers out. Implementations: dgram-socket.ts, memory-socket.ts.
// Ownership: a received datagram belongs to the receiver; the send buffer belongs to the socket, is filled between acquire() and
// send(), and may be the same memory the next time, as soon as the operating system has taken the bytes.

import type { PathAddress } from '@quicwire/quic'
import type { SocketAddress } from './socket-address.ts'

/** Smallest send buffer a socket hands out: the largest UDP payload there is. */
export const SEND_BUFFER_SIZE = 65_536

export interface SocketFeatures {
  /** Reads and sets ECN codepoints (RFC 3168). Without it received datagrams say 0 and `ecn` is ignored when sending. */
  readonly ecn: boolean
  /** Sends several datagrams of equal size in one call. */
  readonly segmentation: boolean
}

/** Callbacks mark work and return; the real work happens in the owner's own turn. */
export interface DatagramHandler {
  /** The first datagram of a batch has arrived; take it with receive(). */
  onReadable(): void
  /** isWritable() had said no and says yes again. */
  onWritable(): void
  /** The peer of a connected socket is unreachable: an ICMP error, unauthenticated. */
  onUnreachable(error: Error): void
  /** The socket is unusable. */
  onFailed(error: Error): void
}

export class DatagramBatch {
  length: number
  readonly datagrams: (Uint8Array | null)[]
  readonly paths: (PathAddress | null)[]
  readonly ecn: number[]

  constructor() {
    this.length = 0
    this.datagrams = []
    this.paths = []
    this.ecn = []
  }

  push(datagram: Uint8Array, path: PathAddress, ecn: number): void {
    const i = this.length++
    this.datagrams[i] = datagram
    this.paths[i] = path
    this.ecn[i] = ecn
  }

  clear(): void {
    for (let i = 0; i < this.length; i++) {
      this.datagrams[i] = null
      this.paths[i] = null
    }
    this.length = 0
  }
}

export interface DatagramSocket {
  readonly features: SocketFeatures
  readonly localAddress: SocketAddress
  /** Set on a socket with one peer only, such as a tunnel: names are not resolved for it. */
  readonly remoteAddress?: SocketAddress
  /** Datagrams dropped on arrival because they came faster than receive() took them. */
  readonly dropped: number
  /** Starts to receive. Once. */
  open(handler: DatagramHandler): void
  /** Everything received since the last call, to be cleared by the caller before the next one; null when nothing. */
  receive(): DatagramBatch | null
  /** The path to a remote address, the same object every time. */
  path(address: string, port: number): PathAddress
  isWritable(): boolean
  /** A buffer of SEND_BUFFER_SIZE bytes to put the next datagram in. */
  acquire(): Uint8Array
  /**
   * Sends the first `length` bytes of the acquired buffer. Loss is silent, as on the network, but for one kind: `onTooLarge` is called, later,
   * when the system refuses a datagram of that size (EMSGSIZE). Given for sizes that have not been sent before.
   */
  send(length: number, path: PathAddress, ecn: number, onTooLarge?: () => void): void
  /** Everything handed to send() leaves now. */
  flush(): void
  /** From here on the socket alone does not keep the process alive. */
  unref?(): void
  close(): Promise<void>
}
