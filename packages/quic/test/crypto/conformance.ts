// What every provider must do, whoever wrote it. One suite, run over each.

import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { fromHex, toHex, utf8 } from '../../src/base/bytes.ts'
import {
  CipherSuite,
  NamedGroup,
  SignatureScheme,
  TAG_LENGTH,
  cipherSuite,
  isCipherSuite,
  type CryptoProvider,
  type HashName,
} from '../../src/crypto/provider.ts'

const SUITES = Object.values(CipherSuite)
const HASHES: readonly HashName[] = ['sha256', 'sha384']
const KINDS = ['p256', 'p384', 'ed25519'] as const
const SCHEME_OF = {
  p256: SignatureScheme.ecdsaSecp256r1Sha256,
  p384: SignatureScheme.ecdsaSecp384r1Sha384,
  ed25519: SignatureScheme.ed25519,
} as const

function patterned(length: number, step: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * step + 7) & 0xff)
}

export function conformance(name: string, provider: CryptoProvider): void {
  describe(`crypto provider: ${name}`, () => {
    hashes(provider)
    aeads(provider)
    headerKeys(provider)
    blockCiphers(provider)
    keyExchanges(provider)
    signatures(provider)

    it('fills with random bytes, long arrays too', () => {
      const long = new Uint8Array(200_000)
      provider.random.fill(long)
      // 64 equal bytes at the end of either half happen once in 2^512.
      expect(long.subarray(99_936, 100_000).some((byte) => byte !== long[99_936])).toBe(true)
      expect(long.subarray(199_936).some((byte) => byte !== long[199_936])).toBe(true)
    })
  })
}

function hashes(provider: CryptoProvider): void {
  // FIPS 180-4 example "abc".
  const ABC: Record<HashName, string> = {
    sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    sha384: 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  }
  // RFC 4231 §4.3, test case 2.
  const JEFE: Record<HashName, string> = {
    sha256: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    sha384: 'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649',
  }

  describe.each(HASHES)('%s', (hash) => {
    it('hashes (FIPS 180-4)', () => {
      expect(toHex(provider.hash(hash, utf8('abc')))).toBe(ABC[hash])
    })

    it('authenticates (RFC 4231 §4.3)', () => {
      expect(toHex(provider.hmac(hash, utf8('Jefe'), utf8('what do ya want for nothing?')))).toBe(JEFE[hash])
    })

    it('goes on after a digest, as a transcript does', () => {
      const context = provider.createHash(hash)
      const empty = context.digest()
      context.update(utf8('a'))
      context.digest()
      context.update(utf8('bc'))
      expect(toHex(context.digest())).toBe(ABC[hash])
      expect(toHex(context.digest())).toBe(ABC[hash])
      expect(empty).toEqual(provider.hash(hash, new Uint8Array(0)))
    })

    it('answers plain Uint8Array', () => {
      expect(provider.hash(hash, utf8('abc')).constructor).toBe(Uint8Array)
      expect(provider.hmac(hash, utf8('k'), utf8('abc')).constructor).toBe(Uint8Array)
      expect(provider.createHash(hash).digest().constructor).toBe(Uint8Array)
    })
  })
}

function aeads(provider: CryptoProvider): void {
  describe.each(SUITES)('AEAD 0x%s', (id) => {
    const { keyLength, ivLength } = cipherSuite(id)
    const key = provider.aead(id, patterned(keyLength, 3), patterned(ivLength, 5))

    it('opens in place what it sealed in place, wherever in the buffer it lies', () => {
      fc.assert(
        fc.property(
          fc.nat(9),
          fc.nat(40),
          fc.uint8Array({ maxLength: 300 }),
          fc.maxSafeNat(),
          (before, aadLength, plaintext, packetNumber) => {
            const start = before + aadLength
            const end = start + plaintext.length
            const buffer = patterned(end + TAG_LENGTH + 5, 11)
            buffer.set(plaintext, start)
            const original = buffer.slice()
            key.seal(buffer, before, start, end, packetNumber)
            expect(buffer.subarray(0, start)).toEqual(original.subarray(0, start))
            expect(buffer.subarray(end + TAG_LENGTH)).toEqual(original.subarray(end + TAG_LENGTH))
            expect(key.open(buffer, before, start, end + TAG_LENGTH, packetNumber)).toBe(true)
            expect(buffer.subarray(0, end)).toEqual(original.subarray(0, end))
            expect(buffer.subarray(end + TAG_LENGTH)).toEqual(original.subarray(end + TAG_LENGTH))
          },
        ),
        { numRuns: 60 },
      )
    })

    it('refuses any changed bit and another packet number, and then leaves the buffer as it was', () => {
      const sealed = patterned(100, 13)
      key.seal(sealed, 0, 20, 84, 77)
      for (const at of [0, 19, 20, 50, 83, 84, 99]) {
        const damaged = sealed.slice()
        damaged[at] = damaged[at]! ^ 0x10
        const before = damaged.slice()
        expect(key.open(damaged, 0, 20, 100, 77)).toBe(false)
        expect(damaged).toEqual(before)
      }
      for (const packetNumber of [76, 78, 77 + 2 ** 32, 77 + 2 ** 40]) {
        expect(key.open(sealed, 0, 20, 100, packetNumber)).toBe(false)
      }
      expect(key.open(sealed, 0, 20, 100, 77)).toBe(true)
    })

    it('refuses what is shorter than a tag', () => {
      expect(key.open(new Uint8Array(64), 0, 20, 35, 0)).toBe(false)
      expect(key.open(new Uint8Array(64), 0, 20, 20, 0)).toBe(false)
    })

    it('uses the IV itself as the nonce of packet 0 and does not keep the caller\'s arrays', () => {
      const keyBytes = patterned(keyLength, 3)
      const iv = patterned(ivLength, 5)
      const twin = provider.aead(id, keyBytes, iv)
      keyBytes.fill(0)
      iv.fill(0)
      const a = patterned(60, 17)
      const b = patterned(60, 17)
      key.seal(a, 0, 10, 44, 0)
      twin.seal(b, 0, 10, 44, 0)
      expect(a).toEqual(b)
    })

    it('does not work any more once destroyed', () => {
      const gone = provider.aead(id, patterned(keyLength, 3), patterned(ivLength, 5))
      gone.destroy()
      expect(() => gone.seal(new Uint8Array(40), 0, 0, 20, 1)).toThrow(/destroy/)
      expect(() => gone.open(new Uint8Array(40), 0, 0, 40, 1)).toThrow(/destroy/)
    })

    it('refuses a key or an IV of a wrong length', () => {
      expect(() => provider.aead(id, new Uint8Array(keyLength - 1), new Uint8Array(ivLength))).toThrow(/length/)
      expect(() => provider.aead(id, new Uint8Array(keyLength), new Uint8Array(8))).toThrow(/length/)
    })
  })

  it('knows its suites (RFC 9001 §6.6)', () => {
    expect([0x1301, 0x1302, 0x1303, 0x1304, 0x1300].map(isCipherSuite)).toEqual([true, true, true, false, false])
    expect(cipherSuite(CipherSuite.aes128GcmSha256).confidentialityLimit).toBe(8_388_608)
    expect(cipherSuite(CipherSuite.chacha20Poly1305Sha256).integrityLimit).toBe(68_719_476_736)
  })
}

function headerKeys(provider: CryptoProvider): void {
  describe.each(SUITES)('header protection 0x%s', (id) => {
    it('masks by the sample alone, many times over (RFC 9001 §5.4)', () => {
      const key = provider.headerKey(id, patterned(cipherSuite(id).keyLength, 3))
      const buffer = patterned(64, 29)
      const first = new Uint8Array(5)
      const other = new Uint8Array(5)
      const again = new Uint8Array(5)
      key.mask(buffer, 3, first)
      key.mask(buffer, 30, other)
      key.mask(buffer, 3, again)
      expect(again).toEqual(first)
      expect(other).not.toEqual(first)
      expect(buffer).toEqual(patterned(64, 29))
      key.destroy()
      expect(() => key.mask(buffer, 3, first)).toThrow(/destroy/)
    })
  })

  it('masks with a ChaCha20 counter whose top bit is set (RFC 9001 §5.4.4)', () => {
    const key = provider.headerKey(CipherSuite.chacha20Poly1305Sha256, new Uint8Array(32))
    const sample = fromHex('000000ff' + '00'.repeat(12))
    const mask = new Uint8Array(5)
    key.mask(sample, 0, mask)
    const high = mask.slice()
    key.mask(new Uint8Array(16), 0, mask)
    // RFC 8439 §A.1 test vector 1: zero key, nonce and counter.
    expect(toHex(mask)).toBe('76b8e0ada0')
    expect(high).not.toEqual(mask)
  })
}

function blockCiphers(provider: CryptoProvider): void {
  describe('AES-128 on single blocks', () => {
    // FIPS 197 Appendix C.1.
    const PLAIN = '00112233445566778899aabbccddeeff'
    const KEY = '000102030405060708090a0b0c0d0e0f'
    const CIPHERED = '69c4e0d86a7b0430d8cdb78070b4c55a'

    it('encrypts and decrypts in place (FIPS 197 C.1)', () => {
      const cipher = provider.blockCipher(fromHex(KEY))
      const block = fromHex(PLAIN)
      cipher.encrypt(block)
      expect(toHex(block)).toBe(CIPHERED)
      cipher.decrypt(block)
      expect(toHex(block)).toBe(PLAIN)
    })

    it('remembers nothing from block to block, wherever they lie', () => {
      const cipher = provider.blockCipher(fromHex(KEY))
      const buffer = new Uint8Array(40).fill(0xee)
      for (let at = 1; at < 20; at += 1) {
        const block = buffer.subarray(at, at + 16)
        block.set(fromHex(PLAIN))
        cipher.encrypt(block)
        expect(toHex(block)).toBe(CIPHERED)
        expect(buffer[at + 16]).toBe(0xee)
      }
    })

    it('keeps its key when the caller changes his', () => {
      const key = fromHex(KEY)
      const cipher = provider.blockCipher(key)
      key.fill(0)
      const block = fromHex(PLAIN)
      cipher.encrypt(block)
      expect(toHex(block)).toBe(CIPHERED)
    })
  })
}

function keyExchanges(provider: CryptoProvider): void {
  const { x25519MlKem768, x25519, secp256r1, secp384r1, secp256r1MlKem768 } = NamedGroup
  const SHARE_LENGTH = { [secp256r1MlKem768]: 1249, [x25519MlKem768]: 1216, [x25519]: 32, [secp256r1]: 65, [secp384r1]: 97 }
  const ANSWER_LENGTH = { ...SHARE_LENGTH, [x25519MlKem768]: 1120, [secp256r1MlKem768]: 1153 }
  const SECRET_LENGTH = { [secp256r1MlKem768]: 64, [x25519MlKem768]: 64, [x25519]: 32, [secp256r1]: 32, [secp384r1]: 48 }

  it('prefers the hybrid with ML-KEM, then x25519', () => {
    expect(provider.groups).toEqual([x25519MlKem768, x25519, secp256r1, secp384r1, secp256r1MlKem768])
  })

  describe.each(provider.groups)('group %i, answered', (group) => {
    it('agrees on a secret (RFC 9846 §7.4.2, draft-ietf-tls-ecdhe-mlkem §4)', () => {
      const alice = provider.keyExchange(group)
      expect(alice.group).toBe(group)
      expect(alice.publicKey.length).toBe(SHARE_LENGTH[group])
      const bob = provider.answerKeyExchange(group, alice.publicKey)
      if (bob === null) throw new Error('refused')
      expect(bob.share.length).toBe(ANSWER_LENGTH[group])
      expect(bob.sharedSecret.length).toBe(SECRET_LENGTH[group])
      expect(bob.sharedSecret.constructor).toBe(Uint8Array)
      expect(alice.sharedSecret(bob.share)).toEqual(bob.sharedSecret)
      expect(provider.answerKeyExchange(group, alice.publicKey)?.sharedSecret).not.toEqual(bob.sharedSecret)
    })

    it('answers null to a share that is no key', () => {
      const good = provider.keyExchange(group).publicKey
      for (const share of [new Uint8Array(0), new Uint8Array(good.length), good.subarray(1), Uint8Array.from([...good, 0])]) {
        expect(provider.answerKeyExchange(group, share)).toBeNull()
      }
    })
  })

  describe('SecP256r1MLKEM768 (draft-ietf-tls-ecdhe-mlkem §4)', () => {
    it('has the half of the curve first, in shares and secret', () => {
      const alice = provider.keyExchange(secp256r1MlKem768)
      const { share, sharedSecret } = provider.answerKeyExchange(secp256r1MlKem768, alice.publicKey)!
      expect([alice.publicKey[0], share[0]]).toEqual([4, 4])
      // Another ciphertext changes the second half of the secret alone.
      const spoiled = alice.sharedSecret(share.with(1152, share[1152]! ^ 1))!
      expect(spoiled.subarray(0, 32)).toEqual(sharedSecret.subarray(0, 32))
      expect(spoiled.subarray(32)).not.toEqual(sharedSecret.subarray(32))
      expect(alice.sharedSecret(share.with(64, share[64]! ^ 1))).toBeNull()
    })
  })

  describe('X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem §4)', () => {
    it('has the ML-KEM half first, in shares and secret', () => {
      const alice = provider.keyExchange(x25519MlKem768)
      const bob = provider.answerKeyExchange(x25519MlKem768, alice.publicKey)!
      // Another x25519 half changes the second half of the secret, another ciphertext the first (FIPS 203 §6.3), and no more.
      const spoil = (at: number): Uint8Array => {
        const share = bob.share.slice()
        share[at]! ^= 1
        return alice.sharedSecret(share)!
      }
      const { sharedSecret } = bob
      expect(spoil(1120 - 1).subarray(0, 32)).toEqual(sharedSecret.subarray(0, 32))
      expect(spoil(1120 - 2).subarray(32)).not.toEqual(sharedSecret.subarray(32))
      expect(spoil(0).subarray(0, 32)).not.toEqual(sharedSecret.subarray(0, 32))
      expect(spoil(1087).subarray(32)).toEqual(sharedSecret.subarray(32))
    })

    it('refuses shares with one bad half', () => {
      const alice = provider.keyExchange(x25519MlKem768)
      const beyondModulus = alice.publicKey.slice()
      beyondModulus.fill(0xff, 0, 3)
      const smallOrder = alice.publicKey.slice()
      smallOrder.fill(0, 1184)
      expect(provider.answerKeyExchange(x25519MlKem768, beyondModulus)).toBeNull()
      expect(provider.answerKeyExchange(x25519MlKem768, smallOrder)).toBeNull()
      const answer = provider.answerKeyExchange(x25519MlKem768, alice.publicKey)!.share
      const zeros = answer.slice()
      zeros.fill(0, 1088)
      expect(alice.sharedSecret(zeros)).toBeNull()
      expect(alice.sharedSecret(answer.subarray(1))).toBeNull()
      expect(alice.sharedSecret(alice.publicKey)).toBeNull()
    })
  })

  describe.each([x25519, secp256r1, secp384r1] as const)('group %i', (group) => {
    it('agrees on a secret (RFC 9846 §7.4.2)', () => {
      const alice = provider.keyExchange(group)
      const bob = provider.keyExchange(group)
      expect(alice.group).toBe(group)
      expect(alice.publicKey.length).toBe(SHARE_LENGTH[group])
      expect(alice.publicKey).not.toEqual(bob.publicKey)
      const secret = alice.sharedSecret(bob.publicKey)
      expect(secret).toEqual(bob.sharedSecret(alice.publicKey))
      expect(secret?.length).toBe(SECRET_LENGTH[group])
      expect(secret?.constructor).toBe(Uint8Array)
    })

    it('answers null for a share that is no key', () => {
      const exchange = provider.keyExchange(group)
      const good = provider.keyExchange(group).publicKey
      const illegal = [
        new Uint8Array(0),
        new Uint8Array(good.length),
        good.subarray(1),
        Uint8Array.from([...good, 0]),
        ...(group === NamedGroup.x25519
          ? // Points of small order (RFC 7748 §6.1: the secret would be all zeros).
            [fromHex('01' + '00'.repeat(31)), fromHex('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800')]
          : [
              // Off the curve; the hybrid and the compressed form, which TLS 1.3 does not have.
              Uint8Array.from([4, ...good.subarray(1, -1), good.at(-1)! ^ 1]),
              Uint8Array.from([6 + (good.at(-1)! & 1), ...good.subarray(1)]),
              Uint8Array.from([2 + (good.at(-1)! & 1), ...good.subarray(1, 1 + (good.length - 1) / 2)]),
            ]),
      ]
      expect(illegal.filter((share) => exchange.sharedSecret(share) !== null).map(toHex)).toEqual([])
      expect(exchange.sharedSecret(good)).not.toBeNull()
    })
  })
}

function signatures(provider: CryptoProvider): void {
  const message = utf8('handshake transcript')

  describe.each(KINDS)('signing with %s', (kind) => {
    const pair = provider.generateKeyPair(kind)
    const key = provider.importPrivateKey(pair.pkcs8)
    const scheme = SCHEME_OF[kind]
    const signature = key.sign(scheme, message)!

    it('verifies what it signed, and nothing else', () => {
      expect(key.kind).toBe(kind)
      expect(key.schemes).toEqual([scheme])
      expect(key.pkcs8).toEqual(pair.pkcs8)
      expect(signature.constructor).toBe(Uint8Array)
      expect(provider.verify(scheme, pair.spki, message, signature)).toBe(true)
      expect(provider.verify(scheme, pair.spki, utf8('another transcript'), signature)).toBe(false)
      const damaged = signature.slice()
      damaged[damaged.length - 2] = damaged[damaged.length - 2]! ^ 4
      expect(provider.verify(scheme, pair.spki, message, damaged)).toBe(false)
      expect(provider.verify(scheme, pair.spki, message, new Uint8Array(0))).toBe(false)
      expect(provider.verify(scheme, provider.generateKeyPair(kind).spki, message, signature)).toBe(false)
    })

    it('holds the key to the scheme (RFC 9846 §4.3.3)', () => {
      expect(KINDS.filter((other) => provider.verify(SCHEME_OF[other], pair.spki, message, signature))).toEqual([kind])
    })

    it('answers false for a public key that is none', () => {
      const cut = pair.spki.subarray(0, pair.spki.length - 1)
      const longer = Uint8Array.from([...pair.spki, 0])
      const zeros = pair.spki.slice()
      zeros.fill(0, zeros.length - 30)
      for (const spki of [new Uint8Array(0), cut, longer, zeros, utf8('no key at all')]) {
        expect(provider.verify(scheme, spki, message, signature)).toBe(false)
      }
    })

    it('never throws on bytes of the peer', () => {
      fc.assert(
        fc.property(fc.nat(pair.spki.length - 1), fc.nat(255), fc.uint8Array({ maxLength: 80 }), (at, byte, bytes) => {
          const spki = pair.spki.slice()
          spki[at] = byte
          expect(provider.verify(scheme, spki, message, bytes)).toBe(false)
        }),
        { numRuns: 40 },
      )
    })
  })

  it('signs certificates with the hash of another curve', () => {
    for (const [kind, scheme] of [
      ['p256', SignatureScheme.certificateSecp256r1Sha384],
      ['p384', SignatureScheme.certificateSecp384r1Sha256],
    ] as const) {
      const pair = provider.generateKeyPair(kind)
      const signature = provider.importPrivateKey(pair.pkcs8).sign(scheme, message)!
      expect(provider.verify(scheme, pair.spki, message, signature)).toBe(true)
      expect(provider.verify(SCHEME_OF[kind], pair.spki, message, signature)).toBe(false)
    }
  })
}
