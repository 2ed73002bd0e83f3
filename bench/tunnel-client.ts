// Datagrams to an echo in this process and back: through a proxy's UDP tunnel, and without one.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { connectUdp } from 'quicwire'
import { answer } from './child.ts'

const SECONDS = 4
const AT_ONCE = 64
const DATAGRAM = Buffer.alloc(1000, 0x65)
/** Milliseconds without an answer after which what was under way is taken for lost. */
const PATIENCE = 100

const proxy = process.argv[2] ?? ''

interface Sending {
  send(datagram: Uint8Array): void
  on(event: 'message', listener: () => void): unknown
  close(): unknown
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

export interface Echoes {
  readonly perSecond: number
  readonly count: number
}

/** Datagrams that came back. */
async function echoes(socket: Sending): Promise<Echoes> {
  let received = 0
  let last = performance.now()
  socket.on('message', () => {
    received += 1
    last = performance.now()
    socket.send(DATAGRAM)
  })
  const start = (): void => {
    for (let i = 0; i < AT_ONCE; i += 1) socket.send(DATAGRAM)
  }
  start()
  const watch = setInterval(() => {
    if (performance.now() - last > PATIENCE) start()
  }, PATIENCE)
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000))
  clearInterval(watch)
  socket.close()
  return { perSecond: received / SECONDS, count: received }
}

answer(async (request) => {
  const echo = await bound()
  echo.on('message', (message, from) => echo.send(message, from.port, from.address))
  const { port } = echo.address()
  try {
    if (request === 'tunnel') return await echoes(await connectUdp(proxy, `127.0.0.1:${port}`, { connection: { insecure: true } }))
    const straight = createSocket('udp4')
    straight.connect(port, '127.0.0.1')
    await once(straight, 'connect')
    return await echoes(straight)
  } finally {
    echo.close()
  }
})
