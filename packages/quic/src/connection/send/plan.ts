// What may be sent now: nothing, acknowledgements only, path frames or probes past the congestion window, or anything (RFC 9002 §7,
// RFC 9000 §8.1). One answer, before any byte is written.

import type { Path } from '../../path/path.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { SpaceId } from '../../space/space-id.ts'
import type { ConnectionCore } from '../core.ts'

export const SendMode = { none: 0, acknowledgements: 1, pathFrames: 2, probe: 3, any: 4 } as const
export type SendMode = (typeof SendMode)[keyof typeof SendMode]

export function planSend(core: ConnectionCore, path: Path, now: number): SendMode {
  core.sending.pacedUntil = Infinity
  if (path.nextDatagramSize() === 0) return SendMode.none
  if (probesArePending(core)) return SendMode.probe
  const withoutData = pathFramesAreDue(core, path) ? SendMode.pathFrames : acknowledgementIsDue(core, now) ? SendMode.acknowledgements : SendMode.none
  const windowOpen = path.windowAllows()
  if (!anythingToSay(core, path)) {
    // RFC 9002 §7.8: a window that nobody fills must not grow.
    if (windowOpen) path.appLimited = true
    return withoutData
  }
  path.appLimited = false
  if (!windowOpen) return withoutData
  const release = path.pacer.releaseTime(now, path.maxDatagramSize, path.congestion.pacingRate(path.rtt))
  if (release > now) {
    core.sending.pacedUntil = release
    return withoutData
  }
  return SendMode.any
}

export function spaceWants(core: ConnectionCore, space: PacketSpace, path: Path, mode: SendMode, now: number): boolean {
  if (space.ackPolicy.isDue(now)) return true
  if (mode === SendMode.acknowledgements) return false
  if (mode === SendMode.pathFrames) return space.id === SpaceId.application
  return space.probesPending > 0 || spaceHasData(core, space, path)
}

function spaceHasData(core: ConnectionCore, space: PacketSpace, path: Path): boolean {
  if (!space.canWrite()) return false
  if (space.crypto.wants()) return true
  if (space.id !== SpaceId.application) return false
  return (
    core.streams.wantsToSend() ||
    core.datagrams.wants() ||
    core.localIds.wants() ||
    core.remoteIds.wants() ||
    core.handshake.wantsHandshakeDone() ||
    core.sending.pingDue ||
    pathFramesAreDue(core, path)
  )
}

/** A window full of packets that went to the peer's former address must not keep the new one from being validated. */
function pathFramesAreDue(core: Pick<ConnectionCore, 'spaces'>, path: Path): boolean {
  return core.spaces.application.canWrite() && (path.validation.wantsChallenge() || path.responses.length > 0)
}

function anythingToSay(core: ConnectionCore, path: Path): boolean {
  const { initial, handshake, application } = core.spaces
  if (spaceHasData(core, application, path)) return true
  return (initial !== null && spaceHasData(core, initial, path)) || (handshake !== null && spaceHasData(core, handshake, path))
}

function probesArePending(core: Pick<ConnectionCore, 'spaces'>): boolean {
  const { initial, handshake, application } = core.spaces
  return application.probesPending > 0 || (initial !== null && initial.probesPending > 0) || (handshake !== null && handshake.probesPending > 0)
}

function acknowledgementIsDue(core: Pick<ConnectionCore, 'spaces'>, now: number): boolean {
  const { initial, handshake, application } = core.spaces
  if (application.canWrite() && application.ackPolicy.isDue(now)) return true
  if (initial !== null && initial.canWrite() && initial.ackPolicy.isDue(now)) return true
  return handshake !== null && handshake.canWrite() && handshake.ackPolicy.isDue(now)
}
