// The listener's say in who may connect, before anything is kept: its limits first, then the application's policy.

import { retryAbove, type IncomingPolicy } from '@quicwire/quic'
import type { Metrics } from '../metrics/metrics.ts'

/** Handshakes in progress from which on, by default, clients have to validate their address first. */
export const DEFAULT_RETRY_ABOVE = 1024

/** `isFull`: the listener can take no more. A policy that throws refuses. */
export function listenerPolicy(policy: IncomingPolicy | undefined, isFull: () => boolean, metrics: Metrics): IncomingPolicy {
  const chosen = policy ?? retryAbove(DEFAULT_RETRY_ABOVE)
  return (incoming) => {
    if (isFull()) {
      metrics.count('rejected_initial_packet_count', 'accept queue overflow')
      return 'refuse'
    }
    try {
      const verdict = chosen(incoming)
      if (verdict !== 'accept') metrics.count('rejected_initial_packet_count', `policy ${verdict}`)
      return verdict
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error), 'QuicwirePolicy')
      metrics.count('rejected_initial_packet_count', 'policy failed')
      return 'refuse'
    }
  }
}
