// Counters of one stream, shared with the application and readable at any time, also after the stream has gone.

import type { WireValue } from '@quicwire/quic'

/** How a direction ended: not yet, with the connection, or by a FIN. */
export type StreamClosureKind = 'None' | 'Implicit' | 'Explicit'

export class H3AuditStats {
  readonly streamId: number
  /** Body bytes the transport took, framing not counted. */
  downstreamBytesSent: number
  /** Body bytes read, counted before the application gets them. */
  downstreamBytesRecvd: number
  /** Error codes, -1 until there is one. */
  recvdStopSendingErrorCode: WireValue
  recvdResetStreamErrorCode: WireValue
  sentStopSendingErrorCode: WireValue
  /** Not set for the reset that answers STOP_SENDING by itself. */
  sentResetStreamErrorCode: WireValue
  recvdStreamFin: StreamClosureKind
  sentStreamFin: StreamClosureKind
  /** Milliseconds header frames waited for room. */
  headersFlushDuration: number

  constructor(streamId: number) {
    this.streamId = streamId
    this.downstreamBytesSent = 0
    this.downstreamBytesRecvd = 0
    this.recvdStopSendingErrorCode = -1
    this.recvdResetStreamErrorCode = -1
    this.sentStopSendingErrorCode = -1
    this.sentResetStreamErrorCode = -1
    this.recvdStreamFin = 'None'
    this.sentStreamFin = 'None'
    this.headersFlushDuration = 0
  }
}
