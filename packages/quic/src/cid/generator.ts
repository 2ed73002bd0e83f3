// Connection IDs this endpoint gives to its peer (RFC 9000 §5.1). A deployment behind a load balancer brings its own generator.

import type { RandomSource } from '../base/random.ts'

export interface ConnectionIdGenerator {
  /** Bytes of every connection ID it makes, 0 to 20. */
  readonly length: number
  generate(): Uint8Array
}

/** Unpredictable connection IDs of one length. */
export class RandomConnectionIdGenerator implements ConnectionIdGenerator {
  readonly length: number
  private readonly random: RandomSource

  constructor(random: RandomSource, length: number) {
    if (!Number.isInteger(length) || length < 0 || length > 20) throw new RangeError('a connection ID has 0 to 20 bytes')
    this.length = length
    this.random = random
  }

  generate(): Uint8Array {
    const connectionId = new Uint8Array(this.length)
    this.random.fill(connectionId)
    return connectionId
  }
}
