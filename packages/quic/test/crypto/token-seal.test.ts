import { describe, expect, it } from 'vitest'
import fc from 'fast-check'
import { utf8 } from '../../src/base/bytes.ts'
import { TOKEN_OVERHEAD, TokenSeal } from '../../src/crypto/token-seal.ts'
import { providerUnderTest as provider } from './provider-under-test.ts'

const OLD_KEY = new Uint8Array(32).fill(1)
const NEW_KEY = new Uint8Array(32).fill(2)
const ADDRESS = utf8('192.0.2.1:4433')
const RETRY = 1
const NEW_TOKEN = 2

describe('TokenSeal (RFC 9000 §8.1)', () => {
  const seal = new TokenSeal(provider, [OLD_KEY])

  it('gives back content and time of issue', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.uint8Array({ maxLength: 30 }),
        fc.nat(255),
        fc.double({ noNaN: true }),
        (content, context, purpose, now) => {
          const token = seal.seal(purpose, context, content, now)
          expect(token.length).toBe(content.length + TOKEN_OVERHEAD)
          expect(seal.open(purpose, context, token)).toEqual({ issuedAt: now, content })
        },
      ),
      { numRuns: 40 },
    )
  })

  it('never makes the same token twice (§8.1.4)', () => {
    expect(seal.seal(RETRY, ADDRESS, utf8('cid'), 5)).not.toEqual(seal.seal(RETRY, ADDRESS, utf8('cid'), 5))
  })

  it('opens nothing for another purpose, another context or another key', () => {
    const token = seal.seal(RETRY, ADDRESS, utf8('cid'), 5)
    expect(seal.open(NEW_TOKEN, ADDRESS, token)).toBeNull()
    expect(seal.open(RETRY, utf8('192.0.2.2:4433'), token)).toBeNull()
    expect(new TokenSeal(provider, [NEW_KEY]).open(RETRY, ADDRESS, token)).toBeNull()
  })

  it('opens nothing damaged, cut or invented', () => {
    const token = seal.seal(RETRY, ADDRESS, utf8('cid'), 5)
    for (let at = 0; at < token.length; at++) {
      const damaged = token.slice()
      damaged[at] = damaged[at]! ^ 1
      expect(seal.open(RETRY, ADDRESS, damaged)).toBeNull()
      expect(seal.open(RETRY, ADDRESS, token.subarray(0, at))).toBeNull()
    }
    expect(seal.open(RETRY, ADDRESS, new Uint8Array(100))).toBeNull()
  })

  it('keeps opening tokens of an older key after a new one took over', () => {
    const before = seal.seal(RETRY, ADDRESS, utf8('old'), 5)
    const rotated = new TokenSeal(provider, [NEW_KEY, OLD_KEY])
    expect(rotated.open(RETRY, ADDRESS, before)?.content).toEqual(utf8('old'))
    expect(seal.open(RETRY, ADDRESS, rotated.seal(RETRY, ADDRESS, utf8('new'), 6))).toBeNull()
  })

  it('refuses keys of a wrong length', () => {
    expect(() => new TokenSeal(provider, [new Uint8Array(16)])).toThrow(/32 bytes/)
    expect(() => new TokenSeal(provider, [])).toThrow(/32 bytes/)
  })
})
