/**
 * Anti-amplification budget of one path: RFC 9000 §8.1. Until the peer's address is validated, at most three times the bytes
 * received on the path may be sent. Counts whole UDP payloads, also those that could not be processed.
 */

const AMPLIFICATION_FACTOR = 3

export class AmplificationBudget {
  validated: boolean
  private received: number = 0
  private sent: number = 0

  /** @param validated true where no limit applies from the start: a client, or a server with a valid token */
  constructor(validated: boolean = false) {
    this.validated = validated
  }

  onReceived(bytes: number): void {
    this.received += bytes
  }

  onSent(bytes: number): void {
    this.sent += bytes
  }

  /** True when a datagram of that many bytes may be sent. */
  allows(bytes: number): boolean {
    return this.validated || bytes <= AMPLIFICATION_FACTOR * this.received - this.sent
  }

  /** Bytes that may still be sent, Infinity once validated. */
  remaining(): number {
    return this.validated ? Infinity : Math.max(AMPLIFICATION_FACTOR * this.received - this.sent, 0)
  }

  /** The peer's address is validated: the limit is gone for good. */
  validate(): void {
    this.validated = true
  }
}
