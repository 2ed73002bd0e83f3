/**
 * From trace values to the data structures of quic-events §8: frames, packet headers, parameters, endpoints.
 */
import { toHex } from '../base/bytes.ts'
import type { FrameRecord, TraceParameters, TracePreferredAddress } from '../trace/sink.ts'
import type { QlogObject, QlogValue } from './events.ts'
import { packetTypeName, transportErrorName, uint64 } from './events.ts'

/** PacketHeader. `packetNumber` -1: the packet has none or it is not known. */
export function encodeHeader(packetType: number, packetNumber: number): QlogObject {
  return packetNumber === -1
    ? { packet_type: packetTypeName(packetType) }
    : { packet_type: packetTypeName(packetType), packet_number: packetNumber }
}

export function encodeFrames(frames: readonly FrameRecord[]): QlogObject[] {
  return frames.map(encodeFrame)
}

/** $QuicFrame. */
export function encodeFrame(frame: FrameRecord): QlogObject {
  const type = frame.type
  if (type >= 0x08 && type <= 0x0f) {
    const fin = frame.fin ?? (type & 1) === 1
    return { frame_type: 'stream', stream_id: frame.streamId ?? 0, offset: frame.offset ?? 0, fin, raw: raw(frame) }
  }
  switch (type) {
    case 0x00:
      // quic-events §8.13.1: one frame for the whole run, its size in payload_length.
      return { frame_type: 'padding', raw: frame.length === undefined ? undefined : { payload_length: frame.length } }
    case 0x01:
      return { frame_type: 'ping' }
    case 0x02:
    case 0x03:
      return {
        frame_type: 'ack',
        ack_delay: frame.ackDelay,
        acked_ranges: ackedRanges(frame),
        ect1: frame.ect1,
        ect0: frame.ect0,
        ce: frame.ce,
      }
    case 0x04:
      return {
        frame_type: 'reset_stream',
        stream_id: frame.streamId ?? 0,
        error: 'unknown',
        error_code: uint64(frame.errorCode ?? 0),
        final_size: frame.finalSize ?? 0,
      }
    case 0x24:
      return {
        frame_type: 'reset_stream_at',
        stream_id: frame.streamId ?? 0,
        error: 'unknown',
        error_code: uint64(frame.errorCode ?? 0),
        final_size: frame.finalSize ?? 0,
        reliable_size: frame.reliableSize ?? 0,
      }
    case 0x05:
      return { frame_type: 'stop_sending', stream_id: frame.streamId ?? 0, error: 'unknown', error_code: uint64(frame.errorCode ?? 0) }
    case 0x06:
      return { frame_type: 'crypto', offset: frame.offset ?? 0, raw: raw(frame) ?? {} }
    case 0x07:
      return { frame_type: 'new_token', token: { type: 'resumption', raw: raw(frame) } }
    case 0x10:
      return { frame_type: 'max_data', maximum: frame.maximum ?? 0 }
    case 0x11:
      return { frame_type: 'max_stream_data', stream_id: frame.streamId ?? 0, maximum: frame.maximum ?? 0 }
    case 0x12:
    case 0x13:
      return { frame_type: 'max_streams', stream_type: streamType(type), maximum: frame.maximum ?? 0 }
    case 0x14:
      return { frame_type: 'data_blocked', limit: frame.maximum ?? 0 }
    case 0x15:
      return { frame_type: 'stream_data_blocked', stream_id: frame.streamId ?? 0, limit: frame.maximum ?? 0 }
    case 0x16:
    case 0x17:
      return { frame_type: 'streams_blocked', stream_type: streamType(type), limit: frame.maximum ?? 0 }
    case 0x18:
      return {
        frame_type: 'new_connection_id',
        sequence_number: frame.sequenceNumber ?? 0,
        retire_prior_to: frame.retirePriorTo ?? 0,
        connection_id_length: frame.connectionId?.length,
        connection_id: hex(frame.connectionId) ?? '',
        stateless_reset_token: hex(frame.statelessResetToken),
      }
    case 0x19:
      return { frame_type: 'retire_connection_id', sequence_number: frame.sequenceNumber ?? 0 }
    case 0x1a:
      return { frame_type: 'path_challenge', data: hex(frame.data) }
    case 0x1b:
      return { frame_type: 'path_response', data: hex(frame.data) }
    case 0x1c:
    case 0x1d:
      return closeFrame(frame)
    case 0x1e:
      return { frame_type: 'handshake_done' }
    case 0x1f:
      return { frame_type: 'immediate_ack' }
    case 0xaf:
      // Not a frame of quic-events, whose $QuicFrame is an open type socket. Times in ms, as everywhere in qlog.
      return {
        frame_type: 'ack_frequency',
        sequence_number: uint64(frame.requestSequence ?? 0),
        ack_eliciting_threshold: frame.ackElicitingThreshold,
        requested_max_ack_delay: frame.requestedMaxAckDelay,
        reordering_threshold: frame.reorderingThreshold,
      }
    case 0x30:
    case 0x31:
      return { frame_type: 'datagram', raw: raw(frame) }
    default:
      return { frame_type: 'unknown', frame_type_bytes: type, raw: raw(frame) }
  }
}

/** QUICParametersSet. */
export function encodeParameters(initiator: 'local' | 'remote', parameters: TraceParameters): QlogObject {
  return {
    initiator,
    tls_cipher: present(parameters.tlsCipher),
    original_destination_connection_id: hex(parameters.originalDestinationConnectionId),
    initial_source_connection_id: hex(parameters.initialSourceConnectionId),
    retry_source_connection_id: hex(parameters.retrySourceConnectionId),
    stateless_reset_token: hex(parameters.statelessResetToken),
    disable_active_migration: present(parameters.disableActiveMigration),
    max_idle_timeout: present(parameters.maxIdleTimeout),
    max_udp_payload_size: present(parameters.maxUdpPayloadSize),
    ack_delay_exponent: present(parameters.ackDelayExponent),
    max_ack_delay: present(parameters.maxAckDelay),
    active_connection_id_limit: present(parameters.activeConnectionIdLimit),
    initial_max_data: present(parameters.initialMaxData),
    initial_max_stream_data_bidi_local: present(parameters.initialMaxStreamDataBidiLocal),
    initial_max_stream_data_bidi_remote: present(parameters.initialMaxStreamDataBidiRemote),
    initial_max_stream_data_uni: present(parameters.initialMaxStreamDataUni),
    initial_max_streams_bidi: present(parameters.initialMaxStreamsBidi),
    initial_max_streams_uni: present(parameters.initialMaxStreamsUni),
    max_datagram_frame_size: present(parameters.maxDatagramFrameSize),
    grease_quic_bit: present(parameters.greaseQuicBit),
    reset_stream_at: present(parameters.resetStreamAt),
    preferred_address: preferredAddress(parameters.preferredAddress),
  }
}

/** TupleEndpointInfo of 'ip:port' or '[ip]:port'; empty for ''. */
export function encodeEndpoint(address: string): QlogObject {
  const colon = address.lastIndexOf(':')
  if (colon === -1) return {}
  const ip = address.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(address.slice(colon + 1))
  return ip.includes(':') ? { ip_v6: ip, port_v6: port } : { ip_v4: ip, port_v4: port }
}

/** QuicVersion: a hexstring of four bytes. */
export function encodeVersion(version: number): string {
  return version.toString(16).padStart(8, '0')
}

export function hex(bytes: Uint8Array | null | undefined): string | undefined {
  return bytes === null || bytes === undefined ? undefined : toHex(bytes)
}

/** Milliseconds to the microsecond: enough for any reader, and shorter than a double. */
export function millis(value: number): number {
  return Math.round(value * 1000) / 1000
}

/** PreferredAddress; IPv6 in the raw form that IPAddress allows. */
function preferredAddress(address: TracePreferredAddress | null | undefined): QlogObject | undefined {
  if (address === null || address === undefined) return undefined
  const hasV4 = address.ipv4Port !== 0
  const hasV6 = address.ipv6Port !== 0
  return {
    ip_v4: hasV4 ? address.ipv4Address.join('.') : undefined,
    port_v4: hasV4 ? address.ipv4Port : undefined,
    ip_v6: hasV6 ? toHex(address.ipv6Address) : undefined,
    port_v6: hasV6 ? address.ipv6Port : undefined,
    connection_id: toHex(address.connectionId),
    stateless_reset_token: toHex(address.statelessResetToken),
  }
}

function present<T extends QlogValue>(value: T | null | undefined): T | undefined {
  return value === null ? undefined : value
}

function raw(frame: FrameRecord): QlogObject | undefined {
  return frame.length === undefined ? undefined : { length: frame.length }
}

function streamType(type: number): string {
  return (type & 1) === 1 ? 'unidirectional' : 'bidirectional'
}

function ackedRanges(frame: FrameRecord): number[][] | undefined {
  const { ranges, rangeCount } = frame
  if (ranges === undefined || rangeCount === undefined || rangeCount === 0) return undefined
  const list: number[][] = []
  for (let i = 0; i < rangeCount; i += 1) {
    const smallest = ranges[2 * i]!
    const largest = ranges[2 * i + 1]!
    list.push(smallest === largest ? [smallest] : [smallest, largest])
  }
  return list
}

function closeFrame(frame: FrameRecord): QlogObject {
  const code = frame.errorCode ?? 0
  const application = frame.type === 0x1d
  const error = application ? 'unknown' : transportErrorName(code)
  return {
    frame_type: 'connection_close',
    error_space: application ? 'application' : 'transport',
    error,
    error_code: error === 'unknown' ? uint64(code) : undefined,
    reason: frame.reason,
    trigger_frame_type: application ? undefined : frame.frameType,
  }
}
