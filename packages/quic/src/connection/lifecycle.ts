// The life of a connection as one machine (RFC 9000 §10, RFC 9001 §4.1):
//
//   handshaking → established → confirmed ──┬─→ closing  ─┬─→ closed
//        └──────────────┴───────────────────┴─→ draining ─┘
//
// closing: we sent CONNECTION_CLOSE and repeat it on demand; draining: the peer sent it and nothing is sent any more.

import type { CloseReason } from './close-reason.ts'

export type LifecycleState = 'handshaking' | 'established' | 'confirmed' | 'closing' | 'draining' | 'closed'

export class Lifecycle {
  state: LifecycleState
  reason: CloseReason | null
  /** When closing or draining ends, Infinity before. */
  deadline: number
  /** A CONNECTION_CLOSE is due on the wire. */
  closeDue: boolean
  private received: number
  /** Bytes the last CONNECTION_CLOSE took, and bytes that may still be answered with it. */
  private closeSize: number
  private credit: number
  private answerAfter: number

  constructor() {
    this.state = 'handshaking'
    this.reason = null
    this.deadline = Infinity
    this.closeDue = false
    this.received = 0
    this.closeSize = 0
    this.credit = 0
    this.answerAfter = 1
  }

  /** Packets are processed and frames are sent. */
  isOpen(): boolean {
    return this.state === 'handshaking' || this.state === 'established' || this.state === 'confirmed'
  }

  isEstablished(): boolean {
    return this.state === 'established' || this.state === 'confirmed'
  }

  onEstablished(): void {
    if (this.state === 'handshaking') this.state = 'established'
  }

  onConfirmed(): void {
    if (this.state === 'handshaking' || this.state === 'established') this.state = 'confirmed'
  }

  /** Returns false when the connection is on its way out already. `drainFor`: three times the PTO (RFC 9000 §10.2). */
  close(reason: CloseReason, now: number, drainFor: number): boolean {
    if (!this.isOpen()) return false
    this.state = 'closing'
    this.reason = reason
    this.closeDue = true
    this.deadline = now + drainFor
    return true
  }

  drain(reason: CloseReason, now: number, drainFor: number): boolean {
    if (this.state === 'draining' || this.state === 'closed') return false
    const first = this.reason === null
    if (first) this.reason = reason
    this.state = 'draining'
    this.closeDue = false
    this.deadline = Math.min(this.deadline, now + drainFor)
    return first
  }

  /** Ends at once and without a word: idle timeout, stateless reset, failed version negotiation. */
  end(reason: CloseReason): boolean {
    if (this.state === 'closed') return false
    const first = this.reason === null
    if (first) this.reason = reason
    this.state = 'closed'
    this.deadline = Infinity
    this.closeDue = false
    return first
  }

  /**
   * RFC 9000 §10.2.1: answer packets that arrive while closing, ever more rarely. They are not opened, so whoever forges them must not
   * get more than three times their bytes.
   */
  onPacketWhileClosing(size: number): void {
    this.received += 1
    this.credit += 3 * size
    if (this.received >= this.answerAfter && this.credit >= this.closeSize) {
      this.received = 0
      this.answerAfter *= 2
      this.closeDue = true
    }
  }

  /** CONNECTION_CLOSE went out in a datagram of this size. The first answers nothing and is not limited. */
  onCloseSent(size: number): void {
    this.closeSize = size
    this.credit = Math.max(0, this.credit - size)
  }

  onTimeout(now: number): void {
    if (now >= this.deadline) {
      this.state = 'closed'
      this.deadline = Infinity
      this.closeDue = false
    }
  }
}
