// How large a datagram may be: what a path is worth probing for, and what the system refuses.

import { describe, expect, it } from 'vitest'
import { DgramSocket } from '../../src/io/dgram-socket.ts'
import { PathTable, probeCeiling } from '../../src/io/socket-address.ts'
import { POST, h3Pair, readAll, request } from '../support.ts'

describe('the probe ceiling of a path', () => {
  it.each([
    ['127.0.0.1', 65_507],
    ['127.8.8.8', 65_507],
    ['::ffff:127.0.0.1', 65_507],
    ['::1', 65_488],
    ['192.0.2.1', 1472],
    ['::ffff:192.0.2.1', 1472],
    ['2001:db8::1', 1452],
    ['fe80::1%eth0', 1452],
    ['127::1', 1452],
  ])('to %s is %i', (address, ceiling) => {
    expect(probeCeiling(address)).toBe(ceiling)
    expect(new PathTable('').intern(address, 443).maxProbeSize).toBe(ceiling)
  })

  it.each([
    [{}, 65_507],
    [{ maxProbeSize: 9000 }, 9000],
    [{ mtuDiscovery: false }, 1200],
  ])('with settings %j leads to %i on loopback', async (settings, size) => {
    const pair = await h3Pair({ clientQuic: settings, serverQuic: settings })
    const exchange = await request(pair, POST, true)
    const sending = (async () => {
      for (let sent = 0; sent < 40; sent++) await exchange.body!.send({ kind: 'Body', data: new Uint8Array(50_000), fin: false })
      await exchange.body!.send({ kind: 'Body', data: new Uint8Array(0), fin: true })
    })()
    expect((await readAll(exchange.incoming.recv)).length).toBe(2_000_000)
    await sending
    expect(pair.client.pathStats().maxDatagramSize).toBe(size)
    await pair.close()
  })
})

describe('a datagram the system refuses', () => {
  it.each([true, false])('is reported, when that was asked for (connected: %s)', async (connected) => {
    const receiver = await DgramSocket.bind({ address: '127.0.0.1' })
    const { address, port } = receiver.localAddress
    const socket = await DgramSocket.bind(connected ? { remote: { address, port } } : { address: '127.0.0.1' })
    socket.acquire()
    // One byte more than an IPv4 packet holds.
    await new Promise<void>((resolve) => socket.send(65_508, socket.path(address, port), 0, resolve))
    let refused = false
    socket.send(1200, socket.path(address, port), 0, () => (refused = true))
    socket.send(65_508, socket.path(address, port), 0)
    await new Promise<void>((resolve) => setTimeout(resolve, 20))
    expect(refused).toBe(false)
    await socket.close()
    await receiver.close()
  })
})
