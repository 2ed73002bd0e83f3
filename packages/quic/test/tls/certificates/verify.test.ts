// One fault at a time: each has its own check and its own alert. RFC 5280 §6.1, RFC 9846 §6.2.

import { generateKeyPairSync } from 'node:crypto'
import { OctetString } from '@peculiar/asn1-schema'
import { type Extension, GeneralName, GeneralSubtree, GeneralSubtrees, KeyUsageFlags, NameConstraints } from '@peculiar/asn1-x509'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { nobleProvider } from '../../../src/crypto/noble/index.ts'
import { DerTag, derElement } from '../../../src/crypto/der.ts'
import { writePublicKey } from '../../../src/crypto/public-key.ts'
import type { CryptoProvider, KeyPairBytes } from '../../../src/crypto/provider.ts'
import { CertificateError, TlsUsageError } from '../../../src/tls/errors.ts'
import { readCertificateNames } from '../../../src/tls/certificates/distinguished-names.ts'
import { parseCertificate } from '../../../src/tls/certificates/parse.ts'
import { TrustAnchors } from '../../../src/tls/certificates/roots.ts'
import { verifyChain } from '../../../src/tls/certificates/verify.ts'
import { clientConfig, Pair, serverConfig } from '../handshake.ts'
import { CLIENT_AUTH, DAY, extension, issue, keyPair, NOW, SERVER_AUTH, type Issued, type Wish } from './authority.ts'

const ROOT = issue({ name: 'root', ca: true, keyUsage: KeyUsageFlags.keyCertSign, keyIds: true })
const MIDDLE = issue({ name: 'middle', ca: true, issuer: ROOT, keyIds: true })
const LEAF = issue({ issuer: MIDDLE, keyUsage: KeyUsageFlags.digitalSignature, extendedKeyUsage: [SERVER_AUTH], keyIds: true })

const NARROW_ROOT = issue({ name: 'root', ca: true, pathLength: 0 })

const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
const WEAK = {
  pkcs8: new Uint8Array(weak.privateKey.export({ type: 'pkcs8', format: 'der' })),
  spki: new Uint8Array(weak.publicKey.export({ type: 'spki', format: 'der' })),
}

/** Only looked at: the key that goes with it is another. */
function rsaKey(modulusBytes: number, exponentBytes: number): KeyPairBytes {
  const odd = (length: number): Uint8Array => new Uint8Array(length).fill(0x7f)
  const modulus = derElement(DerTag.integer, Uint8Array.of(0), new Uint8Array(modulusBytes).fill(0xff))
  const key = derElement(DerTag.sequence, modulus, derElement(DerTag.integer, odd(exponentBytes)))
  return { pkcs8: WEAK.pkcs8, spki: writePublicKey('rsa', key) }
}

const WITH_LONG_EXPONENT = rsaKey(128, 128)
const NEARLY = rsaKey(255, 3)

interface Case {
  readonly chain: readonly Issued[]
  readonly roots?: readonly Issued[]
  readonly serverName?: string
  readonly now?: number
  readonly provider?: CryptoProvider
  readonly peer?: 'client' | 'server'
}

function judge({ chain, roots = [ROOT], serverName = 'localhost', now = NOW, provider = nodeProvider, peer = 'server' }: Case): string {
  const [leaf, ...intermediates] = chain.map(({ der }) => parseCertificate(der, 'a certificate'))
  const anchors = TrustAnchors.from(roots.map(({ der }) => der))
  try {
    const items = verifyChain({ provider, leaf: leaf!, intermediates, roots: anchors, peer, serverName, unixTimeMs: now })
    return items.length === 0 ? 'good' : `good with ${items.length} open`
  } catch (error) {
    if (error instanceof CertificateError) return `${error.check} ${error.wireCode - 0x100}`
    throw error
  }
}

describe('a good chain', () => {
  it('of any length up to the bound, with intermediates in any order and strangers among them', () => {
    expect(judge({ chain: [LEAF, MIDDLE] })).toBe('good')
    expect(judge({ chain: [LEAF, ROOT, MIDDLE] })).toBe('good')
    const stranger = issue({ name: 'stranger', ca: true })
    expect(judge({ chain: [LEAF, stranger, MIDDLE, LEAF] })).toBe('good')
    expect(judge({ chain: [LEAF], roots: [MIDDLE] })).toBe('good')
    const chain: Issued[] = [ROOT]
    // quic-interop-runner has a leaf below eight of them and a root.
    for (let i = 0; i < 9; i++) chain.unshift(issue({ name: `authority ${i}`, ca: true, issuer: chain[0]! }))
    chain.unshift(issue({ issuer: chain[0]! }))
    expect(judge({ chain })).toBe('good')
    chain.unshift(issue({ issuer: issue({ name: 'one more', ca: true, issuer: chain[1]! }) }))
    const tooLong = [chain[0]!, issue({ name: 'one more', ca: true, issuer: chain[2]! }), ...chain.slice(2)]
    expect(judge({ chain: tooLong })).toBe('unknown-issuer 48')
  })

  it('of a self-signed leaf that is itself among the roots, whatever it is not', () => {
    const own = issue({ name: 'self', keyUsage: KeyUsageFlags.digitalSignature })
    expect(judge({ chain: [own], roots: [own] })).toBe('good')
    expect(judge({ chain: [own], roots: [ROOT] })).toBe('self-signed 48')
    expect(judge({ chain: [own], roots: [own], now: NOW + 2 * DAY })).toBe('expired 45')
    expect(judge({ chain: [own], roots: [own], serverName: 'elsewhere' })).toBe('name-mismatch 42')
    // The same name and key, but not the same certificate; and that of another key, made anew.
    expect(judge({ chain: [issue({ name: 'self', notAfter: NOW + 2 * DAY })], roots: [own] })).toBe('self-signed 48')
    expect(judge({ chain: [issue({ name: 'self', pair: keyPair('p256', 'anew') })], roots: [own] })).toBe('self-signed 48')
    expect(judge({ chain: [issue({ name: 'root', pair: keyPair('p256', 'forged') })], roots: [ROOT] })).toBe('bad-signature 42')
  })

  it('finds the way around an expired cross-signed certificate and a namesake with another key', () => {
    const old = issue({ name: 'old root', ca: true, notAfter: NOW - 1 })
    const cross = issue({ name: 'middle', ca: true, issuer: old, pair: MIDDLE.pair })
    expect(judge({ chain: [LEAF, cross, MIDDLE], roots: [old, ROOT] })).toBe('good')
    const namesake = issue({ name: 'middle', ca: true, issuer: ROOT, pair: keyPair('p256', 'namesake') })
    expect(judge({ chain: [LEAF, namesake, MIDDLE] })).toBe('good')
  })

  it('with the other hash of a curve, over both providers', () => {
    const p384 = issue({ name: 'p384', kind: 'p384', ca: true })
    const byP384 = issue({ issuer: p384, scheme: 0xfe02 })
    const byP256 = issue({ issuer: ROOT, scheme: 0xfe01 })
    for (const provider of [nodeProvider, nobleProvider]) {
      expect(judge({ chain: [byP384], roots: [p384], provider })).toBe('good')
      expect(judge({ chain: [byP256], provider })).toBe('good')
    }
  })

  it('leaves open what the provider cannot check', () => {
    const rsa = issue({ name: 'rsa', kind: 'rsa2048', ca: true })
    const leaf = issue({ issuer: rsa })
    expect(judge({ chain: [leaf], roots: [rsa], provider: nobleProvider })).toBe('good with 1 open')
    expect(judge({ chain: [leaf], roots: [rsa] })).toBe('good')
  })

  it('signed with RSASSA-PKCS1-v1_5 or RSASSA-PSS', () => {
    const rsa = issue({ name: 'rsa', kind: 'rsa2048', ca: true })
    for (const scheme of [0x0401, 0x0601, 0x0805] as const) {
      expect(judge({ chain: [issue({ issuer: rsa, scheme })], roots: [rsa] })).toBe('good')
    }
  })
})

describe('a fault', () => {
  /** A leaf under such an authority. */
  const under = (wish: Wish): Case => {
    const authority = issue({ issuer: ROOT, ...wish })
    return { chain: [issue({ issuer: authority }), authority] }
  }
  const unknown = (critical: boolean): Extension => extension('1.2.3.4', critical, new OctetString([1]))
  const bad: readonly [string, Case, string][] = [
    ['an expired leaf', { chain: [issue({ issuer: ROOT, notAfter: NOW - 1000 })] }, 'expired 45'],
    ['a leaf of tomorrow', { chain: [issue({ issuer: ROOT, notBefore: NOW + 1000 })] }, 'not-yet-valid 45'],
    ['an expired intermediate', under({ name: 'expired', ca: true, notAfter: NOW - 1000 }), 'expired 45'],
    ['another name', { chain: [LEAF, MIDDLE], serverName: 'example.org' }, 'name-mismatch 42'],
    ['no root', { chain: [LEAF, MIDDLE], roots: [] }, 'unknown-issuer 48'],
    ['itself as its issuer', { chain: [issue({ name: 'self' })] }, 'self-signed 48'],
    ['a missing intermediate', { chain: [LEAF] }, 'unknown-issuer 48'],
    ['a leaf for clients', { chain: [issue({ issuer: ROOT, extendedKeyUsage: [CLIENT_AUTH] })] }, 'wrong-usage 43'],
    ['a leaf that may not sign', { chain: [issue({ issuer: ROOT, keyUsage: KeyUsageFlags.keyEncipherment })] }, 'wrong-usage 43'],
    ['an authority for clients', under({ name: 'clients', ca: true, extendedKeyUsage: [CLIENT_AUTH] }), 'wrong-usage 43'],
    ['an issuer that is no authority', under({ name: 'no authority' }), 'invalid-authority 48'],
    ['an issuer that may not sign', under({ name: 'mute', ca: true, keyUsage: KeyUsageFlags.cRLSign }), 'invalid-authority 48'],
    ['a path longer than allowed', { chain: [LEAF, MIDDLE], roots: [NARROW_ROOT] }, 'path-too-long 48'],
    ['an RSA key of 1024 bits', { chain: [issue({ issuer: ROOT, pair: WEAK })] }, 'weak-key 43'],
    ['an RSA key of 1024 bits and a long exponent', { chain: [issue({ issuer: ROOT, pair: WITH_LONG_EXPONENT })] }, 'weak-key 43'],
    ['an RSA key of 2040 bits', { chain: [issue({ issuer: ROOT, pair: NEARLY })] }, 'weak-key 43'],
    ['a signature with SHA-1', { chain: [issue({ issuer: ROOT, algorithm: '1.2.840.10045.4.1' })] }, 'weak-signature 42'],
    ['a signature with MD5', { chain: [issue({ issuer: ROOT, algorithm: '1.2.840.113549.1.1.4' })] }, 'weak-signature 42'],
    ['an unknown signature', { chain: [issue({ issuer: ROOT, algorithm: '1.2.3.4' })] }, 'unsupported-algorithm 43'],
    ['a client', { peer: 'client', chain: [issue({ issuer: ROOT, extendedKeyUsage: [CLIENT_AUTH] })] }, 'good'],
    ['a client of many uses', { peer: 'client', chain: [issue({ issuer: ROOT })] }, 'good'],
    ['a client with a server’s leaf', { peer: 'client', chain: [issue({ issuer: ROOT, extendedKeyUsage: [SERVER_AUTH] })] }, 'wrong-usage 43'],
    ['a client below an authority for servers', { peer: 'client', ...under({ name: 'servers', ca: true, extendedKeyUsage: [SERVER_AUTH] }) }, 'wrong-usage 43'],
    ['a wrong signature', { chain: [issue({ issuer: { ...ROOT, key: issue({ name: 'forger' }).key } })] }, 'bad-signature 42'],
    ['an unknown critical extension', { chain: [issue({ issuer: ROOT, extra: [unknown(true)] })] }, 'unsupported-extension 43'],
  ]
  for (const [what, input, outcome] of bad) it(`${what}: ${outcome}`, () => expect(judge(input)).toBe(outcome))

  it('an unknown extension that is not critical is none', () => {
    expect(judge({ chain: [issue({ issuer: ROOT, extra: [unknown(false)] })] })).toBe('good')
  })

  it('reaches the owner of the engine with its check and its alert', () => {
    const root = issue({ name: 'root', ca: true })
    const outcomes: [object, object][] = [
      [{ serverName: 'example.org' }, { check: 'name-mismatch', wireCode: 0x100 + 42 }],
      [{ verify: { mode: 'chain', roots: [LEAF.der], unixTimeMs: NOW } }, { check: 'unknown-issuer', wireCode: 0x100 + 48 }],
      [{ verify: { mode: 'chain', roots: [root.der], unixTimeMs: NOW + 9 * DAY } }, { check: 'expired', wireCode: 0x100 + 45 }],
    ]
    for (const [client, failure] of outcomes) {
      const pair = new Pair(clientConfig(client), serverConfig()).run()
      expect(pair.failedSide).toBe('client')
      expect(pair.failure).toMatchObject({ name: 'CertificateError', ...failure })
    }
  })

  it('in an unverified chain is nobody’s business', () => {
    const leaf = issue({ name: 'stranger', names: ['elsewhere'], notAfter: NOW - DAY / 2 })
    const certificates = [{ chain: [leaf.der], key: leaf.key }]
    const pair = new Pair(clientConfig({ verify: { mode: 'insecure' }, serverName: undefined }), serverConfig({ certificates }))
    expect(pair.run().complete).toBe(true)
  })
})

describe('name constraints (RFC 5280 §4.2.1.10)', () => {
  const subtree = (name: Partial<GeneralName>): GeneralSubtree => new GeneralSubtree({ base: new GeneralName(name) })
  const under = (permitted: Partial<GeneralName>[], excluded: Partial<GeneralName>[], names: string[]): string => {
    const nameConstraints = new NameConstraints()
    if (permitted.length > 0) nameConstraints.permittedSubtrees = new GeneralSubtrees(permitted.map(subtree))
    if (excluded.length > 0) nameConstraints.excludedSubtrees = new GeneralSubtrees(excluded.map(subtree))
    const authority = issue({ name: 'constrained', ca: true, issuer: ROOT, nameConstraints })
    return judge({ chain: [issue({ issuer: authority, names }), authority], serverName: names[0]! })
  }

  it('allow what is permitted and not excluded', () => {
    const permitted = [{ dNSName: 'example.org' }]
    expect(under(permitted, [], ['example.org'])).toBe('good')
    expect(under(permitted, [], ['a.b.example.org'])).toBe('good')
    expect(under(permitted, [], ['badexample.org'])).toBe('name-constraints 42')
    expect(under(permitted, [], ['example.org', 'example.com'])).toBe('name-constraints 42')
    expect(under(permitted, [{ dNSName: 'secret.example.org' }], ['x.secret.example.org'])).toBe('name-constraints 42')
    expect(under([], [{ dNSName: '.example.org' }], ['example.org'])).toBe('good')
  })

  it('look at what a wildcard stands for', () => {
    const excluded = [{ dNSName: 'secret.example.org' }]
    expect(under([], excluded, ['plain.org', '*.example.org'])).toBe('name-constraints 42')
    expect(under([], excluded, ['plain.org', '*.Example.ORG.'])).toBe('name-constraints 42')
    expect(under([], excluded, ['plain.org', '*.secret.example.org'])).toBe('name-constraints 42')
    // It stands for one label: neither what is two below it, nor what is below what it stands for.
    expect(under([], [{ dNSName: 'a.secret.example.org' }], ['plain.org', '*.example.org'])).toBe('good')
    expect(under([], [{ dNSName: '.secret.example.org' }], ['plain.org', '*.example.org'])).toBe('good')
    expect(under([{ dNSName: 'plain.org' }, { dNSName: 'a.example.org' }], [], ['plain.org', '*.example.org'])).toBe('name-constraints 42')
    expect(under([{ dNSName: 'plain.org' }, { dNSName: 'example.org' }], [], ['plain.org', '*.example.org'])).toBe('good')
  })

  it('are not got around with a final dot', () => {
    expect(under([], [{ dNSName: 'example.org' }], ['www.example.org.'])).toBe('name-constraints 42')
    expect(under([], [{ dNSName: 'example.org.' }], ['www.example.org'])).toBe('name-constraints 42')
    expect(under([{ dNSName: 'example.org' }], [], ['www.example.org.'])).toBe('good')
  })

  it('look at addresses by prefix', () => {
    const permitted = [{ iPAddress: '10.0.0.0/9' }, { iPAddress: 'fd00::/8' }]
    expect(under(permitted, [], ['10.127.0.1'])).toBe('good')
    expect(under(permitted, [], ['10.128.0.1'])).toBe('name-constraints 42')
    expect(under(permitted, [], ['fd12::1'])).toBe('good')
    expect(under(permitted, [], ['fe80::1'])).toBe('name-constraints 42')
    // DNS names are not limited by addresses.
    expect(under(permitted, [], ['example.org'])).toBe('good')
  })

  it('of kinds nobody looks at here refuse', () => {
    expect(under([], [{ rfc822Name: 'example.org' }], ['example.org'])).toBe('unsupported-extension 43')
  })
})

describe('roots', () => {
  it('that are no certificates are refused together, and left out one by one', () => {
    expect(() => TrustAnchors.from([Uint8Array.of(1, 2, 3)])).toThrow(TlsUsageError)
    expect(TrustAnchors.from([Uint8Array.of(1, 2, 3), ROOT.der]).has(parseCertificate(ROOT.der, 'root'))).toBe(true)
  })

  it('count once however often they are given, as a directory of links to them gives them', () => {
    const { subject } = parseCertificate(ROOT.der, 'root')
    expect(TrustAnchors.from([ROOT.der, NARROW_ROOT.der, ROOT.der.slice()]).named(subject)).toHaveLength(2)
  })
})

describe('parseCertificate', () => {
  it('throws CertificateError malformed for anything that is no certificate, and nothing else', () => {
    const outcome = (der: Uint8Array): boolean => {
      try {
        parseCertificate(der, 'it')
        return true
      } catch (error) {
        expect(error).toMatchObject({ name: 'CertificateError', check: 'malformed' })
        return false
      }
    }
    expect(outcome(LEAF.der)).toBe(true)
    expect(outcome(Uint8Array.from([...LEAF.der, 0]))).toBe(false)
    for (let length = 0; length < LEAF.der.length; length++) expect(outcome(LEAF.der.subarray(0, length))).toBe(false)
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(LEAF.der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
        const der = LEAF.der.slice()
        for (const [at, value] of changes) der[at] = value
        outcome(der)
      }),
      { numRuns: 400 },
    )
  })

  it('survives deep nesting', () => {
    // Headers are written from the inside out.
    const header = (length: number): number[] => {
      if (length < 0x80) return [0x30, length]
      return length < 0x100 ? [0x30, 0x81, length] : [0x30, 0x82, length >> 8, length & 255]
    }
    const headers: number[][] = []
    let length = 0
    for (let depth = 0; depth < 15_000; depth++) {
      headers.push(header(length))
      length += headers.at(-1)!.length
    }
    const body = Uint8Array.from([2, 1, 1, ...headers.reverse().flat(), 0x30, 0, 0x30, 0, 0x30, 0])
    const signed = Uint8Array.from([...header(body.length), ...body])
    const der = Uint8Array.from([...header(signed.length), ...signed])
    expect(readCertificateNames(der)).not.toBeNull()
    expect(() => parseCertificate(der, 'it')).toThrow(CertificateError)
  })
})
