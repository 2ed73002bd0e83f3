// Moves of a connection (RFC 9000 §9): a client's own, to another local or to the server's preferred address; what a validated or
// failed path means; and what the rest of the connection learns of a new active path. Which packet makes a server follow its
// client is decided in receive/migration.ts, who may go where in path/migration-rules.ts.

import { PathPurpose } from '../path/path.ts'
import type { Path } from '../path/path.ts'
import { samePath } from '../path/path-address.ts'
import type { PathAddress } from '../path/path-address.ts'
import type { MigrationRefusal } from '../path/migration-rules.ts'
import { preferredRemote } from '../path/preferred-address.ts'
import type { PreferredAddress } from '../wire/transport-parameters/table.ts'
import type { ConnectionCore } from './core.ts'
import { followDatagramSize } from './datagram-size.ts'
import type { ConnectionEvent } from './events.ts'
import { MigrationError } from './migration-error.ts'
import { probeTimeout } from './probe-timeout.ts'

/** A client moves to `address` as soon as that is validated. Throws MigrationError. */
export function migrate(core: ConnectionCore, address: PathAddress, now: number): void {
  const { paths, migration } = core
  requireAllowed(core, address)
  // The last call counts; what was to be moved to before is only looked at.
  for (const path of paths.all()) if (path.purpose === PathPurpose.migration) path.purpose = PathPurpose.probe
  if (samePath(paths.active.address, address)) return
  if (migration.followsPreferred && migration.preferred !== '' && !migration.isPreferred(address)) {
    // RFC 9000 §9.6.3: "validation to both the original and preferred server address from the client's new address concurrently".
    validateOwn(core, { ...address, remote: migration.preferred }, PathPurpose.migration, now)
  }
  if (!validateOwn(core, address, PathPurpose.migration, now)) throw new MigrationError('QUIC_MIGRATION_BUSY', address)
}

/** A client validates a path and stays where it is. Throws MigrationError. */
export function probePath(core: ConnectionCore, address: PathAddress, now: number): void {
  requireAllowed(core, address)
  if (!validateOwn(core, address, PathPurpose.probe, now)) throw new MigrationError('QUIC_MIGRATION_BUSY', address)
}

function requireAllowed(core: ConnectionCore, address: PathAddress): void {
  const refusal = refusalOf(core, address)
  if (refusal !== null) throw new MigrationError(refusal, address)
}

function refusalOf(core: ConnectionCore, address: PathAddress): MigrationRefusal | null {
  if (core.role === 'server') return 'QUIC_MIGRATION_SERVER'
  if (!core.lifecycle.isOpen()) return 'QUIC_MIGRATION_CLOSED'
  if (core.lifecycle.state !== 'confirmed') return 'QUIC_MIGRATION_UNCONFIRMED'
  return core.migration.refusal(address, core.paths.active.address.remote, core.remoteIds.isEmpty)
}

/** False: too many paths are open. */
function validateOwn(core: ConnectionCore, address: PathAddress, purpose: PathPurpose, now: number): boolean {
  const { paths } = core
  const path = paths.find(address) ?? paths.open(address, null, now)
  if (path === null) return false
  // RFC 9000 §8.1, §9.1: the limit is for servers; the peer has been validated where it is.
  path.amplification.validate()
  if (path !== paths.active) {
    path.purpose = purpose
    path.expiresAt = Infinity
  }
  paths.validate(path, now, probeTimeout(core, path))
  pushPathEvent(core, 'path-probing', path)
  return true
}

/** The server's preferred_address is known. RFC 9000 §9.6.3: only the family in use. */
export function notePreferredAddress(core: Pick<ConnectionCore, 'migration' | 'paths' | 'remoteIds'>, preferred: PreferredAddress): void {
  core.remoteIds.addPreferred(preferred.connectionId, preferred.statelessResetToken)
  const { remote } = core.paths.active.address
  const wished = preferredRemote(preferred, remote)
  // Who is there already need not go.
  core.migration.preferred = wished === remote ? '' : wished
}

/** RFC 9000 §9.6.1: "Once the handshake is confirmed, the client SHOULD select one of the two addresses". */
export function followPreferredAddress(core: ConnectionCore, now: number): void {
  const { migration, paths } = core
  if (core.role === 'server' || !migration.followsPreferred || migration.preferred === '') return
  const { local } = paths.active.address
  validateOwn(core, { local, remote: migration.preferred }, PathPurpose.migration, now)
}

/** Data goes to `path` from now on. */
export function moveTo(core: ConnectionCore, path: Path, now: number): void {
  const { paths } = core
  const former = paths.active
  paths.moveTo(path, now, probeTimeout(core, path))
  if (core.role === 'server') {
    // RFC 9000 §9.3.3: "In response to an apparent migration, endpoints MUST validate the previously active path".
    if (former.validation.proven && former.hasDestination()) paths.validate(former, now, probeTimeout(core, former))
    if (path.validation.proven) renewToken(core, now)
  } else {
    // RFC 9000 §9: a server sends data where it has seen a non-probing packet. A client that only listens says so, reliably.
    core.sending.pingDue = true
  }
  onOtherPath(core)
}

/** A response has shown that `path` carries QUIC. */
export function onPathValidated(core: ConnectionCore, path: Path, now: number): void {
  const { paths } = core
  if (path === paths.active) {
    paths.settle(now, probeTimeout(core, path))
    pushPathEvent(core, 'path-validated', path)
    if (core.role === 'server') renewToken(core, now)
  } else if (core.role === 'server') {
    if (path === paths.wanted && paths.isReady(path)) {
      pushPathEvent(core, 'path-validated', path)
      moveTo(core, path, now)
    }
  } else {
    onOwnPathValidated(core, path, now)
  }
}

function onOwnPathValidated(core: ConnectionCore, path: Path, now: number): void {
  const { paths, migration } = core
  const { purpose } = path
  if (purpose === PathPurpose.none) return
  pushPathEvent(core, 'path-validated', path)
  if (purpose === PathPurpose.probe) {
    paths.keepUnused(path, now)
    return
  }
  moveTo(core, path, now)
  if (!migration.isPreferred(path.address)) return
  migration.onPreferredTried(true)
  // RFC 9000 §9.6.3: "the client MUST abandon validation of the original address".
  for (const other of paths.all().filter((candidate) => candidate.purpose === PathPurpose.migration)) paths.close(other)
}

export function onPathTimeouts(core: ConnectionCore, now: number): void {
  for (const path of core.paths.onTimeout(now)) onValidationFailed(core, path, now)
  core.paths.closeExpired(now)
}

function onValidationFailed(core: ConnectionCore, path: Path, now: number): void {
  const { paths, migration } = core
  if (path === paths.active) {
    if (!paths.fallBack(now)) return
    pushPathEvent(core, 'path-validation-failed', path)
    onOtherPath(core)
    return
  }
  const isOwn = path.purpose !== PathPurpose.none
  if (isOwn) {
    if (migration.isPreferred(path.address)) migration.onPreferredTried(false)
    pushPathEvent(core, 'path-validation-failed', path)
  }
  if (isOwn || !path.validation.proven) paths.close(path)
}

/** The active path is another one. */
function onOtherPath(core: ConnectionCore): void {
  const path = core.paths.active
  if (core.role === 'server') core.migration.onMoved(path.address, core.spaces.application.received.largest)
  followDatagramSize(core)
  core.stats.pathChanges += 1
  pushPathEvent(core, 'path-changed', path)
}

/** RFC 9000 §9.3: "After verifying a new client address, the server SHOULD send new address validation tokens". */
function renewToken(core: ConnectionCore, now: number): void {
  core.newToken.renew(core.paths.active.address.remote, core.handshake.version, now)
}

type PathEventKind = Extract<ConnectionEvent, { readonly remote: string }>['kind']

function pushPathEvent(core: Pick<ConnectionCore, 'events'>, kind: PathEventKind, path: Path): void {
  core.events.push({ kind, local: path.address.local, remote: path.address.remote })
}
