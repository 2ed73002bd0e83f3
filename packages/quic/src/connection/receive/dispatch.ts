// The frames of one authenticated packet (RFC 9000 §12.4): legality by packet type from the frame table, the hot three
// by an if-chain, the rest by the handler of their family.

import type { Path } from '../../path/path.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { FrameType, PacketType, TransportErrorCode } from '../../wire/constants.ts'
import { FRAME_TYPE_TRUNCATED, allowedAt, frameName, isAckEliciting, isKnownFrame, isProbing, readFrameType } from '../../wire/frame-table.ts'
import { readAckFrame } from '../../wire/frames/ack.ts'
import { readCryptoFrame } from '../../wire/frames/crypto.ts'
import { readDatagramFrame } from '../../wire/frames/datagram.ts'
import { readStreamFrame } from '../../wire/frames/stream.ts'
import { TransportError } from '../../wire/transport-error.ts'
import type { Reader } from '../../wire/reader.ts'
import type { ConnectionCore } from '../core.ts'
import { onAck } from './on-ack.ts'
import { onAckFrequencyFrame } from './on-ack-frequency.ts'
import { onConnectionIdFrame } from './on-connection-id.ts'
import { onClose } from './on-close.ts'
import { onCrypto } from './on-crypto.ts'
import { onDatagram } from './on-datagram.ts'
import { onHandshakeDone } from './on-handshake-done.ts'
import { onNewToken } from './on-new-token.ts'
import { onPathFrame } from './on-path.ts'
import { onFlowControl, onResetStream, onResetStreamAt, onStopSending } from './on-stream.ts'

export function dispatchFrames(core: ConnectionCore, space: PacketSpace, packetType: number, path: Path, end: number, now: number): void {
  const receiving = core.receiving
  const reader = receiving.reader
  reader.reset(receiving.header.buffer, receiving.payloadStart, end)
  receiving.ackEliciting = false
  receiving.probingOnly = true
  if (reader.position >= end) {
    throw new TransportError(TransportErrorCode.protocolViolation, 0, 'packet without frames (RFC 9000 §12.4)')
  }
  while (reader.position < end) {
    const type = frameTypeAt(reader)
    if (!allowedAt(type, packetType)) {
      throw new TransportError(TransportErrorCode.protocolViolation, type, `${frameName(type)} frame in a packet type that must not carry it (RFC 9000 §12.4)`)
    }
    if (isAckEliciting(type)) receiving.ackEliciting = true
    if (!isProbing(type)) receiving.probingOnly = false
    handleFrame(core, space, path, type, now)
    // A frame that closed or drained the connection leaves nothing to do for the rest.
    if (!core.lifecycle.isOpen()) return
  }
}

function frameTypeAt(reader: Reader): number {
  const type = readFrameType(reader)
  if (type >= 0 && isKnownFrame(type)) return type
  if (type === FRAME_TYPE_TRUNCATED || type >= 0) {
    throw new TransportError(TransportErrorCode.frameEncodingError, Math.max(type, 0), 'unknown or truncated frame type (RFC 9000 §12.4)')
  }
  // RFC 9000 §12.4: "an endpoint MAY treat the receipt of a frame type that uses a longer encoding than necessary as [PROTOCOL_VIOLATION]".
  throw new TransportError(TransportErrorCode.protocolViolation, 0, 'frame type is not encoded in the fewest bytes (RFC 9000 §12.4)')
}

function handleFrame(core: ConnectionCore, space: PacketSpace, path: Path, type: number, now: number): void {
  const receiving = core.receiving
  const reader = receiving.reader
  if (type >= FrameType.stream && type <= FrameType.stream + 7) {
    const frame = receiving.stream
    readStreamFrame(reader, type, frame)
    core.streams.onStream(frame.streamId, frame.offset, reader.buffer, frame.dataStart, frame.dataLength, frame.fin, now, type)
    if (receiving.header.packetType === PacketType.zeroRtt && !core.lifecycle.isEstablished()) core.early.noteStream(frame.streamId)
    return
  }
  if (type === FrameType.ack || type === FrameType.ackEcn) {
    readAckFrame(reader, type, receiving.ack)
    onAck(core, space, now)
    return
  }
  if (type === FrameType.datagram || type === FrameType.datagramWithLength) {
    readDatagramFrame(reader, type, receiving.datagram)
    onDatagram(core, type)
    return
  }
  switch (type) {
    case FrameType.padding:
      skipPadding(reader)
      return
    case FrameType.ping:
      return
    case FrameType.crypto:
      readCryptoFrame(reader, type, receiving.crypto)
      onCrypto(core, space, now)
      return
    case FrameType.resetStream:
      onResetStream(core, now)
      return
    case FrameType.resetStreamAt:
      onResetStreamAt(core, now)
      return
    case FrameType.stopSending:
      onStopSending(core)
      return
    case FrameType.newToken:
      onNewToken(core)
      return
    case FrameType.newConnectionId:
    case FrameType.retireConnectionId:
      onConnectionIdFrame(core, type)
      return
    case FrameType.pathChallenge:
    case FrameType.pathResponse:
      onPathFrame(core, type, path, now)
      return
    case FrameType.connectionClose:
    case FrameType.connectionCloseApplication:
      onClose(core, type, now)
      return
    case FrameType.handshakeDone:
      onHandshakeDone(core, now)
      return
    case FrameType.ackFrequency:
    case FrameType.immediateAck:
      onAckFrequencyFrame(core, type, space)
      return
    default:
      onFlowControl(core, type)
  }
}

function skipPadding(reader: Reader): void {
  const buffer = reader.buffer
  let position = reader.position
  while (position < reader.end && buffer[position] === 0) position += 1
  reader.position = position
}
