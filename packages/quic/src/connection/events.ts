// What a connection tells its owner, drained with poll() until null.

import type { DatagramOutcome } from '../datagram/queue.ts'
import type { StreamEvent } from '../stream/stream-events.ts'
import type { TlsNeed } from '../tls/events.ts'
import type { CloseReason } from './close-reason.ts'

export type ConnectionEvent =
  /** The handshake is complete: application data may flow (RFC 9001 §4.1.1). */
  | { readonly kind: 'established' }
  /**
   * The server's answer to the early data this client offered; on a server, its own answer. Comes before `established`, and only where
   * early data was offered. Rejected with `streamsKept`: what was written to streams is sent again in 1-RTT packets, by itself, and
   * DATAGRAMs are lost. Rejected without: the server chose another application protocol; all streams are gone without further events,
   * and the IDs of new ones start over.
   */
  | { readonly kind: 'early-data'; readonly accepted: boolean; readonly streamsKept: boolean }
  /** The handshake is confirmed (RFC 9001 §4.1.2). */
  | { readonly kind: 'confirmed' }
  | StreamEvent
  /** At least one DATAGRAM can be taken with datagramReceive(). */
  | { readonly kind: 'datagram' }
  /** Of a datagram sent with a tag. */
  | DatagramOutcome
  /** Packets to this connection ID belong here from now on. */
  | { readonly kind: 'connection-id-issued'; readonly connectionId: Uint8Array }
  /** The peer will not use this connection ID any more. */
  | { readonly kind: 'connection-id-retired'; readonly connectionId: Uint8Array }
  /** TLS needs an asynchronous answer, given with provide(). */
  | TlsNeed
  /** Clients: the path is being validated (RFC 9000 §8.2), for migrate(), probePath() or the server's preferred address. */
  | { readonly kind: 'path-probing'; readonly local: string; readonly remote: string }
  /** The peer answers on the path, in datagrams of 1200 bytes. */
  | { readonly kind: 'path-validated'; readonly local: string; readonly remote: string }
  /** No answer in time. A client stays where it is; if it is the path in use that failed, a `path-changed` back follows. */
  | { readonly kind: 'path-validation-failed'; readonly local: string; readonly remote: string }
  /** Data takes another path from now on: this side migrated or followed its peer (RFC 9000 §9). */
  | { readonly kind: 'path-changed'; readonly local: string; readonly remote: string }
  /** Exactly once, whatever ended the connection. */
  | { readonly kind: 'closed'; readonly reason: CloseReason }
