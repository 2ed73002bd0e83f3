// Packet number truncation and recovery (RFC 9000 §17.1, Appendix A.2 and A.3) on numbers up to 2^53 − 1.

import { invariant } from '../base/assert.ts'

/** Bytes (1 to 4) to encode `packetNumber` in, given the largest acknowledged one (-1: none yet). */
export function packetNumberLength(packetNumber: number, largestAcked: number): 1 | 2 | 3 | 4 {
  // RFC 9000 §A.2: num_unacked counts the new packet; one bit more than its logarithm. -1 gives packetNumber + 1.
  const unacked = packetNumber - largestAcked
  if (unacked <= 0x80) return 1
  if (unacked <= 0x8000) return 2
  if (unacked <= 0x80_0000) return 3
  invariant(unacked <= 0x8000_0000, 'more packets unacknowledged than a packet number can tell apart')
  return 4
}

/** Numbers that a packet number of so many bytes can tell apart. */
const WINDOWS: readonly number[] = [0, 0x100, 0x1_0000, 0x100_0000, 0x1_0000_0000]

/** The full packet number closest to the next expected one (RFC 9000 §A.3). `largestReceived` is -1 before the first packet. */
export function expandPacketNumber(truncated: number, length: number, largestReceived: number): number {
  const window = WINDOWS[length]!
  const half = window / 2
  const expected = largestReceived + 1
  const candidate = expected - (expected % window) + truncated
  if (candidate <= expected - half && candidate + window <= Number.MAX_SAFE_INTEGER) return candidate + window
  if (candidate > expected + half && candidate >= window) return candidate - window
  return candidate
}
