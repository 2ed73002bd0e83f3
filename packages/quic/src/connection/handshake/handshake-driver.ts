// TLS on one side, packet number spaces on the other: carries CRYPTO bytes up, messages, keys and the peer's transport
// parameters down (RFC 9001 §4.1).

import { OneRttKeys } from '../../crypto/one-rtt-keys.ts'
import { PacketKeys } from '../../crypto/packet-keys.ts'
import { SpaceId, levelOfSpace, spaceOfLevel } from '../../space/space-id.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import type { TlsEvent } from '../../tls/events.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import type { ConnectionCore } from '../core.ts'
import { onHandshakeComplete } from './confirmation.ts'
import { installEarlyKeys, onEarlyDataAnswer } from './early-packets.ts'
import { applyPeerParameters } from './parameters.ts'
import { settleVersion } from './version.ts'

/** Feeds everything contiguous of a space's CRYPTO stream to TLS, then carries out what TLS decided. */
export function feedHandshake(core: ConnectionCore, space: PacketSpace, now: number): void {
  for (;;) {
    const bytes = space.crypto.read()
    if (bytes === null) break
    const ready = core.versions.isSettled ? bytes : settleVersion(core, bytes, now)
    if (ready !== null) core.tls.receive(levelOfSpace(space.id), ready, now)
  }
  driveHandshake(core, now)
}

type TlsKeysEvent = Extract<TlsEvent, { kind: 'keys' }>

export function driveHandshake(core: ConnectionCore, now: number): void {
  for (;;) {
    const event = core.tls.poll()
    if (event === null) return
    switch (event.kind) {
      case 'crypto':
        core.spaces.get(spaceOfLevel(event.level))?.crypto.write(event.bytes)
        break
      case 'keys':
        installKeys(core, event, now)
        event.secret.fill(0)
        break
      case 'peer-parameters':
        applyPeerParameters(core, event.bytes, now)
        break
      case 'early-data':
        onEarlyDataAnswer(core, event.accepted, now)
        break
      case 'complete':
        onHandshakeComplete(core, now)
        break
      default:
        core.events.push(event)
    }
  }
}

function installKeys(core: ConnectionCore, event: TlsKeysEvent, now: number): void {
  if (event.level === EncryptionLevel.earlyData) {
    installEarlyKeys(core, event, now)
    return
  }
  const id = spaceOfLevel(event.level)
  const space = core.spaces.get(id)
  // A discarded space takes no keys.
  if (space === null) return
  if (id === SpaceId.application) {
    space.oneRttKeys ??= new OneRttKeys(core.provider, event.suite, null, null, core.handshake.version)
    if (event.direction === 'read') space.oneRttKeys.setRead(event.secret)
    else space.oneRttKeys.setWrite(event.secret)
  } else {
    const keys = new PacketKeys(core.provider, event.suite, event.secret, core.handshake.version)
    if (event.direction === 'read') space.readKeys = keys
    else space.writeKeys = keys
  }
  const side = (event.direction === 'write') === (core.role === 'client') ? 'client' : 'server'
  core.trace?.keyUpdated(now, event.level, side, id === SpaceId.application ? 0 : -1, 'tls')
}
