// A packet that is only frames: the FrameSink of the tests, and the way its frames reach the other side's rooms.

import type { FrameSink } from '../../src/delivery/frame-sink.ts'
import type { Streams } from '../../src/stream/streams.ts'
import { FrameType } from '../../src/wire/constants.ts'
import { FlowControlFrame, readFlowControlFrame } from '../../src/wire/frames/flow-control.ts'
import { readResetStreamFrame, ResetStreamFrame } from '../../src/wire/frames/reset-stream.ts'
import { readResetStreamAtFrame, ResetStreamAtFrame } from '../../src/wire/frames/reset-stream-at.ts'
import { readStopSendingFrame, StopSendingFrame } from '../../src/wire/frames/stop-sending.ts'
import { readStreamFrame, StreamFrame } from '../../src/wire/frames/stream.ts'
import { Reader } from '../../src/wire/reader.ts'
import { Writer } from '../../src/wire/writer.ts'

export interface Token {
  kind: number
  a: number
  b: number
  c: number
}

export class TestPacket implements FrameSink {
  readonly writer: Writer
  readonly tokens: Token[] = []

  constructor(size = 1200) {
    this.writer = new Writer(new Uint8Array(size), 0, size)
  }

  room(): number {
    return this.writer.remaining
  }

  token(kind: number, a: number, b: number, c: number): void {
    this.tokens.push({ kind, a, b, c })
  }

  get length(): number {
    return this.writer.position
  }

  /** A copy, as the network makes one. */
  bytes(): Uint8Array {
    return this.writer.buffer.slice(0, this.writer.position)
  }

  kinds(): number[] {
    return this.tokens.map((token) => token.kind)
  }
}

export interface Frame {
  type: number
  streamId?: number
  offset?: number
  length?: number
  fin?: boolean
  maximum?: number
  code?: number | bigint
  finalSize?: number
  reliableSize?: number
}

/** Every frame of the stream room in these bytes, given to `streams` when there is one. */
export function receiveFrames(bytes: Uint8Array, streams: Streams | null, now = 0): Frame[] {
  const reader = new Reader(bytes)
  const frames: Frame[] = []
  while (reader.remaining > 0) {
    const type = reader.varint()
    if (type >= FrameType.stream && type <= FrameType.streamMax) {
      const f = new StreamFrame()
      readStreamFrame(reader, type, f)
      frames.push({ type: FrameType.stream, streamId: f.streamId, offset: f.offset, length: f.dataLength, fin: f.fin })
      streams?.onStream(f.streamId, f.offset, reader.buffer, f.dataStart, f.dataLength, f.fin, now)
    } else if (type === FrameType.resetStream) {
      const f = new ResetStreamFrame()
      readResetStreamFrame(reader, type, f)
      frames.push({ type, streamId: f.streamId, code: f.errorCode, finalSize: f.finalSize })
      streams?.onResetStream(f.streamId, f.errorCode, f.finalSize, now)
    } else if (type === FrameType.resetStreamAt) {
      const f = new ResetStreamAtFrame()
      readResetStreamAtFrame(reader, type, f)
      frames.push({ type, streamId: f.streamId, code: f.errorCode, finalSize: f.finalSize, reliableSize: f.reliableSize })
      streams?.onResetStreamAt(f.streamId, f.errorCode, f.finalSize, f.reliableSize, now)
    } else if (type === FrameType.stopSending) {
      const f = new StopSendingFrame()
      readStopSendingFrame(reader, type, f)
      frames.push({ type, streamId: f.streamId, code: f.errorCode })
      streams?.onStopSending(f.streamId, f.errorCode)
    } else {
      const f = new FlowControlFrame()
      readFlowControlFrame(reader, type, f)
      frames.push({ type, streamId: f.streamId, maximum: f.maximum })
      if (streams !== null) receiveLimit(streams, type, f)
    }
  }
  return frames
}

function receiveLimit(streams: Streams, type: number, f: FlowControlFrame): void {
  if (type === FrameType.maxData) streams.onMaxData(f.maximum)
  else if (type === FrameType.maxStreamData) streams.onMaxStreamData(f.streamId, f.maximum)
  else if (type === FrameType.maxStreamsBidi) streams.onMaxStreams(true, f.maximum)
  else if (type === FrameType.maxStreamsUni) streams.onMaxStreams(false, f.maximum)
  else if (type === FrameType.dataBlocked) streams.onDataBlocked(f.maximum)
  else if (type === FrameType.streamDataBlocked) streams.onStreamDataBlocked(f.streamId, f.maximum)
  else streams.onStreamsBlocked(type === FrameType.streamsBlockedBidi, f.maximum)
}

/** One packet with all that is due and fits. */
export function writePacket(streams: Streams, size = 1200): TestPacket {
  const packet = new TestPacket(size)
  if (streams.writeControl(packet)) streams.writeData(packet)
  return packet
}

export function ack(streams: Streams, packet: TestPacket): void {
  for (const t of packet.tokens) streams.acked(t.kind, t.a, t.b, t.c)
}

export function lose(streams: Streams, packet: TestPacket): void {
  for (const t of packet.tokens) streams.lost(t.kind, t.a, t.b, t.c)
}

/** xorshift32: a seed gives the same run everywhere. */
export function seeded(seed: number): (below: number) => number {
  let state = seed === 0 ? 0x9e3779b9 : seed | 0
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** The byte a test stream carries at an offset. */
export function byteAt(streamId: number, offset: number): number {
  return (offset * 31 + (offset >> 8) * 7 + streamId * 13) & 0xff
}

export function patternBytes(streamId: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = byteAt(streamId, offset + i)
  return bytes
}
