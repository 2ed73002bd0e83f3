// What may be sent now: nothing, acknowledgements only, path frames or probes past the congestion window, a path MTU probe, or
// anything (RFC 9002 §7, RFC 9000 §8.1, §14.4). One answer, before any byte is written.

import type { Path } from '../../path/path.ts'
import { PathValidationState } from '../../path/path-validation.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { SpaceId } from '../../space/space-id.ts'
import type { ConnectionCore } from '../core.ts'

export const SendMode = { none: 0, acknowledgements: 1, pathFrames: 2, probe: 3, any: 4, mtuProbe: 5 } as const
export type SendMode = (typeof SendMode)[keyof typeof SendMode]

export function planSend(core: ConnectionCore, path: Path, now: number): SendMode {
  core.sending.pacedUntil = Infinity
  if (path.nextDatagramSize() === 0) return SendMode.none
  if (probesArePending(core)) return SendMode.probe
  const withoutData = modeWithoutData(core, path, now)
  const windowOpen = path.windowAllows()
  const hasData = anythingToSay(core, path)
  const mtuProbe = mtuProbeSize(core, path, now)
  if (!hasData) {
    // RFC 9002 §7.8: a window that nobody fills must not grow.
    if (windowOpen) path.appLimited = true
    if (mtuProbe === 0) return withoutData
  } else {
    path.appLimited = false
  }
  // Data waits until the window has room for the probe: a sender that keeps it full would never learn the size.
  if (!windowOpen || (mtuProbe > 0 && (withoutData !== SendMode.none || !path.windowFits(mtuProbe)))) return withoutData
  const release = path.pacer.releaseTime(now, Math.max(mtuProbe, path.maxDatagramSize), path.congestion.pacingRate(path.rtt))
  if (release > now) {
    core.sending.pacedUntil = release
    return withoutData
  }
  return mtuProbe > 0 ? SendMode.mtuProbe : SendMode.any
}

/** RFC 9000 §14.3.1: once the handshake is confirmed, on a path that is validated; 0: no probe is due. */
export function mtuProbeSize(core: Pick<ConnectionCore, 'lifecycle'>, path: Path, now: number): number {
  if (core.lifecycle.state !== 'confirmed' || path.validation.state !== PathValidationState.valid) return 0
  return path.nextMtuProbe(now)
}

/** What neither window nor pacing holds back. */
function modeWithoutData(core: ConnectionCore, path: Path, now: number): SendMode {
  if (pathFramesAreDue(core, path)) return SendMode.pathFrames
  return acknowledgementIsDue(core, now) ? SendMode.acknowledgements : SendMode.none
}

export function spaceWants(core: ConnectionCore, space: PacketSpace, path: Path, mode: SendMode, now: number): boolean {
  if (space.ackPolicy.isDue(now)) return true
  if (mode === SendMode.acknowledgements) return false
  if (mode === SendMode.pathFrames) return space.id === SpaceId.application
  return space.probesPending > 0 || spaceHasData(core, space, path)
}

/** Frames wait that only the window or pacing can hold back. */
export function spaceHasData(core: ConnectionCore, space: PacketSpace, path: Path): boolean {
  if (!space.canWrite()) return false
  if (space.crypto.wants()) return true
  if (space.id !== SpaceId.application) return false
  return (
    core.streams.wantsToSend() ||
    core.datagrams.wants() ||
    core.localIds.wants() ||
    core.remoteIds.wants() ||
    core.handshake.wantsHandshakeDone() ||
    core.newToken.wants() ||
    core.ackFrequency.wants() ||
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
  if (application.probesPending > 0 || (initial !== null && initial.probesPending > 0)) return true
  return handshake !== null && handshake.probesPending > 0
}

function acknowledgementIsDue(core: Pick<ConnectionCore, 'spaces'>, now: number): boolean {
  const { initial, handshake, application } = core.spaces
  if (application.canWrite() && application.ackPolicy.isDue(now)) return true
  if (initial !== null && initial.canWrite() && initial.ackPolicy.isDue(now)) return true
  return handshake !== null && handshake.canWrite() && handshake.ackPolicy.isDue(now)
}
