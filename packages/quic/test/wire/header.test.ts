import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, EMPTY, fromHex, toHex } from '../../src/base/bytes.ts'
import { PacketType, VERSION_1 } from '../../src/wire/constants.ts'
import { longHeaderSize, patchLength, writeLongHeader, writeShortHeader } from '../../src/wire/header-writer.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../src/wire/header.ts'
import { encodeRetry } from '../../src/wire/retry.ts'
import { isReservedVersion } from '../../src/wire/version.ts'
import { Writer } from '../../src/wire/writer.ts'

const connectionId = fc.uint8Array({ maxLength: 20 })
const token = fc.uint8Array({ maxLength: 100 })
const protectedType = fc.constantFrom(PacketType.initial, PacketType.zeroRtt, PacketType.handshake)
const packetNumberLength = fc.integer({ min: 1, max: 4 })
const bit = fc.constantFrom(0 as const, 1 as const)
const tagBytes = fc.uint8Array({ minLength: 16, maxLength: 16 })

function longPacket(
  type: 0 | 1 | 2,
  destination: Uint8Array,
  source: Uint8Array,
  token: Uint8Array,
  packetNumber: number,
  pnLength: number,
  payload: Uint8Array,
): Uint8Array {
  const size = longHeaderSize(type, destination.length, source.length, token.length, pnLength)
  const writer = new Writer(new Uint8Array(size + payload.length))
  const lengthPosition = writeLongHeader(writer, type, VERSION_1, destination, source, token, packetNumber, pnLength)
  expect(writer.position).toBe(size)
  writer.bytes(payload)
  patchLength(writer.buffer, lengthPosition, pnLength + payload.length)
  return writer.buffer
}

const longPacketArbitrary = fc
  .tuple(protectedType, connectionId, connectionId, token, fc.nat(0xffffffff), packetNumberLength, fc.uint8Array({ maxLength: 50 }))
  .map((fields) => ({ fields, bytes: longPacket(...fields) }))

describe('long headers (RFC 9000 §17.2)', () => {
  it('RFC 9001 §A.2 and §A.3: the unprotected headers of the sample Initial packets', () => {
    const client = longPacket(0, fromHex('8394c8f03e515708'), EMPTY, EMPTY, 2, 4, new Uint8Array(1178))
    expect(toHex(client.subarray(0, 22))).toBe('c300000001088394c8f03e5157080000449e00000002')
    const server = longPacket(0, EMPTY, fromHex('f067a5502a4262b5'), EMPTY, 1, 2, new Uint8Array(115))
    expect(toHex(server.subarray(0, 20))).toBe('c1000000010008f067a5502a4262b50040750001')
  })

  it('parse back to what was written, anywhere in a datagram', () => {
    fc.assert(
      fc.property(longPacketArbitrary, fc.nat(20), fc.nat(20), ({ fields, bytes }, before, after) => {
        const [type, destination, source, token, packetNumber, pnLength, payload] = fields
        const datagram = concatBytes(new Uint8Array(before), bytes, new Uint8Array(after))
        const view = new HeaderView()
        expect(parseHeader(view, datagram, before, datagram.length, 8)).toBe(HeaderResult.ok)
        expect(view.packetType).toBe(type)
        expect(view.version).toBe(VERSION_1)
        expect(view.isLongHeader()).toBe(true)
        expect(view.destination()).toEqual(destination)
        expect(view.source()).toEqual(source)
        expect(view.token()).toEqual(type === PacketType.initial ? token : EMPTY)
        expect(view.packetEnd).toBe(before + bytes.length)
        expect(view.firstByte & 3).toBe(pnLength - 1)
        const encoded = datagram.subarray(view.packetNumberOffset, view.packetNumberOffset + pnLength)
        expect(Number.parseInt(toHex(encoded), 16)).toBe(packetNumber % 2 ** (8 * pnLength))
        expect(datagram.subarray(view.packetNumberOffset + pnLength, view.packetEnd)).toEqual(payload)
      }),
    )
  })

  it('a packet cut at any byte is invalid', () => {
    fc.assert(
      fc.property(longPacketArbitrary, ({ bytes }) => {
        const view = new HeaderView()
        for (let end = 0; end < bytes.length; end++) expect(parseHeader(view, bytes, 0, end, 0)).toBe(HeaderResult.invalid)
      }),
    )
  })

  it('several packets in a datagram follow one another (§12.2)', () => {
    const one = longPacket(0, Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(9), 0, 1, new Uint8Array(30))
    const two = longPacket(2, Uint8Array.of(1), Uint8Array.of(2), EMPTY, 0, 1, new Uint8Array(40))
    const datagram = concatBytes(one, two, Uint8Array.of(0x40, 1, 7, 7))
    const view = new HeaderView()
    const types: number[] = []
    for (let at = 0; at < datagram.length; at = view.packetEnd) {
      expect(parseHeader(view, datagram, at, datagram.length, 1)).toBe(HeaderResult.ok)
      types.push(view.packetType)
      if (view.packetType !== PacketType.initial) expect(view.tokenLength).toBe(0)
    }
    expect(types).toEqual([PacketType.initial, PacketType.handshake, PacketType.oneRtt])
    expect(view.source()).toEqual(EMPTY)
  })

  it('a connection ID longer than 20 bytes is invalid in version 1, not in others', () => {
    for (const [destination, source] of [[21, 0], [0, 21], [255, 255]] as const) {
      const rest = concatBytes(Uint8Array.of(destination), new Uint8Array(destination), Uint8Array.of(source), new Uint8Array(source + 40))
      const view = new HeaderView()
      expect(parseHeader(view, concatBytes(fromHex('e000000001'), rest), 0, 6 + rest.length - 1, 0)).toBe(HeaderResult.invalid)
      const other = concatBytes(fromHex('801a2a3a4a'), rest)
      expect(parseHeader(view, other, 0, other.length, 0)).toBe(HeaderResult.unknownVersion)
      expect(view.version).toBe(0x1a2a3a4a)
      expect([view.destinationLength, view.sourceLength]).toEqual([destination, source])
      expect(view.packetEnd).toBe(other.length)
    }
  })

  it('a clear Fixed Bit is invalid unless accepted (RFC 9287 §3)', () => {
    const bytes = longPacket(0, EMPTY, EMPTY, EMPTY, 0, 1, new Uint8Array(20))
    bytes[0]! &= ~0x40
    const view = new HeaderView()
    expect(parseHeader(view, bytes, 0, bytes.length, 0)).toBe(HeaderResult.invalid)
    expect(parseHeader(view, bytes, 0, bytes.length, 0, true)).toBe(HeaderResult.ok)
  })

  it('a Length of 0, beyond the datagram, or of 2^62 − 1 is invalid', () => {
    const view = new HeaderView()
    for (const length of ['00', '15', 'ffffffffffffffff']) {
      const bytes = concatBytes(fromHex(`e0000000010000${length}`), new Uint8Array(20))
      expect(parseHeader(view, bytes, 0, bytes.length, 0)).toBe(HeaderResult.invalid)
    }
    const bytes = concatBytes(fromHex('e000000001000014'), new Uint8Array(20))
    expect(parseHeader(view, bytes, 0, bytes.length, 0)).toBe(HeaderResult.ok)
  })

  it('an Initial token beyond the datagram is invalid', () => {
    const view = new HeaderView()
    for (const length of ['7fff', 'ffffffffffffffff']) {
      const bytes = concatBytes(fromHex(`c0000000010000${length}`), new Uint8Array(40))
      expect(parseHeader(view, bytes, 0, bytes.length, 0)).toBe(HeaderResult.invalid)
    }
  })

  it('Retry: everything up to the last 16 bytes is the token', () => {
    fc.assert(
      fc.property(connectionId, connectionId, token, tagBytes, (destination, source, token, tag) => {
        const bytes = encodeRetry(VERSION_1, destination, source, token, tag)
        const view = new HeaderView()
        expect(parseHeader(view, bytes, 0, bytes.length, 0)).toBe(HeaderResult.ok)
        expect(view.packetType).toBe(PacketType.retry)
        expect(view.token()).toEqual(token)
        expect(bytes.subarray(view.packetNumberOffset, view.packetEnd)).toEqual(tag)
        const headerLength = 7 + destination.length + source.length
        for (let end = 0; end < headerLength + 16; end++) expect(parseHeader(view, bytes, 0, end, 0)).toBe(HeaderResult.invalid)
      }),
    )
  })
})

describe('short headers (RFC 9000 §17.3)', () => {
  it('RFC 9001 §A.5: the unprotected header of the sample ChaCha20 packet', () => {
    const writer = new Writer(new Uint8Array(4))
    writeShortHeader(writer, EMPTY, 654360564, 3, 0, 0)
    expect(toHex(writer.buffer)).toBe('4200bff4')
  })

  it('parse back to what was written', () => {
    fc.assert(
      fc.property(
        connectionId,
        fc.nat(0xffffffff),
        packetNumberLength,
        bit,
        bit,
        (destination, packetNumber, pnLength, keyPhase, spin) => {
          const writer = new Writer(new Uint8Array(1 + destination.length + pnLength))
          writeShortHeader(writer, destination, packetNumber, pnLength, keyPhase, spin)
          expect(writer.remaining).toBe(0)
          const view = new HeaderView()
          expect(parseHeader(view, writer.buffer, 0, writer.position, destination.length)).toBe(HeaderResult.ok)
          expect(view.packetType).toBe(PacketType.oneRtt)
          expect(view.isLongHeader()).toBe(false)
          expect(view.destination()).toEqual(destination)
          expect(view.source()).toEqual(EMPTY)
          expect(view.token()).toEqual(EMPTY)
          expect(view.packetNumberOffset).toBe(1 + destination.length)
          expect(view.packetEnd).toBe(writer.position)
          expect(view.firstByte).toBe(0x40 | (spin << 5) | (keyPhase << 2) | (pnLength - 1))
        },
      ),
    )
  })

  it('a clear Fixed Bit or a missing connection ID is invalid', () => {
    const view = new HeaderView()
    expect(parseHeader(view, new Uint8Array(30), 0, 30, 8)).toBe(HeaderResult.invalid)
    expect(parseHeader(view, new Uint8Array(30), 0, 30, 8, true)).toBe(HeaderResult.ok)
    const bytes = new Uint8Array(30).fill(0x40)
    for (let end = 0; end < 10; end++) expect(parseHeader(view, bytes, 0, end, 8)).toBe(HeaderResult.invalid)
    expect(parseHeader(view, bytes, 0, 10, 8)).toBe(HeaderResult.ok)
  })
})

describe('any bytes', () => {
  it('give a result whose positions lie in the datagram, and never throw', () => {
    const prefix = fc.constantFrom('', 'c000000001', 'e000000001', 'f000000001', 'd000000001', 'c000000000', 'c0ffffffff', '40')
    fc.assert(
      fc.property(prefix, fc.uint8Array({ maxLength: 80 }), fc.nat(20), (start, rest, cidLength) => {
        const bytes = concatBytes(fromHex(start), rest)
        const view = new HeaderView()
        const result = parseHeader(view, bytes, 0, bytes.length, cidLength)
        if (result === HeaderResult.invalid) return
        expect(view.destinationStart + view.destinationLength).toBeLessThanOrEqual(bytes.length)
        expect(view.sourceStart + view.sourceLength).toBeLessThanOrEqual(bytes.length)
        expect(view.packetEnd).toBeLessThanOrEqual(bytes.length)
        if (result === HeaderResult.unknownVersion) return
        expect(view.tokenStart + view.tokenLength).toBeLessThanOrEqual(view.packetEnd)
        expect(view.packetNumberOffset).toBeLessThan(view.packetEnd)
      }),
      { numRuns: 3000 },
    )
  })

  it('reserved versions have the form 0x?a?a?a?a (§15)', () => {
    expect([0x0a0a0a0a, 0x1a2a3a4a, 0xfafafafa].every(isReservedVersion)).toBe(true)
    expect([1, 0, 0x0a0a0a0b, 0xff00001d].some(isReservedVersion)).toBe(false)
  })
})
