// IP addresses in text: RFC 5952 when written, RFC 4291 when read.

import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatIpAddress, parseIpAddress } from '../../src/base/ip-address.ts'

describe('IP addresses in text', () => {
  for (const text of ['192.0.2.1', '0.0.0.0', '::', '::1', '2001:db8::1', '1::', '2001:db8::1:0:0:1', '2001:0:0:1::1', '1:2:3:4:5:6:7:8', '2001:db8:0:1:1:1:1:1']) {
    it(`${text} is written as it was read (RFC 5952 §4)`, () => {
      expect(formatIpAddress(parseIpAddress(text)!)).toBe(text)
    })
  }

  it('any address survives being written and read, in the form the platform has for it', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0, 1, 255), { minLength: 16, maxLength: 16 }), (bytes) => {
        const address = Uint8Array.from(bytes)
        const text = formatIpAddress(address)
        expect(isIP(text)).toBe(6)
        expect(parseIpAddress(text)).toEqual(address)
        // The URL parser writes the canonical form, mapped IPv4 addresses included.
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`)
      }),
    )
  })
})
