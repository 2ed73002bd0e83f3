// What makes transport parameters illegal (RFC 9000 §7.3, §7.4, §18.2; RFC 9368 §4; draft-ietf-quic-ack-frequency §3), one rule per function. All throw
// TransportError TRANSPORT_PARAMETER_ERROR with the parameter's name.

import { equalBytes } from '../../base/bytes.ts'
import { transportParameterError } from '../transport-error.ts'
import type { WireValue } from '../varint.ts'
import type { ParameterRow, PreferredAddress, TransportParameters, VersionInformation } from './table.ts'

/** Who sent the parameters. */
export type ParameterSender = 'client' | 'server'

/** RFC 9000 §18.2: "A client MUST NOT include any server-only transport parameter". */
export function validateSender(row: ParameterRow, sender: ParameterSender): void {
  if (row.serverOnly && sender === 'client') throw transportParameterError(`${row.name} from a client`)
}

/** Bounds of an integer parameter or of the length of a byte string. Exact values compare exactly. */
export function validateRange(name: string, value: WireValue, minimum: number, maximum: number): void {
  if (value < minimum || value > maximum) throw transportParameterError(`${name} out of range`)
}

/** RFC 9000 §18.2: "a server MUST NOT include a zero-length connection ID in this transport parameter". */
export function validatePreferredAddress(address: PreferredAddress): void {
  const length = address.connectionId.length
  if (length < 1 || length > 20) throw transportParameterError('preferred_address with an illegal connection ID length')
}

/** RFC 9368 §4: a zero version is a parsing failure; so is a client's Chosen Version outside of its Available Versions. */
export function validateVersionInformation(information: VersionInformation, sender: ParameterSender): void {
  const { chosen, available } = information
  if (chosen === 0 || available.includes(0)) throw transportParameterError('version_information names version 0')
  if (sender === 'client' && !available.includes(chosen)) throw transportParameterError('version_information without the chosen version')
}

/** Rules between parameters, once all are read. */
export function validateTogether(params: TransportParameters): void {
  // RFC 9000 §18.2: "A server that chooses a zero-length connection ID MUST NOT provide a preferred address."
  if (params.preferredAddress !== null && params.initialSourceConnectionId?.length === 0) {
    throw transportParameterError('preferred_address from a server with a zero-length connection ID')
  }
  // draft-ietf-quic-ack-frequency §3: "An endpoint's min_ack_delay MUST NOT be greater than its max_ack_delay", which is in ms.
  if (params.minAckDelay > params.maxAckDelay * 1000) throw transportParameterError('min_ack_delay greater than max_ack_delay')
}

/**
 * RFC 9000 §7.3: compares the connection IDs a peer declares with those seen in packets. `initialSource` is the Source
 * Connection ID of its first Initial; for a server also `originalDestination`, the Destination Connection ID of the
 * client's first Initial, and `retrySource`, the Source Connection ID of the Retry packet (null: there was none).
 */
export function authenticateConnectionIds(
  params: TransportParameters,
  sender: ParameterSender,
  initialSource: Uint8Array,
  originalDestination: Uint8Array | null,
  retrySource: Uint8Array | null,
): void {
  requireEqual('initial_source_connection_id', params.initialSourceConnectionId, initialSource)
  if (sender === 'client') return
  requireEqual('original_destination_connection_id', params.originalDestinationConnectionId, originalDestination)
  requireEqual('retry_source_connection_id', params.retrySourceConnectionId, retrySource)
}

function requireEqual(name: string, declared: Uint8Array | null, seen: Uint8Array | null): void {
  if (declared === null && seen === null) return
  if (declared === null) throw transportParameterError(`${name} is missing`)
  if (seen === null || !equalBytes(declared, seen)) throw transportParameterError(`${name} does not match the packets`)
}
