import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { hkdfExpand, hkdfExtract } from '../../src/crypto/hkdf.ts'
import { providers } from './provider-under-test.ts'

describe.each(providers)('HKDF over $name', (provider) => {
  it('RFC 5869 §A.1', () => {
    const prk = hkdfExtract(provider, 'sha256', fromHex('000102030405060708090a0b0c'), new Uint8Array(22).fill(0x0b))
    expect(toHex(prk)).toBe('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5')
    const output = hkdfExpand(provider, 'sha256', prk, fromHex('f0f1f2f3f4f5f6f7f8f9'), 42)
    expect(toHex(output)).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865')
  })

  it('RFC 5869 §A.3: no salt, no info', () => {
    const prk = hkdfExtract(provider, 'sha256', new Uint8Array(0), new Uint8Array(22).fill(0x0b))
    expect(toHex(prk)).toBe('19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04')
    const output = hkdfExpand(provider, 'sha256', prk, new Uint8Array(0), 42)
    expect(toHex(output)).toBe('8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8')
  })

  it('gives any length up to 255 hashes', () => {
    const secret = new Uint8Array(48).fill(1)
    const long = hkdfExpand(provider, 'sha384', secret, new Uint8Array(0), 255 * 48)
    expect(hkdfExpand(provider, 'sha384', secret, new Uint8Array(0), 49)).toEqual(long.slice(0, 49))
    expect(hkdfExpand(provider, 'sha384', secret, new Uint8Array(0), 0)).toEqual(new Uint8Array(0))
    expect(() => hkdfExpand(provider, 'sha384', secret, new Uint8Array(0), 255 * 48 + 1)).toThrow(/too long/)
  })
})
