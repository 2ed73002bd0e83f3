// Idle timeout and keep-alive (RFC 9000 §10.1): the smaller of both sides' max_idle_timeout, never below three PTOs,
// restarted by every authenticated packet and by the first ack-eliciting packet sent after one.

export class IdleTimer {
  /** Milliseconds; 0 means no timeout. */
  private timeout: number
  private startedAt: number
  private sentSinceReceive: boolean

  constructor(localTimeout: number, now: number) {
    this.timeout = localTimeout
    this.startedAt = now
    this.sentSinceReceive = false
  }

  onPeerTimeout(peerTimeout: number): void {
    if (peerTimeout === 0) return
    this.timeout = this.timeout === 0 ? peerTimeout : Math.min(this.timeout, peerTimeout)
  }

  onReceived(now: number): void {
    this.startedAt = now
    this.sentSinceReceive = false
  }

  onAckElicitingSent(now: number): void {
    if (this.sentSinceReceive) return
    this.sentSinceReceive = true
    this.startedAt = now
  }

  deadline(pto: number): number {
    return this.timeout === 0 ? Infinity : this.startedAt + Math.max(this.timeout, 3 * pto)
  }
}
