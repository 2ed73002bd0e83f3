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
  private answerAfter: number

  constructor() {
    this.state = 'handshaking'
    this.reason = null
    this.deadline = Infinity
    this.closeDue = false
    this.received = 0
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

  /** RFC 9000 §10.2.1: answer packets that arrive while closing, ever more rarely. */
  onPacketWhileClosing(): void {
    this.received += 1
    if (this.received >= this.answerAfter) {
      this.received = 0
      this.answerAfter *= 2
      this.closeDue = true
    }
  }

  onTimeout(now: number): void {
    if (now >= this.deadline) {
      this.state = 'closed'
      this.deadline = Infinity
      this.closeDue = false
    }
  }
}
