// Version Negotiation on a client (RFC 9000 §6.2, RFC 9368 §2.1): it ends the attempt, and says with which version the owner may
// begin another one. A connection never starts over by itself.

import { equalBytes } from '../../base/bytes.ts'
import { decodeSupportedVersions } from '../../wire/version-negotiation.ts'
import { selectVersion, versionName } from '../../wire/version.ts'
import { closedByVersionNegotiation } from '../close-reason.ts'
import type { ConnectionCore } from '../core.ts'
import { endSilently } from '../ending.ts'

export function onVersionNegotiation(core: ConnectionCore, now: number): void {
  const { header } = core.receiving
  const { versions } = core
  // RFC 9368 §4: an attempt that follows Version Negotiation "MUST ignore any Version Negotiation packets it receives".
  if (versions.afterNegotiation) return
  // RFC 9000 §6.2, §17.2.1: it must echo our connection IDs, and must not list the version we chose.
  if (!equalBytes(header.source(), core.handshake.originalDestinationConnectionId)) return
  if (!equalBytes(header.destination(), core.addressing.source)) return
  const offered = decodeSupportedVersions(header)
  if (offered.length === 0 || offered.includes(versions.original)) return
  core.trace?.versionInformation(now, versions.supported, offered, 0)
  const suggested = selectVersion(versions.supported, offered)
  endSilently(core, closedByVersionNegotiation(offered.map(versionName), { offered, suggested: suggested === 0 ? null : suggested }), now)
}
