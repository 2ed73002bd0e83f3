// The life of 0-RTT keys, and what follows from the server's answer (RFC 9001 §4.6, §4.9.3, §5.6; RFC 9000 §7.4.1, §17.2.3). The keys
// are those of the application space while it has no 1-RTT keys: a client's for writing, a server's for reading.
//
// When early data is rejected, RFC 9001 §4.6.2 wants the state of all streams reset. Here the transport's half of them starts over,
// with nothing sent and the credit of the new parameters, and the application's bytes go out again in 1-RTT packets under the same
// stream IDs: the application has written nothing that depended on an answer. That holds while the protocol is the same; when the
// server chose another one, all streams are gone and their numbers start over. docs/decisions/0007-early-data.md.

import { PacketKeys } from '../../crypto/packet-keys.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import type { TlsEvent } from '../../tls/events.ts'
import { EncryptionLevel, FrameType, PacketType, TransportErrorCode } from '../../wire/constants.ts'
import { TransportError, transportParameterError } from '../../wire/transport-error.ts'
import { decodeRememberedParameters, reducedLimit } from '../../wire/transport-parameters/remembered.ts'
import type { TransportParameters } from '../../wire/transport-parameters/table.ts'
import type { ConnectionCore } from '../core.ts'
import { limitEarlyDatagrams } from '../datagram-size.ts'
import { forgetFlight } from './discard-space.ts'
import { EarlyState } from './early-data.ts'

/** RFC 9001 §4.9.3: "the RECOMMENDED time period is three times the Probe Timeout". */
const KEPT_FOR_PTOS = 3

type EarlyContext = Pick<ConnectionCore, 'early' | 'spaces' | 'trace'>

export function installEarlyKeys(core: ConnectionCore, event: Extract<TlsEvent, { kind: 'keys' }>, now: number): void {
  // RFC 9369 §4.1: 0-RTT packets never change their version.
  const keys = new PacketKeys(core.provider, event.suite, event.secret, core.versions.original)
  core.trace?.keyUpdated(now, EncryptionLevel.earlyData, 'client', -1, 'tls')
  if (event.direction === 'read') {
    core.spaces.application.readKeys = keys
    return
  }
  core.spaces.application.writeKeys = keys
  core.early.state = EarlyState.offered
  applyRemembered(core, now)
}

/** RFC 9000 §7.4.1: until the handshake says otherwise, the server's limits are those of the session. */
function applyRemembered(core: ConnectionCore, now: number): void {
  const session = core.tls.earlySession()
  if (session === null) return
  core.early.alpn = session.alpn
  try {
    const parameters = decodeRememberedParameters(session.peerParameters)
    core.early.remembered = parameters
    core.streams.setPeerLimits(parameters)
    core.datagrams.setPeerLimit(parameters.maxDatagramFrameSize)
    core.paths.active.limitDatagramSize(parameters.maxUdpPayloadSize)
    limitEarlyDatagrams(core)
    core.trace?.connectionStateUpdated(now, 'early_write')
  } catch (error) {
    // The store gave back something else than it was given: without limits nothing can be sent early.
    if (!(error instanceof TransportError)) throw error
  }
}

/**
 * The answer of TLS. A client sends no 0-RTT packets from here on, even accepted ones: the 1-RTT keys are a flight of handshake
 * messages away, and limits may rise now, which 0-RTT packets must not use (RFC 9000 §7.4.1).
 */
export function onEarlyDataAnswer(core: ConnectionCore, accepted: boolean, now: number): void {
  const { early, spaces, role } = core
  early.state = accepted ? EarlyState.accepted : EarlyState.rejected
  if (role === 'server') {
    core.events.push({ kind: 'early-data', accepted, streamsKept: true })
    return
  }
  discardEarlyKeys(core, now)
  if (accepted) return
  early.rejectedUpTo = spaces.application.sent.largestSent
  // RFC 9002 §6.4: "When 0-RTT is rejected, recovery state for all in-flight 0-RTT packets is discarded."
  forgetFlight(core, spaces.application, PacketType.zeroRtt)
}

/** A client that offered early data has the server's parameters, and the answer. True: the limits are set, for a fresh start. */
export function settleEarlyData(core: ConnectionCore, parameters: TransportParameters): boolean {
  const { early, streams, datagrams } = core
  if (core.role === 'server' || early.state === EarlyState.none) return false
  if (early.state !== EarlyState.rejected) {
    if (early.remembered !== null) requireSupport(early.remembered, parameters)
    core.events.push({ kind: 'early-data', accepted: true, streamsKept: true })
    return false
  }
  const streamsKept = core.tls.alpn === early.alpn
  if (streamsKept) {
    streams.startOver(parameters)
  } else {
    streams.forgetAll()
    streams.setPeerLimits(parameters)
    // What waits there is of the other protocol.
    datagrams.setPeerLimit(0)
  }
  core.events.push({ kind: 'early-data', accepted: false, streamsKept })
  return true
}

function requireSupport(remembered: TransportParameters, parameters: TransportParameters): void {
  const reduced = reducedLimit(remembered, parameters)
  if (reduced === null) return
  const reason = `${reduced} is smaller than what early data was accepted for`
  // RFC 9221 §3: "the client MUST terminate the connection with error PROTOCOL_VIOLATION".
  if (reduced === 'maxDatagramFrameSize') {
    throw new TransportError(TransportErrorCode.protocolViolation, FrameType.crypto, `${reason} (RFC 9221 §3)`)
  }
  throw transportParameterError(`${reason} (RFC 9000 §7.4.1)`)
}

/** RFC 9000 §17.2.3: after a Retry, 0-RTT packets "are likely to have been lost or discarded by the server". */
export function resendEarlyData(core: ConnectionCore): void {
  if (core.early.isLive()) forgetFlight(core, core.spaces.application, PacketType.zeroRtt)
}

/** A server has opened a packet of the application space, and still has the 0-RTT key. `pto` in milliseconds. */
export function watchEarlyKeys(core: EarlyContext, packetType: number, packetNumber: number, pto: number, now: number): void {
  const { early } = core
  if (packetType === PacketType.oneRtt) {
    early.firstOneRtt = Math.min(early.firstOneRtt, packetNumber)
    if (early.discardAt === Infinity) early.discardAt = now + KEPT_FOR_PTOS * pto
  } else if (packetNumber > early.firstOneRtt) {
    // RFC 9001 §5.6: "Once a client has installed 1-RTT keys, it MUST NOT send any more 0-RTT packets."
    throw new TransportError(TransportErrorCode.protocolViolation, 0, 'a 0-RTT packet after a 1-RTT packet (RFC 9001 §5.6)')
  }
}

export function onEarlyTimeout(core: EarlyContext, now: number): void {
  if (now >= core.early.discardAt) discardEarlyKeys(core, now)
}

function discardEarlyKeys(core: EarlyContext, now: number): void {
  const space: PacketSpace = core.spaces.application
  core.early.discardAt = Infinity
  if (space.readKeys === null && space.writeKeys === null) return
  space.readKeys?.destroy()
  space.writeKeys?.destroy()
  space.readKeys = null
  space.writeKeys = null
  core.trace?.keyDiscarded(now, EncryptionLevel.earlyData, 'client', -1, 'tls')
}

/** RFC 9001 §4.6.2: acknowledging rejected packets is a PROTOCOL_VIOLATION. `smallest`: the smallest number acknowledged. */
export function checkRejected(core: Pick<ConnectionCore, 'early'>, smallest: number): void {
  if (smallest > core.early.rejectedUpTo) return
  throw new TransportError(TransportErrorCode.protocolViolation, FrameType.ack, 'acknowledged rejected 0-RTT packets (RFC 9001 §4.6.2)')
}
