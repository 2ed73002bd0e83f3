// UDP sockets on loopback.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { IpFamily } from './addresses.ts'
import { LinkError } from './link-error.ts'

export const LOOPBACK: Readonly<Record<IpFamily, string>> = { 4: '127.0.0.1', 6: '::1' }

const BUFFER_BYTES = 4_194_304
const ATTEMPTS = 20

export class LoopbackSocket {
  private readonly socket: Socket
  private closed: boolean

  constructor(socket: Socket) {
    this.socket = socket
    this.closed = false
  }

  send(payload: Uint8Array, port: number, address: string): void {
    if (!this.closed) this.socket.send(payload, port, address, () => undefined)
  }

  close(): Promise<void> {
    if (this.closed) return Promise.resolve()
    this.closed = true
    return new Promise((resolve) => this.socket.close(() => resolve()))
  }
}

/** At any free port, usable at once: what is sent before the socket is bound waits. */
export function bindLoopback(family: IpFamily, address: string, onDatagram: (payload: Uint8Array, from: RemoteInfo) => void): LoopbackSocket {
  const socket = createOn(family, onDatagram)
  socket.bind(0, address)
  return new LoopbackSocket(socket)
}

/** One port on 127.0.0.1 and, where there is IPv6, on ::1. */
export class LoopbackPorts {
  readonly port: number
  onDatagram: (family: IpFamily, payload: Uint8Array, from: RemoteInfo) => void
  private readonly sockets: ReadonlyMap<IpFamily, LoopbackSocket>

  private constructor(port: number, sockets: ReadonlyMap<IpFamily, Socket>) {
    this.port = port
    this.onDatagram = () => undefined
    this.sockets = new Map([...sockets].map(([family, socket]) => [family, new LoopbackSocket(socket)]))
    for (const [family, socket] of sockets) socket.on('message', (payload, from) => this.onDatagram(family, payload, from))
  }

  static async open(): Promise<LoopbackPorts> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const v4 = createOn(4)
      v4.bind(0, LOOPBACK[4])
      await once(v4, 'listening')
      const { port } = v4.address()
      const v6 = createOn(6)
      const refused = await bound(v6, port, LOOPBACK[6])
      if (refused === null) return new LoopbackPorts(port, new Map([[4, v4], [6, v6]]))
      v6.close()
      if (refused !== 'EADDRINUSE') return new LoopbackPorts(port, new Map([[4, v4]]))
      v4.close()
    }
    throw new LinkError('no UDP port is free on 127.0.0.1 and ::1 alike')
  }

  has(family: IpFamily): boolean {
    return this.sockets.has(family)
  }

  send(family: IpFamily, payload: Uint8Array, port: number, address: string): void {
    this.sockets.get(family)?.send(payload, port, address)
  }

  async close(): Promise<void> {
    await Promise.all([...this.sockets.values()].map((socket) => socket.close()))
  }
}

/** Rejects where loopback has no such IPv4 address; Linux has all of 127.0.0.0/8. */
export async function requireLoopback(address: string): Promise<void> {
  const socket = createOn(4)
  const refused = await bound(socket, 0, address)
  socket.close()
  if (refused !== null) throw new LinkError(`loopback has no ${address} here: ${refused}`)
}

function createOn(family: IpFamily, onDatagram?: (payload: Uint8Array, from: RemoteInfo) => void): Socket {
  const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', ipv6Only: family === 6, recvBufferSize: BUFFER_BYTES })
  // A peer that has gone answers with ICMP: lost datagrams, for the captures to show.
  socket.on('error', () => undefined)
  if (onDatagram !== undefined) socket.on('message', onDatagram)
  return socket
}

/** Null, or the code of what went wrong. */
async function bound(socket: Socket, port: number, address: string): Promise<string | null> {
  return new Promise((resolve) => {
    socket.once('listening', () => resolve(null))
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    socket.bind(port, address)
  })
}
