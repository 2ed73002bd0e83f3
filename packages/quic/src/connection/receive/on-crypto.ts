// CRYPTO frames (RFC 9000 §19.6): into the space's stream, and what is contiguous on to TLS.

import { levelOfSpace } from '../../space/space-id.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { FrameType, TransportErrorCode } from '../../wire/constants.ts'
import { TransportError } from '../../wire/transport-error.ts'
import type { ConnectionCore } from '../core.ts'
import { feedHandshake } from '../handshake/handshake-driver.ts'

export function onCrypto(core: ConnectionCore, space: PacketSpace, now: number): void {
  const { crypto, reader } = core.receiving
  const level = levelOfSpace(space.id)
  // RFC 9001 §4.1.3: of a level that TLS has left nothing new may come, behind a gap neither.
  if (core.tls.hasLeft(level)) {
    if (crypto.offset + crypto.dataLength > space.crypto.readOffset) throw lateData()
    return
  }
  space.crypto.onFrame(crypto.offset, reader.buffer, crypto.dataStart, crypto.dataLength)
  feedHandshake(core, space, now)
  if (core.tls.hasLeft(level) && space.crypto.holdsUnread()) throw lateData()
}

function lateData(): TransportError {
  const reason = 'handshake data of a level that is over (RFC 9001 §4.1.3)'
  return new TransportError(TransportErrorCode.protocolViolation, FrameType.crypto, reason)
}
