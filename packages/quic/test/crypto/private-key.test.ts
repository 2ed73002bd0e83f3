// Containers of private keys: PKCS#8 (RFC 5958), SEC1 (RFC 5915), PKCS#1 (RFC 8017), in PEM (RFC 7468) and DER.

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { utf8 } from '../../src/base/bytes.ts'
import { KeyImportError, SignatureScheme, type SignatureScheme as Scheme } from '../../src/crypto/provider.ts'
import { providers } from './provider-under-test.ts'

interface Fixture {
  name: string
  scheme: Scheme
  privateKey: KeyObject
  spki: Uint8Array
}

function fixture(name: string, scheme: Scheme, pair: { privateKey: KeyObject; publicKey: KeyObject }): Fixture {
  return { name, scheme, privateKey: pair.privateKey, spki: new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' })) }
}

const p256 = fixture('P-256', SignatureScheme.ecdsaSecp256r1Sha256, generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const p384 = fixture('P-384', SignatureScheme.ecdsaSecp384r1Sha384, generateKeyPairSync('ec', { namedCurve: 'P-384' }))
const ed25519 = fixture('Ed25519', SignatureScheme.ed25519, generateKeyPairSync('ed25519'))
const rsa = fixture('RSA', SignatureScheme.rsaPssRsaeSha256, generateKeyPairSync('rsa', { modulusLength: 2048 }))

const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' | 'pkcs1'): string =>
  String(key.export({ type, format: 'pem' } as { type: 'pkcs8'; format: 'pem' }))

const MESSAGE = utf8('message')

describe.each(providers)('importPrivateKey of $name', (provider) => {
  const code = (input: string | Uint8Array): string => {
    try {
      provider.importPrivateKey(input)
    } catch (error) {
      expect(error).toBeInstanceOf(KeyImportError)
      return (error as KeyImportError).code
    }
    return 'none'
  }

  const works = (input: string | Uint8Array, { scheme, spki }: Fixture): void => {
    const key = provider.importPrivateKey(input)
    expect(key.schemes).toContain(scheme)
    const signature = key.sign(scheme, MESSAGE)
    if (signature === null) expect(provider.verify(scheme, spki, MESSAGE, new Uint8Array(256))).toBeNull()
    else expect(provider.verify(scheme, spki, MESSAGE, signature)).toBe(true)
  }

  it.each([p256, p384, ed25519, rsa])('takes PKCS#8 of $name, PEM and DER', (key) => {
    works(pem(key.privateKey, 'pkcs8'), key)
    works(pem(key.privateKey, 'pkcs8').replaceAll('\n', '\r\n'), key)
    works(new Uint8Array(key.privateKey.export({ type: 'pkcs8', format: 'der' })), key)
  })

  it('takes SEC1 and PKCS#1 in PEM', () => {
    works(pem(p256.privateKey, 'sec1'), p256)
    works(pem(p384.privateKey, 'sec1'), p384)
    works(pem(rsa.privateKey, 'pkcs1'), rsa)
  })

  it('finds the key among other blocks and text, as openssl writes them', () => {
    const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'
    works(`Bag Attributes\n  friendlyName: x\n${parameters}${pem(p256.privateKey, 'sec1')}`, p256)
  })

  it('does not share memory with the input', () => {
    const der = new Uint8Array(ed25519.privateKey.export({ type: 'pkcs8', format: 'der' }))
    const key = provider.importPrivateKey(der)
    der.fill(0)
    expect(provider.verify(ed25519.scheme, ed25519.spki, MESSAGE, key.sign(ed25519.scheme, MESSAGE)!)).toBe(true)
  })

  it('says that a key is encrypted', () => {
    const options = { format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const
    expect(code(String(p256.privateKey.export({ type: 'pkcs8', ...options })))).toBe('QUIC_PRIVATE_KEY_ENCRYPTED')
    expect(code(String(rsa.privateKey.export({ type: 'pkcs1', ...options })))).toBe('QUIC_PRIVATE_KEY_ENCRYPTED')
  })

  it('says that a kind of key is not supported', () => {
    for (const pair of [
      generateKeyPairSync('ec', { namedCurve: 'secp521r1' }),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('x25519'),
      generateKeyPairSync('ed448'),
      generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
    ]) {
      expect(code(pem(pair.privateKey, 'pkcs8'))).toBe('QUIC_PRIVATE_KEY_UNSUPPORTED')
    }
    const other = generateKeyPairSync('ec', { namedCurve: 'secp521r1' })
    expect(code(pem(other.privateKey, 'sec1'))).toBe('QUIC_PRIVATE_KEY_UNSUPPORTED')
    expect(code('-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----')).toBe('QUIC_PRIVATE_KEY_UNSUPPORTED')
  })

  it('says that something is no key', () => {
    const der = new Uint8Array(p256.privateKey.export({ type: 'pkcs8', format: 'der' }))
    const zeroScalar = der.slice()
    zeroScalar.fill(0, 36, 68)
    for (const input of [
      '',
      'not a key',
      new Uint8Array(0),
      p256.spki,
      der.subarray(0, der.length - 1),
      zeroScalar,
      '-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----',
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----',
    ]) {
      expect(code(input)).toBe('QUIC_PRIVATE_KEY_MALFORMED')
    }
  })

  it('throws nothing but KeyImportError on damaged keys', () => {
    const der = new Uint8Array(p256.privateKey.export({ type: 'pkcs8', format: 'der' }))
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (at, byte) => {
        const damaged = der.slice()
        damaged[at] = byte
        expect(code(damaged)).toMatch(/^none$|^QUIC_PRIVATE_KEY_(MALFORMED|UNSUPPORTED)$/)
      }),
      { numRuns: 60 },
    )
  })
})
