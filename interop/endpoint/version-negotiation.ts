// The client of `versionnegotiation`: a first packet of a version that nobody speaks, which a server answers with Version Negotiation
// (RFC 9000 §6). Drawn by hand: the engine does not begin connections in reserved versions.

import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'

/** RFC 9000 §15: reserved to force version negotiation. */
const RESERVED_VERSION = 0x1a2a3a4a
/** The least a server answers (RFC 9000 §14.1). */
const DATAGRAM_SIZE = 1200
const ID_LENGTH = 8
const AGAIN_AFTER = 500
const TIMEOUT = 10_000

/** A long header as RFC 8999 §5.1 has it, then zeros. */
export function reservedVersionPacket(destination: Uint8Array, source: Uint8Array): Uint8Array {
  const packet = new Uint8Array(DATAGRAM_SIZE)
  packet[0] = 0xc0
  new DataView(packet.buffer).setUint32(1, RESERVED_VERSION)
  packet[5] = destination.length
  packet.set(destination, 6)
  packet[6 + destination.length] = source.length
  packet.set(source, 7 + destination.length)
  return packet
}

/** RFC 9000 §17.2.1: a Version Negotiation packet swaps the connection IDs of what it answers, and lists versions. */
export function isVersionNegotiation(packet: Uint8Array, destination: Uint8Array, source: Uint8Array): boolean {
  const header = Buffer.from([0, 0, 0, 0, source.length, ...source, destination.length, ...destination])
  const versions = packet.length - 1 - header.length
  return (packet[0] ?? 0) >= 0x80 && Buffer.from(packet.subarray(1, 1 + header.length)).equals(header) && versions > 0 && versions % 4 === 0
}

/** Resolves when the server has answered so; rejects after 10 seconds. */
export async function awaitVersionNegotiation(host: string, port: number): Promise<void> {
  const { address, family } = await lookup(host)
  const destination = randomBytes(ID_LENGTH)
  const source = randomBytes(ID_LENGTH)
  const packet = reservedVersionPacket(destination, source)
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
  const again = setInterval(() => socket.send(packet, port, address), AGAIN_AFTER)
  let timeout: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject)
      socket.on('message', (answer) => {
        if (isVersionNegotiation(answer, destination, source)) resolve()
      })
      timeout = setTimeout(() => reject(new Error('the server sent no Version Negotiation packet')), TIMEOUT)
      socket.send(packet, port, address)
    })
  } finally {
    clearInterval(again)
    clearTimeout(timeout)
    socket.close()
  }
}
