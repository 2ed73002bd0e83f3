import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../src/base/assert.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { PacketType, VERSION_1 } from '../../src/wire/constants.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../src/wire/header.ts'
import { encodeRetry, encodeRetryPseudoPacket } from '../../src/wire/retry.ts'
import { encodeStatelessReset } from '../../src/wire/stateless-reset.ts'
import { decodeSupportedVersions, encodeVersionNegotiation } from '../../src/wire/version-negotiation.ts'

const anyConnectionId = fc.uint8Array({ maxLength: 255 })
const version = fc.nat(0xffffffff)
const versionList = fc.array(version, { minLength: 1, maxLength: 10 })
const token = fc.uint8Array({ minLength: 16, maxLength: 16 })

describe('Version Negotiation (RFC 9000 §17.2.1)', () => {
  it('round trips with connection IDs of any length', () => {
    fc.assert(
      fc.property(anyConnectionId, anyConnectionId, versionList, fc.nat(255), (destination, source, versions, random) => {
        const packet = encodeVersionNegotiation(destination, source, versions, random)
        expect(packet[0]! & 0xc0).toBe(0xc0)
        const view = new HeaderView()
        expect(parseHeader(view, packet, 0, packet.length, 8)).toBe(HeaderResult.ok)
        expect(view.packetType).toBe(PacketType.versionNegotiation)
        expect(view.version).toBe(0)
        expect(view.destination()).toEqual(destination)
        expect(view.source()).toEqual(source)
        expect(view.packetEnd).toBe(packet.length)
        expect(decodeSupportedVersions(view)).toEqual(versions)
      }),
    )
  })

  it('RFC 8999 §6: an empty list or a version cut short makes it invalid', () => {
    const view = new HeaderView()
    const packet = encodeVersionNegotiation(Uint8Array.of(1), Uint8Array.of(2), [1, 2], 0)
    for (let end = 0; end < packet.length; end++) {
      const whole = end === packet.length - 4
      expect(parseHeader(view, packet, 0, end, 0)).toBe(whole ? HeaderResult.ok : HeaderResult.invalid)
    }
  })

  it('the unused bits do not matter', () => {
    const packet = encodeVersionNegotiation(Uint8Array.of(1), Uint8Array.of(2), [1], 0)
    packet[0] = 0x80
    expect(parseHeader(new HeaderView(), packet, 0, packet.length, 0)).toBe(HeaderResult.ok)
  })
})

describe('Retry (RFC 9000 §17.2.5)', () => {
  it('RFC 9001 §A.4: the sample packet', () => {
    const source = fromHex('f067a5502a4262b5')
    const retryToken = fromHex('746f6b656e')
    const tag = fromHex('04a265ba2eff4d829058fb3f0f2496ba')
    const withoutTag = encodeRetry(VERSION_1, new Uint8Array(0), source, retryToken)
    expect(toHex(encodeRetry(VERSION_1, new Uint8Array(0), source, retryToken, tag))).toBe(
      'ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba',
    )
    expect(toHex(encodeRetryPseudoPacket(fromHex('8394c8f03e515708'), withoutTag))).toBe(
      '088394c8f03e515708ff000000010008f067a5502a4262b5746f6b656e',
    )
  })
})

describe('Stateless reset (RFC 9000 §10.3)', () => {
  it('looks like a short header packet and ends in the token', () => {
    fc.assert(
      fc.property(token, fc.integer({ min: 21, max: 100 }), fc.nat(255), (token, size, filler) => {
        const datagram = encodeStatelessReset(token, size, { fill: (destination) => void destination.fill(filler) })
        expect(datagram.length).toBe(size)
        expect(datagram[0]! & 0xc0).toBe(0x40)
        expect(datagram[1]).toBe(filler)
        expect(datagram.subarray(size - 16)).toEqual(token)
      }),
    )
  })

  it('never has fewer than 21 bytes', () => {
    const token = new Uint8Array(16).fill(7)
    expect(() => encodeStatelessReset(token, 20, { fill: () => undefined })).toThrow(InvariantError)
  })
})
