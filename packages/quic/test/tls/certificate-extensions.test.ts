// What may stand beside a certificate: OCSP responses (RFC 6066 §8), certificate timestamps (RFC 6962 §3.3.1); and certificates in
// fewer bytes (RFC 8879).

import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/base/bytes.ts'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { nobleProvider } from '../../src/crypto/noble/index.ts'
import type { CertificateCompressor, CryptoProvider } from '../../src/crypto/provider.ts'
import { decodeClientHello } from '../../src/tls/codec/client-hello.ts'
import { decompressCertificate, encodeCompressedCertificate } from '../../src/tls/codec/compressed-certificate.ts'
import type { TlsConfig } from '../../src/tls/engine.ts'
import { issue } from './certificates/authority.ts'
import { clientConfig, codeOf, failureOf, LEAF, Pair, reframe, rewrite, ROOT, serverConfig, type Hand } from './handshake.ts'

const groups = [0x001d] as const
const RESPONSE = Uint8Array.of(0x30, 3, 0x0a, 1, 0)
const TIMESTAMPS = Uint8Array.of(0, 5, 0, 3, 1, 2, 3)
const STAPLED = [{ chain: [LEAF.der], key: LEAF.key, ocspResponse: RESPONSE, signedCertificateTimestamps: TIMESTAMPS }]

function shown(client: Partial<TlsConfig>, server: Partial<TlsConfig> = {}): unknown {
  const pair = new Pair(clientConfig({ groups, ...client }), serverConfig({ certificates: STAPLED, ...server })).run()
  expect(pair.failure).toBeNull()
  const { ocspResponse, signedCertificateTimestamps } = pair.client.info()!
  return [ocspResponse, signedCertificateTimestamps]
}

describe('OCSP responses and certificate timestamps', () => {
  it('come when they are asked for and the server has them', () => {
    expect(shown({ statusRequest: true, certificateTimestamps: true })).toEqual([RESPONSE, TIMESTAMPS])
    expect(shown({ statusRequest: true })).toEqual([RESPONSE, null])
    expect(shown({ certificateTimestamps: true })).toEqual([null, TIMESTAMPS])
    expect(shown({})).toEqual([null, null])
    const bare = [{ chain: [LEAF.der], key: LEAF.key }]
    expect(shown({ statusRequest: true, certificateTimestamps: true }, { certificates: bare })).toEqual([null, null])
  })

  it('are shown to whoever judges the peer', () => {
    const pair = new Pair(clientConfig({ groups, statusRequest: true, asksPeer: true }), serverConfig({ certificates: STAPLED })).run()
    expect(pair.clientEvents.at(-1)).toMatchObject({ need: 'peer', ocspResponse: RESPONSE, certificates: [LEAF.der], serverName: 'localhost' })
  })

  /** A server's Certificate whose one entry has these extensions. */
  const entry = (...extensions: number[]): Hand =>
    rewrite('server', 11, () => {
      const der = LEAF.der
      const length = 3 + der.length + 2 + extensions.length
      const head = Uint8Array.of(0, length >> 16, (length >> 8) & 255, length & 255, 0, der.length >> 8, der.length & 255)
      return concatBytes(head, der, Uint8Array.of(extensions.length >> 8, extensions.length & 255), Uint8Array.from(extensions))
    })

  it('in a form nobody can read are decode_error, of an unknown type illegal_parameter, unasked unsupported_extension', () => {
    const both = { groups, statusRequest: true, certificateTimestamps: true }
    const outcome = (...extensions: number[]): string => failureOf(both, {}, entry(...extensions))
    expect(outcome(0, 5, 0, 4, 1, 0, 0, 0)).toBe('client: alert 50')
    expect(outcome(0, 5, 0, 5, 1, 0, 0, 2, 9)).toBe('client: alert 50')
    expect(outcome(0, 5, 0, 5, 2, 0, 0, 1, 9)).toBe('client: alert 47')
    expect(outcome(0, 5, 0, 6, 1, 0, 0, 1, 9, 9)).toBe('client: alert 50')
    expect(outcome(0, 18, 0, 2, 0, 0)).toBe('client: alert 50')
    expect(outcome(0, 18, 0, 4, 0, 2, 0, 0)).toBe('client: alert 50')
    expect(outcome(0, 18, 0, 3, 0, 2, 0)).toBe('client: alert 50')
    expect(outcome(0, 5, 0, 5, 1, 0, 0, 1, 9, 0, 5, 0, 5, 1, 0, 0, 1, 9)).toBe('client: alert 47')
    expect(failureOf({ groups }, {}, entry(0, 5, 0, 5, 1, 0, 0, 1, 9))).toBe('client: alert 110')
    expect(failureOf({ groups }, {}, entry(0, 18, 0, 7, ...TIMESTAMPS))).toBe('client: alert 110')
    // Good ones get as far as the signature over another transcript.
    expect(outcome(0, 5, 0, 5, 1, 0, 0, 1, 9, 0, 18, 0, 7, ...TIMESTAMPS)).toBe('client: alert 51')
  })
})

const INTERMEDIATE = issue({ name: 'an intermediate authority of some length', issuer: ROOT, ca: true, keyIds: true })
const LONG_LEAF = issue({
  issuer: INTERMEDIATE,
  names: ['localhost', ...Array.from({ length: 40 }, (_, i) => `host-number-${i}.example.org`)],
  keyIds: true,
})
const LONG = [{ chain: [LONG_LEAF.der, INTERMEDIATE.der], key: LONG_LEAF.key }]

/** Types of the messages of the server, and how long the certificate was on its way. */
function certificateOf(client: Partial<TlsConfig>, server: Partial<TlsConfig>): string {
  let seen = ''
  const pair = new Pair(clientConfig({ groups, ...client }), serverConfig({ certificates: LONG, ...server }), (from, _level, bytes) => {
    if (from === 'server' && bytes[0] === 11) seen = 'plain'
    if (from === 'server' && bytes[0] === 25) seen = `algorithm ${bytes[5]}`
    return [bytes]
  }).run()
  expect(pair.failure).toBeNull()
  expect(pair.client.info()!.peerCertificates).toEqual(LONG[0]!.chain)
  return seen
}

function only(algorithm: number): CryptoProvider {
  return { ...nodeProvider, certificateCompressors: nodeProvider.certificateCompressors.filter((entry) => entry.algorithm === algorithm) }
}

const ALGORITHMS = nodeProvider.certificateCompressors.map((compressor) => compressor.algorithm)

describe('certificate compression', () => {
  it('is offered by the provider that has it, unless it is off', () => {
    const offer = (changes: Partial<TlsConfig>): readonly number[] => {
      let compression: readonly number[] = []
      new Pair(clientConfig({ groups, ...changes }), serverConfig(), (from, _level, bytes) => {
        if (from === 'client' && bytes[0] === 1) compression = decodeClientHello(bytes.subarray(4)).compression
        return [bytes]
      }).run()
      return compression
    }
    expect(ALGORITHMS).toContain(1)
    expect(ALGORITHMS[0]).toBe(2)
    expect(offer({})).toEqual(ALGORITHMS)
    expect(offer({ provider: nobleProvider })).toEqual([])
    expect(offer({ certificateCompression: false })).toEqual([])
  })

  it('is used by every algorithm both sides have, where it pays', () => {
    for (const algorithm of ALGORITHMS) {
      expect(certificateOf({ provider: only(algorithm) }, {})).toBe(`algorithm ${algorithm}`)
      expect(certificateOf({}, { provider: only(algorithm) })).toBe(`algorithm ${algorithm}`)
    }
    expect(certificateOf({ provider: nobleProvider }, {})).toBe('plain')
    expect(certificateOf({}, { provider: nobleProvider })).toBe('plain')
    expect(certificateOf({ certificateCompression: false }, {})).toBe('plain')
    expect(certificateOf({}, { certificateCompression: false })).toBe('plain')
    expect(certificateOf({ provider: only(1) }, { provider: only(2) })).toBe('plain')
    let type = 0
    const short: Hand = (from, _level, bytes) => {
      if (from === 'server' && (bytes[0] === 11 || bytes[0] === 25)) type = bytes[0]!
      return [bytes]
    }
    expect(failureOf({ groups }, {}, short)).toBe('no failure')
    expect(type).toBe(11)
  })

  it('holds what goes with the certificate, each variant by itself', () => {
    const certificates = [{ ...LONG[0]!, ocspResponse: RESPONSE }]
    expect(shown({ statusRequest: true }, { certificates })).toEqual([RESPONSE, null])
    expect(shown({}, { certificates })).toEqual([null, null])
    expect(shown({ statusRequest: true }, { certificates })).toEqual([RESPONSE, null])
  })

  it('is there for client certificates', () => {
    const types: number[] = []
    const clientAuthentication = { required: true, verify: { mode: 'insecure' } } as const
    const pair = new Pair(clientConfig({ groups, clientCertificates: LONG }), serverConfig({ clientAuthentication }), (from, _level, bytes) => {
      if (from === 'client') types.push(bytes[0]!)
      return [bytes]
    }).run()
    expect(pair.server.info()!.peerCertificates).toEqual(LONG[0]!.chain)
    expect(types).toEqual([1, 25, 15, 20])
  })

  it('by an algorithm that was not offered is illegal_parameter, not offered at all unexpected_message', () => {
    const algorithm = (number: number): Hand => rewrite('server', 25, (body) => body.with(1, number))
    const server = { certificates: LONG, provider: only(1) }
    expect(failureOf({ groups }, server, algorithm(9))).toBe('client: alert 47')
    const uninvited: Hand = (from, _level, bytes) => [from === 'server' && bytes[0] === 11 ? reframe(25, bytes.slice(4)) : bytes]
    expect(failureOf({ groups, certificateCompression: false }, {}, uninvited)).toBe('client: alert 10')
  })

  it('that does not become what it announces is bad_certificate, one cut short decode_error', () => {
    const spoiled = (change: (body: Uint8Array) => Uint8Array): string =>
      failureOf({ groups }, { certificates: LONG, provider: only(1) }, rewrite('server', 25, change))
    expect(spoiled((body) => body.with(4, body[4]! ^ 1))).toBe('client: alert 42')
    expect(spoiled((body) => body.with(2, 2))).toBe('client: alert 42')
    expect(spoiled((body) => body.with(20, body[20]! ^ 0xff))).toBe('client: alert 42')
    expect(spoiled((body) => body.slice(0, -1))).toBe('client: alert 50')
    expect(spoiled((body) => concatBytes(body, Uint8Array.of(0)))).toBe('client: alert 50')
    expect(spoiled((body) => concatBytes(body.subarray(0, 5), Uint8Array.of(0, 0, 0)))).toBe('client: alert 50')
    expect(spoiled(() => new Uint8Array(0))).toBe('client: alert 50')
  })

  for (const compressor of nodeProvider.certificateCompressors) {
    it(`${compressor.algorithm}: a bomb goes off at the length it announces, and not at all above 64 KiB`, () => {
      const zeros = new Uint8Array(4 * 1024 * 1024)
      const bomb = compressor.compress(zeros)
      expect(bomb.length).toBeLessThan(8192)
      expect(compressor.decompress(bomb, 65_536)).toBeNull()
      expect(compressor.decompress(compressor.compress(zeros.subarray(0, 100)), 100)).toEqual(zeros.subarray(0, 100))
      expect(compressor.decompress(compressor.compress(zeros.subarray(0, 100)), 101)).toBeNull()
      expect(compressor.decompress(compressor.compress(zeros.subarray(0, 100)), 0)).toBeNull()
      expect(compressor.decompress(Uint8Array.of(1, 2, 3), 100)).toBeNull()
      const counted: number[] = []
      const counting: CertificateCompressor = { ...compressor, decompress: (bytes, length) => (counted.push(length), compressor.decompress(bytes, length)) }
      const claim = (length: number): Uint8Array => {
        const bytes = encodeCompressedCertificate(new Uint8Array(8), { ...compressor, compress: () => bomb })
        bytes.set([length >>> 16, (length >>> 8) & 255, length & 255], 6)
        return bytes.subarray(4)
      }
      for (const length of [65_537, 0xffffff]) {
        expect(outcome(() => decompressCertificate(claim(length), [counting]))).toBe('alert 42')
      }
      expect(counted).toEqual([])
      expect(outcome(() => decompressCertificate(claim(65_536), [counting]))).toBe('alert 42')
      expect(counted).toEqual([65_536])
    })
  }
})

function outcome(run: () => unknown): string {
  try {
    run()
    return 'taken'
  } catch (error) {
    return codeOf(error)
  }
}
