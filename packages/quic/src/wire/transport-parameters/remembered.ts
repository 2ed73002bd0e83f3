// Transport parameters of a server that outlive their connection, for 0-RTT packets of the next one (RFC 9000 §7.4.1; RFC 9221 §3; RESET_STREAM_AT §3).

import { decodeTransportParameters, encodeTransportParameters } from './codec.ts'
import type { IntegerParameter, TransportParameters } from './table.ts'
import { defaultTransportParameters } from './table.ts'

/** RFC 9000 §7.4.1: "a server that accepts 0-RTT data MUST NOT set values […] that are smaller than the remembered values". */
const NEVER_REDUCED: readonly IntegerParameter[] = [
  'activeConnectionIdLimit',
  'initialMaxData',
  'initialMaxStreamDataBidiLocal',
  'initialMaxStreamDataBidiRemote',
  'initialMaxStreamDataUni',
  'initialMaxStreamsBidi',
  'initialMaxStreamsUni',
]

/**
 * The parameters 0-RTT packets keep to. What a client "MUST NOT use" again has its default: ack_delay_exponent, max_ack_delay,
 * preferred_address, the connection IDs and the reset token; and so has what describes one connection only: versions, and the QUIC bit
 * (RFC 9287 §3.1).
 */
export function rememberedParameters(parameters: TransportParameters): TransportParameters {
  const remembered = defaultTransportParameters()
  for (const key of NEVER_REDUCED) remembered[key] = parameters[key]
  remembered.maxDatagramFrameSize = parameters.maxDatagramFrameSize
  remembered.maxIdleTimeout = parameters.maxIdleTimeout
  remembered.maxUdpPayloadSize = parameters.maxUdpPayloadSize
  remembered.disableActiveMigration = parameters.disableActiveMigration
  remembered.resetStreamAt = parameters.resetStreamAt
  return remembered
}

export function encodeRememberedParameters(parameters: TransportParameters): Uint8Array {
  return encodeTransportParameters(rememberedParameters(parameters), 'server')
}

/** Throws TransportError for bytes that are no transport parameters of a server. */
export function decodeRememberedParameters(bytes: Uint8Array): TransportParameters {
  return rememberedParameters(decodeTransportParameters(bytes, 'server'))
}

/** The first parameter that has become smaller than a client remembers it, and must not have where 0-RTT is accepted; null: none. */
export function reducedLimit(remembered: TransportParameters, current: TransportParameters): IntegerParameter | 'resetStreamAt' | null {
  for (const key of NEVER_REDUCED) if (current[key] < remembered[key]) return key
  // RESET_STREAM_AT §3: "the server MUST NOT disable this extension on the resumed connection".
  if (remembered.resetStreamAt && !current.resetStreamAt) return 'resetStreamAt'
  return current.maxDatagramFrameSize < remembered.maxDatagramFrameSize ? 'maxDatagramFrameSize' : null
}
