import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../src/base/assert.ts'
import { concatBytes, fromHex } from '../../src/base/bytes.ts'
import { TransportErrorCode } from '../../src/wire/constants.ts'
import { TransportError } from '../../src/wire/transport-error.ts'
import { decodeTransportParameters, encodeTransportParameters, greaseParameterId } from '../../src/wire/transport-parameters/codec.ts'
import type { TransportParameters } from '../../src/wire/transport-parameters/table.ts'
import { defaultTransportParameters, PARAMETER_TABLE } from '../../src/wire/transport-parameters/table.ts'
import { authenticateConnectionIds } from '../../src/wire/transport-parameters/validate.ts'
import { safe } from './frames/frame-cases.ts'

type Role = 'client' | 'server'

function errorOf(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return null
}

function expectParameterError(action: () => unknown): void {
  const error = errorOf(action)
  expect(error).toBeInstanceOf(TransportError)
  expect(error).toMatchObject({ wireCode: TransportErrorCode.transportParameterError, code: 'QUIC_TRANSPORT_PARAMETER_ERROR' })
}

const decode = (hex: string, sender: Role = 'server'): TransportParameters => decodeTransportParameters(fromHex(hex), sender)
const expectIllegal = (hex: string, sender: Role = 'server'): void => expectParameterError(() => decode(hex, sender))

const connectionId = fc.uint8Array({ maxLength: 20 })
const token = fc.uint8Array({ minLength: 16, maxLength: 16 })
const version = fc.integer({ min: 1, max: 0xffffffff })
const port = fc.nat(0xffff)

const common = {
  maxIdleTimeout: safe,
  maxUdpPayloadSize: safe.map((v) => Math.max(v, 1200)),
  initialMaxData: safe,
  initialMaxStreamDataBidiLocal: safe,
  initialMaxStreamDataBidiRemote: safe,
  initialMaxStreamDataUni: safe,
  initialMaxStreamsBidi: safe,
  initialMaxStreamsUni: safe,
  ackDelayExponent: fc.nat(20),
  maxAckDelay: fc.integer({ min: 1, max: 2 ** 14 - 1 }),
  disableActiveMigration: fc.boolean(),
  activeConnectionIdLimit: safe.map((v) => Math.max(v, 2)),
  initialSourceConnectionId: fc.option(fc.uint8Array({ minLength: 1, maxLength: 20 })),
  maxDatagramFrameSize: safe,
  greaseQuicBit: fc.boolean(),
  resetStreamAt: fc.boolean(),
  // Announced or not; below the least max_ack_delay that is generated.
  minAckDelay: fc.constantFrom(-1, 0, 1000),
  versionInformation: fc.option(
    fc.tuple(version, fc.array(version, { maxLength: 5 })).map(([chosen, others]) => ({ chosen, available: [...others, chosen] })),
  ),
}
const client: fc.Arbitrary<TransportParameters> = fc.record({
  ...common,
  originalDestinationConnectionId: fc.constant(null),
  statelessResetToken: fc.constant(null),
  preferredAddress: fc.constant(null),
  retrySourceConnectionId: fc.constant(null),
})
const server: fc.Arbitrary<TransportParameters> = fc.record({
  ...common,
  originalDestinationConnectionId: fc.option(connectionId),
  statelessResetToken: fc.option(token),
  preferredAddress: fc.option(
    fc.record({
      ipv4Address: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      ipv4Port: port,
      ipv6Address: token,
      ipv6Port: port,
      connectionId: fc.uint8Array({ minLength: 1, maxLength: 20 }),
      statelessResetToken: token,
    }),
  ),
  retrySourceConnectionId: fc.option(connectionId),
})
const either: fc.Arbitrary<{ role: Role; params: TransportParameters }> = fc.oneof(
  client.map((params) => ({ role: 'client' as const, params })),
  server.map((params) => ({ role: 'server' as const, params })),
)

/** Positions at which a prefix of the encoding is a whole number of parameters. */
function boundaries(encoded: Uint8Array): Set<number> {
  const positions = new Set<number>([0])
  let at = 0
  const varint = (): number => {
    const length = 1 << (encoded[at]! >> 6)
    let value = encoded[at]! & 0x3f
    for (let i = 1; i < length; i++) value = value * 256 + encoded[at + i]!
    at += length
    return value
  }
  while (at < encoded.length) {
    varint()
    const length = varint()
    at += length
    positions.add(at)
  }
  return positions
}

describe('transport parameters (RFC 9000 §18)', () => {
  it('round trip, for both roles, with and without a reserved parameter', () => {
    fc.assert(
      fc.property(either, fc.option(fc.tuple(fc.nat(1000), fc.uint8Array({ maxLength: 20 }))), ({ role, params }, grease) => {
        const encoded =
          grease === null
            ? encodeTransportParameters(params, role)
            : encodeTransportParameters(params, role, { id: greaseParameterId(grease[0]), value: grease[1] })
        expect(decodeTransportParameters(encoded, role)).toEqual(params)
        // A Buffer must not leak views of itself into the result.
        const received = Buffer.from(encoded)
        const decoded = decodeTransportParameters(received, role)
        received.fill(0)
        expect(decoded).toEqual(params)
      }),
    )
  })

  it('defaults are not sent, and hold when absent (§18.2)', () => {
    expect(encodeTransportParameters(defaultTransportParameters(), 'client').length).toBe(0)
    expect(decode('')).toEqual(defaultTransportParameters())
    expect(defaultTransportParameters()).toMatchObject({
      maxUdpPayloadSize: 65527,
      ackDelayExponent: 3,
      maxAckDelay: 25,
      activeConnectionIdLimit: 2,
      maxIdleTimeout: 0,
      maxDatagramFrameSize: 0,
    })
  })

  it('cut at any byte are TRANSPORT_PARAMETER_ERROR, unless the cut is between parameters', () => {
    fc.assert(
      fc.property(either, ({ role, params }) => {
        const encoded = encodeTransportParameters(params, role)
        const whole = boundaries(encoded)
        for (let end = 0; end < encoded.length; end++) {
          const cut = encoded.subarray(0, end)
          if (whole.has(end)) decodeTransportParameters(cut, role)
          else expectParameterError(() => decodeTransportParameters(cut, role))
        }
      }),
      { numRuns: 50 },
    )
  })

  it('a value cut inside its own length is TRANSPORT_PARAMETER_ERROR, for every parameter at every byte', () => {
    fc.assert(
      fc.property(server, (params) => {
        const encoded = encodeTransportParameters(params, 'server')
        const cuts = [...boundaries(encoded)].sort((a, b) => a - b)
        for (let i = 1; i < cuts.length; i++) {
          const one = encoded.subarray(cuts[i - 1]!, cuts[i]!)
          const idLength = 1 << (one[0]! >> 6)
          const valueLength = one[idLength]!
          const id = idLength === 1 ? one[0]! : ((one[0]! & 0x3f) << 8) | one[1]!
          const kind = PARAMETER_TABLE.find((row) => row.id === id)?.kind
          for (let length = 0; length < valueLength; length++) {
            const shorter = concatBytes(one.subarray(0, idLength), Uint8Array.of(length), one.subarray(idLength + 1, idLength + 1 + length))
            const error = errorOf(() => decodeTransportParameters(shorter, 'server'))
            if (error !== null) expect(error).toMatchObject({ wireCode: TransportErrorCode.transportParameterError })
            // Connection IDs and version lists may be shorter and still be whole.
            else expect(kind === 'bytes' || kind === 'version-information').toBe(true)
          }
        }
      }),
      { numRuns: 30 },
    )
  })

  it('any bytes are parameters or TRANSPORT_PARAMETER_ERROR', () => {
    const id = fc.oneof(fc.constantFrom(...PARAMETER_TABLE.map((row) => row.id)), fc.nat(63))
    const one = fc.tuple(id, fc.uint8Array({ maxLength: 20 })).map(([id, value]) => {
      const prefix = id < 64 ? Uint8Array.of(id) : Uint8Array.of(0x40 | (id >> 8), id & 255)
      return concatBytes(prefix, Uint8Array.of(value.length), value)
    })
    const structured = fc.array(one, { maxLength: 4 }).map((parts) => concatBytes(...parts))
    fc.assert(
      fc.property(fc.oneof(structured, fc.uint8Array({ maxLength: 80 })), fc.constantFrom<Role>('client', 'server'), (bytes, sender) => {
        const error = errorOf(() => decodeTransportParameters(bytes, sender))
        if (error !== null) {
          expect(error).toBeInstanceOf(TransportError)
          expect(error).toMatchObject({ wireCode: TransportErrorCode.transportParameterError })
        }
      }),
      { numRuns: 5000 },
    )
  })

  it('duplicates are errors, of unknown parameters as well (§7.4)', () => {
    expectIllegal('040105040105')
    expectIllegal('1b001b00')
    expectIllegal('0c000c00')
    // Another encoding of the same identifier.
    expectIllegal('04010540040105')
  })

  it('unknown parameters are ignored (§7.4.2)', () => {
    expect(decode('ffffffffffffffff0201020401053a00')).toEqual({ ...defaultTransportParameters(), initialMaxData: 5 })
    expect([0, 1, 2].map(greaseParameterId)).toEqual([27, 58, 89])
  })

  it('server-only parameters from a client are errors (§18.2)', () => {
    const preferred = `0d2a${'00'.repeat(24)}01aa${'00'.repeat(16)}`
    for (const hex of ['0001aa', `0210${'00'.repeat(16)}`, preferred, '1001aa']) {
      decode(hex, 'server')
      expectIllegal(hex, 'client')
    }
    decode('0f01aa', 'client')
    const serverOnly = { ...defaultTransportParameters(), retrySourceConnectionId: Uint8Array.of(1) }
    expect(() => encodeTransportParameters(serverOnly, 'client')).toThrow(InvariantError)
  })
})

describe('per-parameter validation (RFC 9000 §18.2)', () => {
  it('max_udp_payload_size: at least 1200', () => {
    expect(decode('030244b0').maxUdpPayloadSize).toBe(1200)
    expectIllegal('030244af')
  })

  it('ack_delay_exponent: at most 20', () => {
    expect(decode('0a0114').ackDelayExponent).toBe(20)
    expectIllegal('0a0115')
    expectIllegal('0a08ffffffffffffffff')
  })

  it('max_ack_delay: below 2^14', () => {
    expect(decode('0b027fff').maxAckDelay).toBe(16383)
    expectIllegal('0b0480004000')
  })

  it('min_ack_delay: microseconds, not greater than max_ack_delay, which is in ms (draft-ietf-quic-ack-frequency §3)', () => {
    expect(decode('').minAckDelay).toBe(-1)
    expect(decode('c0000000ff04de1b0100').minAckDelay).toBe(0)
    expect(decode('c0000000ff04de1b04800061a8').minAckDelay).toBe(25_000)
    expectIllegal('c0000000ff04de1b04800061a9')
    expect(decode('c0000000ff04de1b0243e80b0101').minAckDelay).toBe(1000)
    expectIllegal('0b0100c0000000ff04de1b0101')
    expectIllegal('c0000000ff04de1b08ffffffffffffffff')
  })

  it('active_connection_id_limit: at least 2', () => {
    expect(decode('0e0102').activeConnectionIdLimit).toBe(2)
    expectIllegal('0e0101')
    expectIllegal('0e0100')
  })

  it.each(['08', '09'])('initial_max_streams 0x%s: at most 2^60 (§4.6)', (id) => {
    const params = decode(`${id}08d000000000000000`)
    expect(id === '08' ? params.initialMaxStreamsBidi : params.initialMaxStreamsUni).toBe(Number.MAX_SAFE_INTEGER)
    expectIllegal(`${id}08d000000000000001`)
  })

  it('limits above 2^53 − 1 are clamped', () => {
    expect(decode('0408ffffffffffffffff').initialMaxData).toBe(Number.MAX_SAFE_INTEGER)
    expect(decode('0108ffffffffffffffff').maxIdleTimeout).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('an integer must fill its length; it need not be the shortest', () => {
    expectIllegal('04020500')
    expectIllegal('040144')
    expectIllegal('0400')
    expect(decode('04024005').initialMaxData).toBe(5)
  })

  it('connection IDs: at most 20 bytes', () => {
    for (const id of ['00', '0f', '10']) {
      decode(`${id}14${'aa'.repeat(20)}`)
      decode(`${id}00`)
      expectIllegal(`${id}15${'aa'.repeat(21)}`)
    }
  })

  it('stateless_reset_token: 16 bytes', () => {
    for (const length of [0, 15, 17]) expectIllegal(`02${length.toString(16).padStart(2, '0')}${'aa'.repeat(length)}`)
  })

  it('flags are empty', () => {
    expect(decode('0c006ab2001d00')).toMatchObject({ disableActiveMigration: true, greaseQuicBit: true, resetStreamAt: true })
    // RESET_STREAM_AT §3: "the receipt of a non-empty value".
    expect(() => decode('1d0101')).toThrow('reset_stream_at of wrong length')
    expectIllegal('0c0100')
    expectIllegal('6ab20100')
  })

  it('preferred_address: a connection ID of 1 to 20 bytes, and none from a server without one', () => {
    const encode = (length: number, extra = ''): string => {
      const id = `${length.toString(16).padStart(2, '0')}${'aa'.repeat(length)}`
      const value = `${'00'.repeat(24)}${id}${'bb'.repeat(16)}${extra}`
      return `0d${(0x4000 + value.length / 2).toString(16)}${value}`
    }
    expect(decode(encode(20)).preferredAddress?.connectionId.length).toBe(20)
    expectIllegal(encode(0))
    expectIllegal(encode(21))
    expectIllegal(encode(4, '00'))
    decode(`${encode(4)}0f01aa`)
    expectIllegal(`${encode(4)}0f00`)
    expectIllegal(`0f00${encode(4)}`)
  })

  it('version_information (RFC 9368 §4)', () => {
    expect(decode('11080000000100000001', 'client').versionInformation).toEqual({ chosen: 1, available: [1] })
    expect(decode('110400000001', 'server').versionInformation).toEqual({ chosen: 1, available: [] })
    expectIllegal('110400000001', 'client')
    expectIllegal('1100')
    expectIllegal('1106000000010000')
    expectIllegal('110400000000')
    expectIllegal('11080000000100000000')
  })
})

describe('authentication of connection IDs (RFC 9000 §7.3)', () => {
  const id = (byte: number): Uint8Array => new Uint8Array(8).fill(byte)
  const params = (changes: Partial<TransportParameters>): TransportParameters => ({ ...defaultTransportParameters(), ...changes })
  const good = params({ initialSourceConnectionId: id(1), originalDestinationConnectionId: id(2) })

  it('accepts what matches', () => {
    authenticateConnectionIds(good, 'server', id(1), id(2), null)
    authenticateConnectionIds({ ...good, retrySourceConnectionId: id(3) }, 'server', id(1), id(2), id(3))
    authenticateConnectionIds(params({ initialSourceConnectionId: id(1) }), 'client', id(1), null, null)
  })

  it('refuses what is missing, different or not called for', () => {
    const refuse = (p: TransportParameters, retry: Uint8Array | null = null): void =>
      expectParameterError(() => authenticateConnectionIds(p, 'server', id(1), id(2), retry))
    refuse({ ...good, initialSourceConnectionId: null })
    refuse({ ...good, initialSourceConnectionId: id(9) })
    refuse({ ...good, originalDestinationConnectionId: null })
    refuse({ ...good, originalDestinationConnectionId: id(9) })
    refuse({ ...good, retrySourceConnectionId: id(3) })
    refuse(good, id(3))
    refuse({ ...good, retrySourceConnectionId: id(4) }, id(3))
    expectParameterError(() => authenticateConnectionIds(params({}), 'client', id(1), null, null))
  })
})
