// draft-ietf-quic-reliable-stream-reset, in two stream rooms: what is promised arrives, then the reset; every order of frames.

import { describe, expect, it } from 'vitest'
import type { StreamEvent } from '../../src/stream/stream-events.ts'
import { SendState } from '../../src/stream/send-state.ts'
import { ReceiveState, Streams } from '../../src/stream/streams.ts'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { TransportError } from '../../src/wire/transport-error.ts'
import type { Frame, TestPacket } from '../delivery/packet.ts'
import { ack, lose, patternBytes, receiveFrames, writePacket } from '../delivery/packet.ts'

const CODE = 77

const LIMITS = {
  initialMaxData: 100_000,
  initialMaxStreamDataBidiLocal: 10_000,
  initialMaxStreamDataBidiRemote: 10_000,
  initialMaxStreamDataUni: 10_000,
  initialMaxStreamsBidi: 10,
  initialMaxStreamsUni: 10,
  resetStreamAt: true,
}

function room(role: 'client' | 'server', peer: Partial<typeof LIMITS> = {}, local: Partial<typeof LIMITS> = {}): Streams {
  const streams = new Streams({ role, local: { ...LIMITS, ...local }, maxConnectionWindow: 100_000, maxStreamWindow: 10_000 })
  streams.setPeerLimits({ ...LIMITS, ...peer })
  return streams
}

function events(streams: Streams): StreamEvent[] {
  const all: StreamEvent[] = []
  for (let event = streams.pollEvent(); event !== null; event = streams.pollEvent()) all.push(event)
  return all
}

function kinds(streams: Streams): string[] {
  return events(streams).map((event) => event.kind.slice('stream-'.length))
}

function write(streams: Streams, id: number, offset: number, length: number, fin: boolean = false): void {
  expect(streams.write(id, patternBytes(id, offset, length), 0, length, fin)).toBe(length)
}

/** Reads everything there is; checks the bytes, and answers how many they were. */
function read(streams: Streams, id: number, from: number = 0): number {
  let at = from
  for (let bytes = streams.peek(id); bytes !== null; bytes = streams.peek(id)) {
    expect([...bytes]).toEqual([...patternBytes(id, at, bytes.length)])
    at += bytes.length
    streams.consume(id, bytes.length)
  }
  return at - from
}

function framesOf(packet: TestPacket): Frame[] {
  return receiveFrames(packet.bytes(), null)
}

function flush(from: Streams): TestPacket[] {
  const packets: TestPacket[] = []
  while (from.wantsToSend()) packets.push(writePacket(from))
  return packets
}

function resetAtFrame(finalSize: number, reliableSize: number, streamId: number = 2): Frame {
  return { type: FrameType.resetStreamAt, streamId, code: CODE, finalSize, reliableSize }
}

function data(to: Streams, offset: number, length: number, fin: boolean = false, id: number = 2): void {
  to.onStream(id, offset, patternBytes(id, offset, length), 0, length, fin, 0)
}

function failure(action: () => void): { code: number; frame: number } {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(TransportError)
    return { code: (error as TransportError).wireCode, frame: (error as TransportError).frameType }
  }
  return expect.fail('no error')
}

describe('sending RESET_STREAM_AT (§5)', () => {
  it('says the final size once the promised bytes were sent, and drops the rest', () => {
    const client = room('client')
    const id = client.open(false)
    write(client, id, 0, 3000)
    expect(client.resetAt(id, CODE, 1500)).toBe(true)
    expect(client.capacity(id)).toBe(-1)
    expect(client.write(id, new Uint8Array(1), 0, 1, true)).toBe(-1)
    const frames = flush(client).flatMap(framesOf)
    expect(frames.at(-1)).toEqual(resetAtFrame(1500, 1500))
    const sent = frames.filter((frame) => frame.type === FrameType.stream)
    expect(sent.reduce((sum, frame) => sum + frame.length!, 0)).toBe(1500)
    expect(sent.some((frame) => frame.fin)).toBe(false)
  })

  it('a FIN that was not sent is not sent any more: the peer must not take the prefix for the whole', () => {
    const client = room('client')
    const id = client.open(false)
    write(client, id, 0, 100, true)
    client.resetAt(id, CODE, 40)
    const packets = flush(client)
    expect(packets.flatMap(framesOf)).toEqual([
      { type: FrameType.stream, streamId: id, offset: 0, length: 40, fin: false },
      resetAtFrame(40, 40),
    ])
    for (const packet of packets) lose(client, packet)
    expect(flush(client).flatMap(framesOf).some((frame) => frame.fin)).toBe(false)
  })

  it('after more was sent, the final size is what was sent; only the promised bytes are repeated', () => {
    const client = room('client')
    const id = client.open(false)
    write(client, id, 0, 3000)
    const before = flush(client)
    client.resetAt(id, CODE, 1500)
    const [reset] = flush(client)
    expect(framesOf(reset!)).toEqual([resetAtFrame(3000, 1500)])
    expect(client.sendState(id)).toBe(SendState.dataSent)
    for (const packet of before) lose(client, packet)
    const again = flush(client)
    const repeated = again.flatMap(framesOf)
    expect(repeated.every((frame) => frame.offset! + frame.length! <= 1500)).toBe(true)
    expect(repeated.reduce((sum, frame) => sum + frame.length!, 0)).toBe(1500)
    for (const packet of again) ack(client, packet)
    expect(client.sendState(id)).toBe(SendState.dataSent)
    ack(client, reset!)
    expect(client.sendState(id)).toBe(SendState.dataRecvd)
    expect(kinds(client)).toEqual(['closed'])
    expect(client.openStreams).toBe(0)
  })

  it('is done at once when the promised bytes are acknowledged already', () => {
    const client = room('client')
    const id = client.open(false)
    write(client, id, 0, 1000)
    for (const packet of flush(client)) ack(client, packet)
    client.resetAt(id, CODE, 1000)
    const [reset] = flush(client)
    ack(client, reset!)
    expect(client.sendState(id)).toBe(SendState.dataRecvd)
  })

  it('is repeated when lost, until acknowledged', () => {
    const client = room('client')
    const id = client.open(false)
    client.resetAt(id, CODE, 0)
    for (let round = 0; round < 3; round++) {
      const [packet] = flush(client)
      expect(framesOf(packet!)).toEqual([resetAtFrame(0, 0)])
      lose(client, packet!)
    }
    const [packet] = flush(client)
    ack(client, packet!)
    expect(client.wantsToSend()).toBe(false)
    expect(client.openStreams).toBe(1)
    expect(kinds(client)).toEqual(['closed'])
  })

  it('a copy declared lost and acknowledged late is not repeated', () => {
    const client = room('client')
    const id = client.open(false)
    write(client, id, 0, 10)
    client.resetAt(id, CODE, 10)
    const packets = flush(client)
    for (const packet of packets) lose(client, packet)
    for (const packet of packets) ack(client, packet)
    expect(flush(client)).toEqual([])
    expect(kinds(client)).toEqual(['closed'])
  })

  it('waits for flow control credit (§4)', () => {
    const client = room('client', { initialMaxStreamDataUni: 100 })
    const id = client.open(false)
    write(client, id, 0, 300)
    client.resetAt(id, CODE, 200)
    const frames = flush(client).flatMap(framesOf)
    expect(frames.map((frame) => frame.type)).not.toContain(FrameType.resetStreamAt)
    client.onMaxStreamData(id, 150)
    expect(flush(client).flatMap(framesOf).map((frame) => frame.type)).not.toContain(FrameType.resetStreamAt)
    client.onMaxStreamData(id, 1000)
    expect(flush(client).flatMap(framesOf)).toEqual([
      { type: FrameType.stream, streamId: id, offset: 150, length: 50, fin: false },
      resetAtFrame(200, 200),
    ])
  })

  it('the Reliable Size can be reduced, with the final size unchanged (§5.2)', () => {
    const client = room('client')
    const id = client.open(false)
    write(client, id, 0, 800)
    client.resetAt(id, CODE, 600)
    const first = flush(client)
    expect(client.resetAt(id, CODE, 200)).toBe(true)
    const second = flush(client)
    expect(second.flatMap(framesOf)).toEqual([resetAtFrame(600, 200)])
    // The larger promise is settled, the smaller one is not.
    for (const packet of first) ack(client, packet)
    expect(client.sendState(id)).toBe(SendState.dataSent)
    for (const packet of second) ack(client, packet)
    expect(client.sendState(id)).toBe(SendState.dataRecvd)
  })

  it('only the frame with the smallest Reliable Size is repeated (§5.2)', () => {
    const client = room('client')
    const id = client.open(false)
    write(client, id, 0, 800)
    client.resetAt(id, CODE, 600)
    const first = flush(client)
    client.resetAt(id, CODE, 200)
    const second = flush(client)
    for (const packet of [...first, ...second]) lose(client, packet)
    expect(flush(client).flatMap(framesOf)).toEqual([
      resetAtFrame(600, 200),
      { type: FrameType.stream, streamId: id, offset: 0, length: 200, fin: false },
    ])
  })

  it('refuses what the draft forbids, and changes nothing', () => {
    const client = room('client')
    const id = client.open(false)
    write(client, id, 0, 500)
    expect(client.resetAt(id, CODE, 501)).toBe(false)
    expect(client.resetAt(id, CODE, 300)).toBe(true)
    expect(client.resetAt(id, CODE, 301)).toBe(false)
    expect(client.resetAt(id, CODE + 1, 200)).toBe(false)
    expect(client.resetAt(id, CODE, 300)).toBe(true)
    expect(client.resetAt(4000, CODE, 0)).toBe(false)
    expect(flush(client).flatMap(framesOf).at(-1)).toEqual(resetAtFrame(300, 300))
    expect(() => client.resetAt(id, -1, 0)).toThrow(RangeError)
    expect(() => client.resetAt(id, CODE, 1.5)).toThrow(RangeError)
    expect(() => client.resetAt(id, CODE, -1)).toThrow(RangeError)
  })

  it('is not possible with a peer that did not announce it (§3), nor after RESET_STREAM', () => {
    const old = room('client', { resetStreamAt: false })
    expect(old.resetAt(old.open(false), CODE, 0)).toBe(false)
    expect(flush(old)).toEqual([])
    const client = room('client')
    const id = client.open(false)
    client.reset(id, 1)
    expect(client.resetAt(id, CODE, 0)).toBe(false)
  })

  it('RESET_STREAM afterwards keeps code and final size, and takes the promise back (§5.2)', () => {
    const client = room('client')
    const id = client.open(false)
    write(client, id, 0, 800)
    client.resetAt(id, CODE, 600)
    const first = flush(client)
    client.reset(id, CODE + 1)
    for (const packet of first) lose(client, packet)
    expect(flush(client).flatMap(framesOf)).toEqual([{ type: FrameType.resetStream, streamId: id, code: CODE, finalSize: 600 }])
    expect(client.sendState(id)).toBe(SendState.resetSent)
  })

  it('STOP_SENDING is answered with RESET_STREAM (§5.4)', () => {
    const client = room('client')
    const id = client.open(false)
    write(client, id, 0, 800)
    client.resetAt(id, CODE, 600)
    flush(client)
    client.onStopSending(id, 5)
    expect(flush(client).flatMap(framesOf)).toEqual([{ type: FrameType.resetStream, streamId: id, code: CODE, finalSize: 600 }])
  })

  it('after FIN was sent: same final size; either settles the stream (§5.1)', () => {
    for (const through of ['fin', 'reset'] as const) {
      const client = room('client')
      const id = client.open(false)
      write(client, id, 0, 800, true)
      const fin = flush(client)
      expect(client.resetAt(id, CODE, 100)).toBe(true)
      const reset = flush(client)
      expect(reset.flatMap(framesOf)).toEqual([resetAtFrame(800, 100)])
      if (through === 'fin') for (const packet of fin) ack(client, packet)
      else {
        for (const packet of fin) lose(client, packet)
        for (const packet of flush(client)) ack(client, packet)
        expect(client.sendState(id)).toBe(SendState.dataSent)
        for (const packet of reset) ack(client, packet)
      }
      expect(client.sendState(id)).toBe(SendState.dataRecvd)
      // RESET_STREAM_AT §4: not repeated once the state is "Data Recvd".
      for (const packet of reset) lose(client, packet)
      expect(flush(client)).toEqual([])
    }
  })
})

describe('RESET_STREAM_AT in early data that was rejected (RFC 9001 §4.6.2)', () => {
  function rejected(peer: Partial<typeof LIMITS>): { client: Streams; id: number } {
    const client = room('client')
    const id = client.open(false)
    write(client, id, 0, 800, true)
    client.resetAt(id, CODE, 300)
    const early = flush(client)
    for (const packet of early) lose(client, packet)
    client.startOver({ ...LIMITS, ...peer })
    return { client, id }
  }

  it('the promise is kept, and nothing more is sent', () => {
    const { client, id } = rejected({})
    const packets = flush(client)
    expect(packets.flatMap(framesOf)).toEqual([
      { type: FrameType.stream, streamId: id, offset: 0, length: 300, fin: false },
      resetAtFrame(300, 300),
    ])
    for (const packet of packets) ack(client, packet)
    expect(client.sendState(id)).toBe(SendState.dataRecvd)
  })

  it('a server that does not take it any more gets RESET_STREAM', () => {
    const { client, id } = rejected({ resetStreamAt: false })
    expect(flush(client).flatMap(framesOf)).toEqual([{ type: FrameType.resetStream, streamId: id, code: CODE, finalSize: 0 }])
  })
})

describe('receiving RESET_STREAM_AT (§5)', () => {
  it('the reset surfaces when the promised bytes have been read', () => {
    const server = room('server')
    data(server, 0, 50)
    expect(kinds(server)).toEqual(['opened', 'readable'])
    server.onResetStreamAt(2, CODE, 500, 100, 0)
    expect(kinds(server)).toEqual([])
    expect(read(server, 2)).toBe(50)
    expect(server.receiveState(2)).toBe(ReceiveState.open)
    data(server, 50, 50)
    expect(events(server)).toEqual([{ kind: 'stream-readable', streamId: 2 }])
    server.consume(2, 20)
    expect(events(server)).toEqual([])
    expect(read(server, 2, 70)).toBe(30)
    expect(server.receiveState(2)).toBe(ReceiveState.reset)
    expect(server.resetCode(2)).toBe(CODE)
    expect(events(server)).toEqual([
      { kind: 'stream-reset', streamId: 2, code: CODE },
      { kind: 'stream-closed', streamId: 2 },
    ])
  })

  it('surfaces at once when everything promised is read, or nothing was promised', () => {
    const server = room('server')
    server.onResetStreamAt(2, CODE, 300, 0, 0)
    expect(kinds(server)).toEqual(['opened', 'reset', 'closed'])
    data(server, 0, 60, false, 6)
    read(server, 6)
    events(server)
    server.onResetStreamAt(6, CODE, 300, 60, 0)
    expect(kinds(server)).toEqual(['reset', 'closed'])
  })

  it('gives all credit back: what never comes counts as consumed', () => {
    const server = room('server', {}, { initialMaxData: 10_000 })
    for (let index = 0; index < 10; index++) {
      const id = 2 + index * 4
      data(server, 0, 10, false, id)
      data(server, 5000, 10, false, id)
      server.onResetStreamAt(id, CODE, 9000, 10, 0)
      read(server, id)
      events(server)
      // MAX_DATA and MAX_STREAMS.
      flush(server)
    }
    expect(server.openStreams).toBe(0)
  })

  it('a smaller Reliable Size lowers what is waited for, a larger one is ignored (§5.2)', () => {
    const server = room('server')
    data(server, 0, 50)
    read(server, 2)
    server.onResetStreamAt(2, CODE, 500, 100, 0)
    server.onResetStreamAt(2, CODE, 500, 400, 0)
    events(server)
    expect(server.receiveState(2)).toBe(ReceiveState.open)
    server.onResetStreamAt(2, CODE, 500, 50, 0)
    expect(kinds(server)).toEqual(['reset', 'closed'])
  })

  it('what came behind a gap beyond the promise is given up', () => {
    const server = room('server')
    data(server, 200, 50)
    server.onResetStreamAt(2, CODE, 500, 100, 0)
    data(server, 0, 100)
    expect(read(server, 2)).toBe(100)
    expect(server.receiveState(2)).toBe(ReceiveState.reset)
  })

  it('FIN before or after does not change that, nor a copy of the frame', () => {
    const server = room('server')
    server.onResetStreamAt(2, CODE, 100, 30, 0)
    data(server, 100, 0, true)
    server.onResetStreamAt(2, CODE, 100, 30, 0)
    data(server, 0, 30)
    read(server, 2)
    expect(kinds(server)).toEqual(['opened', 'readable', 'reset', 'closed'])
    data(server, 100, 0, true, 6)
    server.onResetStreamAt(6, CODE, 100, 30, 0)
    data(server, 0, 30, false, 6)
    read(server, 6)
    expect(kinds(server)).toEqual(['opened', 'readable', 'reset', 'closed'])
  })

  it('complete data wins over a reset that follows', () => {
    const server = room('server')
    data(server, 0, 100, true)
    server.onResetStreamAt(2, CODE, 100, 30, 0)
    read(server, 2)
    expect(server.receiveState(2)).toBe(ReceiveState.finished)
    expect(kinds(server)).toEqual(['opened', 'readable', 'closed'])
  })

  it('RESET_STREAM afterwards resets at once; before, it is all there is', () => {
    const server = room('server')
    server.onResetStreamAt(2, CODE, 100, 30, 0)
    server.onResetStream(2, CODE, 100, 0)
    expect(kinds(server)).toEqual(['opened', 'reset', 'closed'])
    server.onResetStream(6, CODE, 100, 0)
    server.onResetStreamAt(6, CODE, 100, 30, 0)
    expect(kinds(server)).toEqual(['opened', 'reset', 'closed'])
  })

  it('a reader that has stopped waits for nothing', () => {
    const server = room('server')
    data(server, 0, 10)
    events(server)
    server.stop(2, 1)
    server.onResetStreamAt(2, CODE, 100, 30, 0)
    expect(kinds(server)).toEqual(['closed'])
    server.onResetStreamAt(6, CODE, 100, 30, 0)
    server.stop(6, 1)
    expect(kinds(server)).toEqual(['opened', 'closed'])
  })

  it('errors: final size, flow control, code, stream kind, stream limit', () => {
    const frame = FrameType.resetStreamAt
    const { finalSizeError, flowControlError, streamStateError, streamLimitError } = TransportErrorCode
    const known = room('server')
    known.onResetStreamAt(2, CODE, 100, 50, 0)
    data(known, 0, 20)
    expect(failure(() => known.onResetStreamAt(2, CODE, 101, 50, 0))).toEqual({ code: finalSizeError, frame })
    expect(failure(() => known.onResetStreamAt(2, CODE, 10, 5, 0))).toEqual({ code: finalSizeError, frame })
    expect(failure(() => known.onResetStreamAt(2, CODE + 1, 100, 50, 0))).toEqual({ code: streamStateError, frame })
    expect(failure(() => known.onResetStream(2, CODE + 1, 100, 0))).toEqual({ code: streamStateError, frame: FrameType.resetStream })
    expect(failure(() => data(known, 100, 1))).toEqual({ code: finalSizeError, frame: FrameType.stream })
    known.onResetStreamAt(2, CODE, 100, 40, 0)
    expect(failure(() => room('server').onResetStreamAt(2, CODE, 10_001, 0, 0))).toEqual({ code: flowControlError, frame })
    const small = room('server', {}, { initialMaxData: 5000 })
    expect(failure(() => small.onResetStreamAt(2, CODE, 5001, 0, 0))).toEqual({ code: flowControlError, frame })
    expect(failure(() => room('server').onResetStreamAt(3, CODE, 0, 0, 0))).toEqual({ code: streamStateError, frame })
    expect(failure(() => room('server').onResetStreamAt(1, CODE, 0, 0, 0))).toEqual({ code: streamStateError, frame })
    expect(failure(() => room('server').onResetStreamAt(42, CODE, 0, 0, 0))).toEqual({ code: streamLimitError, frame })
  })
})
