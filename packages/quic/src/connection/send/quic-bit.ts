// The second bit of every packet (RFC 9287 §3): set, until the peer has said that it does not mind; random from then on.

import type { RandomSource } from '../../base/random.ts'

const POOL_LENGTH = 32

export class QuicBit {
  private readonly random: RandomSource
  private readonly pool: Uint8Array
  /** Bits taken from the pool; -1: the bit stays set. */
  private taken: number

  constructor(random: RandomSource) {
    this.random = random
    this.pool = new Uint8Array(POOL_LENGTH)
    this.taken = -1
  }

  /** RFC 9287 §3.1: the peer's transport parameters have been processed, and grease_quic_bit was among them. */
  grease(): void {
    if (this.taken < 0) this.taken = POOL_LENGTH * 8
  }

  /** Whether the next packet has the bit set. */
  next(): boolean {
    if (this.taken < 0) return true
    if (this.taken === POOL_LENGTH * 8) {
      this.random.fill(this.pool)
      this.taken = 0
    }
    const bit = (this.pool[this.taken >> 3]! >> (this.taken & 7)) & 1
    this.taken += 1
    return bit === 1
  }
}
