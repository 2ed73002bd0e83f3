import type { WireValue } from '@quicwire/quic/varint'
import { H3ErrorCode, connectionError } from '../errors.ts'
import type { ControlHandler } from '../streams/remote-control.ts'
import { SettingId } from '../wire/settings.ts'
import type { Setting } from '../wire/settings.ts'
import type { H3Core } from './core.ts'
import { abortRequest } from './failure.ts'

/** What the frames of the peer's control stream (RFC 9114 §6.2.1) bring about. */
export function controlFrames(core: H3Core): ControlHandler {
  return {
    onSettings: (settings) => onSettings(core, settings),
    onGoaway: (id) => onGoaway(core, id),
    onPriorityUpdate: (streamId, value) => onPriorityUpdate(core, streamId, value),
    onOrigin: (origins) => {
      core.origins.add(origins)
      core.events.push({ kind: 'origin', origins })
    },
  }
}

function onSettings(core: H3Core, settings: readonly Setting[]): void {
  core.peer.onReceived(settings)
  // Not those remembered for 0-RTT: should it be rejected, what has been inserted by then would have to be undone.
  core.compression.applySettings(core.peer.value(SettingId.qpackMaxTableCapacity), core.peer.value(SettingId.qpackBlockedStreams))
  // A peer that announces HTTP Datagrams and takes no DATAGRAM frames (RFC 9221 §3) contradicts itself.
  if (core.config.enableDatagrams && core.peer.value(SettingId.h3Datagram) === 1 && core.transport.datagramMaxSize() === 0) {
    throw connectionError(H3ErrorCode.settingsError, 'SETTINGS_H3_DATAGRAM without max_datagram_frame_size (RFC 9297 §2.1.1, RFC 9221 §3)')
  }
  core.events.push({ kind: 'settings', settings })
}

function onGoaway(core: H3Core, id: WireValue): void {
  core.goaway.onReceived(id)
  core.events.push({ kind: 'goaway', id })
  if (core.isServer) return
  // RFC 9114 §5.2: these requests will not be processed; cancelling them cleans up the transport's state.
  for (const request of core.requests.from(id)) {
    const { done, heard } = request.receive
    abortRequest(core, request, H3ErrorCode.requestCancelled)
    // A server that has answered has processed it, whatever it says (§4.1.1).
    if (!done) core.events.push({ kind: 'reset', streamId: request.id, code: H3ErrorCode.requestRejected, retryable: !heard })
  }
}

function onPriorityUpdate(core: H3Core, streamId: number, value: string): void {
  // RFC 9218 §7.2: beyond the stream limit SHOULD be an error.
  if (streamId / 4 >= core.transport.peerStreamLimit(true)) {
    throw connectionError(H3ErrorCode.idError, `PRIORITY_UPDATE for stream ${streamId}, beyond the stream limit (RFC 9218 §7.2)`)
  }
  const request = core.requests.find(streamId) ?? core.priorities.findLeaving(streamId)
  if (request !== undefined) core.priorities.onUpdate(request, value)
  // RFC 9218 §7.2: for a stream that is closed it means nothing any more.
  else if (core.requests.seen(streamId)) return
  else core.priorities.onEarlyUpdate(streamId, value)
  core.events.push({ kind: 'priority-update', streamId, value })
}
