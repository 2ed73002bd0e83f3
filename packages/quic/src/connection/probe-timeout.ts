// One probe timeout without backoff (RFC 9002 §6.2.1), as the unit other periods are counted in: idle, closing, draining,
// key discard, path validation. The delay that counts is the one the peer may add to its acknowledgments.

import type { Path } from '../path/path.ts'
import type { ConnectionCore } from './core.ts'

/** Milliseconds. */
export function probeTimeout(core: Pick<ConnectionCore, 'ackFrequency'>, path: Path): number {
  return path.rtt.pto(core.ackFrequency.maxAckDelay)
}
