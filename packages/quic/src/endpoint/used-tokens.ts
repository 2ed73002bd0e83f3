// Which NEW_TOKEN tokens have been spent (RFC 9000 §8.1.4: replay "is prevented or limited"), in memory that never grows: one
// Bloom filter per period of a token's lifetime, and two periods cover every token that is still valid. A filter errs towards
// "spent", which only costs its owner the shortcut; it never calls a spent token fresh. Per machine: machines do not tell each other.

import { invariant } from '../base/assert.ts'

/** Bits of one filter, a power of two. 64 KiB each: at 50 000 tokens in a period one in 100 fresh ones is taken for spent. */
const BITS = 2 ** 19

/** Probes per token. The first 16 bytes of a sealed token are random and authenticated, hence their own hash. */
const PROBES = 4
const HASH_LENGTH = 4 * PROBES

export class UsedTokens {
  private readonly period: number
  /** Number of the period `current` is for; `previous` is for the one before. */
  private epoch: number
  private current: Uint32Array | null
  private previous: Uint32Array | null

  /** `lifetime` of a token in milliseconds. */
  constructor(lifetime: number) {
    this.period = Math.max(1, lifetime)
    this.epoch = -Infinity
    // Made with the first token: most endpoints never see one.
    this.current = null
    this.previous = null
  }

  has(token: Uint8Array, issuedAt: number): boolean {
    const epoch = Math.floor(issuedAt / this.period)
    if (epoch > this.epoch) return false
    // Older than two periods: nothing is known any more, and nothing so old is valid.
    if (epoch < this.epoch - 1) return true
    const filter = epoch === this.epoch ? this.current : this.previous
    if (filter === null) return false
    for (let i = 0; i < PROBES; i += 1) {
      const bit = probe(token, i)
      if ((filter[bit >>> 5]! & (1 << (bit & 31))) === 0) return false
    }
    return true
  }

  add(token: Uint8Array, issuedAt: number): void {
    const epoch = Math.floor(issuedAt / this.period)
    if (epoch > this.epoch) {
      this.previous = epoch === this.epoch + 1 ? this.current : null
      this.current = null
      this.epoch = epoch
    }
    if (epoch < this.epoch - 1) return
    const filter = epoch === this.epoch ? (this.current ??= new Uint32Array(BITS / 32)) : (this.previous ??= new Uint32Array(BITS / 32))
    for (let i = 0; i < PROBES; i += 1) {
      const bit = probe(token, i)
      filter[bit >>> 5]! |= 1 << (bit & 31)
    }
  }
}

function probe(token: Uint8Array, index: number): number {
  invariant(token.length >= HASH_LENGTH, 'a sealed token is longer than its salt')
  const at = index * 4
  return ((token[at]! << 24) | (token[at + 1]! << 16) | (token[at + 2]! << 8) | token[at + 3]!) & (BITS - 1)
}
