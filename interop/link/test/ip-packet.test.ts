import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressBytes } from '../addresses.ts'
import { IpPacket } from '../ip-packet.ts'
import { toServer, wrongChecksums } from './packets.ts'

const family = fc.constantFrom(4 as const, 6 as const)
const port = fc.integer({ min: 1, max: 65_535 })

function endpoint(version: 4 | 6): fc.Arbitrary<{ address: Uint8Array; port: number }> {
  const size = version === 4 ? 4 : 16
  return fc.record({ address: fc.uint8Array({ minLength: size, maxLength: size }), port })
}

const udp = family.chain((version) => fc.tuple(endpoint(version), endpoint(version), fc.uint8Array({ maxLength: 80 })))

describe('IP packets', () => {
  test('the bytes of a small one', () => {
    const packet = IpPacket.udp({ address: addressBytes('193.167.0.100'), port: 443 }, { address: addressBytes('193.167.100.100'), port: 4443 }, Uint8Array.of(1, 2, 3))
    // Header checksum and UDP checksum worked out elsewhere.
    expect(Buffer.from(packet.bytes).toString('hex')).toBe('4500001f00004000401152b7c1a70064c1a7646401bb115b000b00a9010203')
  })

  test('what was put together is read again, with right checksums', () => {
    fc.assert(
      fc.property(udp, ([source, destination, payload]) => {
        const built = IpPacket.udp(source, destination, payload)
        expect(wrongChecksums(built.bytes)).toEqual([])
        const packet = IpPacket.parse(built.bytes)!
        expect(packet.isUdp).toBe(true)
        expect([packet.sourcePort, packet.destinationPort, packet.hops, packet.ecn]).toEqual([source.port, destination.port, 64, 0])
        expect([[...packet.source], [...packet.destination], [...packet.payload]]).toEqual([[...source.address], [...destination.address], [...payload]])
      }),
    )
  })

  test('every change leaves right checksums, in a Buffer too', () => {
    fc.assert(
      fc.property(udp, endpoint(4), fc.nat(79), fc.nat(255), fc.nat(3), fc.boolean(), ([source, destination, payload], to, index, value, tos, buffer) => {
        const { bytes } = IpPacket.udp(source, destination, payload)
        const packet = IpPacket.parse(buffer ? Buffer.from(bytes) : bytes)!
        expect(packet.passRouters(2)).toBe(true)
        expect(packet.hops).toBe(62)
        expect(wrongChecksums(packet.bytes)).toEqual([])
        if (tos !== 0) packet.markCongestion()
        expect(packet.ecn).toBe(tos === 0 ? 0 : 3)
        expect(wrongChecksums(packet.bytes)).toEqual([])
        if (index < payload.length) {
          packet.replacePayloadByte(index, value)
          expect([...packet.payload]).toEqual([...payload].with(index, value))
          expect(wrongChecksums(packet.bytes)).toEqual([])
        }
        if (packet.version !== 4) return
        packet.rewriteSource(to.address, to.port)
        expect([[...packet.source], packet.sourcePort]).toEqual([[...to.address], to.port])
        expect(wrongChecksums(packet.bytes)).toEqual([])
        packet.rewriteDestination(to.address, to.port)
        expect([[...packet.destination], packet.destinationPort]).toEqual([[...to.address], to.port])
        expect(wrongChecksums(packet.bytes)).toEqual([])
      }),
    )
  })

  test('a checksum that was wrong stays wrong', () => {
    const bytes = toServer()
    bytes[26]! ^= 0x55
    const packet = IpPacket.parse(bytes)!
    packet.rewriteSource(addressBytes('193.167.0.7'), 1234)
    expect(wrongChecksums(packet.bytes)).toEqual(['UDP'])
  })

  test('no checksum over IPv4 stays none (RFC 768)', () => {
    const bytes = toServer()
    bytes.fill(0, 26, 28)
    const packet = IpPacket.parse(bytes)!
    packet.rewriteSource(addressBytes('193.167.0.7'), 1234)
    packet.replacePayloadByte(0, 9)
    expect([...packet.bytes.subarray(26, 28)]).toEqual([0, 0])
  })

  test('a packet without hops left dies at a router', () => {
    const bytes = toServer()
    bytes[8] = 2
    expect(IpPacket.parse(bytes)!.passRouters(2)).toBe(false)
  })

  test('no packet: nothing, another version, another length than it says', () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(0x50), toServer(100).subarray(0, 99), toServer(100, 6).subarray(0, 99), Uint8Array.of(0x45, 0)]) {
      expect(IpPacket.parse(bytes)).toBeNull()
    }
  })

  test('no UDP packet: another protocol, a later fragment', () => {
    const tcp = toServer()
    tcp[9] = 6
    const fragment = toServer()
    fragment[7] = 1
    const tcp6 = toServer(100, 6)
    tcp6[6] = 6
    for (const bytes of [tcp, fragment, tcp6]) expect(IpPacket.parse(bytes)!.isUdp).toBe(false)
  })
})
