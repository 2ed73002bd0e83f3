import { describe, expect, it } from 'vitest'
import { QlogTrace } from '../../src/qlog/index.ts'
import type { FrameRecord } from '../../src/trace/sink.ts'
import { PacketPurpose } from '../../src/trace/sink.ts'
import { EncryptionLevel, FrameType, PacketType } from '../../src/wire/constants.ts'
import { EVENT_NAMES, FRAME_TYPES, readQlog } from './schema.ts'

const bytes = (length: number, value: number = 0xab): Uint8Array => new Uint8Array(length).fill(value)

const EVERY_FRAME: readonly FrameRecord[] = [
  { type: FrameType.padding, length: 900 },
  { type: FrameType.ping },
  { type: FrameType.ack, ackDelay: 1.5, ranges: Float64Array.from([7, 9, 3, 3, 99, 99]), rangeCount: 2 },
  { type: FrameType.ackEcn, ackDelay: 0, ranges: Float64Array.from([0, 4]), rangeCount: 1, ect0: 3, ect1: 0, ce: 1 },
  { type: FrameType.resetStream, streamId: 4, errorCode: 0x10c, finalSize: 77 },
  { type: FrameType.stopSending, streamId: 4, errorCode: 2n ** 62n - 1n },
  { type: FrameType.crypto, offset: 0, length: 280 },
  { type: FrameType.newToken, length: 32 },
  { type: FrameType.stream, streamId: 0, offset: 0, length: 10, fin: false },
  { type: 0x0f, streamId: 3, offset: 2 ** 40, length: 1000, fin: true },
  { type: FrameType.maxData, maximum: 1e6 },
  { type: FrameType.maxStreamData, streamId: 1, maximum: 2e6 },
  { type: FrameType.maxStreamsBidi, maximum: 100 },
  { type: FrameType.maxStreamsUni, maximum: 3 },
  { type: FrameType.dataBlocked, maximum: 5 },
  { type: FrameType.streamDataBlocked, streamId: 2, maximum: 6 },
  { type: FrameType.streamsBlockedBidi, maximum: 7 },
  { type: FrameType.streamsBlockedUni, maximum: 8 },
  { type: FrameType.newConnectionId, sequenceNumber: 1, retirePriorTo: 0, connectionId: bytes(8), statelessResetToken: bytes(16) },
  { type: FrameType.retireConnectionId, sequenceNumber: 0 },
  { type: FrameType.pathChallenge, data: bytes(8) },
  { type: FrameType.pathResponse, data: bytes(8) },
  { type: FrameType.connectionClose, errorCode: 0x0a, reason: 'no', frameType: 0x06 },
  { type: FrameType.connectionClose, errorCode: 0x128, reason: '' },
  { type: FrameType.connectionCloseApplication, errorCode: 0x100, reason: 'bye\n\u001e"' },
  { type: FrameType.handshakeDone },
  { type: FrameType.datagram, length: 40 },
  { type: FrameType.datagramWithLength, length: 41 },
  { type: FrameType.resetStreamAt, streamId: 4, errorCode: 0x10c, finalSize: 77, reliableSize: 70 },
  { type: 0x4242 },
  { type: FrameType.immediateAck },
  { type: FrameType.ackFrequency, requestSequence: 2n ** 61n, ackElicitingThreshold: 9, requestedMaxAckDelay: 12.5, reorderingThreshold: 3 },
]

function log(write: (trace: QlogTrace) => void): ReturnType<typeof readQlog> {
  let text = ''
  write(new QlogTrace((piece) => (text += piece), { vantagePoint: 'client', groupId: '0102' }))
  return readQlog(text)
}

describe('QlogTrace', () => {
  it('writes the header of QlogFileSeq first, schema and format within 256 bytes (main-schema §3, §5)', () => {
    let text = ''
    const trace = new QlogTrace((piece) => (text += piece), {
      vantagePoint: 'server',
      groupId: 'aabb',
      title: 'a test',
      referenceTimeMs: 1_700_000_000_123,
    })
    trace.flush()
    expect(text.slice(0, 256)).toContain('"serialization_format":"application/qlog+json-seq"')
    expect(readQlog(text).header).toEqual({
      file_schema: 'urn:ietf:params:qlog:file:sequential',
      serialization_format: 'application/qlog+json-seq',
      title: 'a test',
      trace: {
        vantage_point: { type: 'server' },
        common_fields: {
          group_id: 'aabb',
          time_format: 'relative_to_epoch',
          reference_time: { clock_type: 'monotonic', epoch: 'unknown', wall_clock_time: '2023-11-14T22:13:20.123Z' },
        },
        event_schemas: ['urn:ietf:params:qlog:events:quic-13'],
      },
    })
  })

  it('writes every event in the form of the drafts', () => {
    const { events } = log((trace) => {
      trace.connectionStarted(1000.5, '127.0.0.1:4433', '[2001:db8::1]:443')
      trace.connectionStateUpdated(1000.5, 'attempted')
      trace.versionInformation(1000.5, [1], null, 1)
      trace.alpnInformation(1001, ['h3', 'hq-interop'], null, null)
      trace.parametersSet(1001, 'local', {
        tlsCipher: 'AES_128_GCM_SHA256',
        initialSourceConnectionId: bytes(8),
        statelessResetToken: bytes(16),
        retrySourceConnectionId: null,
        maxIdleTimeout: 30000,
        initialMaxData: 1e6,
        disableActiveMigration: false,
        preferredAddress: {
          ipv4Address: Uint8Array.of(192, 0, 2, 1),
          ipv4Port: 443,
          ipv6Address: bytes(16, 0),
          ipv6Port: 0,
          connectionId: bytes(4),
          statelessResetToken: bytes(16),
        },
      })
      trace.recoveryParametersSet(1001, 333, 1200, 12000, 2400)
      trace.keyUpdated(1001, EncryptionLevel.initial, 'client', -1, 'tls')
      trace.packetSent(1002, PacketType.initial, 0, 1200, EVERY_FRAME, PacketPurpose.ordinary)
      trace.packetReceived(1050, PacketType.handshake, 3, 800, EVERY_FRAME)
      trace.packetDropped(1051, -1, 30, 'invalid')
      trace.packetDropped(1051, PacketType.oneRtt, 30, 'duplicate')
      trace.packetBuffered(1051, PacketType.oneRtt, 40)
      trace.packetsAcked(1052, 0, [{ packetNumber: 0 }, { packetNumber: 5 }], 1)
      trace.packetsAcked(1052, 0, [], 0)
      trace.packetLost(1053, PacketType.oneRtt, 9, 1)
      trace.packetLost(1053, PacketType.oneRtt, 10, 0)
      trace.metricsUpdated(1053, 50, 51, 52, 25, 0, 12000, 0, Infinity, 0, 600)
      trace.congestionStateUpdated(1053, 'slow_start', '')
      trace.congestionStateUpdated(1054, 'recovery', 'ecn')
      trace.timerUpdated(1054, 'pto', 'set', 2, 99.5)
      trace.timerUpdated(1054, 'idle_timeout', 'cancelled', -1, 0)
      trace.ecnStateUpdated(1055, 'testing')
      trace.ecnStateUpdated(1055, 'capable')
      trace.mtuUpdated(1055, 1200, 1452, true)
      trace.keyDiscarded(1056, EncryptionLevel.earlyData, 'server', -1, 'tls')
      trace.keyUpdated(1056, EncryptionLevel.application, 'server', 1, 'remote_update')
      trace.connectionIdUpdated(1057, 'remote', bytes(8), bytes(4))
      trace.connectionIdUpdated(1057, 'local', null, bytes(4))
      trace.connectionClosed(1060, 'remote', true, 2n ** 60n, 'done', 'application')
    })
    expect(new Set(events.map((event) => event.name))).toEqual(new Set(EVENT_NAMES))
    const sent = events.find((event) => event.name === 'quic:packet_sent')!
    expect(sent.time).toBe(1.5)
    expect(sent.data['header']).toEqual({ packet_type: 'initial', packet_number: 0 })
    const frames = sent.data['frames'] as Record<string, unknown>[]
    expect(new Set(frames.map((frame) => frame['frame_type']))).toEqual(new Set(FRAME_TYPES))
    expect(frames[0]).toEqual({ frame_type: 'padding', raw: { payload_length: 900 } })
    expect(frames[2]).toEqual({ frame_type: 'ack', ack_delay: 1.5, acked_ranges: [[7, 9], [3]] })
    expect(frames[5]).toEqual({ frame_type: 'stop_sending', stream_id: 4, error: 'unknown', error_code: '4611686018427387903' })
    expect(frames[9]).toEqual({ frame_type: 'stream', stream_id: 3, offset: 2 ** 40, fin: true, raw: { length: 1000 } })
    expect(frames[22]).toEqual({
      frame_type: 'connection_close',
      error_space: 'transport',
      error: 'protocol_violation',
      reason: 'no',
      trigger_frame_type: 6,
    })
    expect(frames[23]).toMatchObject({ error: 'crypto_error_0x128' })
    expect(frames[24]).toMatchObject({ error_space: 'application', error: 'unknown', error_code: 256, reason: 'bye\n\u001e"' })
    expect(frames.at(-1)).toEqual({
      frame_type: 'ack_frequency',
      sequence_number: '2305843009213693952',
      ack_eliciting_threshold: 9,
      requested_max_ack_delay: 12.5,
      reordering_threshold: 3,
    })
    expect(events[0]!.data).toEqual({ local: { ip_v4: '127.0.0.1', port_v4: 4433 }, remote: { ip_v6: '2001:db8::1', port_v6: 443 } })
    expect(events.find((event) => event.name === 'quic:parameters_set')!.data['preferred_address']).toMatchObject({ ip_v4: '192.0.2.1' })
  })

  it('accepts frame records that give no more than the type', () => {
    const types = [...EVERY_FRAME.map((frame) => frame.type), 0x09]
    const { events } = log((trace) =>
      trace.packetSent(0, PacketType.oneRtt, 0, 20, types.map((type) => ({ type })), PacketPurpose.ptoProbe),
    )
    expect(events[0]!.data['frames']).toHaveLength(types.length)
    expect(events[0]!.data['trigger']).toBe('pto_probe')
  })

  it('marks MTU probes, and gives packets without a number none', () => {
    const { events } = log((trace) => {
      trace.packetSent(0, PacketType.oneRtt, 4, 1400, [], PacketPurpose.mtuProbe)
      trace.packetReceived(1, PacketType.retry, -1, 90, [])
    })
    expect(events[0]!.data['is_mtu_probe_packet']).toBe(true)
    expect(events[1]!.data['header']).toEqual({ packet_type: 'retry' })
  })

  it('writes metrics only when they change (quic-events §7.2)', () => {
    const { events } = log((trace) => {
      trace.metricsUpdated(0, 0, 333, 0, 166.5, 0, 12000, 0, Infinity, 0, 72.072072)
      trace.metricsUpdated(1, 0, 333, 0, 166.5, 0, 12000, 1200, Infinity, 1, 72.072072)
      trace.metricsUpdated(2, 0, 333, 0, 166.5, 0, 12000, 1200, Infinity, 1, 72.072072)
      trace.metricsUpdated(3, 20, 20.1234567, 20, 10, 0, 6000, 0, 6000, 0, Infinity)
    })
    expect(events.map((event) => event.data)).toEqual([
      {
        smoothed_rtt: 333,
        rtt_variance: 166.5,
        pto_count: 0,
        congestion_window: 12000,
        bytes_in_flight: 0,
        packets_in_flight: 0,
        pacing_rate: 576577,
      },
      { bytes_in_flight: 1200, packets_in_flight: 1 },
      {
        min_rtt: 20,
        smoothed_rtt: 20.123,
        latest_rtt: 20,
        rtt_variance: 10,
        congestion_window: 6000,
        bytes_in_flight: 0,
        ssthresh: 6000,
        packets_in_flight: 0,
      },
    ])
  })

  it('writes states once, with the one before', () => {
    const { events } = log((trace) => {
      trace.congestionStateUpdated(0, 'slow_start', '')
      trace.congestionStateUpdated(1, 'slow_start', '')
      trace.congestionStateUpdated(2, 'recovery', 'loss')
      trace.connectionStateUpdated(3, 'attempted')
      trace.connectionStateUpdated(3, 'attempted')
    })
    expect(events.map((event) => event.data)).toEqual([
      { new: 'slow_start' },
      { old: 'slow_start', new: 'recovery', trigger: 'loss' },
      { new: 'attempted' },
    ])
  })

  it('names the errors of a close, or gives the number', () => {
    const { events } = log((trace) => {
      trace.connectionClosed(0, 'local', false, 3, '', 'error')
      trace.connectionClosed(0, 'local', false, 0x11, 'x', 'version_mismatch')
      trace.connectionClosed(0, 'remote', false, 0x12a, '', 'error')
    })
    expect(events.map((event) => event.data)).toEqual([
      { initiator: 'local', connection_error: 'flow_control_error', trigger: 'error' },
      { initiator: 'local', connection_error: 'unknown', error_code: 17, reason: 'x', trigger: 'version_mismatch' },
      { initiator: 'remote', connection_error: 'crypto_error_0x12a', trigger: 'error' },
    ])
  })

  it('hands records over one by one, or gathered until the buffer is full or the connection closes', () => {
    const pieces: string[] = []
    const single = new QlogTrace((piece) => pieces.push(piece), { vantagePoint: 'client' })
    single.mtuUpdated(0, 1, 2, false)
    expect(pieces).toHaveLength(2)

    pieces.length = 0
    const gathered = new QlogTrace((piece) => pieces.push(piece), { vantagePoint: 'client', bufferLength: 1e6 })
    for (let i = 0; i < 100; i += 1) gathered.mtuUpdated(i, i, i + 1, false)
    expect(pieces).toHaveLength(0)
    gathered.connectionClosed(100, 'local', false, 0, '', 'unspecified')
    expect(pieces).toHaveLength(1)
    expect(readQlog(pieces[0]!).events).toHaveLength(101)
    gathered.flush()
    expect(pieces).toHaveLength(1)
  })
})
