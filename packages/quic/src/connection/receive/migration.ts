// Packets from other addresses (RFC 9000 §9.3): when a server opens a path for them, and when one of them moves the connection.
// What a move means for the paths is the business of path/paths.ts.

import type { Path } from '../../path/path.ts'
import { PathValidationState } from '../../path/path-validation.ts'
import type { PathAddress } from '../../path/path-address.ts'
import type { ConnectionCore } from '../core.ts'
import { moveTo } from '../migration.ts'
import { probeTimeout } from '../probe-timeout.ts'

/** RFC 9000 §8.1: the datagram that opens a path is the first to count there. Null: the packet is to be dropped. */
export function openPath(core: ConnectionCore, datagramSize: number, address: PathAddress, now: number): Path | null {
  // RFC 9000 §9: "If a client receives packets from an unknown server address, the client MUST discard these packets."
  if (core.role === 'client') return null
  const { paths } = core
  const known = paths.receivingOn(core.receiving.header.destination())
  if (!core.migration.admits(address, known !== null)) return null
  // In the handshake connection IDs change without any migration.
  const origin = known ?? (core.lifecycle.state === 'confirmed' ? null : paths.active)
  const path = paths.open(address, origin, now)
  path?.onDatagramReceived(datagramSize)
  return path
}

/** RFC 9000 §9.3: only the newest non-probing packet moves a connection, and only one with a confirmed handshake (§9). */
export function followPeer(core: ConnectionCore, path: Path, newest: boolean, now: number): void {
  if (core.role === 'client') return
  const { paths } = core
  const { header } = core.receiving
  path.noteDestination(header.buffer, header.destinationStart, header.destinationLength)
  if (path === paths.active && paths.wanted === null) return
  if (core.lifecycle.state !== 'confirmed') return
  // RFC 9000 §9, §9.6.3: any change of the peer's address is validated, be it only probed.
  if (path !== paths.active && path.validation.state === PathValidationState.none) paths.validate(path, now, probeTimeout(core, path))
  if (newest && !core.receiving.probingOnly) paths.wanted = path === paths.active ? null : path
  const { wanted } = paths
  if (wanted !== null && paths.isReady(wanted)) moveTo(core, wanted, now)
}
