// UDP ports of servers under test: finding a free one, and asking whether a QUIC server answers on it.

import { createSocket, type Socket } from 'node:dgram'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { ProcessError, quoted, lastLine, type Child } from './child.ts'

export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

/** Waits until `server` answers a datagram of an unknown version with Version Negotiation (RFC 9000 §6.1). */
export async function waitForQuicServer(server: Child, port: number, timeoutMs: number): Promise<void> {
  const socket = createSocket('udp4')
  try {
    const deadline = performance.now() + timeoutMs
    const answer = { received: false }
    socket.on('message', (datagram) => {
      answer.received ||= isVersionNegotiation(datagram)
    })
    // A port nobody listens on yet answers with ICMP.
    socket.on('error', () => {})
    for (;;) {
      probe(socket, port)
      await delay(100)
      if (answer.received) return
      if (server.exited) throw new ProcessError(`${server.name} ended before it was ready${quoted(lastLine(server.output()))}`)
      if (performance.now() > deadline) throw new ProcessError(`${server.name} answered no Version Negotiation within ${timeoutMs / 1000} s`)
    }
  } finally {
    socket.close()
  }
}

function probe(socket: Socket, port: number): void {
  const datagram = new Uint8Array(1200)
  const connectionIds = randomBytes(16)
  // RFC 9000 §15: 0x?a?a?a?a are versions that nobody supports.
  datagram.set([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, ...connectionIds.subarray(0, 8), 8, ...connectionIds.subarray(8)])
  socket.send(datagram, port, '127.0.0.1')
}

export function isVersionNegotiation(datagram: Uint8Array): boolean {
  return datagram.length > 7 && (datagram[0]! & 0x80) !== 0 && datagram.subarray(1, 5).every((byte) => byte === 0)
}
