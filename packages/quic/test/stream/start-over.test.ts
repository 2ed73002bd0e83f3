// What becomes of streams when early data is rejected (RFC 9001 §4.6.2): everything once more under other limits, or nothing.

import { describe, expect, it } from 'vitest'
import { EMPTY } from '../../src/base/bytes.ts'
import { Streams } from '../../src/stream/streams.ts'
import type { StreamsConfig } from '../../src/stream/streams.ts'
import { FrameType } from '../../src/wire/constants.ts'
import type { Frame } from '../delivery/packet.ts'
import { ack, lose, patternBytes, receiveFrames, writePacket } from '../delivery/packet.ts'

const { stream, resetStream, stopSending } = FrameType

const LIMITS: StreamsConfig['local'] = {
  initialMaxData: 10_000,
  initialMaxStreamDataBidiLocal: 5000,
  initialMaxStreamDataBidiRemote: 5000,
  initialMaxStreamDataUni: 5000,
  initialMaxStreamsBidi: 4,
  initialMaxStreamsUni: 4,
}

function client(): Streams {
  const streams = new Streams({ role: 'client', local: LIMITS, maxConnectionWindow: 100_000, maxStreamWindow: 50_000 })
  streams.setPeerLimits(LIMITS)
  return streams
}

/** Sends all that may be sent; the packets are lost. */
function sendInVain(streams: Streams): void {
  for (const packet of packets(streams)) lose(streams, packet)
}

function packets(streams: Streams): ReturnType<typeof writePacket>[] {
  const sent: ReturnType<typeof writePacket>[] = []
  while (streams.wantsToSend()) sent.push(writePacket(streams))
  return sent
}

function flush(streams: Streams): Frame[] {
  return packets(streams).flatMap((packet) => receiveFrames(packet.bytes(), null))
}

/** Highest offset and FIN per stream. */
function reach(frames: readonly Frame[]): Map<number, string> {
  const reached = new Map<number, string>()
  for (const { type, streamId, offset = 0, length = 0, fin } of frames) {
    if (type >= stream && type <= stream + 7) reached.set(streamId!, `${offset + length}${fin === true ? ' fin' : ''}`)
  }
  return reached
}

function write(streams: Streams, id: number, length: number, fin: boolean): void {
  streams.write(id, patternBytes(id, 0, length), 0, length, fin)
}

describe('startOver', () => {
  it('sends every byte and every end again, from the beginning', () => {
    const streams = client()
    write(streams, streams.open(true), 3000, true)
    write(streams, streams.open(false), 100, false)
    streams.write(streams.open(true), EMPTY, 0, 0, true)
    sendInVain(streams)
    streams.startOver(LIMITS)
    const sent = flush(streams)
    expect(new Set(sent.filter(({ offset }) => offset === 0).map(({ streamId }) => streamId))).toEqual(new Set([0, 2, 4]))
    expect(reach(sent)).toEqual(new Map([[0, '3000 fin'], [2, '100'], [4, '0 fin']]))
    expect(flush(streams)).toEqual([])
  })

  it('counts credit anew: less of it holds bytes back until there is more', () => {
    const streams = client()
    write(streams, streams.open(true), 5000, true)
    write(streams, streams.open(true), 5000, true)
    sendInVain(streams)
    streams.startOver({ ...LIMITS, initialMaxData: 1500, initialMaxStreamDataBidiRemote: 1000 })
    expect(reach(flush(streams))).toEqual(new Map([[0, '1000'], [4, '500']]))
    streams.onMaxData(10_000)
    streams.onMaxStreamData(0, 5000)
    streams.onMaxStreamData(4, 5000)
    expect(reach(flush(streams))).toEqual(new Map([[0, '5000 fin'], [4, '5000 fin']]))
  })

  it('holds streams beyond the limit, with all they have to say', () => {
    const streams = client()
    for (let i = 0; i < 3; i += 1) write(streams, streams.open(true), 100, true)
    sendInVain(streams)
    streams.startOver({ ...LIMITS, initialMaxStreamsBidi: 1 })
    expect(streams.peerStreamsLeft(true)).toBe(0)
    expect(streams.open(true)).toBe(-1)
    // The application goes on with them.
    streams.setPriority(8, 0, false)
    streams.stop(4, 7)
    streams.reset(8, 9)
    const sent = flush(streams)
    expect(reach(sent)).toEqual(new Map([[0, '100 fin']]))
    expect(sent).toContainEqual({ type: FrameType.streamsBlockedBidi, streamId: -1, maximum: 1 })
    expect(sent.some(({ streamId }) => streamId === 4 || streamId === 8)).toBe(false)
    streams.onMaxStreams(true, 2)
    const second = flush(streams)
    expect(reach(second)).toEqual(new Map([[4, '100 fin']]))
    expect(second).toContainEqual(expect.objectContaining({ type: stopSending, streamId: 4, code: 7 }))
    expect(streams.pollEvent()).toBeNull()
    streams.onMaxStreams(true, 4)
    expect(flush(streams)).toContainEqual(expect.objectContaining({ type: resetStream, streamId: 8, code: 9, finalSize: 0 }))
    // An open was refused: there is room for it now.
    expect(streams.pollEvent()).toEqual({ kind: 'streams-available', streamId: -1, bidirectional: true })
    expect(streams.open(true)).toBe(12)
  })

  it('repeats a reset with the final size 0: the peer has seen nothing of the stream', () => {
    const streams = client()
    write(streams, streams.open(true), 700, false)
    const before = packets(streams)
    streams.reset(0, 3)
    before.push(...packets(streams))
    for (const packet of before) lose(streams, packet)
    streams.startOver({ ...LIMITS, initialMaxData: 0 })
    const [packet] = packets(streams)
    expect(receiveFrames(packet!.bytes(), null)).toEqual([{ type: resetStream, streamId: 0, code: 3, finalSize: 0 }])
    ack(streams, packet!)
    streams.onResetStream(0, 3, 0, 0)
    expect([streams.pollEvent()?.kind, streams.pollEvent()?.kind]).toEqual(['stream-reset', 'stream-closed'])
  })

  it('says again that streams are wanted', () => {
    const streams = client()
    for (let i = 0; i < 5; i += 1) streams.open(true)
    sendInVain(streams)
    streams.startOver(LIMITS)
    expect(flush(streams)).toEqual([{ type: FrameType.streamsBlockedBidi, streamId: -1, maximum: 4 }])
  })
})

describe('forgetAll', () => {
  it('leaves nothing to say, no events and no streams; the next one is the first', () => {
    const streams = client()
    write(streams, streams.open(true), 3000, true)
    write(streams, streams.open(false), 3000, true)
    for (let i = 0; i < 4; i += 1) streams.open(true)
    sendInVain(streams)
    streams.stop(0, 1)
    streams.forgetAll()
    streams.setPeerLimits(LIMITS)
    expect(streams.openStreams).toBe(0)
    expect(streams.write(0, EMPTY, 0, 0, true)).toBe(-1)
    expect(streams.wantsToSend()).toBe(false)
    expect(streams.open(true)).toBe(0)
    write(streams, 0, 5000, true)
    write(streams, streams.open(true), 5000, true)
    expect(reach(flush(streams))).toEqual(new Map([[0, '5000 fin'], [4, '5000 fin']]))
  })
})
