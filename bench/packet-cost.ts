// Two connections in one process, no sockets: what a packet costs in this code, in time and in garbage.

import { answer } from './child.ts'
import { ConnectionPair } from './connection-pair.ts'

const TRANSFER = 60 * 1024 * 1024
const WARM_UP = 20 * 1024 * 1024
const CHUNK = new Uint8Array(64 * 1024)

export interface PacketCost {
  readonly microseconds: number
  /** JavaScript heap, per packet, both ends together. */
  readonly heapBytes: number
}

function measure(): PacketCost {
  const pair = new ConnectionPair({ transport: { mtuDiscovery: false, maxIdleTimeout: 0, handshakeTimeout: 0, initialMaxData: 8e6, initialMaxStreamData: 8e6 } })
  pair.runUntil(() => pair.client.isConfirmed() && pair.server?.isConfirmed() === true)
  const server = pair.server!
  let received = 0
  pair.onServer = (event) => {
    if (event.kind !== 'stream-readable') return
    for (let bytes = server.streamPeek(event.streamId); bytes !== null; bytes = server.streamPeek(event.streamId)) {
      received += bytes.length
      server.streamConsume(event.streamId, bytes.length)
    }
  }
  const stream = pair.client.openStream(false)
  const push = (): void => {
    while (pair.client.streamWrite(stream, CHUNK, false) === CHUNK.length);
  }
  pair.onClient = (event) => {
    if (event.kind === 'stream-writable') push()
  }
  push()
  pair.runUntil(() => received >= WARM_UP)
  const before = pair.packets
  let allocated = 0
  let heap = process.memoryUsage().heapUsed
  const begin = performance.now()
  // Sampled often enough that a collection in between is seen as a drop and left out.
  for (let goal = WARM_UP; goal < WARM_UP + TRANSFER; goal += 256 * 1024) {
    pair.runUntil(() => received >= goal)
    const now = process.memoryUsage().heapUsed
    if (now > heap) allocated += now - heap
    heap = now
  }
  const milliseconds = performance.now() - begin
  const packets = pair.packets - before
  return { microseconds: (milliseconds * 1000) / packets, heapBytes: allocated / packets }
}

answer(() => Promise.resolve(measure()))
