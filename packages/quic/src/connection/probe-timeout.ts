// One probe timeout without backoff (RFC 9002 §6.2.1), as the unit other periods are counted in: idle, closing, draining,
// key discard, path validation. The delay that counts is the one the peer may add to its acknowledgments.

import type { Path } from '../path/path.ts'
import type { ConnectionCore } from './core.ts'

/** RFC 9000 §18.2: what the peer's max_ack_delay is until its parameters are known. Milliseconds. */
const DEFAULT_MAX_ACK_DELAY = 25

/** Milliseconds. */
export function probeTimeout(core: Pick<ConnectionCore, 'handshake'>, path: Path): number {
  return path.rtt.pto(core.handshake.peerParameters?.maxAckDelay ?? DEFAULT_MAX_ACK_DELAY)
}
