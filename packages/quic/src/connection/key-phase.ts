// The timing of key updates (RFC 9001 §6): when we start one, how long the next has to wait, and when the previous read keys
// are forgotten. Following the peer's update, and the keys themselves, are the business of crypto/one-rtt-keys.ts.

import { OpenResult } from '../crypto/one-rtt-keys.ts'
import type { OneRttKeys } from '../crypto/one-rtt-keys.ts'
import { FrameType, TransportErrorCode } from '../wire/constants.ts'
import { TransportError } from '../wire/transport-error.ts'

export class KeyPhase {
  private readGeneration: number
  private discardAt: number
  /** RFC 9001 §6.5: no update before this. */
  private quietUntil: number
  private requested: boolean

  constructor() {
    this.readGeneration = 0
    this.discardAt = Infinity
    this.quietUntil = 0
    this.requested = false
  }

  request(): void {
    this.requested = true
  }

  /** RFC 9001 §6.2: an ACK in old keys for a packet in new ones is KEY_UPDATE_ERROR. */
  onAcked(keys: OneRttKeys, largestAcknowledged: number): void {
    if (keys.onAcked(largestAcknowledged) === OpenResult.keyUpdateError) {
      throw new TransportError(TransportErrorCode.keyUpdateError, FrameType.ack, 'acknowledged new keys with old ones (RFC 9001 §6.2)')
    }
  }

  /** After packets were opened. `pto` in milliseconds. Returns true when the peer's update was followed. */
  onOpened(keys: OneRttKeys, now: number, pto: number): boolean {
    if (keys.readGeneration === this.readGeneration) return false
    this.readGeneration = keys.readGeneration
    this.discardAt = now + 3 * pto
    this.quietUntil = now + 3 * pto
    return true
  }

  /** Before packets are sealed. Returns true when an update was started here. */
  beforeSealing(keys: OneRttKeys, confirmed: boolean, now: number): boolean {
    if (now >= this.discardAt) {
      keys.discardPrevious()
      this.discardAt = Infinity
    }
    if (!confirmed || now < this.quietUntil || !(this.requested || keys.wantsUpdate())) return false
    if (!keys.initiateUpdate()) return false
    this.requested = false
    return true
  }
}
