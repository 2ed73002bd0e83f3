// The deadlines of all rooms as one number, and what happens when it passes. No room holds a timer of its own.

import { LossTimerKind } from '../recovery/pto.ts'
import { SpaceId } from '../space/space-id.ts'
import { TransportErrorCode } from '../wire/constants.ts'
import { closedByTransport, closedSilently } from './close-reason.ts'
import type { ConnectionCore } from './core.ts'
import { beginClose, endSilently, forgetSecrets } from './ending.ts'
import { onEarlyTimeout } from './handshake/early-packets.ts'
import { declareLostPackets, owesProbes } from './loss.ts'
import { onPathTimeouts } from './migration.ts'
import { probeTimeout } from './probe-timeout.ts'

const SPACES: readonly SpaceId[] = [SpaceId.initial, SpaceId.handshake, SpaceId.application]

/** Milliseconds on the caller's clock, Infinity when nothing is pending. */
export function nextDeadline(core: ConnectionCore): number {
  const { lifecycle } = core
  if (!lifecycle.isOpen()) return lifecycle.deadline
  const pto = probeTimeout(core, core.paths.active)
  let deadline = core.idle.deadline(pto)
  if (!lifecycle.isEstablished()) deadline = Math.min(deadline, core.handshake.deadline)
  else deadline = Math.min(deadline, core.idle.keepAliveAt())
  deadline = Math.min(deadline, armLossTimer(core), core.sending.pacedUntil, core.paths.nextTimeout())
  deadline = Math.min(deadline, core.early.discardAt, blockedReminder(core))
  // RFC 9000 §8.1: what may not be sent now has to wait for the peer, not for a time.
  if (core.paths.active.nextDatagramSize() === 0) return deadline
  const { application } = core.spaces
  return application.canWrite() ? Math.min(deadline, application.ackPolicy.deadline) : deadline
}

export function onTimeouts(core: ConnectionCore, now: number): void {
  const { lifecycle } = core
  if (!lifecycle.isOpen()) {
    lifecycle.onTimeout(now)
    if (lifecycle.state === 'closed') forgetSecrets(core)
    return
  }
  const path = core.paths.active
  if (now >= core.idle.deadline(probeTimeout(core, path))) {
    endSilently(core, closedSilently('idle-timeout', 'nothing was received for the idle timeout (RFC 9000 §10.1)'), now)
    return
  }
  if (!lifecycle.isEstablished() && now >= core.handshake.deadline) {
    const reason = closedSilently('handshake-timeout', 'the handshake did not complete in time')
    beginClose(core, { ...reason, code: TransportErrorCode.applicationError }, now)
    return
  }
  if (core.spaces.application.sent.overfull) {
    beginClose(core, closedByTransport(TransportErrorCode.internalError, 'the peer leaves too many packets unacknowledged'), now)
    return
  }
  onEarlyTimeout(core, now)
  if (lifecycle.isEstablished() && core.idle.keepAliveAt() <= now) {
    core.idle.onKeepAlive()
    core.sending.pingDue = true
  }
  if (core.sending.pacedUntil <= now) core.sending.pacedUntil = Infinity
  if (armLossTimer(core) <= now) onLossTimer(core, now)
  if (blockedReminder(core) <= now) core.streams.repeatBlocked()
  if (core.paths.nextTimeout() <= now) onPathTimeouts(core, now)
}

/**
 * RFC 9000 §4.1: "a sender that is flow control limited SHOULD periodically send a STREAM_DATA_BLOCKED or DATA_BLOCKED frame when it has no
 * ack-eliciting packets in flight", so that the idle timeout does not take what the peer's application is slow to read.
 */
function blockedReminder(core: Pick<ConnectionCore, 'streams' | 'spaces' | 'idle' | 'lifecycle'>): number {
  if (core.lifecycle.state !== 'confirmed' || core.spaces.application.sent.ackElicitingInFlight > 0) return Infinity
  return core.streams.mayBeBlocked() ? core.idle.halfTime() : Infinity
}

function armLossTimer(core: ConnectionCore): number {
  return core.lossTimer.arm(core.situation, core.paths.active.rtt, core.pto)
}

function onLossTimer(core: ConnectionCore, now: number): void {
  const { kind, space: id } = core.lossTimer
  const space = core.spaces.get(id)
  if (space === null) return
  if (kind === LossTimerKind.lossTime) {
    core.receiving.outcome.reset()
    declareLostPackets(core, space, now)
    return
  }
  core.pto.onTimeout(now)
  core.stats.ptoCount += 1
  core.trace?.timerUpdated(now, 'pto', 'expired', id, 0)
  owesProbes(core, space)
  // RFC 9002 §6.2.4: "the sender SHOULD send ack-eliciting packets from other packet number spaces with in-flight data": the peer may
  // have receive keys for one of them only.
  for (let other = 0; other < SPACES.length; other += 1) {
    const also = core.spaces.get(SPACES[other]!)
    if (also !== null && also !== space && also.canWrite() && also.sent.ackElicitingInFlight > 0) owesProbes(core, also)
  }
}
