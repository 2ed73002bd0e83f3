// What the tests of sockets read with, and how they send.

import type { PathAddress } from '@quicwire/quic'
import type { DatagramHandler, DatagramSocket } from '../../src/io/datagram-socket.ts'

export interface Received {
  readonly bytes: Uint8Array
  readonly path: PathAddress
  readonly ecn: number
}

export class Reader implements DatagramHandler {
  readonly datagrams: Received[]
  readonly unreachable: Error[]
  batches: number
  writable: number
  private readonly socket: DatagramSocket
  private waiting: (() => void) | null

  constructor(socket: DatagramSocket) {
    this.datagrams = []
    this.unreachable = []
    this.batches = 0
    this.writable = 0
    this.socket = socket
    this.waiting = null
    socket.open(this)
  }

  get received(): string[] {
    return this.datagrams.map(({ bytes }) => Buffer.from(bytes).toString('latin1', 0, 8))
  }

  get sizes(): number[] {
    return this.datagrams.map(({ bytes }) => bytes.length)
  }

  onReadable(): void {
    setImmediate(() => {
      const batch = this.socket.receive()
      if (batch === null) return
      this.batches++
      for (let i = 0; i < batch.length; i++) this.datagrams.push({ bytes: batch.datagrams[i]!, path: batch.paths[i]!, ecn: batch.ecn[i]! })
      batch.clear()
      this.waiting?.()
    })
  }

  onWritable(): void {
    this.writable++
    this.waiting?.()
  }

  onUnreachable(error: Error): void {
    this.unreachable.push(error)
    this.waiting?.()
  }

  onFailed(error: Error): void {
    throw error
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.waiting = resolve
      })
    }
  }
}

/** Without flush(): for several that are to leave together. */
export function queue(socket: DatagramSocket, text: string, to: DatagramSocket, size: number = text.length, ecn: number = 0): void {
  const { address, port } = to.localAddress
  socket.acquire().set(Buffer.from(text, 'latin1'))
  socket.send(size, socket.path(address, port), ecn)
}

export function send(socket: DatagramSocket, text: string, to: DatagramSocket, size: number = text.length, ecn: number = 0): void {
  queue(socket, text, to, size, ecn)
  socket.flush()
}
