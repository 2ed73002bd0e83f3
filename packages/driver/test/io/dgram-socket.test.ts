import { describe, expect, it } from 'vitest'
import type { DatagramHandler, DatagramSocket } from '../../src/io/datagram-socket.ts'
import { DgramSocket, resolveHost } from '../../src/io/dgram-socket.ts'
import { MemoryNetwork } from '../../src/io/memory-socket.ts'
import { PathTable } from '../../src/io/socket-address.ts'

class Reader implements DatagramHandler {
  readonly received: string[] = []
  readonly sizes: number[] = []
  readonly unreachable: Error[] = []
  private readonly socket: DatagramSocket
  private waiting: (() => void) | null = null

  constructor(socket: DatagramSocket) {
    this.socket = socket
    socket.open(this)
  }

  onReadable(): void {
    setImmediate(() => {
      const batch = this.socket.receive()
      if (batch === null) return
      for (let i = 0; i < batch.length; i++) {
        this.received.push(Buffer.from(batch.datagrams[i]!).toString('latin1', 0, 8))
        this.sizes.push(batch.datagrams[i]!.length)
      }
      batch.clear()
      this.waiting?.()
    })
  }

  onWritable(): void {}

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

function send(socket: DatagramSocket, text: string, address: string, port: number, size: number = text.length): void {
  const buffer = socket.acquire()
  buffer.set(Buffer.from(text, 'latin1'))
  socket.send(size, socket.path(address, port), 0)
}

const kinds: readonly { name: string; open(): Promise<[DatagramSocket, DatagramSocket]> }[] = [
  {
    name: 'dgram, IPv4',
    open: async () => [await DgramSocket.bind({ address: '127.0.0.1' }), await DgramSocket.bind({ address: '127.0.0.1' })],
  },
  {
    name: 'dgram, IPv6',
    open: async () => [await DgramSocket.bind({ address: '::1' }), await DgramSocket.bind({ address: '::1' })],
  },
  {
    name: 'memory',
    open: () => {
      const network = new MemoryNetwork()
      return Promise.resolve([network.bind(), network.bind()])
    },
  },
]

for (const kind of kinds) {
  describe(`datagram socket (${kind.name})`, () => {
    it('carries datagrams both ways, buffers reused', async () => {
      const [a, b] = await kind.open()
      const readerA = new Reader(a)
      const readerB = new Reader(b)
      const { address, port } = b.localAddress
      for (let i = 0; i < 50; i++) send(a, `to b ${i}`, address, port)
      await readerB.until(() => readerB.received.length >= 50)
      expect(readerB.received).toEqual(Array.from({ length: 50 }, (_, i) => `to b ${i}`))
      send(b, 'to a', a.localAddress.address, a.localAddress.port, 1400)
      await readerA.until(() => readerA.received.length >= 1)
      expect(readerA.sizes).toEqual([1400])
      await a.close()
      await b.close()
    })

    it('names a path by the same object every time', async () => {
      const [a, b] = await kind.open()
      expect(a.path('127.0.0.1', 5)).toBe(a.path('127.0.0.1', 5))
      expect(a.path('127.0.0.1', 5)).not.toBe(a.path('127.0.0.1', 6))
      await a.close()
      await b.close()
    })

    it('sending after close is silent, closing twice is harmless', async () => {
      const [a, b] = await kind.open()
      await a.close()
      await a.close()
      expect(() => send(a, 'late', b.localAddress.address, b.localAddress.port)).not.toThrow()
      await b.close()
    })
  })
}

describe('dgram socket', () => {
  it('says which port is taken', async () => {
    const first = await DgramSocket.bind({ address: '127.0.0.1' })
    const port = first.localAddress.port
    await expect(DgramSocket.bind({ address: '127.0.0.1', port })).rejects.toMatchObject({ code: 'QUIC_PORT_IN_USE' })
    await first.close()
  })

  it('says when the address is not of this machine', async () => {
    await expect(DgramSocket.bind({ address: '192.0.2.1' })).rejects.toMatchObject({ code: 'QUIC_ADDRESS_NOT_AVAILABLE' })
  })

  it('a connected socket hears of closed ports', async () => {
    const gone = await DgramSocket.bind({ address: '127.0.0.1' })
    const port = gone.localAddress.port
    await gone.close()
    const socket = await DgramSocket.bind({ remote: { address: '127.0.0.1', port } })
    const reader = new Reader(socket)
    send(socket, 'anybody?', '127.0.0.1', port)
    await reader.until(() => reader.unreachable.length > 0)
    expect(reader.unreachable[0]).toMatchObject({ code: 'ECONNREFUSED' })
    await socket.close()
  })

  it('an IPv6 socket reaches IPv4 addresses through mapping', async () => {
    const four = await DgramSocket.bind({ address: '127.0.0.1' })
    const six = await DgramSocket.bind({ address: '::' })
    const reader = new Reader(four)
    send(six, 'mapped', '127.0.0.1', four.localAddress.port)
    await reader.until(() => reader.received.length > 0)
    expect(reader.received).toEqual(['mapped'])
    await four.close()
    await six.close()
  })

  it('resolves names and refuses those that have no address', async () => {
    expect((await resolveHost('127.0.0.1')).address).toBe('127.0.0.1')
    await expect(resolveHost('nowhere.invalid')).rejects.toMatchObject({ code: 'QUIC_NAME_NOT_FOUND', host: 'nowhere.invalid' })
  })
})

describe('memory network', () => {
  it('loses what its filter refuses', async () => {
    const network = new MemoryNetwork()
    const [a, b] = [network.bind(), network.bind()]
    const reader = new Reader(b)
    let count = 0
    network.filter = () => count++ % 2 === 0
    for (let i = 0; i < 6; i++) send(a, `${i}`, b.localAddress.address, b.localAddress.port)
    await reader.until(() => reader.received.length === 3)
    expect(reader.received).toEqual(['0', '2', '4'])
  })

  it('refuses an address that is taken', () => {
    const network = new MemoryNetwork()
    network.bind('10.0.0.1', 1)
    expect(() => network.bind('10.0.0.1', 1)).toThrow(expect.objectContaining({ code: 'QUIC_PORT_IN_USE' }) as Error)
  })
})

describe('path table', () => {
  it('forgets rather than grows without bound', () => {
    const table = new PathTable('')
    const first = table.intern('10.0.0.1', 1)
    for (let port = 2; port < 10_000; port++) table.intern('10.0.0.1', port)
    const again = table.intern('10.0.0.1', 1)
    expect(again).not.toBe(first)
    expect(again.remote).toBe(first.remote)
    expect(table.intern('::1', 9).remote).toBe('[::1]:9')
  })
})
