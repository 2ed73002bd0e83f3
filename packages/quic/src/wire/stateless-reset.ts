// Stateless resets (RFC 9000 §10.3): datagrams that look like 1-RTT packets and end in a 16-byte token.

import { invariant } from '../base/assert.ts'
import type { RandomSource } from '../base/random.ts'
import { RESET_TOKEN_LENGTH } from './constants.ts'

/** RFC 9000 §10.3: smallest datagram that can pass for a packet, in bytes. */
export const MIN_STATELESS_RESET = 21

/** A stateless reset of `size` bytes (at least 21; the caller keeps it below the size of what it answers, §10.3.3). */
export function encodeStatelessReset(token: Uint8Array, size: number, random: RandomSource): Uint8Array<ArrayBuffer> {
  invariant(size >= MIN_STATELESS_RESET && token.length === RESET_TOKEN_LENGTH, 'stateless reset of impossible size')
  const datagram = new Uint8Array(size)
  random.fill(datagram)
  datagram[0] = (datagram[0]! & 0x3f) | 0x40
  datagram.set(token, size - RESET_TOKEN_LENGTH)
  return datagram
}
