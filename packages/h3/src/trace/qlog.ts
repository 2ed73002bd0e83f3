import type { WireValue } from '@quicwire/quic/varint'
import type { Header } from '../events.ts'
import { SettingId } from '../wire/settings.ts'
import type { Setting } from '../wire/settings.ts'
import { StreamType } from '../wire/stream-types.ts'
import { isFieldName, isFieldValue } from '../headers/characters.ts'
import type { H3TraceSink, TraceInitiator, TracedFrame } from './sink.ts'

/** qlog of HTTP/3: draft-ietf-quic-qlog-h3-events-13, written beside the transport's own events. */

export type QlogJson = string | number | boolean | undefined | readonly QlogJson[] | { readonly [name: string]: QlogJson }

/** Where events go; quic's QlogTrace is one. `now`: milliseconds on the clock of the connection. */
export interface QlogEventWriter {
  write(now: number, name: string, data: { readonly [name: string]: QlogJson }): void
}

/** h3-events §2.1: drafts append their number. */
export const H3_EVENT_SCHEMA = 'urn:ietf:params:qlog:events:http3-13'

const PARAMETER_NAMES: ReadonlyMap<WireValue, string> = new Map<WireValue, string>([
  [SettingId.maxFieldSectionSize, 'max_field_section_size'],
  [SettingId.qpackMaxTableCapacity, 'max_table_capacity'],
  [SettingId.qpackBlockedStreams, 'blocked_streams_count'],
  [SettingId.enableConnectProtocol, 'extended_connect'],
  [SettingId.h3Datagram, 'h3_datagram'],
])

const SETTING_NAMES: ReadonlyMap<WireValue, string> = new Map<WireValue, string>([
  [SettingId.maxFieldSectionSize, 'settings_max_field_section_size'],
  [SettingId.qpackMaxTableCapacity, 'settings_qpack_max_table_capacity'],
  [SettingId.qpackBlockedStreams, 'settings_qpack_blocked_streams'],
  [SettingId.enableConnectProtocol, 'settings_enable_connect_protocol'],
  [SettingId.h3Datagram, 'settings_h3_datagram'],
])

const STREAM_TYPE_NAMES: ReadonlyMap<number, string> = new Map<number, string>([
  [-1, 'request'],
  [StreamType.control, 'control'],
  [StreamType.push, 'push'],
  [StreamType.qpackEncoder, 'qpack_encode'],
  [StreamType.qpackDecoder, 'qpack_decode'],
])

export class H3QlogTrace implements H3TraceSink {
  private readonly writer: QlogEventWriter
  private readonly now: () => number

  constructor(writer: QlogEventWriter, now: () => number) {
    this.writer = writer
    this.now = now
  }

  parametersSet(initiator: TraceInitiator, settings: readonly Setting[]): void {
    this.event('parameters_set', { initiator, ...parameters(settings) })
  }

  parametersRestored(settings: readonly Setting[]): void {
    this.event('parameters_restored', parameters(settings))
  }

  streamTypeSet(initiator: TraceInitiator, streamId: number, streamType: number): void {
    const name = STREAM_TYPE_NAMES.get(streamType) ?? (isReserved(streamType) ? 'reserved' : 'unknown')
    const bytes = name === 'unknown' ? streamType : undefined
    this.event('stream_type_set', { initiator, stream_id: streamId, stream_type: name, stream_type_bytes: bytes })
  }

  priorityUpdated(streamId: number, value: string): void {
    this.event('priority_updated', { stream_id: streamId, new: value })
  }

  frameCreated(streamId: number, frame: TracedFrame): void {
    this.event('frame_created', { stream_id: streamId, frame: frameOf(frame) })
  }

  frameParsed(streamId: number, frame: TracedFrame): void {
    this.event('frame_parsed', { stream_id: streamId, frame: frameOf(frame) })
  }

  datagramCreated(streamId: number, length: number): void {
    this.event('datagram_created', { quarter_stream_id: streamId / 4, raw: { payload_length: length } })
  }

  datagramParsed(streamId: number, length: number): void {
    this.event('datagram_parsed', { quarter_stream_id: streamId / 4, raw: { payload_length: length } })
  }

  private event(name: string, data: { readonly [name: string]: QlogJson }): void {
    this.writer.write(this.now(), `http3:${name}`, data)
  }
}

function parameters(settings: readonly Setting[]): { readonly [name: string]: QlogJson } {
  const named: Record<string, QlogJson> = {}
  // h3-events §3.1: "can contain any number of unspecified fields", which have no names.
  for (const [id, value] of settings) named[PARAMETER_NAMES.get(id) ?? `setting_0x${id.toString(16)}`] = uint64(value)
  return named
}

function frameOf(frame: TracedFrame): QlogJson {
  switch (frame.type) {
    case 'data':
      return { frame_type: 'data', raw: { payload_length: frame.length } }
    case 'headers':
      return { frame_type: 'headers', headers: frame.headers.map(field), raw: { payload_length: frame.length } }
    case 'settings':
      return { frame_type: 'settings', settings: frame.settings.map(setting) }
    case 'goaway':
      return { frame_type: 'goaway', id: uint64(frame.id) }
    case 'max_push_id':
      return { frame_type: 'max_push_id', push_id: uint64(frame.pushId) }
    case 'priority_update':
      return { frame_type: 'priority_update', stream_id: frame.streamId, priority_field_value: frame.value }
    case 'origin':
      return { frame_type: 'origin', origin_entries: frame.origins.map((origin) => ({ origin_len: origin.length, ascii_origin: origin })) }
    default:
      return {
        frame_type: isReserved(frame.frameType) ? 'reserved' : 'unknown',
        frame_type_bytes: frame.frameType,
        raw: { payload_length: frame.length },
      }
  }
}

// h3-events §4.2.2: what is no text in the field's own rules goes as bytes.
function field([name, value]: Header): QlogJson {
  return {
    name: isName(name) ? name : undefined,
    name_bytes: isName(name) ? undefined : hex(name),
    value: isFieldValue(value) ? value : undefined,
    value_bytes: isFieldValue(value) ? undefined : hex(value),
  }
}

function isName(name: string): boolean {
  return isFieldName(name.charCodeAt(0) === 0x3a ? name.slice(1) : name)
}

function setting([id, value]: Setting): QlogJson {
  const name = SETTING_NAMES.get(id)
  if (name !== undefined) return { name, value: uint64(value) }
  if (isReserved(id)) return { name: 'reserved', value: uint64(value) }
  return { name: 'unknown', name_bytes: uint64(id), value: uint64(value) }
}

/** RFC 9114 §6.2.3, §7.2.4.1, §7.2.8: 0x1f * N + 0x21. */
function isReserved(value: WireValue): boolean {
  return typeof value === 'bigint' ? (value - 0x21n) % 0x1fn === 0n : value >= 0x21 && (value - 0x21) % 0x1f === 0
}

/** main-schema §11.3: a uint64 that a JSON number cannot hold may be a string. */
function uint64(value: WireValue): number | string {
  return typeof value === 'bigint' ? value.toString() : value
}

function hex(text: string): string {
  let digits = ''
  for (let i = 0; i < text.length; i += 1) digits += (text.charCodeAt(i) & 0xff).toString(16).padStart(2, '0')
  return digits
}
