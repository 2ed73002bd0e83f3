// Which early-data handshakes a server has seen already: the recording of RFC 9846 §8.2. A register may refuse more than it
// must (when it is full, say), never less: the client then repeats its requests in 1-RTT packets.

import { toHex } from '../../base/bytes.ts'

export interface ReplayRegister {
  /**
   * True the first time an `id` is shown, false for every other until `until` has passed. Times in Unix milliseconds. `id` is
   * the validated binder of the pre-shared key: 32 or 48 bytes.
   */
  claim(id: Uint8Array, now: number, until: number): boolean
}

const DEFAULT_CAPACITY = 65_536

/** The register of one process. When `capacity` claims are alive it refuses further ones. */
export class MemoryReplayRegister implements ReplayRegister {
  readonly #capacity: number
  /** Until when each claim lives, oldest first. */
  readonly #claims: Map<string, number>

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity
    this.#claims = new Map()
  }

  claim(id: Uint8Array, now: number, until: number): boolean {
    // Arrival order is nearly expiry order; a claim that waits behind a longer one only lives a little longer.
    for (const [key, end] of this.#claims) {
      if (end >= now) break
      this.#claims.delete(key)
    }
    const key = toHex(id)
    if (this.#claims.has(key) || this.#claims.size >= this.#capacity) return false
    this.#claims.set(key, until)
    return true
  }

  /** Claims held. */
  get size(): number {
    return this.#claims.size
  }
}
