// Our transport parameters, and the peer's: checked against the connection IDs seen on the wire (RFC 9000 §7.3) and
// handed to the rooms they limit.

import { EMPTY } from '../../base/bytes.ts'
import type { RandomSource } from '../../base/random.ts'
import { decodeTransportParameters, encodeTransportParameters, greaseParameterId } from '../../wire/transport-parameters/codec.ts'
import type { GreaseParameter } from '../../wire/transport-parameters/codec.ts'
import { defaultTransportParameters } from '../../wire/transport-parameters/table.ts'
import type { PreferredAddress, TransportParameters, VersionInformation } from '../../wire/transport-parameters/table.ts'
import { authenticateConnectionIds } from '../../wire/transport-parameters/validate.ts'
import { minAckDelay } from '../config.ts'
import type { TransportSettings } from '../config.ts'
import type { ConnectionCore, Role } from '../core.ts'
import { followDatagramSize } from '../datagram-size.ts'
import { notePreferredAddress } from '../migration.ts'
import { settleEarlyData } from './early-packets.ts'
import { authenticateVersion } from './version.ts'

export interface LocalIdentity {
  readonly role: Role
  readonly initialSourceConnectionId: Uint8Array
  /** Servers only. */
  readonly originalDestinationConnectionId: Uint8Array | null
  /** Servers only, and only after a Retry (RFC 9000 §7.3). */
  readonly retrySourceConnectionId: Uint8Array | null
  /** Servers only. */
  readonly statelessResetToken: Uint8Array | null
  /** Servers only, and only where connection IDs are not empty (RFC 9000 §18.2). */
  readonly preferredAddress: PreferredAddress | null
  readonly versionInformation: VersionInformation
  /** A parameter that means nothing (RFC 9000 §18.1); null for none. */
  readonly grease: GreaseParameter | null
}

export function localTransportParameters(settings: TransportSettings, identity: LocalIdentity): Uint8Array {
  const parameters: TransportParameters = {
    ...defaultTransportParameters(),
    maxIdleTimeout: settings.maxIdleTimeout,
    maxUdpPayloadSize: settings.maxUdpPayloadSize,
    initialMaxData: settings.initialMaxData,
    initialMaxStreamDataBidiLocal: settings.initialMaxStreamData,
    initialMaxStreamDataBidiRemote: settings.initialMaxStreamData,
    initialMaxStreamDataUni: settings.initialMaxStreamData,
    initialMaxStreamsBidi: settings.initialMaxStreamsBidi,
    initialMaxStreamsUni: settings.initialMaxStreamsUni,
    maxAckDelay: settings.maxAckDelay,
    ackDelayExponent: settings.ackDelayExponent,
    minAckDelay: minAckDelay(settings),
    activeConnectionIdLimit: settings.activeConnectionIdLimit,
    maxDatagramFrameSize: settings.maxDatagramFrameSize,
    initialSourceConnectionId: identity.initialSourceConnectionId,
    originalDestinationConnectionId: identity.originalDestinationConnectionId,
    retrySourceConnectionId: identity.retrySourceConnectionId,
    statelessResetToken: identity.statelessResetToken,
    disableActiveMigration: settings.disableActiveMigration,
    preferredAddress: identity.preferredAddress,
    greaseQuicBit: settings.greaseQuicBit,
    resetStreamAt: settings.resetStreamAt,
    versionInformation: identity.versionInformation,
  }
  return encodeTransportParameters(parameters, identity.role, identity.grease ?? undefined)
}

/** RFC 9000 §18.1: a reserved parameter that is another one each time. */
export function greaseParameter(random: RandomSource): GreaseParameter {
  const draw = new Uint8Array(4)
  random.fill(draw)
  const value = new Uint8Array(draw[0]! & 0x0f)
  random.fill(value)
  return { id: greaseParameterId((draw[1]! << 16) | (draw[2]! << 8) | draw[3]!), value }
}

export function applyPeerParameters(core: ConnectionCore, bytes: Uint8Array, now: number): void {
  const sender = core.role === 'client' ? 'server' : 'client'
  const parameters = decodeTransportParameters(bytes, sender)
  const { handshake } = core
  authenticateConnectionIds(
    parameters,
    sender,
    handshake.peerInitialSourceConnectionId ?? EMPTY,
    handshake.originalDestinationConnectionId,
    handshake.retrySourceConnectionId,
  )
  if (core.role === 'client') authenticateVersion(core, parameters.versionInformation, now)
  core.handshake.peerParameters = parameters
  if (parameters.greaseQuicBit && core.settings.greaseQuicBit) core.addressing.quicBit.grease()
  if (!settleEarlyData(core, parameters)) core.streams.setPeerLimits(parameters)
  core.datagrams.setPeerLimit(parameters.maxDatagramFrameSize)
  core.ackFrequency.onPeerParameters(parameters.maxAckDelay, core.settings.ackFrequency ? parameters.minAckDelay : -1)
  core.idle.onPeerTimeout(parameters.maxIdleTimeout)
  if (parameters.statelessResetToken !== null) core.remoteIds.setHandshakeResetToken(parameters.statelessResetToken)
  core.migration.isDisabledByPeer = parameters.disableActiveMigration
  if (parameters.preferredAddress !== null) notePreferredAddress(core, parameters.preferredAddress)
  const path = core.paths.active
  path.limitDatagramSize(parameters.maxUdpPayloadSize)
  followDatagramSize(core)
  core.trace?.parametersSet(now, 'remote', parameters)
}
