import type { WireValue } from '@quicwire/quic/varint'
import { H3ErrorCode, H3StateError, connectionError } from '../errors.ts'
import type { RequestRegistry } from '../streams/request-registry.ts'
import type { RequestStream } from '../streams/request-stream.ts'

/** The largest request stream id, 2^62 - 4: a server's GOAWAY that refuses nothing yet (RFC 9114 §5.2). */
export const MAX_GOAWAY_ID: bigint = 2n ** 62n - 4n

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

  /**
   * Checks and records what we are about to send, in `sent`. The requests that it refuses and the application has not heard of are
   * returned.
   */
  onSend(id: WireValue | undefined, requests: RequestRegistry): readonly RequestStream[] {
    let value = id ?? 0
    if (this.isServer) {
      value = id ?? (this.sent !== null && this.sent < requests.next ? this.sent : requests.next)
      if (!isRequestId(value)) throw new H3StateError('H3_INVALID_ID', `GOAWAY id ${value} is not a request stream id`)
      // RFC 9114 §4.1.1: what has been processed MUST NOT be called rejected.
      if (value <= requests.handedOver) {
        const reason = `request ${requests.handedOver} has been handed over; leave the id out or take a higher one`
        throw new H3StateError('H3_INVALID_ID', `GOAWAY id ${value}: ${reason}`)
      }
    }
    if (this.sent !== null && value > this.sent) {
      throw new H3StateError('H3_INVALID_ID', `GOAWAY id ${value} is above ${this.sent}, sent before`)
    }
    this.sent = value
    return this.isServer ? requests.from(value) : []
  }

  /** Whether a request that arrives now has been refused already. */
  refuses(streamId: number): boolean {
    return this.isServer && this.sent !== null && streamId >= this.sent
  }
}

function isRequestId(id: WireValue): boolean {
  return typeof id === 'number' ? id >= 0 && id % 4 === 0 : id % 4n === 0n
}
