import { describe, expect, it } from 'vitest'
import { TokenKind } from '../../src/delivery/token.ts'
import type { StreamEvent } from '../../src/stream/stream-events.ts'
import { SendState } from '../../src/stream/send-state.ts'
import { ReceiveState, Streams } from '../../src/stream/streams.ts'
import type { StreamsConfig } from '../../src/stream/streams.ts'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { TransportError } from '../../src/wire/transport-error.ts'
import type { Frame } from '../delivery/packet.ts'
import { ack, lose, patternBytes, receiveFrames, TestPacket, writePacket } from '../delivery/packet.ts'

type Limits = StreamsConfig['local']

const LIMITS: Limits = {
  initialMaxData: 100_000,
  initialMaxStreamDataBidiLocal: 10_000,
  initialMaxStreamDataBidiRemote: 20_000,
  initialMaxStreamDataUni: 30_000,
  initialMaxStreamsBidi: 10,
  initialMaxStreamsUni: 5,
}

function room(role: 'client' | 'server', local: Partial<Limits> = {}, peer: Partial<Limits> = {}, sendBufferLimit = 262_144): Streams {
  const streams = new Streams({
    role,
    local: { ...LIMITS, ...local },
    maxConnectionWindow: 1_000_000,
    maxStreamWindow: 500_000,
    sendBufferLimit,
  })
  streams.setPeerLimits({ ...LIMITS, ...peer })
  return streams
}

function events(streams: Streams): StreamEvent[] {
  const all: StreamEvent[] = []
  for (let event = streams.pollEvent(); event !== null; event = streams.pollEvent()) all.push(event)
  return all
}

function kinds(streams: Streams): string[] {
  return events(streams).map((event) => `${event.kind}:${event.streamId}`)
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

function stream(to: Streams, id: number, offset: number, length: number, fin = false, now = 0): void {
  to.onStream(id, offset, patternBytes(id, offset, length), 0, length, fin, now)
}

function framesOf(packet: TestPacket): Frame[] {
  return receiveFrames(packet.bytes(), null)
}

function flush(from: Streams): Frame[] {
  const frames: Frame[] = []
  while (from.wantsToSend()) {
    const packet = writePacket(from)
    if (packet.length === 0) break
    frames.push(...framesOf(packet))
  }
  return frames
}

describe('opening streams (RFC 9000 §2.1, §4.6)', () => {
  it('numbers our streams by type and stops at the limit of the peer', () => {
    const client = room('client', {}, { initialMaxStreamsBidi: 2, initialMaxStreamsUni: 1 })
    expect([client.open(true), client.open(true), client.open(true)]).toEqual([0, 4, -1])
    expect([client.open(false), client.open(false)]).toEqual([2, -1])
    expect(client.peerStreamsLeft(true)).toBe(0)
    expect(flush(client)).toEqual([
      { type: FrameType.streamsBlockedBidi, streamId: -1, maximum: 2 },
      { type: FrameType.streamsBlockedUni, streamId: -1, maximum: 1 },
    ])
    client.open(true)
    expect(client.wantsToSend()).toBe(false)
    client.onMaxStreams(true, 2)
    expect(events(client)).toEqual([])
    client.onMaxStreams(true, 3)
    expect(events(client)).toEqual([{ kind: 'streams-available', streamId: -1, bidirectional: true }])
    expect(client.open(true)).toBe(8)
  })

  it('repeats STREAMS_BLOCKED when it is lost, unless the limit rose meanwhile', () => {
    const client = room('client', {}, { initialMaxStreamsBidi: 0 })
    client.open(true)
    const packet = writePacket(client)
    lose(client, packet)
    expect(flush(client)).toEqual([{ type: FrameType.streamsBlockedBidi, streamId: -1, maximum: 0 }])
    client.onMaxStreams(true, 1)
    lose(client, packet)
    expect(client.wantsToSend()).toBe(false)
  })

  it('opens every lower-numbered stream of the peer first (RFC 9000 §3.2)', () => {
    const server = room('server')
    stream(server, 8, 0, 1)
    expect(kinds(server)).toEqual(['stream-opened:0', 'stream-opened:4', 'stream-opened:8', 'stream-readable:8'])
  })

  it('STREAM_DATA_BLOCKED, MAX_STREAM_DATA, STOP_SENDING and RESET_STREAM open a stream of the peer as well (RFC 9000 §3.2)', () => {
    const openers: ((streams: Streams) => void)[] = [
      (s) => s.onStreamDataBlocked(0, 5),
      (s) => s.onMaxStreamData(0, 5),
      (s) => s.onStopSending(0, 5),
      (s) => s.onResetStream(0, 5, 0, 0),
    ]
    for (const open of openers) {
      const server = room('server')
      open(server)
      expect(events(server)[0]).toEqual({ kind: 'stream-opened', streamId: 0 })
    }
  })

  it('STREAM_LIMIT_ERROR beyond the advertised limit, with the type of the frame (RFC 9000 §4.6)', () => {
    const code = TransportErrorCode.streamLimitError
    expect(failure(() => stream(room('server'), 40, 0, 1))).toEqual({ code, frame: FrameType.stream })
    expect(failure(() => room('server').onResetStream(22, 0, 0, 0))).toEqual({ code, frame: FrameType.resetStream })
    expect(failure(() => room('server').onStopSending(40, 0))).toEqual({ code, frame: FrameType.stopSending })
    expect(failure(() => room('server').onMaxStreamData(40, 0))).toEqual({ code, frame: FrameType.maxStreamData })
    expect(failure(() => room('server').onStreamDataBlocked(40, 0))).toEqual({ code, frame: FrameType.streamDataBlocked })
    expect(failure(() => stream(room('server'), Number.MAX_SAFE_INTEGER - 3, 0, 1)).code).toBe(code)
    const server = room('server')
    stream(server, 36, 0, 1)
    expect(server.openStreams).toBe(10)
  })

  it('STREAM_STATE_ERROR for our streams that do not exist yet (RFC 9000 §19.5, §19.8, §19.10)', () => {
    const code = TransportErrorCode.streamStateError
    const server = room('server')
    expect(failure(() => stream(server, 1, 0, 1))).toEqual({ code, frame: FrameType.stream })
    expect(failure(() => server.onResetStream(1, 0, 0, 0))).toEqual({ code, frame: FrameType.resetStream })
    expect(failure(() => server.onStopSending(1, 0))).toEqual({ code, frame: FrameType.stopSending })
    expect(failure(() => server.onStopSending(3, 0))).toEqual({ code, frame: FrameType.stopSending })
    expect(failure(() => server.onMaxStreamData(1, 0))).toEqual({ code, frame: FrameType.maxStreamData })
  })

  it('STREAM_STATE_ERROR for the half a unidirectional stream does not have (RFC 9000 §19.4, §19.5, §19.8, §19.10, §19.13)', () => {
    const code = TransportErrorCode.streamStateError
    const server = room('server')
    const ours = server.open(false)
    expect(failure(() => stream(server, ours, 0, 1))).toEqual({ code, frame: FrameType.stream })
    expect(failure(() => server.onResetStream(ours, 0, 0, 0))).toEqual({ code, frame: FrameType.resetStream })
    expect(failure(() => server.onStreamDataBlocked(ours, 0))).toEqual({ code, frame: FrameType.streamDataBlocked })
    expect(failure(() => server.onStopSending(2, 0))).toEqual({ code, frame: FrameType.stopSending })
    expect(failure(() => server.onMaxStreamData(2, 0))).toEqual({ code, frame: FrameType.maxStreamData })
  })

  it('FRAME_ENCODING_ERROR for a stream count above 2^60 (RFC 9000 §19.11, §19.14)', () => {
    const code = TransportErrorCode.frameEncodingError
    const client = room('client')
    expect(failure(() => client.onMaxStreams(true, 2 ** 61))).toEqual({ code, frame: FrameType.maxStreamsBidi })
    expect(failure(() => client.onMaxStreams(false, 2 ** 61))).toEqual({ code, frame: FrameType.maxStreamsUni })
    expect(failure(() => client.onStreamsBlocked(false, 2 ** 61))).toEqual({ code, frame: FrameType.streamsBlockedUni })
    client.onMaxStreams(true, 2 ** 60)
  })

  it('gives the peer new streams as its old ones close, and forgets those (RFC 9000 §4.6)', () => {
    const server = room('server')
    let allowed = 10
    for (let index = 0; index < 1000; index++) {
      expect(index).toBeLessThan(allowed)
      const id = index * 4
      stream(server, id, 0, 3, true)
      server.consume(id, 3)
      expect(server.write(id, new Uint8Array(1), 0, 1, true)).toBe(1)
      const packet = writePacket(server)
      for (const frame of framesOf(packet)) if (frame.type === FrameType.maxStreamsBidi) allowed = frame.maximum!
      ack(server, packet)
      events(server)
      expect(server.openStreams).toBe(0)
    }
    // Frames for closed streams come late and do nothing.
    stream(server, 0, 0, 3, true)
    server.onResetStream(4, 1, 3, 0)
    server.onStopSending(8, 1)
    server.onMaxStreamData(12, 100)
    expect(server.openStreams).toBe(0)
    expect(events(server)).toEqual([])
  })

  it('says MAX_STREAMS also when the peer opens more after others closed', () => {
    const server = room('server')
    for (const id of [0, 4, 8, 12]) {
      stream(server, id, 0, 0, true)
      server.reset(id, 0)
    }
    ack(server, writePacket(server))
    events(server)
    expect(server.openStreams).toBe(0)
    expect(server.wantsToSend()).toBe(false)
    stream(server, 16, 0, 0)
    expect(flush(server)).toEqual([{ type: FrameType.maxStreamsBidi, streamId: -1, maximum: 14 }])
  })
})

describe('sending (RFC 9000 §3.1)', () => {
  it('goes through ready, send, data sent, data received', () => {
    const client = room('client')
    const id = client.open(false)
    expect(client.sendState(id)).toBe(SendState.ready)
    client.write(id, patternBytes(id, 0, 2000), 0, 2000, true)
    const first = writePacket(client)
    expect(client.sendState(id)).toBe(SendState.send)
    const second = writePacket(client)
    expect(client.sendState(id)).toBe(SendState.dataSent)
    expect(framesOf(second)[0]).toMatchObject({ fin: true, offset: framesOf(first)[0]!.length })
    expect(client.write(id, new Uint8Array(1), 0, 1, false)).toBe(-1)
    expect(client.capacity(id)).toBe(-1)
    ack(client, second)
    expect(client.sendState(id)).toBe(SendState.dataSent)
    ack(client, first)
    expect(client.sendState(id)).toBe(SendState.dataRecvd)
    expect(kinds(client)).toEqual(['stream-closed:2'])
    expect(client.sendState(id)).toBe(-1)
    expect(client.openStreams).toBe(0)
  })

  it('sends a FIN alone, and again when lost', () => {
    const client = room('client')
    const id = client.open(false)
    client.write(id, new Uint8Array(10), 0, 10, false)
    const data = writePacket(client)
    expect(client.wantsToSend()).toBe(false)
    client.write(id, new Uint8Array(0), 0, 0, true)
    const fin = writePacket(client)
    const alone = { type: FrameType.stream, streamId: id, offset: 10, length: 0, fin: true }
    expect(framesOf(fin)).toEqual([alone])
    lose(client, fin)
    expect(flush(client)).toEqual([alone])
    ack(client, fin)
    ack(client, data)
    expect(client.sendState(id)).toBe(SendState.dataRecvd)
  })

  it('a FIN needs no credit, and waits for the data before it', () => {
    const client = room('client', {}, { initialMaxStreamDataUni: 10 })
    const id = client.open(false)
    client.write(id, new Uint8Array(10), 0, 10, false)
    writePacket(client)
    client.write(id, new Uint8Array(0), 0, 0, true)
    expect(flush(client)).toMatchObject([{ offset: 10, length: 0, fin: true }])
    const other = client.open(false)
    client.write(other, new Uint8Array(11), 0, 11, true)
    expect(flush(client)).toMatchObject([{ offset: 0, length: 10, fin: false }, { type: FrameType.streamDataBlocked }])
    client.onMaxStreamData(other, 11)
    expect(flush(client)).toMatchObject([{ offset: 10, length: 1, fin: true }])
  })

  it('repeats exactly what has not been acknowledged meanwhile (RFC 9000 §13.3)', () => {
    const client = room('client')
    const id = client.open(true)
    client.write(id, patternBytes(id, 0, 3000), 0, 3000, true)
    const packets = [writePacket(client), writePacket(client), writePacket(client)]
    lose(client, packets[0]!)
    lose(client, packets[2]!)
    ack(client, packets[0]!)
    const again = flush(client)
    expect(again).toHaveLength(1)
    expect(again[0]).toMatchObject({ offset: framesOf(packets[2]!)[0]!.offset, fin: true })
  })

  it('RESET_STREAM takes the place of data, is repeated, and ends the half when acknowledged (RFC 9000 §3.1)', () => {
    const client = room('client')
    const id = client.open(true)
    client.write(id, new Uint8Array(5000), 0, 5000, false)
    const data = writePacket(client)
    const sent = framesOf(data)[0]!.length
    client.reset(id, 77)
    client.reset(id, 78)
    expect(client.sendState(id)).toBe(SendState.resetSent)
    expect(client.write(id, new Uint8Array(1), 0, 1, false)).toBe(-1)
    lose(client, data)
    const packet = writePacket(client)
    expect(framesOf(packet)).toEqual([{ type: FrameType.resetStream, streamId: id, code: 77, finalSize: sent }])
    lose(client, packet)
    expect(framesOf(writePacket(client))).toEqual(framesOf(packet))
    ack(client, data)
    expect(client.sendState(id)).toBe(SendState.resetSent)
    ack(client, packet)
    expect(client.sendState(id)).toBe(SendState.resetRecvd)
    lose(client, packet)
    expect(client.wantsToSend()).toBe(false)
  })

  it('RESET_STREAM may be the first frame of a stream, and carries 62-bit codes', () => {
    const client = room('client')
    const id = client.open(false)
    client.reset(id, 2n ** 62n - 1n)
    expect(flush(client)).toEqual([{ type: FrameType.resetStream, streamId: id, code: 2n ** 62n - 1n, finalSize: 0 }])
    expect(() => client.reset(id, 2n ** 62n)).toThrow(RangeError)
    expect(() => client.stop(id, -1)).toThrow(RangeError)
  })

  it('STOP_SENDING of the peer is answered with RESET_STREAM and its code (RFC 9000 §3.5)', () => {
    const client = room('client')
    const id = client.open(true)
    client.write(id, new Uint8Array(100), 0, 100, false)
    const data = writePacket(client)
    client.onStopSending(id, 42)
    client.onStopSending(id, 43)
    expect(client.stopCode(id)).toBe(42)
    expect(client.write(id, new Uint8Array(1), 0, 1, false)).toBe(-1)
    expect(events(client)).toEqual([{ kind: 'stream-stopped', streamId: id, code: 42 }])
    lose(client, data)
    expect(flush(client)).toEqual([{ type: FrameType.resetStream, streamId: id, code: 42, finalSize: 100 }])
  })

  it('STOP_SENDING changes nothing once everything is acknowledged', () => {
    const client = room('client')
    const id = client.open(true)
    client.write(id, new Uint8Array(10), 0, 10, true)
    ack(client, writePacket(client))
    client.onStopSending(id, 1)
    expect(client.wantsToSend()).toBe(false)
    expect(events(client)).toEqual([])
  })

  it('accepts up to the buffer limit, and tells when there is room again', () => {
    const client = room('client', {}, {}, 1000)
    const id = client.open(false)
    expect(client.capacity(id)).toBe(1000)
    expect(client.write(id, new Uint8Array(1500), 0, 1500, true)).toBe(1000)
    expect(client.capacity(id)).toBe(0)
    expect(client.write(id, new Uint8Array(500), 0, 500, true)).toBe(0)
    expect(events(client)).toEqual([])
    writePacket(client, 200)
    expect(events(client)).toEqual([])
    writePacket(client, 500)
    expect(kinds(client)).toEqual(['stream-writable:2'])
    writePacket(client)
    expect(events(client)).toEqual([])
    expect(client.write(id, new Uint8Array(500), 0, 500, true)).toBe(500)
    expect(client.sendState(id)).toBe(SendState.send)
    expect(client.bytesWritten).toBe(1500)
  })

  it('a full packet leaves the rest for the next', () => {
    const client = room('client')
    for (let i = 0; i < 3; i++) client.write(client.open(false), new Uint8Array(3), 0, 3, true)
    const packet = new TestPacket(14)
    expect(client.writeData(packet)).toBe(false)
    expect(framesOf(packet)).toHaveLength(2)
    const tiny = new TestPacket(2)
    expect(client.writeData(tiny)).toBe(false)
    expect(tiny.length).toBe(0)
    const rest = new TestPacket(14)
    expect(client.writeData(rest)).toBe(true)
    expect(client.wantsToSend()).toBe(false)
  })

  it('fills packets of any size to the last byte, with frames that decode', () => {
    for (let size = 5; size < 400; size++) {
      const client = room('client')
      const id = client.open(true)
      client.write(id, patternBytes(id, 0, 9000), 0, 9000, true)
      const packet = writePacket(client, size)
      const frames = framesOf(packet)
      expect(frames).toHaveLength(1)
      // The length field may be one byte longer than the length turned out to need.
      expect(size - packet.length).toBeLessThan(2)
      expect(packet.tokens).toEqual([{ kind: TokenKind.stream, a: id, b: 0, c: frames[0]!.length! * 2 }])
    }
  })

  it('lower urgency first, then by stream ID, then in turns (RFC 9218 §10)', () => {
    const client = room('client')
    const ids = [client.open(true), client.open(true), client.open(true), client.open(true)]
    client.setPriority(ids[0]!, 5, true)
    client.setPriority(ids[1]!, 5, true)
    client.setPriority(ids[2]!, 5, false)
    client.setPriority(ids[3]!, 1, true)
    for (const id of ids) client.write(id, new Uint8Array(150), 0, 150, false)
    const order: number[] = []
    while (client.wantsToSend()) order.push(...framesOf(writePacket(client, 104)).map((frame) => ids.indexOf(frame.streamId!)))
    expect(order.filter((stream, index) => stream !== order[index - 1])).toEqual([3, 2, 0, 1, 0, 1])
    expect(() => client.setPriority(ids[0]!, 256, true)).toThrow(RangeError)
  })

  it('repeats lost data before new data of the same urgency (RFC 9000 §13.3)', () => {
    const client = room('client')
    const a = client.open(true)
    const b = client.open(true)
    client.write(b, new Uint8Array(100), 0, 100, false)
    const packet = writePacket(client)
    client.write(a, new Uint8Array(100), 0, 100, false)
    lose(client, packet)
    expect(framesOf(writePacket(client)).map((frame) => frame.streamId)).toEqual([b, a])
  })
})

describe('flow control of what we send (RFC 9000 §4.1)', () => {
  it('keeps to the limit of the stream, says STREAM_DATA_BLOCKED once, and goes on', () => {
    const client = room('client', {}, { initialMaxStreamDataBidiRemote: 100 })
    const id = client.open(true)
    client.write(id, new Uint8Array(250), 0, 250, false)
    expect(flush(client)).toEqual([
      { type: FrameType.stream, streamId: id, offset: 0, length: 100, fin: false },
      { type: FrameType.streamDataBlocked, streamId: id, maximum: 100 },
    ])
    expect(client.wantsToSend()).toBe(false)
    client.onMaxStreamData(id, 90)
    expect(client.wantsToSend()).toBe(false)
    client.onMaxStreamData(id, 250)
    expect(flush(client)).toMatchObject([{ offset: 100, length: 150 }])
  })

  it('keeps to the limit of the connection; what was sent may be repeated without credit', () => {
    const client = room('client', {}, { initialMaxData: 150 })
    const a = client.open(true)
    const b = client.open(true)
    client.write(a, new Uint8Array(100), 0, 100, false)
    client.write(b, new Uint8Array(100), 0, 100, false)
    const packet = writePacket(client)
    expect(framesOf(packet).map((frame) => frame.length)).toEqual([100, 50])
    expect(flush(client)).toEqual([{ type: FrameType.dataBlocked, streamId: -1, maximum: 150 }])
    lose(client, packet)
    expect(flush(client).map((frame) => frame.length)).toEqual([100, 50])
    client.onMaxData(200)
    expect(flush(client)).toMatchObject([{ streamId: b, offset: 50, length: 50 }])
  })

  it('repeats blocked frames only while they are true (RFC 9000 §13.3)', () => {
    const client = room('client', {}, { initialMaxData: 50, initialMaxStreamDataBidiRemote: 20 })
    const a = client.open(true)
    const b = client.open(true)
    const c = client.open(true)
    for (const id of [a, b, c]) client.write(id, new Uint8Array(30), 0, 30, false)
    writePacket(client)
    const blocked = writePacket(client)
    expect(blocked.kinds().sort()).toEqual([TokenKind.dataBlocked, TokenKind.streamDataBlocked, TokenKind.streamDataBlocked].sort())
    lose(client, blocked)
    expect(flush(client)).toHaveLength(3)
    client.onMaxData(51)
    client.onMaxStreamData(a, 30)
    flush(client)
    lose(client, blocked)
    expect(flush(client)).toEqual([{ type: FrameType.streamDataBlocked, streamId: b, maximum: 20 }])
  })

  it('blocked streams do not spin', () => {
    const client = room('client', {}, { initialMaxData: 0, initialMaxStreamsBidi: 2000 })
    for (let i = 0; i < 2000; i++) client.write(client.open(true), new Uint8Array(10), 0, 10, false)
    expect(flush(client)).toEqual([{ type: FrameType.dataBlocked, streamId: -1, maximum: 0 }])
    for (let limit = 1; limit < 500; limit++) {
      client.onMaxData(limit)
      const frames = flush(client).filter((frame) => frame.type === FrameType.stream)
      expect(frames.reduce((sum, frame) => sum + frame.length!, 0)).toBe(1)
    }
  })

  it('real parameters after those remembered for 0-RTT raise the limits of open streams (RFC 9000 §7.4.1)', () => {
    const client = room('client', {}, { initialMaxStreamDataBidiRemote: 10, initialMaxStreamsBidi: 1 })
    const id = client.open(true)
    client.write(id, new Uint8Array(30), 0, 30, false)
    flush(client)
    client.setPeerLimits({ ...LIMITS, initialMaxStreamDataBidiRemote: 25, initialMaxStreamsBidi: 3 })
    expect(flush(client).filter((frame) => frame.type === FrameType.stream)).toMatchObject([{ offset: 10, length: 15 }])
    expect(client.peerStreamsLeft(true)).toBe(2)
  })
})

describe('receiving (RFC 9000 §3.2)', () => {
  it('delivers in order, coalesces readable, ends with finished', () => {
    const server = room('server')
    stream(server, 0, 5, 5, true)
    expect(kinds(server)).toEqual(['stream-opened:0'])
    expect(server.peek(0)).toBe(null)
    stream(server, 0, 0, 5)
    stream(server, 0, 0, 10)
    expect(kinds(server)).toEqual(['stream-readable:0'])
    expect(server.receiveState(0)).toBe(ReceiveState.open)
    let read = 0
    for (let bytes = server.peek(0); bytes !== null; bytes = server.peek(0)) {
      expect(bytes).toEqual(patternBytes(0, read, bytes.length))
      read += bytes.length
      server.consume(0, bytes.length)
    }
    expect(read).toBe(10)
    expect(server.receiveState(0)).toBe(ReceiveState.finished)
    expect(server.bytesRead).toBe(10)
    expect(() => server.consume(0, 1)).toThrow(RangeError)
  })

  it('re-arms readable when read dry, by peek or by consume, and tells of a late FIN', () => {
    const server = room('server')
    stream(server, 2, 0, 5)
    expect(kinds(server)).toEqual(['stream-opened:2', 'stream-readable:2'])
    stream(server, 2, 5, 5)
    expect(kinds(server)).toEqual([])
    server.consume(2, server.peek(2)!.length)
    stream(server, 2, 10, 1)
    while (server.peek(2) !== null) server.consume(2, server.peek(2)!.length)
    expect(kinds(server)).toEqual([])
    stream(server, 2, 11, 1)
    expect(kinds(server)).toEqual(['stream-readable:2'])
    server.consume(2, 1)
    stream(server, 2, 12, 0, true)
    expect(server.receiveState(2)).toBe(ReceiveState.finished)
    expect(kinds(server)).toEqual(['stream-readable:2', 'stream-closed:2'])
    expect(server.receiveState(2)).toBe(ReceiveState.unknown)
  })

  it('queues at most one readable per stream however often it is read dry', () => {
    const server = room('server')
    for (let offset = 0; offset < 1000; offset++) {
      stream(server, 2, offset, 1)
      server.consume(2, 1)
    }
    expect(kinds(server)).toEqual(['stream-opened:2', 'stream-readable:2'])
  })

  it('RESET_STREAM interrupts delivery; the code can be asked for until the stream is reported closed', () => {
    const server = room('server')
    stream(server, 2, 0, 100)
    events(server)
    server.onResetStream(2, 99, 500, 0)
    server.onResetStream(2, 98, 500, 0)
    expect(server.peek(2)).toBe(null)
    expect(server.receiveState(2)).toBe(ReceiveState.reset)
    expect(server.resetCode(2)).toBe(99)
    expect(server.pollEvent()).toEqual({ kind: 'stream-reset', streamId: 2, code: 99 })
    expect(server.pollEvent()).toEqual({ kind: 'stream-closed', streamId: 2 })
    expect(server.resetCode(2)).toBe(99)
    expect(server.pollEvent()).toBe(null)
    expect(server.resetCode(2)).toBe(-1)
    expect(server.openStreams).toBe(0)
  })

  it('complete data survives a RESET_STREAM that follows', () => {
    const server = room('server')
    stream(server, 2, 0, 10, true)
    server.onResetStream(2, 1, 10, 0)
    expect(kinds(server)).toEqual(['stream-opened:2', 'stream-readable:2'])
    expect(server.peek(2)).toEqual(patternBytes(2, 0, 10))
  })

  it('FINAL_SIZE_ERROR in all its forms (RFC 9000 §4.5)', () => {
    const code = TransportErrorCode.finalSizeError
    const onStream = { code, frame: FrameType.stream }
    const onReset = { code, frame: FrameType.resetStream }
    const ended = (): Streams => {
      const server = room('server')
      stream(server, 0, 0, 10, true)
      return server
    }
    expect(failure(() => stream(ended(), 0, 10, 1))).toEqual(onStream)
    expect(failure(() => stream(ended(), 0, 0, 11, true))).toEqual(onStream)
    expect(failure(() => stream(ended(), 0, 0, 9, true))).toEqual(onStream)
    expect(failure(() => ended().onResetStream(0, 0, 9, 0))).toEqual(onReset)
    expect(failure(() => ended().onResetStream(0, 0, 11, 0))).toEqual(onReset)
    const open = room('server')
    stream(open, 0, 0, 10)
    expect(failure(() => stream(open, 0, 0, 9, true))).toEqual(onStream)
    expect(failure(() => open.onResetStream(0, 0, 9, 0))).toEqual(onReset)
    const reset = room('server')
    reset.onResetStream(0, 0, 10, 0)
    expect(failure(() => reset.onResetStream(0, 0, 12, 0))).toEqual(onReset)
    expect(failure(() => stream(reset, 0, 8, 3))).toEqual(onStream)
    stream(reset, 0, 0, 10)
  })

  it('FLOW_CONTROL_ERROR beyond the limit of the stream, of each type (RFC 9000 §4.1, §18.2)', () => {
    const code = TransportErrorCode.flowControlError
    const server = room('server')
    stream(server, 0, 19_999, 1)
    expect(failure(() => stream(server, 0, 20_000, 1))).toEqual({ code, frame: FrameType.stream })
    stream(server, 2, 29_999, 1)
    expect(failure(() => stream(server, 2, 30_000, 1))).toEqual({ code, frame: FrameType.stream })
    const ours = server.open(true)
    stream(server, ours, 9_999, 1)
    expect(failure(() => stream(server, ours, 10_000, 1))).toEqual({ code, frame: FrameType.stream })
    expect(failure(() => server.onResetStream(4, 0, 20_001, 0))).toEqual({ code, frame: FrameType.resetStream })
    expect(failure(() => stream(server, 8, Number.MAX_SAFE_INTEGER - 1, 1))).toEqual({ code, frame: FrameType.stream })
  })

  it('FLOW_CONTROL_ERROR beyond the limit of the connection, gaps and resets included (RFC 9000 §19.9)', () => {
    const code = TransportErrorCode.flowControlError
    const server = room('server', { initialMaxData: 1000 })
    stream(server, 0, 590, 10)
    server.onResetStream(4, 0, 400, 0)
    stream(server, 0, 0, 600)
    expect(failure(() => stream(server, 8, 0, 1))).toEqual({ code, frame: FrameType.stream })
    expect(failure(() => server.onResetStream(12, 0, 1, 0))).toEqual({ code, frame: FrameType.resetStream })
  })

  it('says MAX_STREAM_DATA and MAX_DATA as the application reads, and repeats the latest when lost', () => {
    const server = room('server', { initialMaxData: 20_000, initialMaxStreamDataUni: 10_000 })
    stream(server, 2, 0, 10_000)
    server.consume(2, 4000)
    expect(server.wantsToSend()).toBe(false)
    server.consume(2, 2000)
    const first = writePacket(server)
    expect(framesOf(first)).toEqual([{ type: FrameType.maxStreamData, streamId: 2, maximum: 26_000 }])
    expect(server.wantsToSend()).toBe(false)
    lose(server, first)
    server.consume(2, 4000)
    const frames = flush(server)
    expect(frames).toContainEqual({ type: FrameType.maxStreamData, streamId: 2, maximum: 30_000 })
    expect(frames.some((frame) => frame.type === FrameType.maxData && frame.maximum! >= 30_000)).toBe(true)
    lose(server, first)
    expect(server.wantsToSend()).toBe(false)
  })

  it('says no MAX_STREAM_DATA once the size is known (RFC 9000 §3.2)', () => {
    const server = room('server')
    stream(server, 2, 0, 20_000)
    server.consume(2, 20_000)
    expect(server.wantsToSend()).toBe(true)
    stream(server, 2, 29_999, 1, true)
    expect(flush(server).filter((frame) => frame.type === FrameType.maxStreamData)).toEqual([])
  })

  it('a reset gives the credit of the connection back', () => {
    const server = room('server', { initialMaxData: 1000 })
    stream(server, 0, 0, 100)
    server.onResetStream(0, 0, 600, 0)
    expect(flush(server)).toMatchObject([{ type: FrameType.maxData }])
    stream(server, 4, 0, 1000)
  })
})

describe('stop() (RFC 9000 §3.5)', () => {
  it('sends STOP_SENDING, repeats it when lost, discards data and returns its credit', () => {
    const server = room('server', { initialMaxData: 2000, initialMaxStreamDataUni: 2000 })
    stream(server, 2, 0, 500)
    server.stop(2, 9)
    expect(server.peek(2)).toBe(null)
    const packet = writePacket(server)
    expect(framesOf(packet)).toEqual([{ type: FrameType.stopSending, streamId: 2, code: 9 }])
    lose(server, packet)
    expect(flush(server)).toEqual(framesOf(packet))
    stream(server, 2, 1000, 1000)
    expect(server.peek(2)).toBe(null)
    expect(flush(server)).toMatchObject([{ type: FrameType.maxData }])
    expect(kinds(server)).toEqual(['stream-opened:2', 'stream-readable:2'])
  })

  it('still checks flow control and the final size', () => {
    const server = room('server', { initialMaxStreamDataUni: 2000 })
    stream(server, 2, 0, 500)
    server.stop(2, 9)
    expect(failure(() => stream(server, 2, 2000, 1)).code).toBe(TransportErrorCode.flowControlError)
    expect(failure(() => stream(server, 2, 0, 499, true)).code).toBe(TransportErrorCode.finalSizeError)
  })

  it('is over with RESET_STREAM or FIN, and STOP_SENDING is repeated no more', () => {
    for (const end of [(s: Streams) => s.onResetStream(2, 9, 700, 0), (s: Streams) => stream(s, 2, 699, 1, true)]) {
      const server = room('server')
      stream(server, 2, 0, 500)
      server.stop(2, 9)
      const packet = writePacket(server)
      end(server)
      lose(server, packet)
      expect(server.wantsToSend()).toBe(false)
      expect(kinds(server)).toEqual(['stream-opened:2', 'stream-readable:2', 'stream-closed:2'])
    }
  })

  it('sends nothing when all data is there already', () => {
    const server = room('server')
    stream(server, 2, 0, 500, true)
    server.stop(2, 9)
    expect(server.wantsToSend()).toBe(false)
    expect(kinds(server)).toEqual(['stream-opened:2', 'stream-readable:2', 'stream-closed:2'])
  })
})

describe('hostile peers', () => {
  it('one-byte pieces with gaps end the connection at 1000 gaps (RFC 9000 §21.6)', () => {
    const server = room('server')
    const flood = (): void => {
      for (let i = 0; i < 2000; i++) stream(server, 0, 1 + 2 * i, 1)
    }
    expect(failure(flood)).toEqual({ code: TransportErrorCode.protocolViolation, frame: FrameType.stream })
  })

  it('repeated opening, resetting and stopping leaves nothing behind and needs the application to poll', () => {
    const server = room('server')
    let opened = 0
    const flood = (): void => {
      for (let index = 0; ; index++) {
        server.onStopSending(index * 4, 1)
        server.onResetStream(index * 4, 1, 0, 0)
        opened += 1
        ack(server, writePacket(server))
      }
    }
    expect(failure(flood).code).toBe(TransportErrorCode.streamLimitError)
    // Nobody polled, so nothing closed, and no stream beyond the first ten was allowed.
    expect(opened).toBe(10)
    events(server)
    expect(server.openStreams).toBe(0)
  })

  it('acknowledgement and loss of anything for streams that are gone is ignored', () => {
    const server = room('server')
    for (const kind of Object.values(TokenKind)) {
      server.acked(kind, 400, 0, 1)
      server.lost(kind, 400, 0, 1)
    }
    expect(server.wantsToSend()).toBe(false)
  })

  it('verbs on unknown streams answer, and do not throw', () => {
    const server = room('server')
    expect(server.write(0, new Uint8Array(1), 0, 1, false)).toBe(-1)
    expect([server.capacity(0), server.sendState(0), server.resetCode(0), server.stopCode(0)]).toEqual([-1, -1, -1, -1])
    expect([server.peek(0), server.receiveState(0)]).toEqual([null, ReceiveState.unknown])
    server.consume(0, 5)
    server.reset(0, 1)
    server.stop(0, 1)
    server.setPriority(0, 1, true)
    expect(server.wantsToSend()).toBe(false)
  })
})
