// Two independent implementations of the same mathematics, held against each other.

import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { utf8 } from '../../src/base/bytes.ts'
import { createNobleProvider, nobleProvider } from '../../src/crypto/noble/index.ts'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { CipherSuite, NamedGroup, SignatureScheme, cipherSuite, type HashName, type RandomSource } from '../../src/crypto/provider.ts'

describe('node against noble', () => {
  it('hashes and authenticates alike', () => {
    fc.assert(
      fc.property(fc.constantFrom<HashName>('sha256', 'sha384'), fc.uint8Array({ maxLength: 300 }), fc.uint8Array(), (hash, data, key) => {
        expect(nodeProvider.hash(hash, data)).toEqual(nobleProvider.hash(hash, data))
        expect(nodeProvider.hmac(hash, key, data)).toEqual(nobleProvider.hmac(hash, key, data))
      }),
    )
  })

  it.each(Object.values(CipherSuite))('seals and masks alike with 0x%s', (id) => {
    const { keyLength } = cipherSuite(id)
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: keyLength, maxLength: keyLength }),
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.uint8Array({ minLength: 16, maxLength: 200 }),
        fc.nat(16),
        fc.maxSafeNat(),
        (key, iv, bytes, start, packetNumber) => {
          const a = new Uint8Array(bytes.length + 16)
          const b = new Uint8Array(bytes.length + 16)
          a.set(bytes)
          b.set(bytes)
          nodeProvider.aead(id, key, iv).seal(a, 0, start, bytes.length, packetNumber)
          const noble = nobleProvider.aead(id, key, iv)
          noble.seal(b, 0, start, bytes.length, packetNumber)
          expect(a).toEqual(b)
          expect(noble.open(a, 0, start, a.length, packetNumber)).toBe(true)
          expect(a.subarray(0, bytes.length)).toEqual(bytes)

          const maskA = new Uint8Array(5)
          const maskB = new Uint8Array(5)
          nodeProvider.headerKey(id, key).mask(b, b.length - 16, maskA)
          nobleProvider.headerKey(id, key).mask(b, b.length - 16, maskB)
          expect(maskA).toEqual(maskB)
        },
      ),
      { numRuns: 60 },
    )
  })

  it.each(Object.values(NamedGroup))('agrees on a secret in group %i', (group) => {
    for (const [one, other] of [
      [nodeProvider, nobleProvider],
      [nobleProvider, nodeProvider],
    ] as const) {
      const exchange = one.keyExchange(group)
      const answer = other.answerKeyExchange(group, exchange.publicKey)!
      expect(exchange.sharedSecret(answer.share)).toEqual(answer.sharedSecret)
    }
  })

  it.each([
    ['p256', SignatureScheme.ecdsaSecp256r1Sha256],
    ['p384', SignatureScheme.ecdsaSecp384r1Sha384],
    ['ed25519', SignatureScheme.ed25519],
  ] as const)('reads the other one\'s %s keys and signatures', (kind, scheme) => {
    const message = utf8('across')
    for (const [signer, verifier] of [
      [nodeProvider, nobleProvider],
      [nobleProvider, nodeProvider],
    ] as const) {
      // Several: ECDSA signatures with a high s, and with short r or s, must pass too.
      for (let i = 0; i < 8; i++) {
        const pair = signer.generateKeyPair(kind)
        const signature = signer.importPrivateKey(pair.pkcs8).sign(scheme, message)!
        expect(verifier.verify(scheme, pair.spki, message, signature)).toBe(true)
        const again = verifier.importPrivateKey(pair.pkcs8).sign(scheme, message)!
        expect(signer.verify(scheme, pair.spki, message, again)).toBe(true)
      }
    }
  })

  it('hands RSA on where noble cannot do it', () => {
    const pair = nodeProvider.generateKeyPair('rsa2048')
    const message = utf8('rsa')
    const node = nodeProvider.importPrivateKey(pair.pkcs8)
    const noble = nobleProvider.importPrivateKey(pair.pkcs8)
    expect(noble.schemes).toEqual(node.schemes)
    expect(noble.pkcs8).toEqual(pair.pkcs8)
    expect(noble.sign(SignatureScheme.rsaPssRsaeSha256, message)).toBeNull()
    expect(() => nobleProvider.generateKeyPair('rsa2048')).toThrow(expect.objectContaining({ code: 'QUIC_PRIVATE_KEY_UNSUPPORTED' }))
    for (const scheme of [
      ...node.schemes,
      SignatureScheme.rsaPkcs1Sha256,
      SignatureScheme.rsaPkcs1Sha384,
      SignatureScheme.rsaPkcs1Sha512,
    ]) {
      const signature = node.sign(scheme, message)!
      expect(nodeProvider.verify(scheme, pair.spki, message, signature)).toBe(true)
      expect(nodeProvider.verify(scheme, pair.spki, utf8('other'), signature)).toBe(false)
      expect(nobleProvider.verify(scheme, pair.spki, message, signature)).toBeNull()
    }
    const pss = node.sign(SignatureScheme.rsaPssRsaeSha256, message)!
    expect(nodeProvider.verify(SignatureScheme.rsaPkcs1Sha256, pair.spki, message, pss)).toBe(false)
    expect(nodeProvider.verify(SignatureScheme.ed25519, pair.spki, message, pss)).toBe(false)
  })
})

describe('a seeded provider', () => {
  it('repeats its key shares and key pairs', () => {
    const seeded = (): RandomSource => {
      let state = 1
      return {
        fill(destination) {
          for (let i = 0; i < destination.length; i++) destination[i] = (state = (state * 48271) % 2147483647) & 0xff
        },
      }
    }
    const one = createNobleProvider(seeded())
    const two = createNobleProvider(seeded())
    for (const group of Object.values(NamedGroup)) {
      expect(one.keyExchange(group).publicKey).toEqual(two.keyExchange(group).publicKey)
    }
    expect(one.generateKeyPair('p256')).toEqual(two.generateKeyPair('p256'))
  })
})
