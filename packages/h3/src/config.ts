import { DEFAULT_ENCODER_BLOCKED_STREAMS, DEFAULT_ENCODER_TABLE_CAPACITY } from '@quicwire/qpack'
import type { WireValue } from '@quicwire/quic/varint'
import type { H3TraceSink } from './trace/sink.ts'

/** Settings of one HTTP/3 connection. Every member is optional; the defaults are in `defaultConfig`. */
export interface H3Config {
  /** Largest field section accepted, in bytes as RFC 9114 §4.2.2 counts them. Default 32768. */
  readonly maxFieldSectionSize?: number | undefined
  /** SETTINGS_QPACK_MAX_TABLE_CAPACITY, bytes: the dynamic table the peer may fill here. 0: none. Default 16384. */
  readonly qpackMaxTableCapacity?: number | undefined
  /** SETTINGS_QPACK_BLOCKED_STREAMS: requests that may wait for the peer's encoder stream. Default 100. */
  readonly qpackBlockedStreams?: number | undefined
  /** Largest dynamic table we fill at the peer, bytes; no more than it offers. 0: none. Default 16384. */
  readonly qpackEncoderTableCapacity?: number | undefined
  /** Most requests we let wait at the peer for our encoder stream; no more than it offers. Default 100. */
  readonly qpackEncoderBlockedStreams?: number | undefined
  /** RFC 9220: a server accepts `:protocol`. Default false. */
  readonly enableConnectProtocol?: boolean | undefined
  /** RFC 9297: HTTP Datagrams; needs max_datagram_frame_size in the transport parameters too. Default false. */
  readonly enableDatagrams?: boolean | undefined
  /** Send reserved settings, frames and a reserved stream so that peers keep tolerating them. Default true. */
  readonly grease?: boolean | undefined
  /** Where reserved values come from. Default: always the same ones. */
  readonly random?: { fill(destination: Uint8Array): void } | undefined
  /** Settings to send besides our own. */
  readonly additionalSettings?: readonly (readonly [id: WireValue, value: WireValue])[] | undefined
  /**
   * Client with 0-RTT: the server's settings of the connection the session ticket is from (`settingsToRemember`). They hold until its
   * SETTINGS arrive, which must not fall short of them (RFC 9114 §7.2.4.2). When the server rejects 0-RTT, call
   * `onEarlyDataRejected`. Default: none.
   */
  readonly rememberedSettings?: readonly (readonly [id: WireValue, value: WireValue])[] | undefined
  /**
   * Client: the initial member of the Origin Set (RFC 8336 §2.3), such as `https://example.com`: https, the SNI, the port unless 443.
   * Default: none.
   */
  readonly initialOrigin?: string | undefined
  /**
   * Give and take HTTP Datagrams whatever request they belong to, also before it is known: the owner associates them and bounds what it
   * keeps. Default false: only extended CONNECT requests have semantics for them (RFC 9297 §2), and what overtakes its request waits
   * here.
   */
  readonly anyDatagrams?: boolean | undefined
  /** Told of settings, streams, frames, priorities and datagrams, see `H3QlogTrace`. Default: nobody. */
  readonly trace?: H3TraceSink | null | undefined
}

export interface ResolvedConfig {
  readonly maxFieldSectionSize: number
  readonly qpackMaxTableCapacity: number
  readonly qpackBlockedStreams: number
  readonly qpackEncoderTableCapacity: number
  readonly qpackEncoderBlockedStreams: number
  readonly enableConnectProtocol: boolean
  readonly enableDatagrams: boolean
  readonly grease: boolean
  readonly random: { fill(destination: Uint8Array): void } | null
  readonly additionalSettings: readonly (readonly [id: WireValue, value: WireValue])[]
  readonly rememberedSettings: readonly (readonly [id: WireValue, value: WireValue])[] | null
  readonly initialOrigin: string | null
  readonly anyDatagrams: boolean
  readonly trace: H3TraceSink | null
}

export const defaultConfig: ResolvedConfig = {
  maxFieldSectionSize: 32768,
  qpackMaxTableCapacity: 16_384,
  qpackBlockedStreams: 100,
  qpackEncoderTableCapacity: DEFAULT_ENCODER_TABLE_CAPACITY,
  qpackEncoderBlockedStreams: DEFAULT_ENCODER_BLOCKED_STREAMS,
  enableConnectProtocol: false,
  enableDatagrams: false,
  grease: true,
  random: null,
  additionalSettings: [],
  rememberedSettings: null,
  initialOrigin: null,
  anyDatagrams: false,
  trace: null,
}

export function resolveConfig(config: H3Config): ResolvedConfig {
  return {
    maxFieldSectionSize: config.maxFieldSectionSize ?? defaultConfig.maxFieldSectionSize,
    qpackMaxTableCapacity: config.qpackMaxTableCapacity ?? defaultConfig.qpackMaxTableCapacity,
    qpackBlockedStreams: config.qpackBlockedStreams ?? defaultConfig.qpackBlockedStreams,
    qpackEncoderTableCapacity: config.qpackEncoderTableCapacity ?? defaultConfig.qpackEncoderTableCapacity,
    qpackEncoderBlockedStreams: config.qpackEncoderBlockedStreams ?? defaultConfig.qpackEncoderBlockedStreams,
    enableConnectProtocol: config.enableConnectProtocol ?? defaultConfig.enableConnectProtocol,
    enableDatagrams: config.enableDatagrams ?? defaultConfig.enableDatagrams,
    grease: config.grease ?? defaultConfig.grease,
    random: config.random ?? defaultConfig.random,
    additionalSettings: config.additionalSettings ?? defaultConfig.additionalSettings,
    rememberedSettings: config.rememberedSettings ?? defaultConfig.rememberedSettings,
    initialOrigin: config.initialOrigin ?? defaultConfig.initialOrigin,
    anyDatagrams: config.anyDatagrams ?? defaultConfig.anyDatagrams,
    trace: config.trace ?? defaultConfig.trace,
  }
}
