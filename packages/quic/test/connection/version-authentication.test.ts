// Version Information that lies, lacks or is broken (RFC 9368 §3, §4, §8), given to the rules themselves: no honest peer sends it.

import { describe, expect, it } from 'vitest'
import type { ConnectionCore } from '../../src/connection/core.ts'
import { Versions } from '../../src/connection/handshake/version-choice.ts'
import { authenticateVersion, settleVersion } from '../../src/connection/handshake/version.ts'
import { SentPacketPool } from '../../src/recovery/sent-packet.ts'
import { PacketNumberSkips } from '../../src/space/packet-number-skips.ts'
import { Spaces } from '../../src/space/spaces.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { TlsEngine } from '../../src/tls/engine.ts'
import { TransportErrorCode } from '../../src/wire/constants.ts'
import { TransportError } from '../../src/wire/transport-error.ts'
import { encodeTransportParameters } from '../../src/wire/transport-parameters/codec.ts'
import { defaultTransportParameters } from '../../src/wire/transport-parameters/table.ts'
import type { VersionInformation } from '../../src/wire/transport-parameters/table.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'

const V1 = 1
const V2 = 0x6b3343cf
const BOTH = [V1, V2]

/** The wire code of the TransportError that `body` throws, -1 when it throws none. */
function codeOf(body: () => void): number {
  try {
    body()
  } catch (error) {
    if (error instanceof TransportError) return error.wireCode
    throw error
  }
  return -1
}

describe('a client judges the server (RFC 9368 §4)', () => {
  interface Attempt {
    original?: number
    used?: number
    supported?: readonly number[]
    after?: boolean
  }

  function judge(attempt: Attempt, given: VersionInformation | null): number {
    const original = attempt.original ?? V1
    const versions = new Versions({
      role: 'client',
      original,
      supported: attempt.supported ?? BOTH,
      preferred: 0,
      afterNegotiation: attempt.after ?? false,
    })
    const core = { versions, handshake: { version: attempt.used ?? original }, trace: null } as unknown as ConnectionCore
    return codeOf(() => authenticateVersion(core, given, 0))
  }

  const ERROR = TransportErrorCode.versionNegotiationError
  const cases: [string, Attempt, VersionInformation | null, number][] = [
    ['the version in use, chosen', {}, { chosen: V1, available: BOTH }, -1],
    ['a server that is giving the version up: not among its Available Versions (§3)', {}, { chosen: V1, available: [] }, -1],
    ['reserved versions', {}, { chosen: V1, available: [0x0a0a0a0a, V1] }, -1],
    ['another version than the one in use', {}, { chosen: V2, available: BOTH }, ERROR],
    ['the original version after a change by the header alone', { used: V2 }, { chosen: V1, available: BOTH }, ERROR],
    ['a version that was never offered', { supported: [V1] }, { chosen: V2, available: BOTH }, ERROR],
    ['the changed version', { used: V2 }, { chosen: V2, available: BOTH }, -1],
    ['nothing, without negotiation', {}, null, -1],
    ['nothing, after a change by the header', { used: V2 }, null, ERROR],
    ['nothing from a server of version 1, after Version Negotiation (§8)', { supported: [V2, V1], after: true }, null, -1],
    ['nothing in version 2, after Version Negotiation', { original: V2, after: true }, null, ERROR],
    ['no versions, after Version Negotiation', { original: V2, after: true }, { chosen: V2, available: [] }, ERROR],
    ['versions that lead elsewhere, after Version Negotiation', { original: V2, after: true }, { chosen: V2, available: BOTH }, ERROR],
    ['versions that lead here, after Version Negotiation', { original: V2, after: true }, { chosen: V2, available: [V2, 7] }, -1],
    [
      'a downgrade to version 1 by a client that prefers version 2',
      { supported: [V2, V1], after: true },
      { chosen: V1, available: [V1, V2] },
      ERROR,
    ],
  ]
  it.each(cases)('%s', (_name, attempt, given, expected) => {
    expect(judge(attempt, given)).toBe(expected)
  })
})

describe('a server judges the client', () => {
  function hello(parameters: Uint8Array): Uint8Array {
    const engine = new TlsEngine({
      role: 'client',
      provider,
      random: new SeededRandom(1),
      alpn: ['test'],
      verify: { mode: 'insecure' },
      transportParameters: parameters,
    })
    engine.start()
    const event = engine.poll()
    if (event === null || event.kind !== 'crypto') throw new Error('no ClientHello')
    return event.bytes
  }

  function parametersWith(versionInformation: VersionInformation | null): Uint8Array {
    const initialSourceConnectionId = new Uint8Array(8)
    return encodeTransportParameters({ ...defaultTransportParameters(), initialSourceConnectionId, versionInformation }, 'client')
  }

  interface Outcome {
    readonly code: number
    readonly version: number
    readonly announced: number[]
    readonly given: Uint8Array[]
  }

  /** What becomes of a ClientHello that arrives in pieces. */
  function settle(bytes: Uint8Array, original: number, preferred: number, pieces: number): Outcome {
    const versions = new Versions({ role: 'server', original, supported: BOTH, preferred, afterNegotiation: false })
    const announced: number[] = []
    versions.encodeParameters = (chosen) => {
      announced.push(chosen)
      return new Uint8Array(0)
    }
    const handshake = { version: original }
    const tls = { setTransportParameters: () => undefined, setSessionVersion: () => undefined }
    const spaces = new Spaces(25, new SentPacketPool(), new PacketNumberSkips(new SeededRandom(1), false))
    const core = { role: 'server', provider, spaces, handshake, versions, tls, trace: null } as unknown as ConnectionCore
    const given: Uint8Array[] = []
    const code = codeOf(() => {
      for (let i = 0; i < pieces; i += 1) {
        const piece = bytes.slice(Math.floor((bytes.length * i) / pieces), Math.floor((bytes.length * (i + 1)) / pieces))
        const ready = settleVersion(core, piece, 0)
        if (ready !== null) given.push(ready)
      }
    })
    return { code, version: handshake.version, announced, given }
  }

  it.each([1, 2, 7, 100])('takes the ClientHello whole, from %i pieces', (pieces) => {
    const bytes = hello(parametersWith({ chosen: V1, available: BOTH }))
    const outcome = settle(bytes, V1, V2, pieces)
    expect(outcome).toMatchObject({ code: -1, version: V2, announced: [V2] })
    expect(outcome.given).toEqual([bytes])
  })

  const cases: [string, VersionInformation | null, number, number, number, number][] = [
    ['Chosen Version of another packet: VERSION_NEGOTIATION_ERROR (§4)', { chosen: V2, available: BOTH }, V1, 0, 0x11, V1],
    ['no Version Information: the handshake goes on (§4)', null, V1, V2, -1, V1],
    ['only its own version: nothing to change to', { chosen: V1, available: [V1] }, V1, V2, -1, V1],
    ['unknown and reserved versions are passed over (§3)', { chosen: V1, available: [0x0a0a0a0a, 7, V2, V1] }, V1, 0, -1, V2],
    ['the order of the client counts without a preference of the server', { chosen: V1, available: [V1, V2] }, V1, 0, -1, V1],
  ]
  it.each(cases)('%s', (_name, information, original, preferred, code, version) => {
    expect(settle(hello(parametersWith(information)), original, preferred, 1)).toMatchObject({ code, version })
  })

  it.each([
    ['cut short', '110501000000016b'],
    ['empty', '1100'],
    ['without the Chosen Version among the Available ones', '1108000000016b3343cf'],
    ['with version 0', '110c000000010000000100000000'],
  ])('a version_information %s is TRANSPORT_PARAMETER_ERROR (§4)', (_name, hex) => {
    const parameters = Uint8Array.from(hex.match(/../g)!, (byte) => parseInt(byte, 16))
    expect(settle(hello(parameters), V1, V2, 1).code).toBe(TransportErrorCode.transportParameterError)
  })

  it('what is no ClientHello, or too long to be one, goes to TLS at once', () => {
    for (const bytes of [Uint8Array.of(2, 0, 0, 50, 1), Uint8Array.of(1, 0xff, 0xff, 0xff, 1)]) {
      expect(settle(bytes, V1, V2, 1)).toMatchObject({ code: -1, version: V1, given: [bytes] })
    }
  })
})
