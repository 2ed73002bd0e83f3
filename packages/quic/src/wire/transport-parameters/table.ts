// Transport parameters as data (RFC 9000 §18.2; RFC 9221 §3, RFC 9287 §3, RFC 9368 §3, RESET_STREAM_AT,
// draft-ietf-quic-ack-frequency §3): identifiers, defaults, limits, and who may send them. codec.ts walks these rows.

import { MAX_UDP_PAYLOAD } from '../constants.ts'

/** Identifiers on the wire. */
export const TransportParameterId = {
  originalDestinationConnectionId: 0x00,
  maxIdleTimeout: 0x01,
  statelessResetToken: 0x02,
  maxUdpPayloadSize: 0x03,
  initialMaxData: 0x04,
  initialMaxStreamDataBidiLocal: 0x05,
  initialMaxStreamDataBidiRemote: 0x06,
  initialMaxStreamDataUni: 0x07,
  initialMaxStreamsBidi: 0x08,
  initialMaxStreamsUni: 0x09,
  ackDelayExponent: 0x0a,
  maxAckDelay: 0x0b,
  disableActiveMigration: 0x0c,
  preferredAddress: 0x0d,
  activeConnectionIdLimit: 0x0e,
  initialSourceConnectionId: 0x0f,
  retrySourceConnectionId: 0x10,
  versionInformation: 0x11,
  resetStreamAt: 0x1d,
  maxDatagramFrameSize: 0x20,
  greaseQuicBit: 0x2ab2,
  minAckDelay: 0xff04de1b,
} as const

/** preferred_address (RFC 9000 §18.2). An all-zero address and port stands for "none of this family". */
export interface PreferredAddress {
  /** 4 bytes. */
  ipv4Address: Uint8Array
  ipv4Port: number
  /** 16 bytes. */
  ipv6Address: Uint8Array
  ipv6Port: number
  /** Connection ID with sequence number 1; 1 to 20 bytes. */
  connectionId: Uint8Array
  /** 16 bytes. */
  statelessResetToken: Uint8Array
}

/** version_information (RFC 9368 §3). */
export interface VersionInformation {
  chosen: number
  available: number[]
}

/** What one endpoint declares. Sizes in bytes, times in ms. Received limits above 2^53 − 1 are clamped. */
export interface TransportParameters {
  /** Server only. */
  originalDestinationConnectionId: Uint8Array | null
  /** 0: no timeout. */
  maxIdleTimeout: number
  /** Server only; 16 bytes. */
  statelessResetToken: Uint8Array | null
  maxUdpPayloadSize: number
  initialMaxData: number
  initialMaxStreamDataBidiLocal: number
  initialMaxStreamDataBidiRemote: number
  initialMaxStreamDataUni: number
  initialMaxStreamsBidi: number
  initialMaxStreamsUni: number
  ackDelayExponent: number
  maxAckDelay: number
  disableActiveMigration: boolean
  /** Server only. */
  preferredAddress: PreferredAddress | null
  activeConnectionIdLimit: number
  initialSourceConnectionId: Uint8Array | null
  /** Server only. */
  retrySourceConnectionId: Uint8Array | null
  /** RFC 9221 §3: largest DATAGRAM frame accepted, type and length included; 0: none. */
  maxDatagramFrameSize: number
  /** RFC 9287: the sender accepts packets with a clear Fixed Bit. */
  greaseQuicBit: boolean
  /** draft-ietf-quic-reliable-stream-reset: the sender takes RESET_STREAM_AT frames. */
  resetStreamAt: boolean
  /** draft-ietf-quic-ack-frequency §3: microseconds; -1: ACK_FREQUENCY and IMMEDIATE_ACK frames are not understood. */
  minAckDelay: number
  versionInformation: VersionInformation | null
}

/** Values that hold when nothing is declared (RFC 9000 §18.2), as a fresh object. */
export function defaultTransportParameters(): TransportParameters {
  return {
    originalDestinationConnectionId: null,
    maxIdleTimeout: 0,
    statelessResetToken: null,
    maxUdpPayloadSize: MAX_UDP_PAYLOAD,
    initialMaxData: 0,
    initialMaxStreamDataBidiLocal: 0,
    initialMaxStreamDataBidiRemote: 0,
    initialMaxStreamDataUni: 0,
    initialMaxStreamsBidi: 0,
    initialMaxStreamsUni: 0,
    ackDelayExponent: 3,
    maxAckDelay: 25,
    disableActiveMigration: false,
    preferredAddress: null,
    activeConnectionIdLimit: 2,
    initialSourceConnectionId: null,
    retrySourceConnectionId: null,
    maxDatagramFrameSize: 0,
    greaseQuicBit: false,
    resetStreamAt: false,
    minAckDelay: -1,
    versionInformation: null,
  }
}

type KeysOf<V> = { [K in keyof TransportParameters]: TransportParameters[K] extends V ? K : never }[keyof TransportParameters]

/** Names of the parameters whose value is a varint. */
export type IntegerParameter = KeysOf<number>
/** Names of the parameters that are present or absent. */
export type FlagParameter = KeysOf<boolean>
/** Names of the parameters whose value is a connection ID or a token. */
export type BytesParameter =
  | 'originalDestinationConnectionId'
  | 'statelessResetToken'
  | 'initialSourceConnectionId'
  | 'retrySourceConnectionId'

/** How a parameter's value is laid out, with the limits of what is valid. `name` is the RFC's. */
export type ParameterRow = { readonly id: number; readonly name: string; readonly serverOnly: boolean } & (
  | { readonly kind: 'integer'; readonly key: IntegerParameter; readonly minimum: number; readonly maximum: number }
  | { readonly kind: 'flag'; readonly key: FlagParameter }
  | { readonly kind: 'bytes'; readonly key: BytesParameter; readonly minimum: number; readonly maximum: number }
  | { readonly kind: 'preferred-address'; readonly key: 'preferredAddress' }
  | { readonly kind: 'version-information'; readonly key: 'versionInformation' }
)

function integer(key: IntegerParameter, name: string, minimum: number = 0, maximum: number = Infinity): ParameterRow {
  return { kind: 'integer', key, name, id: TransportParameterId[key], serverOnly: false, minimum, maximum }
}

function flag(key: FlagParameter, name: string): ParameterRow {
  return { kind: 'flag', key, name, id: TransportParameterId[key], serverOnly: false }
}

function bytes(key: BytesParameter, name: string, minimum: number, maximum: number, serverOnly: boolean): ParameterRow {
  return { kind: 'bytes', key, name, id: TransportParameterId[key], serverOnly, minimum, maximum }
}

/** Every parameter known here. Stream limits: RFC 9000 §4.6; the other limits: §18.2. */
export const PARAMETER_TABLE: readonly ParameterRow[] = [
  bytes('originalDestinationConnectionId', 'original_destination_connection_id', 0, 20, true),
  integer('maxIdleTimeout', 'max_idle_timeout'),
  bytes('statelessResetToken', 'stateless_reset_token', 16, 16, true),
  integer('maxUdpPayloadSize', 'max_udp_payload_size', 1200),
  integer('initialMaxData', 'initial_max_data'),
  integer('initialMaxStreamDataBidiLocal', 'initial_max_stream_data_bidi_local'),
  integer('initialMaxStreamDataBidiRemote', 'initial_max_stream_data_bidi_remote'),
  integer('initialMaxStreamDataUni', 'initial_max_stream_data_uni'),
  integer('initialMaxStreamsBidi', 'initial_max_streams_bidi', 0, 2 ** 60),
  integer('initialMaxStreamsUni', 'initial_max_streams_uni', 0, 2 ** 60),
  integer('ackDelayExponent', 'ack_delay_exponent', 0, 20),
  integer('maxAckDelay', 'max_ack_delay', 0, 2 ** 14 - 1),
  flag('disableActiveMigration', 'disable_active_migration'),
  {
    kind: 'preferred-address',
    key: 'preferredAddress',
    name: 'preferred_address',
    id: TransportParameterId.preferredAddress,
    serverOnly: true,
  },
  integer('activeConnectionIdLimit', 'active_connection_id_limit', 2),
  bytes('initialSourceConnectionId', 'initial_source_connection_id', 0, 20, false),
  bytes('retrySourceConnectionId', 'retry_source_connection_id', 0, 20, true),
  {
    kind: 'version-information',
    key: 'versionInformation',
    name: 'version_information',
    id: TransportParameterId.versionInformation,
    serverOnly: false,
  },
  integer('maxDatagramFrameSize', 'max_datagram_frame_size'),
  flag('greaseQuicBit', 'grease_quic_bit'),
  flag('resetStreamAt', 'reset_stream_at'),
  integer('minAckDelay', 'min_ack_delay'),
]
