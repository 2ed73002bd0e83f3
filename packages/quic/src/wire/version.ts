// QUIC versions and how their packets differ on the wire (RFC 9000 §15, §17.2; RFC 9369 §3): one row per version. Salts,
// labels and Retry keys belong to cryptography and stand in crypto/labels.ts, row by row the same. Nothing else in the
// package knows one version from another.

import { invariant } from '../base/assert.ts'
import { PacketType, VERSION_1, VERSION_2 } from './constants.ts'

interface VersionRow {
  readonly version: number
  /** Packet types by the two type bits of a long header. */
  readonly packetTypes: readonly PacketType[]
  /** The two type bits, by packet type. */
  readonly typeBits: readonly number[]
  /** RFC 9368 §2.2: versions a first flight of this one can be turned into, itself included. */
  readonly compatible: readonly number[]
}

function row(version: number, packetTypes: readonly PacketType[], compatible: readonly number[]): VersionRow {
  const typeBits = [0, 0, 0, 0]
  for (let bits = 0; bits < packetTypes.length; bits += 1) typeBits[packetTypes[bits]!] = bits
  return { version, packetTypes, typeBits, compatible }
}

const { initial, zeroRtt, handshake, retry } = PacketType

const ROWS: readonly VersionRow[] = [
  // RFC 9000 Table 5.
  row(VERSION_1, [initial, zeroRtt, handshake, retry], [VERSION_1, VERSION_2]),
  // RFC 9369 §3.2, §4: compatible with version 1 in either direction.
  row(VERSION_2, [retry, initial, zeroRtt, handshake], [VERSION_2, VERSION_1]),
]

/** Every version spoken here, the oldest first. */
export const SUPPORTED_VERSIONS: readonly number[] = ROWS.map(({ version }) => version)

function rowOf(version: number): VersionRow | null {
  for (let i = 0; i < ROWS.length; i += 1) if (ROWS[i]!.version === version) return ROWS[i]!
  return null
}

/** True for versions whose packets parseHeader understands. */
export function knownVersion(version: number): boolean {
  return rowOf(version) !== null
}

/** The type of a long header packet, from its first byte; `version` must be a known one. */
export function longPacketType(version: number, firstByte: number): PacketType {
  const found = rowOf(version)
  invariant(found !== null, 'packet type of a version not spoken here')
  return found.packetTypes[(firstByte >> 4) & 3]!
}

/** The two type bits of a long header, as a number from 0 to 3; `version` must be a known one. */
export function longTypeBits(version: number, packetType: PacketType): number {
  const found = rowOf(version)
  invariant(found !== null, 'type bits of a version not spoken here')
  return found.typeBits[packetType]!
}

/** RFC 9368 §2.2: a first flight in `from` can be taken for one in `to`. */
export function isCompatibleVersion(from: number, to: number): boolean {
  return rowOf(from)?.compatible.includes(to) === true
}

/** RFC 9000 §6.3, §15: true for 0x?a?a?a?a, versions that exist to exercise version negotiation. */
export function isReservedVersion(version: number): boolean {
  return (version & 0x0f0f0f0f) === 0x0a0a0a0a
}

/** One of the 2^16 reserved versions, chosen by the high halves of four random bytes. */
export function reservedVersion(random: Uint8Array): number {
  return ((((random[0]! << 24) | (random[1]! << 16) | (random[2]! << 8) | random[3]!) & 0xf0f0f0f0) | 0x0a0a0a0a) >>> 0
}

/** The versions with a reserved one among them, so that peers keep ignoring what they do not know. `random`: five bytes. */
export function greasedVersions(versions: readonly number[], random: Uint8Array): number[] {
  const greased = [...versions]
  greased.splice(random[4]! % (versions.length + 1), 0, reservedVersion(random))
  return greased
}

/** The first of `preference` that is among `offered`; 0, which is no version, when none is. */
export function selectVersion(preference: readonly number[], offered: readonly number[]): number {
  for (const version of preference) if (offered.includes(version)) return version
  return 0
}

/** As people write them: 0x00000001. */
export function versionName(version: number): string {
  return `0x${version.toString(16).padStart(8, '0')}`
}
