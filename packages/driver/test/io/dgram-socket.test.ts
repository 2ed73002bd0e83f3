import { describe, expect, it } from 'vitest'
import { DgramSocket, resolveHost } from '../../src/io/dgram-socket.ts'
import { MemoryNetwork } from '../../src/io/memory-socket.ts'
import { PathTable } from '../../src/io/socket-address.ts'
import { Reader, send } from './socket-reader.ts'

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
    const { port } = gone.localAddress
    await gone.close()
    const socket = await DgramSocket.bind({ remote: { address: '127.0.0.1', port } })
    const reader = new Reader(socket)
    send(socket, 'anybody?', gone)
    await reader.until(() => reader.unreachable.length > 0)
    expect(reader.unreachable[0]).toMatchObject({ code: 'ECONNREFUSED' })
    await socket.close()
  })

  it('an IPv6 socket reaches IPv4 addresses through mapping', async () => {
    const four = await DgramSocket.bind({ address: '127.0.0.1' })
    const six = await DgramSocket.bind({ address: '::' })
    const reader = new Reader(four)
    send(six, 'mapped', four)
    await reader.until(() => reader.datagrams.length > 0)
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
    for (let i = 0; i < 6; i++) send(a, `${i}`, b)
    await reader.until(() => reader.datagrams.length === 3)
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
