// Two stream rooms over a network that loses, reorders and duplicates packets, with random applications on both sides.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReceiveState, Streams } from '../../src/stream/streams.ts'
import type { TestPacket } from '../delivery/packet.ts'
import { ack, byteAt, lose, patternBytes, receiveFrames, seeded, writePacket } from '../delivery/packet.ts'

type Limits = Parameters<Streams['setPeerLimits']>[0]

interface Side {
  local: Limits
  sendBufferLimit: number
  streams: Streams
  peer: Side | null
  /** Packets on their way to the peer. */
  wire: { packet: TestPacket; bytes: Uint8Array }[]
  /** Declared lost; an acknowledgement may still come. */
  late: TestPacket[]
  written: Map<number, { total: number; offset: number; ended: boolean }>
  read: Map<number, number>
  finished: number
  closed: Set<number>
  /** Sizes promised by resetAt(). */
  promised: Map<number, number>
  /** Streams whose promise a later reset() took back. */
  broken: Set<number>
  toOpen: number
}

function side(role: 'client' | 'server', random: (below: number) => number, toOpen: number): Side {
  const window = 200 + random(3000)
  const local = {
    initialMaxData: window * 2,
    initialMaxStreamDataBidiLocal: window,
    initialMaxStreamDataBidiRemote: window,
    initialMaxStreamDataUni: window,
    initialMaxStreamsBidi: 1 + random(5),
    initialMaxStreamsUni: 1 + random(5),
    resetStreamAt: true,
  }
  const sendBufferLimit = 1 + random(random(4) === 0 ? 10 : 5000)
  const streams = new Streams({ role, local, maxConnectionWindow: 20_000, maxStreamWindow: 10_000, sendBufferLimit })
  const applications = { written: new Map(), read: new Map(), finished: 0, closed: new Set<number>(), promised: new Map(), broken: new Set<number>(), toOpen }
  return { local, sendBufferLimit, streams, peer: null, wire: [], late: [], ...applications }
}

function run(seed: number): void {
  const random = seeded(seed)
  const client = side('client', random, 15)
  const server = side('server', random, 15)
  client.peer = server
  server.peer = client
  client.streams.setPeerLimits(server.local)
  server.streams.setPeerLimits(client.local)
  const disruptive = random(2) === 0
  let now = 0

  const toWrite = (s: Side, id: number): void => {
    const total = random(6) === 0 ? random(30_000) : random(800)
    // A buffer of a few bytes takes its time.
    s.written.set(id, { total: Math.min(total, s.sendBufferLimit * 100), offset: 0, ended: false })
  }
  const write = (s: Side, id: number): void => {
    const w = s.written.get(id)
    if (w === undefined || w.ended) return
    const length = Math.min(w.total - w.offset, 1 + random(2000))
    const fin = w.offset + length === w.total
    const accepted = s.streams.write(id, patternBytes(id, w.offset, length), 0, length, fin)
    if (accepted < 0) {
      w.ended = true
      return
    }
    w.offset += accepted
    w.ended = fin && accepted === length
  }
  const read = (s: Side, id: number, all: boolean): void => {
    for (;;) {
      const view = s.streams.peek(id)
      if (view === null) break
      const offset = s.read.get(id) ?? 0
      const length = all ? view.length : 1 + random(view.length)
      for (let i = 0; i < length; i++) if (view[i] !== byteAt(id, offset + i)) expect.fail(`stream ${id}: byte ${offset + i} differs`)
      s.streams.consume(id, length)
      s.read.set(id, offset + length)
      if (!all) break
    }
    if (s.streams.receiveState(id) === ReceiveState.finished && s.peer!.written.has(id) && !disruptive) {
      expect(s.read.get(id) ?? 0).toBe(s.peer!.written.get(id)!.total)
      s.finished += 1
    }
  }
  const resetAt = (s: Side, id: number, size: number): void => {
    if (!s.streams.resetAt(id, 9, size)) return
    s.promised.set(id, size)
    const w = s.written.get(id)
    if (w !== undefined) w.ended = true
  }
  const poll = (s: Side): void => {
    for (let event = s.streams.pollEvent(); event !== null; event = s.streams.pollEvent()) {
      const id = event.streamId
      if (event.kind === 'stream-opened') {
        if (id % 4 < 2) toWrite(s, id)
      } else if (event.kind === 'stream-readable') read(s, id, true)
      else if (event.kind === 'stream-writable') write(s, id)
      else if (event.kind === 'stream-reset') {
        // RESET_STREAM_AT has a code of its own here: what it promised was read before.
        if (event.code === 9 && !s.peer!.broken.has(id)) expect(s.read.get(id) ?? 0).toBeGreaterThanOrEqual(s.peer!.promised.get(id)!)
      } else if (event.kind === 'stream-closed') {
        expect(s.closed.has(id)).toBe(false)
        s.closed.add(id)
      } else expect(s.closed.has(id)).toBe(false)
    }
  }
  const open = (s: Side): void => {
    if (s.toOpen === 0) return
    const id = s.streams.open(random(2) === 0)
    if (id < 0) return
    s.toOpen -= 1
    toWrite(s, id)
    s.streams.setPriority(id, random(3), random(2) === 0)
  }
  const send = (s: Side): void => {
    if (!s.streams.wantsToSend()) return
    const packet = writePacket(s.streams, 30 + random(1200))
    if (packet.length > 0) s.wire.push({ packet, bytes: packet.bytes() })
    // What wantsToSend promises fits a packet of 30 bytes.
    else expect.fail('nothing was sent although something was due')
  }
  const network = (s: Side, lossy: boolean): void => {
    if (s.wire.length === 0) return
    const index = lossy ? random(Math.min(4, s.wire.length)) : 0
    const { packet, bytes } = s.wire.splice(index, 1)[0]!
    const fate = lossy ? random(10) : 9
    if (fate < 2) {
      lose(s.streams, packet)
      return
    }
    receiveFrames(bytes.slice(), s.peer!.streams, now)
    if (fate === 2) receiveFrames(bytes.slice(), s.peer!.streams, now)
    if (fate === 3) {
      // The packet arrived, but is taken for lost first.
      lose(s.streams, packet)
      s.late.push(packet)
      return
    }
    ack(s.streams, packet)
  }
  const sides = [client, server]
  const busy = (): boolean => sides.some((s) => s.toOpen > 0 || s.streams.openStreams > 0 || s.wire.length > 0)
  for (let step = 0; busy(); step++) {
    if (step > 60_000) expect.fail(`stuck: ${sides.map((s) => `${s.toOpen} to open, ${s.streams.openStreams} open`).join('; ')}`)
    now += random(5)
    const lossy = step < 20_000
    const s = sides[random(2)]!
    const action = random(12)
    if (action < 2) open(s)
    else if (action < 4) for (const id of s.written.keys()) write(s, id)
    else if (action < 7) send(s)
    else if (action < 10) network(s, lossy)
    else if (action === 10) poll(s)
    else {
      if (s.late.length > 0) ack(s.streams, s.late.splice(random(s.late.length), 1)[0]!)
      if (disruptive && random(6) === 0 && s.written.size > 0) {
        const ids = [...s.written.keys(), ...s.peer!.written.keys()]
        const id = ids[random(ids.length)]!
        const verb = random(4)
        if (verb === 0) {
          s.broken.add(id)
          s.streams.reset(id, 7)
        } else if (verb === 1) s.streams.stop(id, 8)
        else if (verb === 2) resetAt(s, id, random(1 + (s.written.get(id)?.offset ?? 0)))
        else s.streams.setPriority(id, random(3), random(2) === 0)
      }
      if (random(3) === 0) s.streams.setRtt(1 + random(50))
    }
  }
  for (const s of sides) {
    poll(s)
    expect(s.streams.openStreams).toBe(0)
    expect(s.closed.size).toBeGreaterThanOrEqual(15)
    expect(s.streams.pollEvent()).toBe(null)
    if (!disruptive) expect(s.finished).toBeGreaterThan(0)
  }
}

describe('two rooms over a bad network', () => {
  it('everything arrives intact, and every stream is removed in the end', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => run(seed)),
      { numRuns: 60 },
    )
  })
})
