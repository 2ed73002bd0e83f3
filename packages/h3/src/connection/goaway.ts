import type { WireValue } from '@quicwire/quic/varint'
import { H3ErrorCode, H3StateError, connectionError } from '../errors.ts'

/** GOAWAY both ways (RFC 9114 §5.2): identifiers only ever go down. */
export class Goaway {
  /** What we sent last; null when nothing. */
  sent: WireValue | null
  /** What the peer sent last; null when nothing. */
  received: WireValue | null
  private readonly isServer: boolean

  constructor(isServer: boolean) {
    this.sent = null
    this.received = null
    this.isServer = isServer
  }

  onReceived(id: WireValue): void {
    // RFC 9114 §7.2.6: a client MUST treat an id that is not a request's as H3_ID_ERROR.
    if (!this.isServer && !isRequestId(id)) throw connectionError(H3ErrorCode.idError, `GOAWAY with stream id ${id} (RFC 9114 §7.2.6)`)
    if (this.received !== null && id > this.received) {
      throw connectionError(H3ErrorCode.idError, `GOAWAY goes up from ${this.received} to ${id} (RFC 9114 §5.2)`)
    }
    this.received = id
  }

  /** Checks and records what we are about to send. */
  onSend(id: WireValue): void {
    if (this.isServer && !isRequestId(id)) throw new H3StateError('H3_INVALID_ID', `GOAWAY id ${id} is not a request stream id`)
    if (this.sent !== null && id > this.sent) throw new H3StateError('H3_INVALID_ID', `GOAWAY id ${id} is above ${this.sent}, sent before`)
    this.sent = id
  }

  /** Whether a request that arrives now has been refused already. */
  refuses(streamId: number): boolean {
    return this.isServer && this.sent !== null && streamId >= this.sent
  }
}

function isRequestId(id: WireValue): boolean {
  return typeof id === 'number' ? id >= 0 && id % 4 === 0 : id % 4n === 0n
}
