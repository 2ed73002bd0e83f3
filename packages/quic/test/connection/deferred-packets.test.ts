// Packets that wait for their keys (RFC 9001 §5.7) are bounded in number and in bytes, and keep what their datagrams said.

import { describe, expect, it } from 'vitest'
import type { Connection } from '../../src/connection/connection.ts'
import { DeferredPackets } from '../../src/connection/receive/deferred-packets.ts'
import { Transmit } from '../../src/connection/send/transmit-buffer.ts'
import type { TraceSink } from '../../src/trace/sink.ts'
import type { FrameRecord } from '../../src/trace/sink.ts'
import { FrameType } from '../../src/wire/constants.ts'
import { CLIENT, Pair, SERVER, pattern } from './pair.ts'

const PATH = { local: '10.0.0.2:443', remote: '10.0.0.1:5000' }

function datagramsOf(connection: Connection, now: number): Uint8Array[] {
  const out = new Transmit(new Uint8Array(65_535))
  const datagrams: Uint8Array[] = []
  while (connection.transmit(out, now)) datagrams.push(out.buffer.slice(0, out.length))
  return datagrams
}

describe('DeferredPackets', () => {
  it('keeps sixteen, and gives them all back in order', () => {
    const room = new DeferredPackets()
    for (let n = 0; n < 20; n += 1) expect(room.add(Uint8Array.of(n, n), 0, 1, PATH, 0, 0)).toBe(n < 16)
    expect(room.take().map(({ bytes }) => bytes[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    expect(room.length).toBe(0)
    expect(room.add(Uint8Array.of(1), 0, 1, PATH, 0, 0)).toBe(true)
  })

  it('keeps 64 KiB', () => {
    const room = new DeferredPackets()
    const packet = new Uint8Array(30_000)
    expect([1, 2, 3].map(() => room.add(packet, 0, packet.length, PATH, 0, 0))).toEqual([true, true, false])
    expect(room.add(packet, 0, 5536, PATH, 0, 0)).toBe(true)
    expect(room.add(packet, 0, 1, PATH, 0, 0)).toBe(false)
    room.take()
    expect(room.add(packet, 0, packet.length, PATH, 0, 0)).toBe(true)
  })
})

describe('deferred packets of a server', () => {
  it('keep the ECN codepoint of their own datagram (RFC 9000 §13.4.1)', () => {
    const frames: FrameRecord[] = []
    const known: Partial<TraceSink> = { packetSent: (_now, _type, _number, _size, sent) => void frames.push(...sent) }
    const serverTrace = new Proxy(known, { get: (target, name) => Reflect.get(target, name) ?? ((): void => undefined) }) as TraceSink
    const pair = new Pair({ serverTrace })
    const { connection: client } = pair.client
    const there = pair.network.path(SERVER, CLIENT)
    const back = pair.network.path(CLIENT, SERVER)
    for (const datagram of datagramsOf(client, 1000)) pair.endpoint.receive(datagram, there, 1000)
    const server = pair.endpoint.pollIncoming()!
    for (const datagram of datagramsOf(server, 1010)) client.receive(datagram, back, 1010)
    const id = client.openStream(true)
    client.streamWrite(id, pattern(4000), true)
    const [finished, ...early] = datagramsOf(client, 1020)
    expect(early.length).toBeGreaterThan(1)
    // Marked on the way, and overtaking the datagram with the Finished message, which was not.
    for (const datagram of early) pair.endpoint.receive(datagram, there, 1030, 3)
    expect(server.isEstablished()).toBe(false)
    pair.endpoint.receive(finished!, there, 1040, 0)
    expect(server.isEstablished()).toBe(true)
    frames.length = 0
    datagramsOf(server, 1100)
    const counts = frames.filter((frame) => frame.type === FrameType.ackEcn || frame.type === FrameType.ack).map((frame) => frame.ce ?? 0)
    expect(Math.max(...counts)).toBe(early.length)
  })
})
