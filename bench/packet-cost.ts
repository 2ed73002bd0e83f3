// Two connections in one process, no sockets: what a packet costs in this code, in time and in garbage.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { answer } from './child.ts'
import { ConnectionPair } from './connection-pair.ts'

const TRANSFER = 60 * 1024 * 1024
const WARM_UP = 20 * 1024 * 1024
const CHUNK = new Uint8Array(64 * 1024)

export interface PacketCost {
  readonly microseconds: number
  /** JavaScript heap, per packet, both ends together. */
  readonly heapBytes: number
  /** What node:crypto alone leaves for one seal, one open and two header masks of such a packet. */
  readonly cryptoHeapBytes: number
}

function cryptoGarbage(): number {
  const key = randomBytes(16)
  const nonce = randomBytes(12)
  const header = randomBytes(13)
  const payload = randomBytes(1171)
  const sample = randomBytes(16)
  const mask = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  const packet = (): void => {
    const seal = createCipheriv('aes-128-gcm', key, nonce)
    seal.setAAD(header)
    const sealed = seal.update(payload)
    seal.final()
    mask.update(sample)
    mask.update(sample)
    const open = createDecipheriv('aes-128-gcm', key, nonce)
    open.setAAD(header)
    open.setAuthTag(seal.getAuthTag())
    open.update(sealed)
    open.final()
  }
  const rounds = 1000
  const each = 50
  for (let i = 0; i < rounds * each; i += 1) packet()
  let allocated = 0
  let heap = process.memoryUsage().heapUsed
  for (let round = 0; round < rounds; round += 1) {
    for (let i = 0; i < each; i += 1) packet()
    const now = process.memoryUsage().heapUsed
    if (now > heap) allocated += now - heap
    heap = now
  }
  return allocated / (rounds * each)
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
  return { microseconds: (milliseconds * 1000) / packets, heapBytes: allocated / packets, cryptoHeapBytes: cryptoGarbage() }
}

answer(() => Promise.resolve(measure()))
