// QUIC versions: the table of wire/version.ts (RFC 9000 §15, §17.2; RFC 9369 §3; RFC 9368 §2).

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EMPTY } from '../../src/base/bytes.ts'
import { quicLabels } from '../../src/crypto/labels.ts'
import { PacketType } from '../../src/wire/constants.ts'
import { patchLength, writeLongHeader } from '../../src/wire/header-writer.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../src/wire/header.ts'
import {
  SUPPORTED_VERSIONS,
  greasedVersions,
  isCompatibleVersion,
  isReservedVersion,
  knownVersion,
  longPacketType,
  longTypeBits,
  reservedVersion,
  selectVersion,
  versionName,
} from '../../src/wire/version.ts'
import { Writer } from '../../src/wire/writer.ts'

const V1 = 1
const V2 = 0x6b3343cf

describe('long header types by version', () => {
  it.each([
    [V1, 'RFC 9000 Table 5', { initial: 0, zeroRtt: 1, handshake: 2, retry: 3 }],
    [V2, 'RFC 9369 §3.2', { initial: 1, zeroRtt: 2, handshake: 3, retry: 0 }],
  ] as const)('of 0x%s are those of %s', (version, _section, bits) => {
    for (const [name, value] of Object.entries(bits)) {
      const type = PacketType[name as keyof typeof bits]
      expect(longTypeBits(version, type)).toBe(value)
      expect(longPacketType(version, 0xc0 | (value << 4) | 0x0f)).toBe(type)
    }
  })

  it('parse back to what was written in either version', () => {
    fc.assert(
      fc.property(fc.constantFrom(V1, V2), fc.constantFrom(0 as const, 1 as const, 2 as const), fc.nat(0xffff), (version, type, number) => {
        const writer = new Writer(new Uint8Array(60))
        const lengthAt = writeLongHeader(writer, type, version, Uint8Array.of(1), EMPTY, EMPTY, number, 4)
        writer.zeros(20)
        patchLength(writer.buffer, lengthAt, 24)
        const view = new HeaderView()
        expect(parseHeader(view, writer.buffer, 0, writer.position, 0)).toBe(HeaderResult.ok)
        expect([view.packetType, view.version, view.packetEnd]).toEqual([type, version, writer.position])
      }),
    )
  })

  it('version 2 keeps to connection IDs of 20 bytes (RFC 9000 §17.2)', () => {
    const bytes = new Uint8Array(60)
    bytes.set([0xd0, 0x6b, 0x33, 0x43, 0xcf, 21])
    expect(parseHeader(new HeaderView(), bytes, 0, bytes.length, 0)).toBe(HeaderResult.invalid)
  })
})

describe('the versions spoken', () => {
  it('have wire format and cryptography each', () => {
    expect(SUPPORTED_VERSIONS).toEqual([V1, V2])
    for (const version of SUPPORTED_VERSIONS) {
      expect(knownVersion(version)).toBe(true)
      expect(quicLabels(version)).not.toBeNull()
    }
    for (const version of [0, 2, 0x709a50c4, 0x0a0a0a0a]) {
      expect(knownVersion(version)).toBe(false)
      expect(quicLabels(version)).toBeNull()
    }
  })

  it('are compatible with one another (RFC 9369 §4) and with nothing else (RFC 9368 §2.2)', () => {
    for (const from of SUPPORTED_VERSIONS) for (const to of SUPPORTED_VERSIONS) expect(isCompatibleVersion(from, to)).toBe(true)
    expect(isCompatibleVersion(V1, 0x0a0a0a0a)).toBe(false)
    expect(isCompatibleVersion(2, V1)).toBe(false)
    expect(isCompatibleVersion(2, 2)).toBe(false)
  })

  it('are selected by preference, not by the order of the offer', () => {
    expect(selectVersion([V2, V1], [V1, 7, V2])).toBe(V2)
    expect(selectVersion([V1, V2], [V2])).toBe(V2)
    expect(selectVersion([V1], [2, 3])).toBe(0)
  })

  it('are written with eight digits', () => {
    expect([V1, V2].map(versionName)).toEqual(['0x00000001', '0x6b3343cf'])
  })
})

describe('reserved versions (RFC 9000 §6.3, §15)', () => {
  it('are what four random bytes make', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (random) => {
        const version = reservedVersion(random)
        expect(isReservedVersion(version)).toBe(true)
        expect(version).toBeGreaterThan(0)
        expect(knownVersion(version)).toBe(false)
      }),
    )
    expect(reservedVersion(Uint8Array.of(0xff, 0x12, 0x34, 0xf0))).toBe(0xfa1a3afa)
  })

  it('come in one at a time, anywhere in a list whose order they leave alone', () => {
    const places = new Set<number>()
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 5 }), (random) => {
        const versions = greasedVersions([V1, V2], random)
        expect(versions.filter((version) => !isReservedVersion(version))).toEqual([V1, V2])
        expect(versions).toHaveLength(3)
        places.add(versions.findIndex(isReservedVersion))
      }),
    )
    expect([...places].sort()).toEqual([0, 1, 2])
  })

  it('are told from versions that look alike', () => {
    for (const version of [0x0a0a0a0a, 0xfafafafa, 0x1a2a3a4a]) expect(isReservedVersion(version)).toBe(true)
    for (const version of [V1, V2, 0x0a0a0a0b, 0xaaaaaaa0]) expect(isReservedVersion(version)).toBe(false)
  })
})
