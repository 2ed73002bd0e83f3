// Header protection, packet number, AEAD, duplicates (RFC 9001 §5.3–5.5): from protected bytes to a plaintext payload,
// or to a packet that is dropped.

import { OpenResult } from '../../crypto/one-rtt-keys.ts'
import type { PacketKeys } from '../../crypto/packet-keys.ts'
import type { PacketDropReason } from '../../trace/sink.ts'
import type { PacketSpace } from '../../space/packet-space.ts'
import { PacketType, TransportErrorCode } from '../../wire/constants.ts'
import { expandPacketNumber } from '../../wire/packet-number.ts'
import { TransportError } from '../../wire/transport-error.ts'
import type { ConnectionCore } from '../core.ts'

type UnprotectContext = Pick<ConnectionCore, 'receiving'>

/** Leaves packet number and payload position in `receiving`. Null when the packet is good. `longKeys`: for long header packets. */
export function unprotect(core: UnprotectContext, space: PacketSpace, longKeys: PacketKeys | null): PacketDropReason | null {
  const { header } = core.receiving
  const buffer = header.buffer
  const oneRtt = space.oneRttKeys !== null && header.packetType === PacketType.oneRtt ? space.oneRttKeys : null
  const keys = oneRtt ?? longKeys
  if (keys === null) return 'key_unavailable'
  const truncated = keys.unprotectHeader(buffer, header.start, header.packetNumberOffset, header.packetEnd)
  if (truncated < 0) return 'invalid'
  const length = keys.packetNumberLength
  const packetNumber = expandPacketNumber(truncated, length, space.received.largest)
  const payloadStart = header.packetNumberOffset + length
  if (oneRtt !== null) {
    const result = oneRtt.open(buffer, header.start, payloadStart, header.packetEnd, packetNumber)
    if (result === OpenResult.keyUpdateError) {
      throw new TransportError(TransportErrorCode.keyUpdateError, 0, 'key update out of turn (RFC 9001 §6.4)')
    }
    if (result !== OpenResult.ok) {
      checkIntegrityLimit(oneRtt.isExhausted())
      return 'decryption_failure'
    }
  } else if (longKeys === null || !longKeys.open(buffer, header.start, payloadStart, header.packetEnd, packetNumber)) {
    checkIntegrityLimit(longKeys !== null && longKeys.isExhausted())
    return 'decryption_failure'
  }
  if (space.received.isDuplicate(packetNumber)) return 'duplicate'
  // RFC 9000 §17.2, §17.3.1: reserved bits must be zero once the packet is authenticated.
  const reserved = header.packetType === PacketType.oneRtt ? 0x18 : 0x0c
  if ((buffer[header.start]! & reserved) !== 0) {
    throw new TransportError(TransportErrorCode.protocolViolation, 0, 'reserved header bits are not zero (RFC 9000 §17)')
  }
  core.receiving.packetNumber = packetNumber
  core.receiving.payloadStart = payloadStart
  return null
}

function checkIntegrityLimit(reached: boolean): void {
  if (reached) throw new TransportError(TransportErrorCode.aeadLimitReached, 0, 'too many packets failed authentication (RFC 9001 §6.6)')
}
