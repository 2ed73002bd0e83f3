// CRYPTO frames (RFC 9000 §19.6): into the space's stream, and what is contiguous on to TLS.

import type { PacketSpace } from '../../space/packet-space.ts'
import type { ConnectionCore } from '../core.ts'
import { feedHandshake } from '../handshake/handshake-driver.ts'

export function onCrypto(core: ConnectionCore, space: PacketSpace, now: number): void {
  const { crypto, reader } = core.receiving
  space.crypto.onFrame(crypto.offset, reader.buffer, crypto.dataStart, crypto.dataLength)
  feedHandshake(core, space, now)
}
