// A proxy on loopback, and things to reach through it.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server as TcpServer, type Socket as TcpSocket } from 'node:net'
import { serve, type ConnectOptions, type MasqueProxyOptions, type ServeOptions, type Server } from '../../src/index.ts'

export const insecure: { readonly connection: ConnectOptions } = { connection: { insecure: true } }

/** What the tests reach is loopback, which a proxy denies by default. */
export const loopback = { allow: ['127.0.0.0/8', '::1'] } as const

/** Ends what a test has opened, last first. */
export class Closing {
  private readonly ends: (() => unknown)[] = []

  add<T>(value: T, end: (value: T) => unknown): T {
    this.ends.push(() => end(value))
    return value
  }

  async all(): Promise<void> {
    for (const end of this.ends.splice(0).toReversed()) await end()
  }
}

export async function startProxy(closing: Closing, proxy: MasqueProxyOptions = {}, options: Partial<ServeOptions> = {}): Promise<Server> {
  const server = await serve({ port: 0, handler: () => ({ status: 200, body: 'ordinary' }), proxy: { policy: loopback, ...proxy }, ...options })
  return closing.add(server, (started) => started.close({ immediately: true }))
}

export interface UdpEcho {
  readonly port: number
  readonly socket: Socket
}

/** Answers each datagram with itself. */
export async function udpEcho(closing: Closing, address: string = '127.0.0.1'): Promise<UdpEcho> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  socket.on('message', (message, from) => socket.send(message, from.port, from.address))
  socket.bind(0, address)
  await once(socket, 'listening')
  closing.add(socket, (open) => open.close())
  return { port: socket.address().port, socket }
}

export interface TcpService {
  readonly port: number
  readonly server: TcpServer
}

export async function tcpServer(closing: Closing, onConnection: (socket: TcpSocket) => void): Promise<TcpService> {
  const sockets = new Set<TcpSocket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.add(server, (open) => {
    for (const socket of sockets) socket.destroy()
    open.close()
  })
  return { port: (server.address() as { port: number }).port, server }
}

/** Waits for something that another turn brings about; throws after a while. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (condition()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`still not: ${what}`)
}
