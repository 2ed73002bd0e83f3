/**
 * The CDDL of draft-ietf-quic-qlog-quic-events and -main-schema for the events we write, copied by hand into a checker.
 * A key that ends with '?' is optional; keys that are not listed are errors.
 */
type Check = (value: unknown, where: string) => void

function fail(where: string, expected: string, value: unknown): never {
  throw new Error(`${where}: expected ${expected}, got ${JSON.stringify(value)}`)
}

const text: Check = (value, where) => {
  if (typeof value !== 'string') fail(where, 'text', value)
}
const bool: Check = (value, where) => {
  if (typeof value !== 'boolean') fail(where, 'bool', value)
}
const float: Check = (value, where) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) fail(where, 'float', value)
}
const uint = (max: number): Check => (value, where) => {
  if (typeof value === 'string' && max === 2 ** 64 && /^\d+$/.test(value) && BigInt(value) < 2n ** 64n) return
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value >= max) fail(where, `uint < ${max}`, value)
}
const uint8 = uint(2 ** 8)
const uint16 = uint(2 ** 16)
const uint32 = uint(2 ** 32)
const uint64 = uint(2 ** 64)
const hexstring = (bytes: number = -1): Check => (value, where) => {
  if (typeof value !== 'string' || !/^([0-9a-f]{2})*$/.test(value)) fail(where, 'hexstring', value)
  if (bytes !== -1 && (value as string).length !== 2 * bytes) fail(where, `${bytes} bytes`, value)
}
const one = (...values: readonly string[]): Check => (value, where) => {
  if (!values.includes(value as string)) fail(where, values.join('|'), value)
}
const list = (item: Check, least: number = 0, most: number = Infinity): Check => (value, where) => {
  if (!Array.isArray(value) || value.length < least || value.length > most) fail(where, `list of at least ${least}`, value)
  for (const [i, each] of (value as unknown[]).entries()) item(each, `${where}[${i}]`)
}
const map = (fields: Record<string, Check>): Check => (value, where) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(where, 'map', value)
  const object = value as Record<string, unknown>
  for (const [key, check] of Object.entries(fields)) {
    const name = key.replace('?', '')
    if (name in object) check(object[name], `${where}.${name}`)
    else if (!key.endsWith('?')) fail(where, `field ${name}`, value)
  }
  for (const name of Object.keys(object)) if (!(name in fields) && !(`${name}?` in fields)) fail(where, `no field ${name}`, value)
}

const rawInfo = map({ 'length?': uint64, 'payload_length?': uint64, 'data?': hexstring() })
const initiator = one('local', 'remote')
const token = hexstring(16)
const endpoint = map({ 'ip_v4?': text, 'port_v4?': uint16, 'ip_v6?': text, 'port_v6?': uint16, 'connection_ids?': list(hexstring(), 1) })
const packetType = one('initial', 'handshake', '0RTT', '1RTT', 'retry', 'version_negotiation', 'stateless_reset', 'unknown')
const space = one('initial', 'handshake', 'application_data')
const header = map({ packet_type: packetType, 'packet_number?': uint64 })
const streamType = one('unidirectional', 'bidirectional')
const transportErrors = [
  'no_error', 'internal_error', 'connection_refused', 'flow_control_error', 'stream_limit_error', 'stream_state_error', 'final_size_error',
  'frame_encoding_error', 'transport_parameter_error', 'connection_id_limit_error', 'protocol_violation',
  'invalid_token', 'application_error',
  'crypto_buffer_exceeded', 'key_update_error', 'aead_limit_reached', 'no_viable_path', 'unknown',
]
const connectionError: Check = (value, where) => {
  if (typeof value === 'string' && /^crypto_error_0x1[0-9a-f][0-9a-f]$/.test(value)) return
  one(...transportErrors)(value, where)
}
const qlogToken = map({ 'type?': one('retry', 'resumption'), 'raw?': rawInfo })

function frameOf(type: string, fields: Record<string, Check>): Check {
  return map({ frame_type: one(type), ...fields, ...('raw' in fields ? {} : { 'raw?': rawInfo }) })
}

const frames: Record<string, Check> = {
  padding: frameOf('padding', {}),
  ping: frameOf('ping', {}),
  ack: frameOf('ack', {
    'ack_delay?': float,
    'acked_ranges?': list(list(uint64, 1, 2), 1),
    'ect1?': uint64,
    'ect0?': uint64,
    'ce?': uint64,
  }),
  reset_stream: frameOf('reset_stream', { stream_id: uint64, error: one('unknown'), 'error_code?': uint64, final_size: uint64 }),
  reset_stream_at: frameOf('reset_stream_at', {
    stream_id: uint64, error: one('unknown'), 'error_code?': uint64, final_size: uint64, reliable_size: uint64,
  }),
  stop_sending: frameOf('stop_sending', { stream_id: uint64, error: one('unknown'), 'error_code?': uint64 }),
  crypto: frameOf('crypto', { offset: uint64, raw: rawInfo }),
  new_token: frameOf('new_token', { token: qlogToken }),
  stream: frameOf('stream', { stream_id: uint64, 'offset?': uint64, 'fin?': bool }),
  max_data: frameOf('max_data', { maximum: uint64 }),
  max_stream_data: frameOf('max_stream_data', { stream_id: uint64, maximum: uint64 }),
  max_streams: frameOf('max_streams', { stream_type: streamType, maximum: uint64 }),
  data_blocked: frameOf('data_blocked', { limit: uint64 }),
  stream_data_blocked: frameOf('stream_data_blocked', { stream_id: uint64, limit: uint64 }),
  streams_blocked: frameOf('streams_blocked', { stream_type: streamType, limit: uint64 }),
  new_connection_id: frameOf('new_connection_id', {
    sequence_number: uint64,
    retire_prior_to: uint64,
    'connection_id_length?': uint8,
    connection_id: hexstring(),
    'stateless_reset_token?': token,
  }),
  retire_connection_id: frameOf('retire_connection_id', { sequence_number: uint64 }),
  path_challenge: frameOf('path_challenge', { 'data?': hexstring(8) }),
  path_response: frameOf('path_response', { 'data?': hexstring(8) }),
  connection_close: frameOf('connection_close', {
    'error_space?': one('transport', 'application'),
    'error?': connectionError,
    'error_code?': uint64,
    'reason?': text,
    'trigger_frame_type?': uint64,
  }),
  handshake_done: frameOf('handshake_done', {}),
  // Additions to the $QuicFrame socket, for draft-ietf-quic-ack-frequency.
  immediate_ack: frameOf('immediate_ack', {}),
  ack_frequency: frameOf('ack_frequency', {
    sequence_number: uint64,
    'ack_eliciting_threshold?': uint64,
    'requested_max_ack_delay?': float,
    'reordering_threshold?': uint64,
  }),
  unknown: frameOf('unknown', { frame_type_bytes: uint64 }),
  datagram: frameOf('datagram', {}),
}
const frame: Check = (value, where) => {
  const type = (value as { frame_type?: string }).frame_type ?? ''
  const check = frames[type]
  if (check === undefined) fail(where, 'a frame type', value)
  check(value, `${where}(${type})`)
}

const alpn = map({ 'byte_value?': hexstring(), 'string_value?': text })
const version = hexstring(4)
const keyType = one(
  ...['server', 'client'].flatMap((side) => ['initial', 'handshake', '0rtt', '1rtt'].map((level) => `${side}_${level}_secret`)),
)
const keyTrigger = one('tls', 'remote_update', 'local_update')
const connectionState = one(
  'attempted', 'handshake_started', 'handshake_complete', 'peer_validated', 'early_write', 'handshake_confirmed',
  'closing', 'draining', 'closed',
)
const ecnState = one('testing', 'unknown', 'failed', 'capable')

const events: Record<string, Check> = {
  'quic:connection_started': map({ local: endpoint, remote: endpoint }),
  'quic:connection_closed': map({
    'initiator?': initiator,
    'connection_error?': connectionError,
    'application_error?': one('unknown'),
    'error_code?': uint64,
    'internal_code?': uint64,
    'reason?': text,
    'trigger?': one('idle_timeout', 'application', 'error', 'version_mismatch', 'stateless_reset', 'aborted', 'unspecified'),
  }),
  'quic:connection_id_updated': map({ initiator, 'old?': hexstring(), 'new?': hexstring() }),
  'quic:connection_state_updated': map({ 'old?': connectionState, new: connectionState }),
  'quic:mtu_updated': map({ 'old?': uint32, new: uint32, 'done?': bool }),
  'quic:version_information': map({
    'server_versions?': list(version, 1),
    'client_versions?': list(version, 1),
    'chosen_version?': version,
  }),
  'quic:alpn_information': map({ 'server_alpns?': list(alpn), 'client_alpns?': list(alpn), 'chosen_alpn?': alpn }),
  'quic:parameters_set': map({
    'initiator?': initiator,
    'resumption_allowed?': bool,
    'early_data_enabled?': bool,
    'tls_cipher?': text,
    'original_destination_connection_id?': hexstring(),
    'initial_source_connection_id?': hexstring(),
    'retry_source_connection_id?': hexstring(),
    'stateless_reset_token?': token,
    'disable_active_migration?': bool,
    'max_idle_timeout?': uint64,
    'max_udp_payload_size?': uint64,
    'ack_delay_exponent?': uint64,
    'max_ack_delay?': uint64,
    'active_connection_id_limit?': uint64,
    'initial_max_data?': uint64,
    'initial_max_stream_data_bidi_local?': uint64,
    'initial_max_stream_data_bidi_remote?': uint64,
    'initial_max_stream_data_uni?': uint64,
    'initial_max_streams_bidi?': uint64,
    'initial_max_streams_uni?': uint64,
    'preferred_address?': map({
      'ip_v4?': text,
      'port_v4?': uint16,
      'ip_v6?': text,
      'port_v6?': uint16,
      connection_id: hexstring(),
      stateless_reset_token: token,
    }),
    'max_datagram_frame_size?': uint64,
    'grease_quic_bit?': bool,
    'reset_stream_at?': bool,
  }),
  'quic:packet_sent': map({
    header,
    'frames?': list(frame),
    'raw?': rawInfo,
    'is_mtu_probe_packet?': bool,
    'trigger?': one('retransmit_reordered', 'retransmit_timeout', 'pto_probe', 'retransmit_crypto', 'cc_bandwidth_probe'),
  }),
  'quic:packet_received': map({ header, 'frames?': list(frame), 'raw?': rawInfo, 'trigger?': one('keys_available') }),
  'quic:packet_dropped': map({
    'header?': header,
    'raw?': rawInfo,
    'trigger?': one(
      'internal_error', 'rejected', 'unsupported', 'invalid', 'duplicate', 'connection_unknown', 'decryption_failure',
      'key_unavailable', 'general',
    ),
  }),
  'quic:packet_buffered': map({ 'header?': header, 'raw?': rawInfo, 'trigger?': one('backpressure', 'keys_unavailable') }),
  'quic:packets_acked': map({ 'packet_number_space?': space, 'packet_numbers?': list(uint64, 1) }),
  'quic:timer_updated': map({
    'timer_type?': one('ack', 'pto', 'loss_timeout', 'path_validation', 'handshake_timeout', 'idle_timeout'),
    'timer_id?': uint64,
    'packet_number_space?': space,
    event_type: one('set', 'expired', 'cancelled'),
    'delta?': float,
  }),
  'quic:key_updated': map({ key_type: keyType, 'key_phase?': uint64, 'trigger?': keyTrigger }),
  'quic:key_discarded': map({ key_type: keyType, 'key_phase?': uint64, 'trigger?': keyTrigger }),
  'quic:recovery_parameters_set': map({
    'reordering_threshold?': uint16,
    'time_threshold?': float,
    timer_granularity: uint16,
    'initial_rtt?': float,
    'max_datagram_size?': uint32,
    'initial_congestion_window?': uint64,
    'minimum_congestion_window?': uint64,
    'loss_reduction_factor?': float,
    'persistent_congestion_threshold?': uint16,
  }),
  'quic:recovery_metrics_updated': (value, where) => {
    map({
      'min_rtt?': float,
      'smoothed_rtt?': float,
      'latest_rtt?': float,
      'rtt_variance?': float,
      'pto_count?': uint16,
      'congestion_window?': uint64,
      'bytes_in_flight?': uint64,
      'ssthresh?': uint64,
      'packets_in_flight?': uint64,
      'pacing_rate?': uint64,
    })(value, where)
    if (Object.keys(value as object).length === 0) fail(where, 'at least one metric', value)
  },
  'quic:congestion_state_updated': map({ 'old?': text, new: text, 'trigger?': text }),
  'quic:packet_lost': map({
    'header?': header,
    'frames?': list(frame),
    'is_mtu_probe_packet?': bool,
    'trigger?': one('reordering_threshold', 'time_threshold', 'pto_expired'),
  }),
  'quic:ecn_state_updated': map({ 'old?': ecnState, new: ecnState }),
}

const logFile = map({
  file_schema: one('urn:ietf:params:qlog:file:sequential'),
  serialization_format: one('application/qlog+json-seq'),
  'title?': text,
  'description?': text,
  trace: map({
    'title?': text,
    'description?': text,
    'common_fields?': map({
      'group_id?': text,
      'time_format?': one('relative_to_epoch', 'relative_to_previous_event'),
      'reference_time?': map({
        clock_type: one('monotonic'),
        epoch: one('unknown'),
        'wall_clock_time?': (value, where) => {
          if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) fail(where, 'RFC 3339', value)
        },
      }),
    }),
    'vantage_point?': map({ 'name?': text, type: one('client', 'server', 'network', 'unknown') }),
    event_schemas: list(text, 1),
  }),
})

export interface QlogEvent {
  readonly time: number
  readonly name: string
  readonly data: Record<string, unknown>
}

/** Splits JSON-SEQ text (RFC 7464) into records and checks every one. */
export function readQlog(file: string): { header: Record<string, unknown>; events: QlogEvent[] } {
  if (!file.startsWith('\u001e') || !file.endsWith('\n')) fail('file', 'RS … LF', file.slice(0, 40))
  const records = file.slice(1).split('\u001e').map((record, i) => {
    if (!record.endsWith('\n') || record.indexOf('\n') !== record.length - 1) fail(`record ${i}`, 'one line', record)
    return JSON.parse(record) as Record<string, unknown>
  })
  const [first, ...rest] = records
  logFile(first, 'header')
  const read = rest as unknown as QlogEvent[]
  for (const [i, event] of read.entries()) {
    map({ time: float, name: text, data: () => {} })(event, `event ${i}`)
    const check = events[event.name]
    if (check === undefined) fail(`event ${i}`, 'a known name', event.name)
    check(event.data, `event ${i} ${event.name}`)
  }
  return { header: first!, events: read }
}

export const EVENT_NAMES: readonly string[] = Object.keys(events)
export const FRAME_TYPES: readonly string[] = Object.keys(frames)
