// Every refusal has its alert, on the side that must refuse. RFC 9846 §4, §6.2; RFC 9001 §4, §6, §8.

import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { EncryptionLevel } from '../../src/wire/constants.ts'
import { TlsEngine } from '../../src/tls/engine.ts'
import { clientHello, encryptedExtensions, serverHello } from './extension-blocks.ts'
import { adding, helloExtensions, set, without } from './hello-extensions.ts'
import { clientConfig, codeOf, failureOf, Pair, reframe, rewrite, serverConfig, type Hand } from './handshake.ts'

const CLIENT_HELLO = 1
const SERVER_HELLO = 2
const ENCRYPTED_EXTENSIONS = 8
const CERTIFICATE = 11
const CERTIFICATE_VERIFY = 15
const FINISHED = 20

function patch(offset: number, value: number): (body: Uint8Array) => Uint8Array {
  return (body) => {
    body[offset] = value
    return body
  }
}

const EMPTY = new Uint8Array(0)

describe('ALPN (RFC 9001 §8.1)', () => {
  it('is no_application_protocol when nothing is common, when the client has none, and when the server answers none or another', () => {
    expect(failureOf({ alpn: ['h3'] }, { alpn: ['hq-interop'] })).toBe('server: alert 120')
    expect(failureOf({}, {}, clientHello(without(16)))).toBe('server: alert 120')
    expect(failureOf({}, {}, encryptedExtensions(without(16)))).toBe('client: alert 120')
    expect(failureOf({}, {}, encryptedExtensions(set(16, Uint8Array.of(0, 3, 2, 0x68, 0x32))))).toBe('client: alert 120')
    expect(failureOf({}, {}, encryptedExtensions(set(16, Uint8Array.of(0, 6, 2, 0x68, 0x33, 2, 0x68, 0x32))))).toBe('client: alert 50')
  })
})

describe('quic_transport_parameters (RFC 9001 §8.2)', () => {
  it('is missing_extension when absent on either side', () => {
    expect(failureOf({}, {}, clientHello(without(57)))).toBe('server: alert 109')
    expect(failureOf({}, {}, encryptedExtensions(without(57)))).toBe('client: alert 109')
  })
})

describe('ClientHello (RFC 9846 §4.2.2)', () => {
  it('without supported_groups, key_share or signature_algorithms is missing_extension (§9.2)', () => {
    for (const type of [10, 51, 13]) expect(failureOf({}, {}, clientHello(without(type)))).toBe('server: alert 109')
  })

  it('for another version is protocol_version', () => {
    expect(failureOf({}, {}, clientHello(without(43)))).toBe('server: alert 70')
    expect(failureOf({}, {}, clientHello(set(43, Uint8Array.of(2, 3, 3))))).toBe('server: alert 70')
    expect(failureOf({}, {}, rewrite('client', CLIENT_HELLO, patch(1, 2)))).toBe('server: alert 70')
    expect(failureOf({}, {}, rewrite('client', CLIENT_HELLO, (body) => body.slice(0, helloExtensions(body))))).toBe('server: alert 70')
  })

  it('may offer more versions, groups, suites and extensions than we know', () => {
    const hand = clientHello((list) => [
      [0x0a0a, EMPTY],
      ...set(43, Uint8Array.of(6, 0x1a, 0x1a, 3, 4, 3, 3))(list),
      [0x2a2a, Uint8Array.of(0)],
    ])
    // The transcripts differ from here on, so it ends at the client; that it gets there is the point.
    expect(failureOf({}, {}, hand)).toBe('client: alert 51')
  })

  it('with a session id is PROTOCOL_VIOLATION (RFC 9001 §8.4)', () => {
    const hand = rewrite('client', CLIENT_HELLO, (body) => concatBytes(body.subarray(0, 34), Uint8Array.of(1, 7), body.subarray(35)))
    expect(failureOf({}, {}, hand)).toBe('server: error 10')
  })

  it('with compression, a cookie or a misplaced pre_shared_key is illegal_parameter', () => {
    expect(failureOf({}, {}, rewrite('client', CLIENT_HELLO, (body) => patch(helloExtensions(body) - 1, 1)(body)))).toBe('server: alert 47')
    expect(failureOf({}, {}, clientHello(adding([44, Uint8Array.of(0, 1, 1)])))).toBe('server: alert 47')
    expect(failureOf({}, {}, clientHello((list) => [[41, EMPTY], ...list]))).toBe('server: alert 47')
    expect(failureOf({}, {}, clientHello(adding([41, EMPTY])))).toBe('server: alert 109')
  })

  it('with an extension twice or in the wrong message is illegal_parameter (§4.3)', () => {
    expect(failureOf({}, {}, clientHello(adding([0x0a0a, EMPTY], [0x0a0a, EMPTY])))).toBe('server: alert 47')
    expect(failureOf({}, {}, clientHello(adding([48, EMPTY])))).toBe('server: alert 47')
  })

  it('with a share for a group it does not list, or two for one, is illegal_parameter (§4.3.8)', () => {
    expect(failureOf({}, {}, clientHello(set(10, Uint8Array.of(0, 2, 0, 0x17))))).toBe('server: alert 47')
    const share = Uint8Array.of(0, 0x1d, 0, 1, 9)
    expect(failureOf({}, {}, clientHello(set(51, concatBytes(Uint8Array.of(0, 10), share, share))))).toBe('server: alert 47')
  })

  it('with a share that is no key is illegal_parameter', () => {
    const zeros = concatBytes(Uint8Array.of(0, 36, 0, 0x1d, 0, 32), new Uint8Array(32))
    expect(failureOf({}, {}, clientHello(set(51, zeros)))).toBe('server: alert 47')
    expect(failureOf({}, {}, clientHello(set(51, Uint8Array.of(0, 5, 0, 0x1d, 0, 1, 9))))).toBe('server: alert 47')
  })

  it('with nothing in common is handshake_failure', () => {
    expect(failureOf({ cipherSuites: [0x1301] }, { cipherSuites: [0x1302] })).toBe('server: alert 40')
    expect(failureOf({}, {}, clientHello(set(13, Uint8Array.of(0, 2, 8, 7))))).toBe('server: alert 40')
  })

  it('for a name nobody serves is unrecognized_name (RFC 6066 §3)', () => {
    expect(failureOf({}, { selectCertificate: () => null })).toBe('server: alert 112')
  })
})

describe('ServerHello (RFC 9846 §4.2.3)', () => {
  it('with a wrong version, suite, compression, session id or group is refused', () => {
    const hand = (offset: number, value: number): Hand => rewrite('server', SERVER_HELLO, patch(offset, value))
    expect(failureOf({}, {}, hand(1, 4))).toBe('client: alert 70')
    expect(failureOf({}, {}, hand(36, 9))).toBe('client: alert 47')
    expect(failureOf({ cipherSuites: [0x1301] }, {}, hand(36, 2))).toBe('client: alert 47')
    expect(failureOf({}, {}, hand(37, 1))).toBe('client: alert 47')
    expect(failureOf({}, {}, serverHello(without(43)))).toBe('client: alert 70')
    expect(failureOf({}, {}, serverHello(set(43, Uint8Array.of(3, 3))))).toBe('client: alert 47')
    expect(failureOf({}, {}, serverHello(without(51)))).toBe('client: alert 109')
    expect(failureOf({}, {}, serverHello(set(51, concatBytes(Uint8Array.of(0, 0x17, 0, 2, 4, 4)))))).toBe('client: alert 47')
    expect(failureOf({}, {}, serverHello(set(51, concatBytes(Uint8Array.of(0, 0x1d, 0, 32), new Uint8Array(32)))))).toBe('client: alert 47')
    const echo = rewrite('server', SERVER_HELLO, (body) => concatBytes(body.subarray(0, 34), Uint8Array.of(1, 7), body.subarray(35)))
    expect(failureOf({}, {}, echo)).toBe('client: alert 47')
  })

  it('with an answer nobody asked for is unsupported_extension (§4.3)', () => {
    expect(failureOf({}, {}, serverHello(adding([41, Uint8Array.of(0, 0)])))).toBe('client: alert 110')
    expect(failureOf({}, {}, serverHello(adding([0x0a0a, EMPTY])))).toBe('client: alert 110')
    expect(failureOf({}, {}, encryptedExtensions(adding([42, EMPTY])))).toBe('client: alert 110')
    expect(failureOf({}, {}, encryptedExtensions(adding([51, EMPTY])))).toBe('client: alert 47')
  })
})

describe('authentication', () => {
  it('a wrong Finished is decrypt_error, one of another length decode_error (RFC 9846 §4.5.3)', () => {
    for (const side of ['client', 'server'] as const) {
      const other = side === 'client' ? 'server' : 'client'
      expect(failureOf({}, {}, rewrite(side, FINISHED, (body) => patch(31, body[31]! ^ 1)(body)))).toBe(`${other}: alert 51`)
      expect(failureOf({}, {}, rewrite(side, FINISHED, (body) => body.slice(1)))).toBe(`${other}: alert 50`)
    }
  })

  it('a wrong CertificateVerify is decrypt_error, one with an unfit scheme illegal_parameter (RFC 9846 §4.5.2)', () => {
    expect(failureOf({}, {}, rewrite('server', CERTIFICATE_VERIFY, (body) => patch(20, body[20]! ^ 1)(body)))).toBe('client: alert 51')
    expect(failureOf({}, {}, rewrite('server', CERTIFICATE_VERIFY, (body) => patch(0, 8)(patch(1, 4)(body))))).toBe('client: alert 47')
    // RSASSA-PKCS1-v1_5 is for certificates only.
    expect(failureOf({}, {}, rewrite('server', CERTIFICATE_VERIFY, (body) => patch(0, 4)(patch(1, 1)(body))))).toBe('client: alert 47')
  })

  it('is required of a server nobody verifies, too: it must hold the key of its certificate', () => {
    const spoiled = rewrite('server', CERTIFICATE_VERIFY, (body) => patch(20, body[20]! ^ 1)(body))
    expect(failureOf({ verify: { mode: 'insecure' } }, {}, spoiled)).toBe('client: alert 51')
  })

  it('an empty Certificate is decode_error (RFC 9846 §4.5.1.3)', () => {
    expect(failureOf({}, {}, rewrite('server', CERTIFICATE, () => Uint8Array.of(0, 0, 0, 0)))).toBe('client: alert 50')
  })
})

describe('messages out of order', () => {
  it('are unexpected_message for every message a state does not name (RFC 9846 §4)', () => {
    for (const expected of [SERVER_HELLO, ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, FINISHED]) {
      for (const type of [1, 2, 4, 5, 8, 11, 13, 15, 20, 24, 254, 99]) {
        if (type === expected || (expected === CERTIFICATE && type === 13)) continue
        const hand: Hand = (from, _level, bytes) => [from === 'server' && bytes[0] === expected ? reframe(type, bytes.slice(4)) : bytes]
        expect(`${expected} as ${type}: ${failureOf({}, {}, hand)}`).toBe(`${expected} as ${type}: client: alert 10`)
      }
    }
    for (const expected of [CLIENT_HELLO, FINISHED]) {
      for (const type of [1, 2, 4, 5, 8, 11, 13, 15, 20, 24, 254, 99]) {
        if (type === expected) continue
        const hand: Hand = (from, _level, bytes) => [from === 'client' && bytes[0] === expected ? reframe(type, bytes.slice(4)) : bytes]
        expect(`${expected} as ${type}: ${failureOf({}, {}, hand)}`).toBe(`${expected} as ${type}: server: alert 10`)
      }
    }
  })

  it('after the handshake: only a client takes a NewSessionTicket; KeyUpdate is unexpected_message (RFC 9001 §6)', () => {
    const after = (side: 'client' | 'server', bytes: Uint8Array): string => {
      const pair = new Pair(clientConfig(), serverConfig()).run()
      try {
        pair[side].receive(EncryptionLevel.application, bytes)
        return 'taken'
      } catch (error) {
        return codeOf(error)
      }
    }
    const keyUpdate = reframe(24, Uint8Array.of(0))
    const ticket = reframe(4, Uint8Array.of(0, 0, 1, 0, 1, 2, 3, 4, 1, 5, 0, 2, 6, 7, 0, 0))
    expect(after('client', keyUpdate)).toBe('alert 10')
    expect(after('server', keyUpdate)).toBe('alert 10')
    expect(after('client', ticket)).toBe('taken')
    expect(after('client', concatBytes(ticket, ticket))).toBe('taken')
    expect(after('server', ticket)).toBe('alert 10')
    expect(after('client', reframe(4, Uint8Array.of(0, 0, 1)))).toBe('alert 50')
    // RFC 9001 §4.6.1: max_early_data_size is 0xffffffff or the ticket is a PROTOCOL_VIOLATION.
    const early = (size: number): Uint8Array =>
      reframe(4, Uint8Array.of(0, 0, 1, 0, 1, 2, 3, 4, 1, 5, 0, 2, 6, 7, 0, 8, 0, 42, 0, 4, 255, 255, 255, size))
    expect(after('client', early(255))).toBe('taken')
    expect(after('client', early(254))).toBe('error 10')
    // RFC 9001 §4.4.
    expect(after('client', reframe(13, Uint8Array.of(0, 0, 0)))).toBe('error 10')
  })

  it('at a level that is over, or never was, are PROTOCOL_VIOLATION (RFC 9001 §4.1.3, §8.3)', () => {
    const pair = new Pair(clientConfig(), serverConfig()).run()
    expect(() => pair.client.receive(EncryptionLevel.initial, Uint8Array.of(2))).toThrow(expect.objectContaining({ wireCode: 0x0a }))
    expect(() => pair.server.receive(EncryptionLevel.handshake, Uint8Array.of(2))).toThrow(expect.objectContaining({ wireCode: 0x0a }))
    const server = new TlsEngine(serverConfig())
    expect(() => server.receive(EncryptionLevel.earlyData, Uint8Array.of(5))).toThrow(expect.objectContaining({ wireCode: 0x0a }))
  })

  it('left over at a change of keys are PROTOCOL_VIOLATION (RFC 9001 §4.1.3)', () => {
    const extra = (type: number): Hand => (_from, _level, bytes) => [bytes[0] === type ? concatBytes(bytes, Uint8Array.of(0)) : bytes]
    expect(failureOf({}, {}, extra(CLIENT_HELLO))).toBe('server: error 10')
    expect(failureOf({}, {}, extra(SERVER_HELLO))).toBe('client: error 10')
    expect(failureOf({}, {}, extra(FINISHED))).toBe('client: error 10')
  })
})

describe('CertificateRequest (RFC 9846 §4.4.2)', () => {
  const request = (body: Uint8Array): Hand => (from, _level, bytes) =>
    from === 'server' && bytes[0] === CERTIFICATE ? [reframe(13, body), bytes] : [bytes]
  // The server of this test does not know that the request was slipped in, so the signature over the transcript fails.
  it('is taken before Certificate, once, with signature_algorithms and an empty context', () => {
    expect(failureOf({}, {}, request(Uint8Array.of(0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3)))).toBe('client: alert 51')
    expect(failureOf({}, {}, request(Uint8Array.of(0, 0, 0)))).toBe('client: alert 109')
    expect(failureOf({}, {}, request(Uint8Array.of(1, 7, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3)))).toBe('client: alert 47')
    const twice: Hand = (from, level, bytes) => {
      const pieces = request(Uint8Array.of(0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3))(from, level, bytes)
      return pieces.length === 2 ? [pieces[0]!, ...pieces] : pieces
    }
    expect(failureOf({}, {}, twice)).toBe('client: alert 10')
  })
})
