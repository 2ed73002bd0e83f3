// Packet number spaces (RFC 9000 §12.3) and how they relate to packet types and encryption levels.

import { EncryptionLevel, PacketType } from '../wire/constants.ts'

export const SpaceId = { initial: 0, handshake: 1, application: 2 } as const
export type SpaceId = (typeof SpaceId)[keyof typeof SpaceId]

/** The space a packet type counts in; -1 for Retry and Version Negotiation, which carry no packet number. */
export function spaceOfPacketType(packetType: number): SpaceId | -1 {
  switch (packetType) {
    case PacketType.initial:
      return SpaceId.initial
    case PacketType.handshake:
      return SpaceId.handshake
    case PacketType.zeroRtt:
    case PacketType.oneRtt:
      return SpaceId.application
    default:
      return -1
  }
}

export function spaceOfLevel(level: EncryptionLevel): SpaceId {
  if (level === EncryptionLevel.initial) return SpaceId.initial
  if (level === EncryptionLevel.handshake) return SpaceId.handshake
  return SpaceId.application
}

/** The level TLS messages of a space belong to. */
export function levelOfSpace(space: SpaceId): EncryptionLevel {
  if (space === SpaceId.initial) return EncryptionLevel.initial
  if (space === SpaceId.handshake) return EncryptionLevel.handshake
  return EncryptionLevel.application
}

/** The packet type that carries a space once its own keys exist. */
export function packetTypeOfSpace(space: SpaceId): PacketType {
  if (space === SpaceId.initial) return PacketType.initial
  if (space === SpaceId.handshake) return PacketType.handshake
  return PacketType.oneRtt
}
