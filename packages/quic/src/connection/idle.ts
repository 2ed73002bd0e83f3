// Idle timeout and keep-alive (RFC 9000 §10.1): the smaller of both sides' max_idle_timeout, never below three PTOs,
// restarted by every authenticated packet and by the first ack-eliciting packet sent after one.

export class IdleTimer {
  /** Milliseconds; 0 means no timeout. */
  private timeout: number
  /** Milliseconds of silence after which a PING is due; Infinity for never. */
  private readonly keepAliveInterval: number
  private startedAt: number
  private sentSinceReceive: boolean
  private receivedAt: number
  private keptAlive: boolean

  /** Milliseconds; 0 for no timeout and no keep-alive. */
  constructor(localTimeout: number, keepAliveInterval: number, now: number) {
    this.timeout = localTimeout
    this.keepAliveInterval = keepAliveInterval === 0 ? Infinity : keepAliveInterval
    this.startedAt = now
    this.sentSinceReceive = false
    this.receivedAt = now
    this.keptAlive = false
  }

  onPeerTimeout(peerTimeout: number): void {
    if (peerTimeout === 0) return
    this.timeout = this.timeout === 0 ? peerTimeout : Math.min(this.timeout, peerTimeout)
  }

  onReceived(now: number): void {
    this.startedAt = now
    this.sentSinceReceive = false
    this.receivedAt = now
    this.keptAlive = false
  }

  onAckElicitingSent(now: number): void {
    if (this.sentSinceReceive) return
    this.sentSinceReceive = true
    this.startedAt = now
  }

  /** Half of the timeout after the last sign of life: time for one, where the connection is not to end. Infinity without a timeout. */
  halfTime(): number {
    return this.timeout === 0 ? Infinity : this.startedAt + this.timeout / 2
  }

  deadline(pto: number): number {
    return this.timeout === 0 ? Infinity : this.startedAt + Math.max(this.timeout, 3 * pto)
  }

  /** RFC 9000 §10.1.2: when a PING is due. One per silence: until something arrives, it is repeated as any lost packet is. */
  keepAliveAt(): number {
    return this.keptAlive ? Infinity : this.receivedAt + this.keepAliveInterval
  }

  onKeepAlive(): void {
    this.keptAlive = true
  }
}
