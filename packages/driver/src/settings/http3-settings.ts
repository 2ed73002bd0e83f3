// HTTP/3 settings of one driver. Everything is optional.

import type { H3Config } from '@quicwire/h3'
import { FLOW_CAPACITY, defaultStreamCapacity } from './stream-capacity.ts'

export interface Http3Settings {
  /** Server: requests taken on one connection. At the limit GOAWAY is sent; what is under way finishes. Default: no limit. */
  readonly maxRequestsPerConnection?: number | undefined
  /** SETTINGS_MAX_FIELD_SECTION_SIZE, bytes as RFC 9114 §4.2.2 counts them. Default 32 768. */
  readonly maxHeaderListSize?: number | undefined
  /** SETTINGS_QPACK_MAX_TABLE_CAPACITY, bytes. 0: no dynamic table for the peer to fill. Default 16 384. */
  readonly qpackMaxTableCapacity?: number | undefined
  /** SETTINGS_QPACK_BLOCKED_STREAMS. Default 100. */
  readonly qpackBlockedStreams?: number | undefined
  /** Server: milliseconds from the start of the handshake to the first request. Default: no limit. */
  readonly postAcceptTimeout?: number | undefined
  /** SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 9220); on a server it also permits datagram flows. Default false. */
  readonly enableExtendedConnect?: boolean | undefined
  /** SETTINGS_H3_DATAGRAM (RFC 9297). Needs QUIC datagrams. Default: as enableExtendedConnect. */
  readonly enableDatagrams?: boolean | undefined
  /** Upper bound of one inbound body chunk, bytes; 0 means the default, 16 384. */
  readonly maxRecvBodyBufSize?: number | undefined
  /** Frames each of a stream's two channels holds. Default 16, or QUICWIRE_STREAM_CAPACITY. */
  readonly streamCapacity?: number | undefined
  /** Datagrams a flow's channel, and the outbound channel of all flows, hold. Default 2048. */
  readonly flowCapacity?: number | undefined
  /** Flows the peer may open by sending datagrams for streams that do not exist. Default 16. */
  readonly maxAutonomousFlows?: number | undefined
  /** Requests a client may have waiting for stream credit. Default 1024. */
  readonly maxQueuedRequests?: number | undefined
  /** Send reserved settings, frames and a reserved stream. Default true. */
  readonly grease?: boolean | undefined
  /** Server: origins to offer this connection for as well, such as `https://example.com` (ORIGIN, RFC 9412). Default: none, and no frame. */
  readonly origins?: readonly string[] | undefined
  /**
   * Client: the first member of the Origin Set (RFC 8336 §2.3), such as `https://example.com`: https, the SNI, the port unless 443. Default: none, and
   * the set holds what the server names.
   */
  readonly initialOrigin?: string | undefined
  /** Further settings to send. */
  readonly additionalSettings?: H3Config['additionalSettings']
}

export const DEFAULT_MAX_RECV_BODY_BUF_SIZE = 16_384

export interface ResolvedHttp3Settings {
  readonly maxRequestsPerConnection: number
  readonly postAcceptTimeout: number
  readonly enableExtendedConnect: boolean
  readonly enableDatagrams: boolean
  readonly maxRecvBodyBufSize: number
  readonly streamCapacity: number
  readonly flowCapacity: number
  readonly maxAutonomousFlows: number
  readonly maxQueuedRequests: number
  readonly origins: readonly string[]
  readonly h3: H3Config
}

export function resolveHttp3Settings(settings: Http3Settings): ResolvedHttp3Settings {
  const enableDatagrams = settings.enableDatagrams ?? settings.enableExtendedConnect ?? false
  return {
    maxRequestsPerConnection: settings.maxRequestsPerConnection ?? Infinity,
    postAcceptTimeout: settings.postAcceptTimeout ?? Infinity,
    enableExtendedConnect: settings.enableExtendedConnect ?? false,
    enableDatagrams,
    maxRecvBodyBufSize: settings.maxRecvBodyBufSize || DEFAULT_MAX_RECV_BODY_BUF_SIZE,
    streamCapacity: settings.streamCapacity ?? defaultStreamCapacity(),
    flowCapacity: settings.flowCapacity ?? FLOW_CAPACITY,
    maxAutonomousFlows: settings.maxAutonomousFlows ?? 16,
    maxQueuedRequests: settings.maxQueuedRequests ?? 1024,
    origins: settings.origins ?? [],
    h3: {
      maxFieldSectionSize: settings.maxHeaderListSize,
      qpackMaxTableCapacity: settings.qpackMaxTableCapacity,
      qpackBlockedStreams: settings.qpackBlockedStreams,
      enableConnectProtocol: settings.enableExtendedConnect,
      enableDatagrams,
      // Flows are the driver's: it associates datagrams, also those of draft requests and of none, and bounds what waits.
      anyDatagrams: true,
      grease: settings.grease,
      random: { fill: (destination) => crypto.getRandomValues(destination as Uint8Array<ArrayBuffer>) },
      additionalSettings: settings.additionalSettings,
      initialOrigin: settings.initialOrigin,
    },
  }
}
