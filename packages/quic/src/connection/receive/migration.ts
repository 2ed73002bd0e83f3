// When an authenticated packet from another address moves the connection there (RFC 9000 §9.3). What a move means for the
// paths is the business of path/paths.ts.

import type { Path } from '../../path/path.ts'
import type { PathAddress } from '../../path/path-address.ts'
import type { ConnectionCore } from '../core.ts'
import { followDatagramSize } from '../datagram-size.ts'
import { probeTimeout } from '../probe-timeout.ts'

/** RFC 9000 §8.1: the datagram that opens a path is the first to count there. */
export function openPath(core: Pick<ConnectionCore, 'paths'>, datagramSize: number, address: PathAddress): Path | null {
  const path = core.paths.open(address)
  path?.onDatagramReceived(datagramSize)
  return path
}

/** RFC 9000 §9.3: only the newest non-probing packet moves a connection, and only one with a confirmed handshake (§9). */
export function followPeer(core: ConnectionCore, path: Path, newest: boolean, now: number): void {
  if (path === core.paths.active || !newest || core.receiving.probingOnly) return
  if (core.role === 'client' || core.lifecycle.state !== 'confirmed') return
  core.paths.migrate(path, now, probeTimeout(core, path))
  followDatagramSize(core)
  core.stats.pathChanges += 1
  core.events.push({ kind: 'path-changed', remote: path.address.remote })
}
