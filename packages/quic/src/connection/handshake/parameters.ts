// Our transport parameters, and the peer's: checked against the connection IDs seen on the wire (RFC 9000 §7.3) and
// handed to the rooms they limit.

import { EMPTY } from '../../base/bytes.ts'
import { MAX_CID_LENGTH, TAG_LENGTH } from '../../wire/constants.ts'
import { decodeTransportParameters, encodeTransportParameters } from '../../wire/transport-parameters/codec.ts'
import { defaultTransportParameters } from '../../wire/transport-parameters/table.ts'
import type { TransportParameters } from '../../wire/transport-parameters/table.ts'
import { authenticateConnectionIds } from '../../wire/transport-parameters/validate.ts'
import type { TransportSettings } from '../config.ts'
import type { ConnectionCore, Role } from '../core.ts'

/** First byte, connection ID, packet number and tag at their longest: what a 1-RTT packet takes from its datagram. */
const SHORT_PACKET_OVERHEAD = 1 + MAX_CID_LENGTH + 4 + TAG_LENGTH

export interface LocalIdentity {
  readonly role: Role
  readonly initialSourceConnectionId: Uint8Array
  /** Servers only. */
  readonly originalDestinationConnectionId: Uint8Array | null
  /** Servers only. */
  readonly statelessResetToken: Uint8Array | null
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
    activeConnectionIdLimit: settings.activeConnectionIdLimit,
    maxDatagramFrameSize: settings.maxDatagramFrameSize,
    initialSourceConnectionId: identity.initialSourceConnectionId,
    originalDestinationConnectionId: identity.originalDestinationConnectionId,
    statelessResetToken: identity.statelessResetToken,
  }
  return encodeTransportParameters(parameters, identity.role)
}

type ParametersContext = Pick<
  ConnectionCore,
  'role' | 'handshake' | 'streams' | 'datagrams' | 'localIds' | 'remoteIds' | 'paths' | 'idle' | 'trace'
>

export function applyPeerParameters(core: ParametersContext, bytes: Uint8Array, now: number): void {
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
  core.handshake.peerParameters = parameters
  core.streams.setPeerLimits(parameters)
  core.datagrams.setPeerLimit(parameters.maxDatagramFrameSize)
  core.idle.onPeerTimeout(parameters.maxIdleTimeout)
  if (parameters.statelessResetToken !== null) core.remoteIds.setHandshakeResetToken(parameters.statelessResetToken)
  const path = core.paths.active
  path.limitDatagramSize(parameters.maxUdpPayloadSize)
  core.datagrams.setPacketRoom(path.maxDatagramSize - SHORT_PACKET_OVERHEAD)
  core.trace?.parametersSet(now, 'remote', parameters)
}
