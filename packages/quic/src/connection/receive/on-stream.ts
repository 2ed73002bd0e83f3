// Stream frames other than STREAM itself: decode, one call on the streams room (RFC 9000 §19.4, §19.5, §19.9–19.14, and
// RESET_STREAM_AT).

import { FrameType } from '../../wire/constants.ts'
import { readFlowControlFrame } from '../../wire/frames/flow-control.ts'
import { readResetStreamFrame } from '../../wire/frames/reset-stream.ts'
import { readResetStreamAtFrame } from '../../wire/frames/reset-stream-at.ts'
import { readStopSendingFrame } from '../../wire/frames/stop-sending.ts'
import { frameEncodingError } from '../../wire/transport-error.ts'
import type { ConnectionCore } from '../core.ts'

type StreamContext = Pick<ConnectionCore, 'streams' | 'receiving'>

export function onResetStream(core: StreamContext, now: number): void {
  const { reader, resetStream: frame } = core.receiving
  readResetStreamFrame(reader, FrameType.resetStream, frame)
  core.streams.onResetStream(frame.streamId, frame.errorCode, frame.finalSize, now)
}

export function onResetStreamAt(core: StreamContext & Pick<ConnectionCore, 'settings'>, now: number): void {
  // RFC 9000 §12.4, §19.21: without the transport parameter it is a frame of unknown type.
  if (!core.settings.resetStreamAt) throw frameEncodingError(FrameType.resetStreamAt, 'RESET_STREAM_AT frame that was not negotiated')
  const { reader, resetStreamAt: frame } = core.receiving
  readResetStreamAtFrame(reader, FrameType.resetStreamAt, frame)
  core.streams.onResetStreamAt(frame.streamId, frame.errorCode, frame.finalSize, frame.reliableSize, now)
}

export function onStopSending(core: StreamContext): void {
  const { reader, stopSending: frame } = core.receiving
  readStopSendingFrame(reader, FrameType.stopSending, frame)
  core.streams.onStopSending(frame.streamId, frame.errorCode)
}

export function onFlowControl(core: StreamContext, type: number): void {
  const { reader, flowControl: frame } = core.receiving
  readFlowControlFrame(reader, type, frame)
  switch (type) {
    case FrameType.maxData:
      return core.streams.onMaxData(frame.maximum)
    case FrameType.maxStreamData:
      return core.streams.onMaxStreamData(frame.streamId, frame.maximum)
    case FrameType.maxStreamsBidi:
    case FrameType.maxStreamsUni:
      return core.streams.onMaxStreams(type === FrameType.maxStreamsBidi, frame.maximum)
    case FrameType.dataBlocked:
      return core.streams.onDataBlocked(frame.maximum)
    case FrameType.streamDataBlocked:
      return core.streams.onStreamDataBlocked(frame.streamId, frame.maximum)
    default:
      return core.streams.onStreamsBlocked(type === FrameType.streamsBlockedBidi, frame.maximum)
  }
}
