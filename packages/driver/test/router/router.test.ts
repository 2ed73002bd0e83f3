// The router of a socket: nobody keeps it from its other work, and nothing stays of a connection that is over.

import { afterEach, describe, expect, it } from 'vitest'
import { ConnectionRouter } from '../../../quic/src/endpoint/connection-router.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../../quic/src/wire/header.ts'
import { DatagramBatch, SEND_BUFFER_SIZE, UdpPath, listen, type DatagramHandler, type DatagramSocket } from '../../src/index.ts'
import { AdvancingClock, certificate, h3Pair, settle, type Pair } from '../support.ts'

let pair: Pair | null = null
afterEach(async () => {
  await pair?.close()
  pair = null
})

/** A socket that always has another packet. */
class Torrent implements DatagramSocket {
  readonly features = { ecn: false, segmentation: false }
  readonly localAddress = { address: '10.0.0.1', port: 1, family: 'IPv4' } as const
  readonly dropped = 0
  readonly from: UdpPath = new UdpPath('', '10.0.0.9', 9)
  private readonly batch = new DatagramBatch()
  private readonly buffer = new Uint8Array(SEND_BUFFER_SIZE)
  private handler: DatagramHandler | null = null
  batches = 0

  open(handler: DatagramHandler): void {
    this.handler = handler
    handler.onReadable()
  }

  receive(): DatagramBatch | null {
    if (this.handler === null) return null
    this.batches++
    for (let i = 0; i < 10; i++) this.batch.push(new Uint8Array(1200).fill(0x42 + i), this.from, 0)
    queueMicrotask(() => this.handler?.onReadable())
    return this.batch
  }

  path(): UdpPath {
    return this.from
  }

  isWritable(): boolean {
    return true
  }

  acquire(): Uint8Array {
    return this.buffer
  }

  send(): void {
    // Nowhere.
  }

  flush(): void {
    // Nothing is kept.
  }

  close(): Promise<void> {
    this.handler = null
    return Promise.resolve()
  }
}

describe('router', () => {
  it('[50] router test_timeout: a connection whose peer has gone is dropped', async () => {
    const clock = new AdvancingClock()
    pair = await h3Pair({ serverQuic: { maxIdleTimeout: 1000 }, clock })
    pair.network.filter = () => false
    clock.advance(30_000)
    pair.server.wake()
    expect(await pair.server.closed).toMatchObject({ cause: 'idle-timeout' })
    await pair.server.whenFinished()
    expect(pair.listener.connections).toBe(0)
  })

  it('[51] router test_poll_packet_always_ready: a torrent of packets holds up neither timers nor the end', async () => {
    const socket = new Torrent()
    const listener = await listen({ socket, tls: { certificates: [certificate] } })
    await settle(50)
    expect(socket.batches).toBeGreaterThan(10)
    await listener.close()
    const seen = socket.batches
    await settle(5)
    expect(socket.batches).toBe(seen)
    expect(await listener.accept()).toBeNull()
  })

  it('[57] map cid_storage: connection IDs of every length that exists; longer ones are no packets (RFC 9000 §17.2)', () => {
    const router = new ConnectionRouter<string>()
    for (let length = 1; length <= 20; length++) router.add(new Uint8Array(length).fill(7), `of ${length}`)
    const buffer = new Uint8Array(64).fill(7)
    for (let length = 1; length <= 20; length++) expect(router.find(buffer, 3, length)).toBe(`of ${length}`)
    const packet = new Uint8Array(1200).fill(1)
    packet.set([0xc0, 0, 0, 0, 1, 40])
    expect(parseHeader(new HeaderView(), packet, 0, packet.length, 8, true)).toBe(HeaderResult.invalid)
  })

  it('a connection that is over leaves nothing in the listener', async () => {
    pair = await h3Pair()
    expect(pair.listener.connections).toBe(1)
    await pair.client.close()
    await pair.server.whenFinished()
    expect(pair.listener.connections).toBe(0)
  })
})
