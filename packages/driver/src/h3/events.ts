// What a driver tells the application, besides the frames in the streams' own channels. One union per role.

import type { Header } from '@quicwire/h3'
import type { CloseReason, WireValue } from '@quicwire/quic'
import type { ConnectionError } from '../errors.ts'
import type { H3AuditStats } from './audit-stats.ts'
import type { InboundDatagramStream, InboundFrameStream, OutboundDatagramSender, OutboundFrameSender } from './frames.ts'

/** A message whose headers have arrived, with its two channels. */
export interface IncomingH3Headers {
  readonly streamId: number
  readonly headers: readonly Header[]
  /** Those of `headers`, the very tuples, that may not be compressed on any further hop (RFC 9204 §7.1.3). */
  readonly neverIndexed: readonly Header[]
  /** Closed from the start on a request that was sent without a body. */
  readonly send: OutboundFrameSender
  readonly recv: InboundFrameStream
  /** True when nothing follows the headers. `recv` still delivers its final empty Body. */
  readonly readFin: boolean
  readonly h3AuditStats: H3AuditStats
}

export type H3Event =
  /** The peer's SETTINGS in its order, unknown ones included. Once, as soon as they arrive. */
  | { readonly kind: 'IncomingSettings'; readonly settings: readonly (readonly [id: WireValue, value: WireValue])[] }
  /** A new datagram flow. Precedes the headers of the request that made it. */
  | {
      readonly kind: 'NewFlow'
      readonly flowId: number
      readonly send: OutboundDatagramSender
      readonly recv: InboundDatagramStream
      /** Bytes of the largest datagram that can be sent now; 0 when the peers have not agreed on QUIC datagrams. It follows the path's MTU. */
      readonly maxDatagramSize: () => number
    }
  /**
   * The peer reset its half of a stream, or (client) a request will not be processed because of GOAWAY: code H3_REQUEST_REJECTED.
   * `retryable`: the request was not processed and may be sent again on another connection, whatever its method (RFC 9114 §4.1.1).
   */
  | { readonly kind: 'ResetStream'; readonly streamId: number; readonly errorCode: WireValue; readonly retryable: boolean }
  /** The peer does not want what we send (STOP_SENDING); the stream's `send` is closed. */
  | { readonly kind: 'StreamStopped'; readonly streamId: number; readonly errorCode: WireValue }
  /** A rule was broken on one stream, by the peer or by the frames the application sent. Both directions are aborted. */
  | { readonly kind: 'StreamError'; readonly streamId: number; readonly errorCode: WireValue; readonly message: string }
  /** Body bytes went to `recv`; `fin` once, at the end of the message. Unread neighbours of one stream are merged. */
  | { readonly kind: 'BodyBytesReceived'; readonly streamId: number; numBytes: number; readonly fin: boolean }
  /**
   * Client: an ORIGIN frame has come (RFC 9412); all origins that such frames have named so far. Before a request to one of them goes out here,
   * its name has to be in the server's certificate (RFC 8336 §2.4).
   */
  | { readonly kind: 'OriginSet'; readonly origins: readonly string[] }
  /** The peer will take no further requests (client: `id` is the first it did not process). */
  | { readonly kind: 'GoAway'; readonly id: WireValue }
  /** An HTTP/3 error ended the connection. ConnectionShutdown follows. */
  | { readonly kind: 'ConnectionError'; readonly errorCode: WireValue; readonly message: string }
  /** The last event, whatever ended the connection. `error` is null after an orderly local close; a PostAcceptTimeoutError where no request came in time. */
  | { readonly kind: 'ConnectionShutdown'; readonly reason: CloseReason; readonly error: ConnectionError | null }

export type ClientH3Event =
  | H3Event
  /** Headers of a final response. */
  | { readonly kind: 'IncomingHeaders'; readonly incoming: IncomingH3Headers }
  /** A 1xx response; the final one follows. */
  | { readonly kind: 'InformationalHeaders'; readonly streamId: number; readonly headers: readonly Header[] }
  /** The request has its stream and its headers are on their way; the body may still be going out. */
  | { readonly kind: 'NewOutboundRequest'; readonly streamId: number; readonly requestId: number }
  /** This request could not be sent; nothing of it has left. Others are not affected. */
  | { readonly kind: 'RequestFailed'; readonly requestId: number; readonly error: Error }

export type ServerH3Event =
  | H3Event
  | {
      readonly kind: 'Headers'
      readonly incoming: IncomingH3Headers
      /** The Priority Field Value of the last PRIORITY_UPDATE seen so far (RFC 9218 §7), or null. */
      readonly priority: string | null
      /** It came in 0-RTT packets and the handshake is not complete yet: it may be a replay (RFC 8470). */
      readonly isInEarlyData: boolean
    }
  /** The stream has gone; the last event about it. */
  | { readonly kind: 'StreamClosed'; readonly streamId: number }
