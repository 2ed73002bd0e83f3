/**
 * Names of the qlog drafts: draft-ietf-quic-qlog-main-schema (file) and draft-ietf-quic-qlog-quic-events-13 (events), spelled as
 * there. Numbers on our side of each table are those of wire/constants, indexed in order.
 */

export const FILE_SCHEMA = 'urn:ietf:params:qlog:file:sequential'
export const SERIALIZATION_FORMAT = 'application/qlog+json-seq'
/** quic-events §2.1: drafts "MUST append the string "-" and the corresponding draft number". */
export const QUIC_EVENT_SCHEMA = 'urn:ietf:params:qlog:events:quic-13'

export type QlogEventName =
  | 'quic:connection_started'
  | 'quic:connection_state_updated'
  | 'quic:connection_closed'
  | 'quic:connection_id_updated'
  | 'quic:version_information'
  | 'quic:alpn_information'
  | 'quic:parameters_set'
  | 'quic:packet_sent'
  | 'quic:packet_received'
  | 'quic:packet_dropped'
  | 'quic:packet_buffered'
  | 'quic:packets_acked'
  | 'quic:packet_lost'
  | 'quic:recovery_parameters_set'
  | 'quic:recovery_metrics_updated'
  | 'quic:congestion_state_updated'
  | 'quic:timer_updated'
  | 'quic:ecn_state_updated'
  | 'quic:mtu_updated'
  | 'quic:key_updated'
  | 'quic:key_discarded'

/** One JSON value of an event; `undefined` members are left out. */
export type QlogValue = string | number | boolean | readonly QlogValue[] | QlogObject | undefined
export interface QlogObject {
  readonly [name: string]: QlogValue
}

const PACKET_TYPES: readonly string[] = ['initial', '0RTT', 'handshake', 'retry', 'version_negotiation', '1RTT']
const SPACES: readonly string[] = ['initial', 'handshake', 'application_data']
const KEY_LEVELS: readonly string[] = ['initial', '0rtt', 'handshake', '1rtt']
const LOSS_TRIGGERS: readonly (string | undefined)[] = [undefined, 'reordering_threshold', 'time_threshold']
const TRANSPORT_ERRORS: readonly string[] = [
  'no_error',
  'internal_error',
  'connection_refused',
  'flow_control_error',
  'stream_limit_error',
  'stream_state_error',
  'final_size_error',
  'frame_encoding_error',
  'transport_parameter_error',
  'connection_id_limit_error',
  'protocol_violation',
  'invalid_token',
  'application_error',
  'crypto_buffer_exceeded',
  'key_update_error',
  'aead_limit_reached',
  'no_viable_path',
]

export function packetTypeName(packetType: number): string {
  return PACKET_TYPES[packetType] ?? 'unknown'
}

/** `$PacketNumberSpace`, undefined for none. */
export function spaceName(space: number): string | undefined {
  return SPACES[space]
}

/** `$KeyType`. */
export function keyTypeName(level: number, side: 'client' | 'server'): string {
  return `${side}_${KEY_LEVELS[level] ?? 'unknown'}_secret`
}

/** The trigger of packet_lost, undefined for none. */
export function lossTriggerName(trigger: number): string | undefined {
  return LOSS_TRIGGERS[trigger]
}

/** `$TransportError / CryptoError`: 'unknown' when the code has no name. */
export function transportErrorName(code: number | bigint): string {
  const value = Number(code)
  if (value >= 0x100 && value <= 0x1ff) return `crypto_error_0x${value.toString(16)}`
  return TRANSPORT_ERRORS[value] ?? 'unknown'
}

/** main-schema §11.3: a uint64 that a JSON number cannot hold may be a string. */
export function uint64(value: number | bigint): number | string {
  if (typeof value === 'number') return value
  return value <= 0x1fffffffffffffn ? Number(value) : value.toString()
}
