// What is written into an audit log about one connection. Readable at any time, complete once the connection has ended.

import type { CloseReason, WireValue } from '@quicwire/quic'
import { closedBy } from '../metrics/close-metrics.ts'

export class QuicAuditStats {
  /** Codes of CONNECTION_CLOSE, -1 until there is one. */
  recvdConnCloseTransportErrorCode: WireValue
  recvdConnCloseApplicationErrorCode: WireValue
  sentConnCloseTransportErrorCode: WireValue
  sentConnCloseApplicationErrorCode: WireValue
  /** Milliseconds, -1 until the handshake is complete. */
  transportHandshakeDuration: number
  /** Unix milliseconds: when the attempt began here. On a server, when it was accepted, which is after a Retry. */
  readonly transportHandshakeStart: number
  /** What failed on this side of the connection, such as the application; null when nothing did. */
  connectionCloseReason: unknown
  /** The most the estimator saw, bits per second; 0 before there was an estimate. */
  maxBandwidth: number
  /** The largest share of packets lost, percent. */
  maxLossPct: number
  /** The first connection ID of the server, which both sides know; on a client empty until the handshake is complete. */
  quicConnectionId: Uint8Array

  constructor(transportHandshakeStart: number) {
    this.recvdConnCloseTransportErrorCode = -1
    this.recvdConnCloseApplicationErrorCode = -1
    this.sentConnCloseTransportErrorCode = -1
    this.sentConnCloseApplicationErrorCode = -1
    this.transportHandshakeDuration = -1
    this.transportHandshakeStart = transportHandshakeStart
    this.connectionCloseReason = null
    this.maxBandwidth = 0
    this.maxLossPct = 0
    this.quicConnectionId = new Uint8Array(0)
  }

  onClosed(reason: CloseReason, failure: unknown): void {
    this.connectionCloseReason = failure ?? null
    const by = closedBy(reason)
    if (by === 'peer') {
      if (reason.application) this.recvdConnCloseApplicationErrorCode = reason.code
      else this.recvdConnCloseTransportErrorCode = reason.code
    } else if (by === 'local') {
      if (reason.application) this.sentConnCloseApplicationErrorCode = reason.code
      else this.sentConnCloseTransportErrorCode = reason.code
    }
  }
}
