// A deterministic RandomSource for tests (sfc32). Not cryptographic. The same seed gives the same bytes on every
// machine; fork() gives independent streams, so that drawing more in one place does not shift another.

import type { RandomSource } from '../base/random.ts'

export class SeededRandom implements RandomSource {
  readonly seed: number
  private a: number
  private b: number
  private c: number
  private counter: number

  /** `seed` is taken modulo 2^32. */
  constructor(seed: number) {
    this.seed = seed >>> 0
    this.a = 0x9e3779b9
    this.b = 0x243f6a88
    this.c = this.seed
    this.counter = 1
    // Twelve rounds spread a small seed over the whole state.
    for (let round = 0; round < 12; round++) this.word()
  }

  /** The next 32 bits as an unsigned number. */
  word(): number {
    const result = (this.a + this.b + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + result) | 0
    return result >>> 0
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return this.word() / 0x1_0000_0000
  }

  /** Uniform integer in [0, limit); `limit` at least 1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }

  /** True with the given probability; draws only when the answer is open, so that 0 and 1 leave the stream alone. */
  chance(probability: number): boolean {
    if (probability <= 0) return false
    return probability >= 1 || this.fraction() < probability
  }

  fill(destination: Uint8Array): void {
    for (let index = 0; index < destination.length; index += 4) {
      const word = this.word()
      for (let byte = 0; byte < 4 && index + byte < destination.length; byte++) destination[index + byte] = word >>> (8 * byte)
    }
  }

  /** `length` fresh bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length)
    this.fill(bytes)
    return bytes
  }

  /** An independent stream for one purpose; the same seed and label give the same stream. */
  fork(label: string): SeededRandom {
    // FNV-1a over the label, mixed with the seed.
    let hash = 0x811c9dc5 ^ this.seed
    for (let index = 0; index < label.length; index++) hash = Math.imul(hash ^ label.charCodeAt(index), 0x01000193)
    return new SeededRandom(hash)
  }
}
