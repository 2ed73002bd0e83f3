// Version Negotiation on a client (RFC 9000 §6.2): with a single version to offer, a genuine answer ends the attempt.

import { equalBytes } from '../../base/bytes.ts'
import { decodeSupportedVersions } from '../../wire/version-negotiation.ts'
import { closedSilently } from '../close-reason.ts'
import type { ConnectionCore } from '../core.ts'
import { endSilently } from '../ending.ts'

export function onVersionNegotiation(core: ConnectionCore, now: number): void {
  const { header } = core.receiving
  // RFC 9000 §6.2, §17.2.1: it must echo our connection IDs, and must not list the version we chose.
  if (!equalBytes(header.source(), core.handshake.originalDestinationConnectionId)) return
  if (!equalBytes(header.destination(), core.addressing.source)) return
  const versions = decodeSupportedVersions(header)
  if (versions.length === 0 || versions.includes(core.handshake.version)) return
  const offered = versions.map((version) => `0x${version.toString(16).padStart(8, '0')}`).join(', ')
  endSilently(core, closedSilently('version-negotiation', `no common QUIC version; the server offers ${offered}`), now)
}
