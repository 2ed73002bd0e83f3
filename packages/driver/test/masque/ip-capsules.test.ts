import { H3Error } from '@quicwire/h3'
import { writeVarint } from '@quicwire/quic/varint'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareAddresses, formatAddress, isPrefix, parseAddress, parsePrefix, prefixContains } from '../../src/masque/ip/address.ts'
import { decodeAssigned, decodeRequested, encodeAddresses, isRejection } from '../../src/masque/ip/address-capsules.ts'
import { IpLink } from '../../src/masque/ip/ip-link.ts'
import { prefixFrom, routeTo } from '../../src/masque/ip/ip-tunnel.ts'
import { parsePacket } from '../../src/masque/ip/packet.ts'
import { checkRanges, decodeRoutes, encodeRoutes, sortRanges, type AddressRange } from '../../src/masque/ip/route-capsule.ts'
import { parseScope } from '../../src/masque/ip/scope.ts'

const address = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const malformed = expect.objectContaining({ code: 'H3_MESSAGE_ERROR', scope: 'stream' }) as Error

describe('addresses', () => {
  it('are read as they are written', () => {
    fc.assert(fc.property(address, (given) => {
      expect(parseAddress(formatAddress(given))).toEqual(Uint8Array.from(given))
    }))
  })

  it.each([
    ['::', '::'], ['::1', '::1'], ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], ['2001:0db8::0001', '2001:db8::1'], ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'], ['1::', '1::'],
  ])('%s is %s (RFC 5952)', (text, canonical) => {
    expect(formatAddress(parseAddress(text)!)).toBe(canonical)
  })

  it('prefixes have no bits beyond their length', () => {
    expect(parsePrefix('192.0.2.0/24')).toEqual({ address: bytes(192, 0, 2, 0), length: 24 })
    for (const text of ['192.0.2.1/24', '192.0.2.0/33', '192.0.2.0/', '::1/127', '1.2.3.4/-1', 'x']) expect([text, parsePrefix(text)]).toEqual([text, null])
    expect(prefixContains(prefixFrom('10.128.0.0/9'), bytes(10, 200, 0, 1))).toBe(true)
    expect(prefixContains(prefixFrom('10.128.0.0/9'), bytes(10, 100, 0, 1))).toBe(false)
    expect(prefixContains(prefixFrom('0.0.0.0/0'), bytes(1, 2, 3, 4))).toBe(true)
    expect(prefixContains(prefixFrom('0.0.0.0/0'), new Uint8Array(16))).toBe(false)
  })
})

describe('ADDRESS_ASSIGN and ADDRESS_REQUEST (RFC 9484 §4.7)', () => {
  it('survive', () => {
    const entry = fc.tuple(fc.nat(), address, fc.nat(128)).map(([requestId, given, bits]) => {
      const length = Math.min(bits, given.length * 8)
      const masked = given.map((byte, i) => byte & ~(0xff >> Math.min(8, Math.max(0, length - i * 8))))
      return { requestId, address: masked, length }
    })
    fc.assert(fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
      expect(decodeAssigned(encodeAddresses(entries))).toEqual(entries)
    }))
  })

  it.each([
    ['an IP version that is none', bytes(0, 5, 1, 2, 3, 4, 32)],
    ['a prefix that is too long', bytes(0, 4, 1, 2, 3, 4, 33)],
    ['bits beyond the prefix', bytes(0, 4, 1, 2, 3, 4, 24)],
    ['the end inside the request ID', bytes(0x40)],
    ['the end before the version', bytes(0)],
    ['the end inside the address', bytes(0, 4, 1, 2, 3)],
    ['the end before the prefix length', bytes(0, 4, 1, 2, 3, 4)],
  ])('malformed: %s', (_what, value) => {
    expect(() => decodeAssigned(value)).toThrow(malformed)
  })

  it('requests: one at least, IDs above 0, none twice, not even later', () => {
    const request = (requestId: number): { requestId: number; address: Uint8Array; length: number } => ({ requestId, address: bytes(0, 0, 0, 0), length: 32 })
    expect(() => decodeRequested(new Uint8Array(0))).toThrow(malformed)
    expect(() => decodeRequested(encodeAddresses([request(0)]))).toThrow(malformed)
    expect(() => decodeRequested(encodeAddresses([request(1), request(1)]))).toThrow(malformed)
    const link = new IpLink()
    link.onRequested([request(1)])
    link.onRequested([request(2)])
    expect(() => link.onRequested([request(1)])).toThrow(malformed)
    expect(decodeAssigned(new Uint8Array(0))).toEqual([])
  })

  it('rejections are no addresses', () => {
    expect(isRejection({ requestId: 1, address: bytes(0, 0, 0, 0), length: 32 })).toBe(true)
    expect(isRejection({ requestId: 0, address: bytes(0, 0, 0, 0), length: 32 })).toBe(false)
    const link = new IpLink()
    link.onAssigned([{ requestId: 1, address: new Uint8Array(16), length: 128 }, { requestId: 2, ...prefixFrom('192.0.2.1') }])
    expect(link.ownAddresses).toEqual([prefixFrom('192.0.2.1')])
  })
})

describe('ROUTE_ADVERTISEMENT (RFC 9484 §4.7.3)', () => {
  it('survives, sorted', () => {
    const ranges = [routeTo('2001:db8::/32'), routeTo('10.0.0.0/8', 17), routeTo('192.0.2.0/24'), routeTo('10.0.0.0/8', 6)]
    const sorted = sortRanges(ranges)
    expect(checkRanges(ranges)).not.toBeNull()
    expect(checkRanges(sorted)).toBeNull()
    expect(decodeRoutes(encodeRoutes(sorted))).toEqual(sorted)
  })

  const range = (start: string, end: string, protocol: number = 0): AddressRange => ({ start: parseAddress(start)!, end: parseAddress(end)!, protocol })
  it.each([
    ['start after end', [range('10.0.0.2', '10.0.0.1')]],
    ['IPv6 before IPv4', [range('::1', '::2'), range('10.0.0.1', '10.0.0.2')]],
    ['a higher protocol first', [range('10.0.0.1', '10.0.0.2', 17), range('10.0.0.1', '10.0.0.2', 6)]],
    ['overlapping', [range('10.0.0.1', '10.0.0.5'), range('10.0.0.5', '10.0.0.9')]],
    ['the same twice', [range('10.0.0.1', '10.0.0.5'), range('10.0.0.1', '10.0.0.5')]],
    ['all protocols and one', [range('10.0.0.0', '10.0.0.255'), range('10.0.0.7', '10.0.0.7', 17)]],
  ])('refused: %s', (_what, ranges) => {
    expect(() => decodeRoutes(encodeRoutes(ranges))).toThrow(malformed)
  })

  it.each([
    ['an IP version that is none', bytes(7, ...new Array<number>(9).fill(0))],
    ['the end inside a range', bytes(4, 1, 2, 3, 4, 1, 2, 3, 4)],
  ])('malformed: %s', (_what, value) => {
    expect(() => decodeRoutes(value)).toThrow(malformed)
  })

  it('overlaps are found as a plain look at all pairs finds them', () => {
    const small = fc.tuple(fc.nat(30), fc.nat(6), fc.constantFrom(0, 6, 17)).map(([start, size, protocol]): AddressRange => ({
      start: bytes(10, 0, 0, start), end: bytes(10, 0, 0, start + size), protocol,
    }))
    fc.assert(fc.property(fc.array(small, { maxLength: 6 }), (ranges) => {
      const overlap = ranges.some((a, i) => ranges.some((b, j) => i < j && (a.protocol === b.protocol || a.protocol === 0 || b.protocol === 0)
        && compareAddresses(a.start, b.end) <= 0 && compareAddresses(b.start, a.end) <= 0))
      expect(checkRanges(sortRanges(ranges)) !== null).toBe(overlap)
    }))
  })
})

describe('any bytes', () => {
  it('are a capsule or an H3Error of the stream', () => {
    const decoders = [decodeAssigned, decodeRequested, decodeRoutes]
    const likely = fc.array(fc.oneof(fc.constantFrom(0, 4, 6, 32, 128), fc.nat(255)), { maxLength: 80 }).map((values) => Uint8Array.from(values))
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), likely), (value) => {
      for (const decode of decoders) {
        try {
          decode(value)
        } catch (error) {
          expect(error).toBeInstanceOf(H3Error)
          expect((error as H3Error).scope).toBe('stream')
        }
      }
    }), { numRuns: 5000 })
  })

  it('are a packet or none', () => {
    const link = new IpLink()
    const likely = fc.tuple(fc.constantFrom(0x45, 0x4f, 0x60), fc.uint8Array({ maxLength: 100 })).map(([first, rest]) => {
      const packet = Uint8Array.of(first, ...rest)
      // Make most lengths right.
      if (first === 0x60 && packet.length >= 40) packet.set([(packet.length - 40) >> 8, packet.length - 40], 4)
      else if (packet.length >= 4) packet.set([0, packet.length], 2)
      return packet
    })
    fc.assert(fc.property(likely, (packet) => {
      expect(parsePacket(packet) === null).toBe(link.checkIncoming(packet) === 'malformed')
    }), { numRuns: 5000 })
  })
})

describe('packets', () => {
  it('IPv6 extension headers are walked to the upper protocol (RFC 9484 §4.8)', () => {
    const packet = new Uint8Array(40 + 8 + 8 + 12 + 4)
    packet[0] = 0x60
    packet[5] = packet.length - 40
    packet[6] = 0 // Hop-by-Hop, then Fragment, then Authentication, then UDP
    packet.set([44, 0], 40)
    packet.set([51, 0], 48)
    packet.set([17, 1], 56)
    expect(parsePacket(packet)!.protocol).toBe(17)
    packet[57] = 200
    expect(parsePacket(packet)).toBeNull()
  })

  it('go where a network behind the peer is, too', () => {
    const link = new IpLink()
    link.peerRoutes = [routeTo('10.0.0.0/8', 17)]
    link.ownRoutes = [routeTo('172.16.0.0/12')]
    const packet = new Uint8Array(28)
    packet.set([0x45, 0, 0, 28])
    packet[9] = 17
    packet.set([172, 16, 0, 1], 12)
    packet.set([10, 0, 0, 1], 16)
    expect(link.checkOutgoing(packet)).toBeNull()
    expect(link.checkIncoming(packet)).toBe('source')
    packet[9] = 6
    expect(link.checkOutgoing(packet)).toBe('protocol')
  })

  it('ICMP may come from anywhere to who was assigned an address, not from it (RFC 9484 §7.2.1)', () => {
    const link = new IpLink()
    link.ownAddresses = [prefixFrom('192.0.2.1')]
    const error = new Uint8Array(28)
    error.set([0x45, 0, 0, 28])
    error[9] = 1
    error.set([8, 8, 8, 8], 12)
    error.set([192, 0, 2, 1], 16)
    expect(link.checkIncoming(error)).toBeNull()
    error[9] = 17
    expect(link.checkIncoming(error)).toBe('source')
    const proxy = new IpLink()
    proxy.peerAddresses = [prefixFrom('192.0.2.1')]
    proxy.ownRoutes = [routeTo('0.0.0.0/0')]
    error[9] = 1
    expect(proxy.checkIncoming(error)).toBe('source')
  })
})

describe('the scope of a request (RFC 9484 §4.6)', () => {
  it('is any host and protocol unless it says so', () => {
    expect(parseScope(undefined, undefined)).toEqual({ target: null, protocol: null })
    expect(parseScope('*', '*')).toEqual({ target: null, protocol: null })
    expect(parseScope('example.org', '17')).toEqual({ target: { kind: 'name', name: 'example.org' }, protocol: 17 })
    expect(parseScope('192.0.2.0/24', '0')).toEqual({ target: { kind: 'prefix', prefix: prefixFrom('192.0.2.0/24') }, protocol: 0 })
  })

  it.each([['', '*'], ['*', ''], ['*', '256'], ['*', '1.5'], ['192.0.2.1/24', '*'], ['192.0.2.0/33', '*'], ['fe80::1%eth0', '*'], ['a/b', '*']])(
    'malformed: %j %j',
    (target, ipproto) => expect(parseScope(target, ipproto)).toBeNull(),
  )

  it('lengths fit', () => {
    expect(isPrefix({ address: bytes(0, 0, 0, 0), length: 1.5 })).toBe(false)
    const requestId = new Uint8Array(8)
    writeVarint(requestId, 0, 2 ** 52)
    expect(decodeAssigned(Uint8Array.of(...requestId, 4, 1, 2, 3, 4, 32))[0]!.requestId).toBe(2 ** 52)
  })
})
