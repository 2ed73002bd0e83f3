// Initial keys (RFC 9001 §5.2): derived from the destination connection ID of the client's first Initial, and again
// from the one a Retry chose.

import { INITIAL_CIPHER_SUITE, initialSecrets } from '../../crypto/initial-keys.ts'
import { PacketKeys } from '../../crypto/packet-keys.ts'
import type { ConnectionCore } from '../core.ts'

type InitialKeysContext = Pick<ConnectionCore, 'role' | 'provider' | 'spaces' | 'handshake' | 'versions'>

export function installInitialKeys(core: InitialKeysContext, destinationConnectionId: Uint8Array): void {
  const space = core.spaces.initial
  if (space === null) return
  space.destroyKeys()
  const { read, write } = initialKeys(core, core.handshake.version, destinationConnectionId)
  space.readKeys = read
  space.writeKeys = write
  core.versions.keyedBy = destinationConnectionId
}

export interface InitialKeys {
  readonly read: PacketKeys
  readonly write: PacketKeys
}

export function initialKeys(
  core: Pick<InitialKeysContext, 'role' | 'provider'>,
  version: number,
  destinationConnectionId: Uint8Array,
): InitialKeys {
  const secrets = initialSecrets(core.provider, version, destinationConnectionId)
  const client = new PacketKeys(core.provider, INITIAL_CIPHER_SUITE, secrets.client, version)
  const server = new PacketKeys(core.provider, INITIAL_CIPHER_SUITE, secrets.server, version)
  return core.role === 'client' ? { read: server, write: client } : { read: client, write: server }
}
