// Retry on a client (RFC 9000 §17.2.5.2): once, only before anything else arrived, only with a good integrity tag; then
// a new destination connection ID, new Initial keys, the token, and the first flight again.

import { copyBytes, equalBytes } from '../../base/bytes.ts'
import { isRetryAuthentic } from '../../crypto/retry-integrity.ts'
import { resendEarlyData } from './early-packets.ts'
import { installInitialKeys } from './initial-keys-install.ts'
import type { ConnectionCore } from '../core.ts'
import { forgetInitialFlight } from './discard-space.ts'

export function onRetry(core: ConnectionCore, now: number): void {
  const { handshake, receiving } = core
  const { header } = receiving
  if (handshake.peerInitialSourceConnectionId !== null || handshake.retrySourceConnectionId !== null) return
  const token = header.token()
  // RFC 9000 §17.2.5.2: "A client MUST discard a Retry packet with a zero-length Retry Token field."
  if (token.length === 0) return
  const packet = header.buffer.subarray(header.start, header.packetEnd)
  if (!isRetryAuthentic(core.provider, handshake.version, handshake.originalDestinationConnectionId, packet)) return
  // RFC 9000 §17.2.5.1: nor one with "a Source Connection ID field that is identical to the Destination Connection ID field".
  if (equalBytes(header.source(), handshake.originalDestinationConnectionId)) return
  const source = copyBytes(header.source())
  handshake.retrySourceConnectionId = source
  handshake.token = copyBytes(token)
  core.remoteIds.setInitial(source)
  installInitialKeys(core, source)
  forgetInitialFlight(core, now)
  resendEarlyData(core)
  core.idle.onReceived(now)
}
