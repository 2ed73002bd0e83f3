// What every DatagramSocket does, run against each of them: node:dgram, node:ffi, several as one, the network in memory, a MASQUE tunnel's.

import { describe, expect, it } from 'vitest'
import { SEND_BUFFER_SIZE, type DatagramSocket } from '../../src/io/datagram-socket.ts'
import { DgramSocket } from '../../src/io/dgram-socket.ts'
import { FfiSocket } from '../../src/io/ffi/ffi-socket.ts'
import { MemoryNetwork } from '../../src/io/memory-socket.ts'
import { SocketSet } from '../../src/io/socket-set.ts'
import { TunnelSocket } from '../../src/masque/client/tunnel-socket.ts'
import { ffiReason, hasFfi } from './ffi-under-test.ts'
import { Reader, queue, send } from './socket-reader.ts'

interface Kind {
  readonly name: string
  readonly skipped?: boolean
  /** Two sockets that reach each other. */
  open(): Promise<readonly [DatagramSocket, DatagramSocket]>
  /** Has one peer, whatever address is asked for. */
  readonly onePeer?: boolean
}

type Bind = (options: { address?: string; remote?: { address: string; port: number } }) => Promise<DatagramSocket>

function udpKinds(name: string, bind: Bind, skipped: boolean): readonly Kind[] {
  const on = (address: string, peer: string = address) => async (): Promise<readonly [DatagramSocket, DatagramSocket]> =>
    [await bind({ address }), await bind({ address: peer })]
  return [
    { name: `${name}, IPv4`, skipped, open: on('127.0.0.1') },
    { name: `${name}, IPv6`, skipped, open: on('::1') },
    {
      name: `several of ${name} as one`,
      skipped,
      open: async () => [new SocketSet([await bind({ address: '127.0.0.1' }), await bind({ address: '127.0.0.1' })]), await bind({ address: '127.0.0.1' })],
    },
    {
      name: `${name}, connected`,
      skipped,
      onePeer: true,
      open: async () => {
        const server = await bind({ address: '127.0.0.1' })
        const { address, port } = server.localAddress
        return [await bind({ address: '127.0.0.1', remote: { address, port } }), server]
      },
    },
  ]
}

function tunnelPair(): readonly [TunnelSocket, TunnelSocket] {
  const addresses = (own: number, peer: number) => ({
    local: { address: '192.0.2.1', port: own, family: 'IPv4' as const },
    remote: { address: '192.0.2.1', port: peer, family: 'IPv4' as const },
    name: `192.0.2.1:${peer}`,
  })
  const ends: TunnelSocket[] = []
  const tunnel = (peer: number) => ({
    maxPayload: 65_527,
    sendPayload: (payload: Uint8Array) => {
      const copy = payload.slice()
      queueMicrotask(() => ends[peer]!.onPayload(copy))
      return 'sent' as const
    },
    close: (callback: () => void) => queueMicrotask(callback),
  })
  ends.push(new TunnelSocket(tunnel(1), addresses(1, 2)), new TunnelSocket(tunnel(0), addresses(2, 1)))
  return [ends[0]!, ends[1]!]
}

const kinds: readonly Kind[] = [
  ...udpKinds('dgram', (options) => DgramSocket.bind(options), false),
  ...udpKinds(`ffi${ffiReason}`, (options) => FfiSocket.bind(options), !hasFfi),
  {
    name: 'memory',
    open: () => {
      const network = new MemoryNetwork()
      return Promise.resolve([network.bind(), network.bind()])
    },
  },
  { name: 'MASQUE tunnel', onePeer: true, open: () => Promise.resolve(tunnelPair()) },
]

/** Bytes that tell one datagram from another, all the way through. */
function pattern(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed * 17 + (i >> 8)) & 0xff)
}

function sendBytes(socket: DatagramSocket, bytes: Uint8Array, to: DatagramSocket): void {
  socket.acquire().set(bytes)
  socket.send(bytes.length, socket.path(to.localAddress.address, to.localAddress.port), 0)
}

for (const kind of kinds) {
  describe.skipIf(kind.skipped === true)(`datagram socket (${kind.name})`, () => {
    async function opened(run: (a: DatagramSocket, b: DatagramSocket, readerA: Reader, readerB: Reader) => Promise<void>): Promise<void> {
      const [a, b] = await kind.open()
      await run(a, b, new Reader(a), new Reader(b))
      await a.close()
      await b.close()
    }

    it('carries datagrams both ways in order, buffers reused', () =>
      opened(async (a, b, readerA, readerB) => {
        for (let i = 0; i < 50; i++) queue(a, `to b ${i}`, b)
        a.flush()
        await readerB.until(() => readerB.datagrams.length >= 50)
        expect(readerB.received).toEqual(Array.from({ length: 50 }, (_, i) => `to b ${i}`))
        send(b, 'to a', a, 1400)
        await readerA.until(() => readerA.datagrams.length >= 1)
        expect(readerA.sizes).toEqual([1400])
      }))

    it('keeps every size and every byte, whatever leaves beside it', () =>
      opened(async (a, b, _, reader) => {
        const sizes = [1, 1200, 1200, 1200, 700, 700, 1200, 1452, 1452, 40, 41, 42, 9000, 9000, 1200, 30_000, 30_000, 30_000, 1, 60_000, 1200, 1200]
        const sent = sizes.map((size, i) => pattern(size, i))
        for (const bytes of sent) sendBytes(a, bytes, b)
        a.flush()
        await reader.until(() => reader.datagrams.length >= sizes.length)
        expect(reader.sizes).toEqual(sizes)
        for (const [i, { bytes }] of reader.datagrams.entries()) expect(Buffer.compare(bytes, sent[i]!), `datagram ${i}`).toBe(0)
      }))

    it('takes any number at once', () =>
      opened(async (a, b, _, reader) => {
        // Sixteen is what one call may bring; each larger than the last, none is joined with another.
        let sent = 0
        for (const count of [15, 16, 17, 32, 256, 1]) {
          for (let i = 0; i < count; i++) queue(a, `${++sent}`, b, 100 + i)
          a.flush()
          await reader.until(() => reader.datagrams.length >= sent)
        }
        expect(reader.datagrams.length).toBe(sent)
      }))

    it('gives datagrams to their receiver for good', () =>
      opened(async (a, b, _, reader) => {
        for (let i = 0; i < 300; i++) {
          sendBytes(a, pattern(1000 + (i % 3), i), b)
          if (i % 100 !== 99) continue
          a.flush()
          await reader.until(() => reader.datagrams.length > i)
        }
        for (const [i, { bytes }] of reader.datagrams.entries()) {
          expect(Buffer.compare(bytes, pattern(1000 + (i % 3), i)), `datagram ${i}`).toBe(0)
          // It is opened in place: no other may see that.
          bytes.fill(0xff)
        }
      }))

    it('sends one thing to many in one flush', () =>
      opened(async (a, b, readerA, readerB) => {
        if (kind.onePeer === true) return
        for (let i = 0; i < 40; i++) queue(a, `turn ${100 + i}`, i % 2 === 0 ? a : b, 1200)
        a.flush()
        await readerB.until(() => readerB.datagrams.length >= 20)
        await readerA.until(() => readerA.datagrams.length >= 20)
        expect(readerA.received).toEqual(Array.from({ length: 20 }, (_, i) => `turn ${100 + 2 * i}`))
        expect(readerB.received).toEqual(Array.from({ length: 20 }, (_, i) => `turn ${101 + 2 * i}`))
      }))

    it('carries ECN marks if it says so, and none otherwise', () =>
      opened(async (a, b, _, reader) => {
        const marks = [0, 2, 2, 1, 3, 3, 0, 2]
        for (const ecn of marks) queue(a, 'marked', b, 1200, ecn)
        a.flush()
        await reader.until(() => reader.datagrams.length >= marks.length)
        expect(reader.datagrams.map(({ ecn }) => ecn)).toEqual(a.features.ecn ? marks : marks.map(() => 0))
      }))

    it('says where datagrams come from: the path an answer takes', () =>
      opened(async (a, b, readerA, readerB) => {
        send(a, 'question', b)
        await readerB.until(() => readerB.datagrams.length === 1)
        const { path } = readerB.datagrams[0]!
        if (kind.onePeer !== true) expect(path).toBe(b.path(a.localAddress.address, a.localAddress.port))
        b.acquire().set(Buffer.from('answer'))
        b.send(6, path, 0)
        b.flush()
        await readerA.until(() => readerA.datagrams.length === 1)
        expect(readerA.received).toEqual(['answer'])
      }))

    it('names a path by the same object every time', () =>
      opened((a) => {
        expect(a.path('127.0.0.1', 5)).toBe(a.path('127.0.0.1', 5))
        if (kind.onePeer !== true) expect(a.path('127.0.0.1', 5)).not.toBe(a.path('127.0.0.1', 6))
        return Promise.resolve()
      }))

    it('has room for the largest datagram, and is writable', () =>
      opened((a) => {
        expect(a.acquire().length).toBeGreaterThanOrEqual(SEND_BUFFER_SIZE)
        expect(a.isWritable()).toBe(true)
        expect(a.receive()).toBeNull()
        expect(a.dropped).toBe(0)
        return Promise.resolve()
      }))

    it('sending after close is silent, closing twice is harmless', async () => {
      const [a, b] = await kind.open()
      const reader = new Reader(b)
      send(a, 'last', b)
      await a.close()
      await a.close()
      expect(() => send(a, 'late', b)).not.toThrow()
      await reader.until(() => reader.datagrams.length > 0)
      expect(reader.received).toEqual(['last'])
      await b.close()
    })
  })
}
