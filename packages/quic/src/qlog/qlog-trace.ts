/**
 * A TraceSink that writes qlog: one streaming trace of one connection, QlogFileSeq in JSON-SEQ (media type
 * application/qlog+json-seq, file suffix .sqlog). Times are ms since the first event. Values that did not change since they were
 * last written are left out (quic-events §7.2). Holds addresses and connection ids, never payload or keys.
 */
import type {
  CloseTrigger,
  EcnState,
  FrameRecord,
  KeyTrigger,
  PacketDropReason,
  TraceConnectionState,
  TraceParameters,
  TraceRole,
  TraceSide,
  TraceSink,
  TraceTimer,
} from '../trace/sink.ts'
import { PacketPurpose } from '../trace/sink.ts'
import { encodeEndpoint, encodeFrames, encodeHeader, encodeParameters, encodeVersion, hex, millis } from './encoder.ts'
import type { QlogEventName, QlogObject } from './events.ts'
import {
  FILE_SCHEMA,
  keyTypeName,
  lossTriggerName,
  QUIC_EVENT_SCHEMA,
  SERIALIZATION_FORMAT,
  spaceName,
  transportErrorName,
  uint64,
} from './events.ts'
import { rfc3339 } from './rfc3339.ts'
import { RecordWriter } from './writer.ts'

export interface QlogOptions {
  readonly vantagePoint: TraceRole
  /** The original destination connection id in hex; also a good file name. */
  readonly groupId?: string
  readonly title?: string
  /** Unix ms when logging began, for the header; default: not said. */
  readonly referenceTimeMs?: number
  /** Characters gathered before the sink is called, default 0: each record at once. `flush` hands over the rest. */
  readonly bufferLength?: number
  /** URIs of the event schemas that `write` is used with. */
  readonly eventSchemas?: readonly string[]
}

export class QlogTrace implements TraceSink {
  private readonly writer: RecordWriter
  private origin: number = -1
  private congestionState: string = ''
  private connectionState: string = ''
  private ecnState: EcnState | '' = ''
  // The ten arguments of metricsUpdated as last written, in order; NaN: not yet.
  private readonly metrics: Float64Array = new Float64Array(10).fill(NaN)
  private metricsDirty: boolean = false

  /** Writes the header record at once. `sink` gets text that ends with a whole record. */
  constructor(sink: (text: string) => void, options: QlogOptions) {
    this.writer = new RecordWriter(sink, options.bufferLength ?? 0)
    this.writer.write({
      file_schema: FILE_SCHEMA,
      serialization_format: SERIALIZATION_FORMAT,
      title: options.title,
      trace: {
        vantage_point: { type: options.vantagePoint },
        common_fields: {
          group_id: options.groupId,
          time_format: 'relative_to_epoch',
          // main-schema §7.1: "When using the "monotonic" clock type, the epoch field MUST have the value "unknown"".
          reference_time: {
            clock_type: 'monotonic',
            epoch: 'unknown',
            wall_clock_time: options.referenceTimeMs === undefined ? undefined : rfc3339(options.referenceTimeMs),
          },
        },
        event_schemas: [QUIC_EVENT_SCHEMA, ...(options.eventSchemas ?? [])],
      },
    })
  }

  flush(): void {
    this.writer.flush()
  }

  /** An event of another protocol on this connection, such as `http3:frame_parsed`. `now` as in the other verbs. */
  write(now: number, name: string, data: QlogObject): void {
    this.record(now, name, data)
  }

  connectionStarted(now: number, local: string, remote: string): void {
    this.event(now, 'quic:connection_started', { local: encodeEndpoint(local), remote: encodeEndpoint(remote) })
  }

  connectionStateUpdated(now: number, state: TraceConnectionState): void {
    if (state === this.connectionState) return
    this.event(now, 'quic:connection_state_updated', { old: this.connectionState || undefined, new: state })
    this.connectionState = state
  }

  connectionClosed(
    now: number,
    initiator: TraceSide,
    application: boolean,
    code: number | bigint,
    reason: string,
    trigger: CloseTrigger,
  ): void {
    const error = application ? 'unknown' : transportErrorName(code)
    this.event(now, 'quic:connection_closed', {
      initiator,
      connection_error: application ? undefined : error,
      application_error: application ? error : undefined,
      error_code: error === 'unknown' ? uint64(code) : undefined,
      reason: reason === '' ? undefined : reason,
      trigger,
    })
    this.writer.flush()
  }

  connectionIdUpdated(now: number, initiator: TraceSide, old: Uint8Array | null, current: Uint8Array | null): void {
    this.event(now, 'quic:connection_id_updated', { initiator, old: hex(old), new: hex(current) })
  }

  versionInformation(now: number, client: readonly number[] | null, server: readonly number[] | null, chosen: number): void {
    this.event(now, 'quic:version_information', {
      server_versions: server === null || server.length === 0 ? undefined : server.map(encodeVersion),
      client_versions: client === null || client.length === 0 ? undefined : client.map(encodeVersion),
      chosen_version: chosen === 0 ? undefined : encodeVersion(chosen),
    })
  }

  alpnInformation(now: number, client: readonly string[] | null, server: readonly string[] | null, chosen: string | null): void {
    this.event(now, 'quic:alpn_information', {
      server_alpns: server?.map(alpn),
      client_alpns: client?.map(alpn),
      chosen_alpn: chosen === null ? undefined : alpn(chosen),
    })
  }

  parametersSet(now: number, initiator: TraceSide, parameters: TraceParameters): void {
    this.event(now, 'quic:parameters_set', encodeParameters(initiator, parameters))
  }

  packetSent(
    now: number,
    packetType: number,
    packetNumber: number,
    size: number,
    frames: readonly FrameRecord[],
    purpose: PacketPurpose,
  ): void {
    this.event(now, 'quic:packet_sent', {
      header: encodeHeader(packetType, packetNumber),
      raw: { length: size },
      frames: encodeFrames(frames),
      is_mtu_probe_packet: purpose === PacketPurpose.mtuProbe ? true : undefined,
      trigger: purpose === PacketPurpose.ptoProbe ? 'pto_probe' : undefined,
    })
  }

  packetReceived(now: number, packetType: number, packetNumber: number, size: number, frames: readonly FrameRecord[]): void {
    this.event(now, 'quic:packet_received', {
      header: encodeHeader(packetType, packetNumber),
      raw: { length: size },
      frames: encodeFrames(frames),
    })
  }

  packetDropped(now: number, packetType: number, size: number, reason: PacketDropReason): void {
    this.event(now, 'quic:packet_dropped', { header: encodeHeader(packetType, -1), raw: { length: size }, trigger: reason })
  }

  packetBuffered(now: number, packetType: number, size: number): void {
    this.event(now, 'quic:packet_buffered', { header: encodeHeader(packetType, -1), raw: { length: size }, trigger: 'keys_unavailable' })
  }

  packetsAcked(now: number, space: number, records: readonly { readonly packetNumber: number }[], count: number): void {
    if (count === 0) return
    const numbers: number[] = []
    for (let i = 0; i < count; i += 1) numbers.push(records[i]!.packetNumber)
    this.event(now, 'quic:packets_acked', { packet_number_space: spaceName(space), packet_numbers: numbers })
  }

  packetLost(now: number, packetType: number, packetNumber: number, trigger: number): void {
    this.event(now, 'quic:packet_lost', { header: encodeHeader(packetType, packetNumber), trigger: lossTriggerName(trigger) })
  }

  recoveryParametersSet(now: number, initialRtt: number, maxDatagramSize: number, initialWindow: number, minimumWindow: number): void {
    this.event(now, 'quic:recovery_parameters_set', {
      reordering_threshold: 3,
      time_threshold: 1.125,
      timer_granularity: 1,
      initial_rtt: initialRtt,
      max_datagram_size: maxDatagramSize,
      initial_congestion_window: initialWindow,
      minimum_congestion_window: minimumWindow,
      persistent_congestion_threshold: 3,
    })
  }

  metricsUpdated(
    now: number,
    minRtt: number,
    smoothedRtt: number,
    latestRtt: number,
    rttVariance: number,
    ptoCount: number,
    window: number,
    bytesInFlight: number,
    slowStartThreshold: number,
    packetsInFlight: number,
    pacingRate: number,
  ): void {
    this.metricsDirty = false
    const data: QlogObject = {
      // 0: no sample yet
      min_rtt: this.changed(0, millis(minRtt || NaN)),
      smoothed_rtt: this.changed(1, millis(smoothedRtt)),
      latest_rtt: this.changed(2, millis(latestRtt || NaN)),
      rtt_variance: this.changed(3, millis(rttVariance)),
      pto_count: this.changed(4, ptoCount),
      congestion_window: this.changed(5, Math.floor(window)),
      bytes_in_flight: this.changed(6, bytesInFlight),
      ssthresh: this.changed(7, Math.floor(slowStartThreshold)),
      packets_in_flight: this.changed(8, packetsInFlight),
      // bytes per ms to bits per second
      pacing_rate: this.changed(9, Math.round(pacingRate * 8000)),
    }
    // quic-events §7.2: "guaranteed to contain at least one of the listed metrics".
    if (this.metricsDirty) this.event(now, 'quic:recovery_metrics_updated', data)
  }

  congestionStateUpdated(now: number, state: string, trigger: string): void {
    if (state === this.congestionState) return
    this.event(now, 'quic:congestion_state_updated', {
      old: this.congestionState || undefined,
      new: state,
      trigger: trigger || undefined,
    })
    this.congestionState = state
  }

  timerUpdated(now: number, timer: TraceTimer, event: 'set' | 'expired' | 'cancelled', space: number, delta: number): void {
    this.event(now, 'quic:timer_updated', {
      timer_type: timer,
      packet_number_space: spaceName(space),
      event_type: event,
      delta: event === 'set' ? millis(delta) : undefined,
    })
  }

  ecnStateUpdated(now: number, state: EcnState): void {
    if (state === this.ecnState) return
    this.event(now, 'quic:ecn_state_updated', { old: this.ecnState || undefined, new: state })
    this.ecnState = state
  }

  mtuUpdated(now: number, old: number, current: number, done: boolean): void {
    this.event(now, 'quic:mtu_updated', { old, new: current, done })
  }

  keyUpdated(now: number, level: number, side: TraceRole, keyPhase: number, trigger: KeyTrigger): void {
    this.event(now, 'quic:key_updated', { key_type: keyTypeName(level, side), key_phase: phase(keyPhase), trigger })
  }

  keyDiscarded(now: number, level: number, side: TraceRole, keyPhase: number, trigger: KeyTrigger): void {
    this.event(now, 'quic:key_discarded', { key_type: keyTypeName(level, side), key_phase: phase(keyPhase), trigger })
  }

  /** The value if it is finite and not the one last written. */
  private changed(index: number, value: number): number | undefined {
    if (!Number.isFinite(value) || this.metrics[index] === value) return undefined
    this.metrics[index] = value
    this.metricsDirty = true
    return value
  }

  private event(now: number, name: QlogEventName, data: QlogObject): void {
    this.record(now, name, data)
  }

  private record(now: number, name: string, data: QlogObject): void {
    if (this.origin === -1) this.origin = now
    this.writer.write({ time: millis(now - this.origin), name, data })
  }
}

function alpn(identifier: string): QlogObject {
  return { string_value: identifier }
}

function phase(keyPhase: number): number | undefined {
  return keyPhase === -1 ? undefined : keyPhase
}
