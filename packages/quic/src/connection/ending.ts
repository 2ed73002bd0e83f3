// How a connection ends (RFC 9000 §10): the closing and draining periods and the one `closed` event.

import type { CloseTrigger } from '../trace/sink.ts'
import type { TransportError } from '../wire/transport-error.ts'
import { closedByError } from './close-reason.ts'
import type { CloseReason } from './close-reason.ts'
import type { ConnectionCore } from './core.ts'
import { probeTimeout } from './probe-timeout.ts'

/** RFC 9000 §10.2: closing and draining last three times the current PTO. */
export function drainPeriod(core: Pick<ConnectionCore, 'paths' | 'ackFrequency'>): number {
  return 3 * probeTimeout(core, core.paths.active)
}

/** Enters the closing period; the next transmit() carries CONNECTION_CLOSE. */
export function beginClose(core: ConnectionCore, reason: CloseReason, now: number): void {
  if (core.lifecycle.close(reason, now, drainPeriod(core))) closedEvent(core, reason, now)
}

export function closeOnError(core: ConnectionCore, error: TransportError, now: number): void {
  beginClose(core, closedByError(error), now)
}

/** Ends without a packet: timeouts, stateless reset, no common version. */
export function endSilently(core: ConnectionCore, reason: CloseReason, now: number): void {
  if (core.lifecycle.end(reason)) closedEvent(core, reason, now)
  forgetSecrets(core)
}

/** Nothing is opened or sealed any more: no key and no secret outlives the connection. */
export function forgetSecrets({ spaces, tls }: Pick<ConnectionCore, 'spaces' | 'tls'>): void {
  spaces.destroyKeys()
  tls.destroy()
}

export function closedEvent(core: Pick<ConnectionCore, 'events' | 'trace'>, reason: CloseReason, now: number): void {
  core.events.push({ kind: 'closed', reason })
  const initiator = reason.cause === 'peer' || reason.cause === 'stateless-reset' ? 'remote' : 'local'
  core.trace?.connectionClosed(now, initiator, reason.application, reason.code, reason.reason, triggerOf(reason))
}

function triggerOf(reason: CloseReason): CloseTrigger {
  switch (reason.cause) {
    case 'idle-timeout':
      return 'idle_timeout'
    case 'stateless-reset':
      return 'stateless_reset'
    case 'version-negotiation':
      return 'version_mismatch'
    case 'handshake-timeout':
      return 'aborted'
    default:
      return reason.application ? 'application' : 'error'
  }
}
