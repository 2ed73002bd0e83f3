// Frames of a plaintext payload as trace records. Only traced connections pay for it: the payload is decoded once more,
// so that neither pipeline carries tracing through its hot path.

import { copyBytes } from '../base/bytes.ts'
import type { FrameRecord } from '../trace/sink.ts'
import { FrameType } from '../wire/constants.ts'
import { readFrameType } from '../wire/frame-table.ts'
import { AckFrame, readAckFrame } from '../wire/frames/ack.ts'
import { AckFrequencyFrame, readAckFrequencyFrame } from '../wire/frames/ack-frequency.ts'
import { ConnectionCloseFrame, readConnectionCloseFrame } from '../wire/frames/close.ts'
import { NewConnectionIdFrame, RetireConnectionIdFrame, readNewConnectionIdFrame, readRetireConnectionIdFrame } from '../wire/frames/connection-id.ts'
import { CryptoFrame, readCryptoFrame } from '../wire/frames/crypto.ts'
import { DatagramFrame, readDatagramFrame } from '../wire/frames/datagram.ts'
import { FlowControlFrame, readFlowControlFrame } from '../wire/frames/flow-control.ts'
import { NewTokenFrame, readNewTokenFrame } from '../wire/frames/new-token.ts'
import { PathFrame, readPathFrame } from '../wire/frames/path.ts'
import { ResetStreamFrame, readResetStreamFrame } from '../wire/frames/reset-stream.ts'
import { ResetStreamAtFrame, readResetStreamAtFrame } from '../wire/frames/reset-stream-at.ts'
import { StopSendingFrame, readStopSendingFrame } from '../wire/frames/stop-sending.ts'
import { StreamFrame, readStreamFrame } from '../wire/frames/stream.ts'
import { Reader } from '../wire/reader.ts'
import { TransportError } from '../wire/transport-error.ts'

/**
 * Ends at the first frame that cannot be decoded: dispatching it is what closes the connection.
 * @param ackDelayExponent of the packet's sender (RFC 9000 §18.2)
 */
export function describeFrames(buffer: Uint8Array, start: number, end: number, ackDelayExponent: number): FrameRecord[] {
  const records: FrameRecord[] = []
  const reader = new Reader()
  reader.reset(buffer, start, end)
  try {
    while (reader.position < end) {
      const type = readFrameType(reader)
      if (type < 0) break
      const record = describeFrame(reader, type, ackDelayExponent)
      if (record === null) break
      records.push(record)
    }
  } catch (error) {
    if (!(error instanceof TransportError)) throw error
  }
  return records
}

/**
 * The frame whose type has been read; null for a type that is not known. Throws TransportError when it cannot be decoded.
 * @param ackDelayExponent of the packet's sender (RFC 9000 §18.2)
 */
export function describeFrame(reader: Reader, type: number, ackDelayExponent: number): FrameRecord | null {
  if (type >= FrameType.stream && type <= FrameType.streamMax) return describeStream(reader, type)
  switch (type) {
    case FrameType.padding:
      return describePadding(reader)
    case FrameType.ping:
    case FrameType.handshakeDone:
    case FrameType.immediateAck:
      return { type }
    case FrameType.ack:
    case FrameType.ackEcn:
      return describeAck(reader, type, ackDelayExponent)
    case FrameType.resetStream: {
      const frame = new ResetStreamFrame()
      readResetStreamFrame(reader, type, frame)
      return { type, streamId: frame.streamId, errorCode: frame.errorCode, finalSize: frame.finalSize }
    }
    case FrameType.resetStreamAt: {
      const frame = new ResetStreamAtFrame()
      readResetStreamAtFrame(reader, type, frame)
      return { type, streamId: frame.streamId, errorCode: frame.errorCode, finalSize: frame.finalSize, reliableSize: frame.reliableSize }
    }
    case FrameType.stopSending: {
      const frame = new StopSendingFrame()
      readStopSendingFrame(reader, type, frame)
      return { type, streamId: frame.streamId, errorCode: frame.errorCode }
    }
    case FrameType.crypto: {
      const frame = new CryptoFrame()
      readCryptoFrame(reader, type, frame)
      return { type, offset: frame.offset, length: frame.dataLength }
    }
    case FrameType.newToken: {
      const frame = new NewTokenFrame()
      readNewTokenFrame(reader, type, frame)
      return { type, length: frame.token.length }
    }
    case FrameType.newConnectionId:
      return describeNewConnectionId(reader, type)
    case FrameType.retireConnectionId: {
      const frame = new RetireConnectionIdFrame()
      readRetireConnectionIdFrame(reader, type, frame)
      return { type, sequenceNumber: frame.sequence }
    }
    case FrameType.pathChallenge:
    case FrameType.pathResponse: {
      const frame = new PathFrame()
      readPathFrame(reader, type, frame)
      return { type, data: copyBytes(frame.data) }
    }
    case FrameType.connectionClose:
    case FrameType.connectionCloseApplication: {
      const frame = new ConnectionCloseFrame()
      readConnectionCloseFrame(reader, type, frame)
      return { type, errorCode: frame.errorCode, frameType: frame.frameType, reason: frame.reason }
    }
    case FrameType.datagram:
    case FrameType.datagramWithLength: {
      const frame = new DatagramFrame()
      readDatagramFrame(reader, type, frame)
      return { type, length: frame.dataLength }
    }
    case FrameType.ackFrequency: {
      const frame = new AckFrequencyFrame()
      readAckFrequencyFrame(reader, type, frame)
      const { sequence, ackElicitingThreshold, maxAckDelay, reorderingThreshold } = frame
      return { type, requestSequence: sequence, ackElicitingThreshold, requestedMaxAckDelay: maxAckDelay / 1000, reorderingThreshold }
    }
    default:
      return describeFlowControl(reader, type)
  }
}

function describeStream(reader: Reader, type: number): FrameRecord {
  const frame = new StreamFrame()
  readStreamFrame(reader, type, frame)
  return { type, streamId: frame.streamId, offset: frame.offset, length: frame.dataLength, fin: frame.fin }
}

function describePadding(reader: Reader): FrameRecord {
  const start = reader.position
  while (reader.position < reader.end && reader.buffer[reader.position] === 0) reader.position += 1
  return { type: FrameType.padding, length: reader.position - start + 1 }
}

function describeAck(reader: Reader, type: number, ackDelayExponent: number): FrameRecord {
  const frame = new AckFrame()
  readAckFrame(reader, type, frame)
  const ackDelay = (frame.delay * 2 ** ackDelayExponent) / 1000
  const record = { type, ackDelay, ranges: frame.ranges, rangeCount: frame.rangeCount }
  return frame.hasEcn ? { ...record, ect0: frame.ect0, ect1: frame.ect1, ce: frame.ce } : record
}

function describeNewConnectionId(reader: Reader, type: number): FrameRecord {
  const frame = new NewConnectionIdFrame()
  readNewConnectionIdFrame(reader, type, frame)
  return {
    type,
    sequenceNumber: frame.sequence,
    retirePriorTo: frame.retirePriorTo,
    connectionId: copyBytes(frame.connectionId),
    statelessResetToken: copyBytes(frame.statelessResetToken),
  }
}

function describeFlowControl(reader: Reader, type: number): FrameRecord | null {
  if (type < FrameType.maxData || type > FrameType.streamsBlockedUni) return null
  const frame = new FlowControlFrame()
  readFlowControlFrame(reader, type, frame)
  return frame.streamId >= 0 ? { type, streamId: frame.streamId, maximum: frame.maximum } : { type, maximum: frame.maximum }
}
