import { describe, expect, it } from 'vitest'
import { MAX_HELD_DATAGRAMS, MAX_HELD_DATAGRAM_BYTES } from '../../src/datagram/http-datagrams.ts'
import type { H3Config, Header } from '../../src/index.ts'
import { GET, OK, h3Pair } from '../h3-pair.ts'

const UDP: readonly Header[] = [[':method', 'CONNECT'], ...GET.slice(1), [':protocol', 'connect-udp']]

describe('HTTP Datagrams (RFC 9297)', () => {
  function datagramPair(extra: H3Config = {}): ReturnType<typeof h3Pair> {
    const pair = h3Pair({ enableDatagrams: true, ...extra }, { enableDatagrams: true, enableConnectProtocol: true, ...extra }, false)
    pair.client.transport.datagramLimit = 1200
    pair.server.transport.datagramLimit = 1200
    pair.client.h3.start()
    pair.server.h3.start()
    pair.run()
    return pair
  }
  it('carry the quarter stream id', () => {
    const { client, server, run } = datagramPair()
    for (let i = 0; i < 70; i++) client.h3.sendRequest(UDP, false)
    run()
    expect(client.h3.datagramMaxSize(4)).toBe(1199)
    expect(client.h3.datagramMaxSize(256)).toBe(1198)
    expect(client.h3.sendDatagram(256, Uint8Array.of(1, 2, 3))).toBe(true)
    expect(client.h3.sendDatagram(4, new Uint8Array(1200))).toBe(false)
    server.step()
    expect(server.of('datagram').length).toBe(1)
    const datagram = server.h3.receiveDatagram()!
    expect([datagram.streamId, ...datagram.payload]).toEqual([256, 1, 2, 3])
    expect(server.h3.receiveDatagram()).toBeNull()
    client.h3.sendDatagram(8, Uint8Array.of(9))
    client.h3.sendDatagram(8, Uint8Array.of(8))
    server.step()
    server.step()
    expect(server.of('datagram').length).toBe(2)
  })
  it('of streams that are over, or never were, are dropped (§2.1)', () => {
    const { client, server, run } = datagramPair()
    const id = client.h3.sendRequest(UDP, true)
    run()
    server.h3.sendHeaders(id, OK, { fin: true })
    run()
    expect(client.h3.sendDatagram(id, Uint8Array.of(1))).toBe(false)
    client.transport.datagramSend(Uint8Array.of(id / 4, 1))
    server.step()
    expect(server.h3.receiveDatagram()).toBeNull()
    server.transport.datagramSend(Uint8Array.of(7, 1))
    client.step()
    expect(client.h3.receiveDatagram()).toBeNull()
  })
  it.each<[string, number[]]>([
    ['empty', []],
    ['id cut short', [0x40]],
    ['id above 2^60 - 1', [0xd0, 0, 0, 0, 0, 0, 0, 0]],
  ])('malformed: %s is H3_DATAGRAM_ERROR (§2.1)', (_, bytes) => {
    const { client, server } = datagramPair()
    client.transport.datagramSend(Uint8Array.from(bytes))
    server.step()
    expect(server.h3.receiveDatagram()).toBeNull()
    server.poll()
    expect(server.of('connection-error')[0]!.code).toBe(0x33)
  })
  it('need both sides and the transport parameter (§2.1.1)', () => {
    const off = h3Pair({ enableDatagrams: true }, { enableConnectProtocol: true }, true)
    off.client.h3.sendRequest(UDP, false)
    expect(off.client.h3.sendDatagram(0, Uint8Array.of(1))).toBe(false)
    const { client } = h3Pair({ enableDatagrams: true }, { enableDatagrams: true })
    expect(client.of('connection-error')[0]!.code).toBe(0x109)
  })
  it('that overtake their request wait for it (§2.1)', () => {
    for (const begun of [false, true]) {
      const { client, server, run } = datagramPair()
      if (begun) {
        client.transport.bufferLimit = 5
        client.h3.sendRequest(UDP, false)
        client.transport.deliver(1 << 20, () => server.step())
      }
      client.transport.datagramSend(Uint8Array.of(0, 1, 2))
      client.transport.datagramSend(Uint8Array.of(0, 3))
      client.transport.datagramSend(Uint8Array.of(1, 4))
      server.step()
      expect(server.of('datagram').length).toBe(1)
      expect(server.h3.receiveDatagram()).toBeNull()
      if (begun) run()
      else client.h3.sendRequest(UDP, false)
      run()
      expect(server.of('datagram').length).toBe(2)
      expect([...server.h3.receiveDatagram()!.payload]).toEqual([1, 2])
      expect([...server.h3.receiveDatagram()!.payload]).toEqual([3])
      expect(server.h3.receiveDatagram()).toBeNull()
    }
  })
  it('that wait are bounded in count and bytes, and the oldest go first', () => {
    for (const [size, kept] of [[1, MAX_HELD_DATAGRAMS], [10_000, Math.floor(MAX_HELD_DATAGRAM_BYTES / 10_000)], [100_000, 0]] as const) {
      const { client, server, run } = datagramPair()
      client.transport.datagramLimit = 200_000
      for (let i = 0; i < 200; i++) client.transport.datagramSend(Uint8Array.of(0, i, ...new Uint8Array(size - 1)))
      server.step()
      expect(server.h3.receiveDatagram()).toBeNull()
      client.h3.sendRequest(UDP, false)
      run()
      const got: number[] = []
      for (let next = server.h3.receiveDatagram(); next !== null; next = server.h3.receiveDatagram()) got.push(next.payload[0]!)
      expect(got).toEqual(Array.from({ length: kept }, (_, i) => 200 - kept + i))
    }
  })
  it('of a request that never becomes one are forgotten', () => {
    const { client, server, run } = datagramPair()
    client.transport.datagramSend(Uint8Array.of(0, 1))
    server.step()
    server.h3.receiveDatagram()
    const id = client.transport.openStream(true)
    client.transport.streamWrite(id, Uint8Array.of(1, 5, 0), false)
    run()
    client.transport.streamReset(id, 0x10c)
    run()
    client.h3.sendRequest(UDP, false)
    run()
    expect(server.h3.receiveDatagram()).toBeNull()
  })
  it('for a request without semantics for them abort it with H3_DATAGRAM_ERROR (§2)', () => {
    const { client, server, run } = datagramPair()
    const id = client.h3.sendRequest(GET, false)
    run()
    expect(client.h3.sendDatagram(id, Uint8Array.of(1))).toBe(false)
    client.transport.datagramSend(Uint8Array.of(0, 1))
    server.step()
    expect(server.h3.receiveDatagram()).toBeNull()
    server.poll()
    expect(server.of('stream-error')).toMatchObject([{ streamId: id, code: 0x33 }])
    run()
    expect(client.transport.streams.get(id)!.inReset).toBe(0x33)
  })
  it('go to an owner that associates them itself, whatever they belong to (anyDatagrams)', () => {
    const { client, server, run } = datagramPair({ anyDatagrams: true })
    const id = client.h3.sendRequest(GET, false)
    run()
    expect(client.h3.sendDatagram(id, Uint8Array.of(1))).toBe(true)
    client.transport.datagramSend(Uint8Array.of(7, 1))
    server.step()
    expect(server.h3.receiveDatagram()?.streamId).toBe(id)
    expect(server.h3.receiveDatagram()?.streamId).toBe(28)
    server.h3.sendGoaway(28)
    client.transport.datagramSend(Uint8Array.of(7, 1))
    server.step()
    expect(server.h3.receiveDatagram()).toBeNull()
  })
  it('beyond the stream limit are H3_ID_ERROR (§2.1)', () => {
    const { client, server } = datagramPair()
    client.transport.datagramSend(Uint8Array.of(0x40, 100))
    server.step()
    expect(server.h3.receiveDatagram()).toBeNull()
    server.poll()
    expect(server.of('connection-error')[0]!.code).toBe(0x108)
  })
  it('may be empty, and a response need not have come', () => {
    const { client, server, run } = datagramPair()
    const id = client.h3.sendRequest(UDP, false)
    run()
    expect(server.h3.sendDatagram(id, new Uint8Array(0))).toBe(true)
    client.step()
    expect(client.h3.receiveDatagram()).toEqual({ streamId: id, payload: new Uint8Array(0) })
  })
})
