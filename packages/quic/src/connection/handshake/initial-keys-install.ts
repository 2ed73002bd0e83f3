// Initial keys (RFC 9001 §5.2): derived from the destination connection ID of the client's first Initial, and again
// from the one a Retry chose.

import { INITIAL_CIPHER_SUITE, initialSecrets } from '../../crypto/initial-keys.ts'
import { PacketKeys } from '../../crypto/packet-keys.ts'
import type { ConnectionCore } from '../core.ts'

export function installInitialKeys(
  core: Pick<ConnectionCore, 'role' | 'provider' | 'spaces' | 'handshake'>,
  destinationConnectionId: Uint8Array,
): void {
  const space = core.spaces.initial
  if (space === null) return
  space.destroyKeys()
  const secrets = initialSecrets(core.provider, core.handshake.version, destinationConnectionId)
  const client = new PacketKeys(core.provider, INITIAL_CIPHER_SUITE, secrets.client)
  const server = new PacketKeys(core.provider, INITIAL_CIPHER_SUITE, secrets.server)
  space.readKeys = core.role === 'client' ? server : client
  space.writeKeys = core.role === 'client' ? client : server
}
