// The listener's say in who may connect, before anything is kept: its limits first, then the application's policy.

import { retryAbove, type IncomingPolicy } from '@quicwire/quic'

/** Handshakes in progress from which on, by default, clients have to validate their address first. */
export const DEFAULT_RETRY_ABOVE = 1024

/** `isFull`: the listener can take no more. A policy that throws refuses. */
export function listenerPolicy(policy: IncomingPolicy | undefined, isFull: () => boolean): IncomingPolicy {
  const chosen = policy ?? retryAbove(DEFAULT_RETRY_ABOVE)
  return (incoming) => {
    if (isFull()) return 'refuse'
    try {
      return chosen(incoming)
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error), 'QuicwirePolicy')
      return 'refuse'
    }
  }
}
