// From configuration to parameter to the address a client can use (RFC 9000 §9.6, §18.2).

import { describe, expect, it } from 'vitest'
import { preferredAddressPart, preferredRemote } from '../../src/path/preferred-address.ts'
import type { PreferredAddressConfig } from '../../src/path/preferred-address.ts'

function seenFrom(remote: string, config: PreferredAddressConfig): string {
  const ids = { connectionId: new Uint8Array(8), statelessResetToken: new Uint8Array(16) }
  return preferredRemote({ ...preferredAddressPart(config), ...ids }, remote)
}

describe('preferred address', () => {
  const both = { ipv4: '192.0.2.7:443', ipv6: '[2001:db8::7]:4433' }

  it('a client takes the family it is talking in, in its own way of writing (§9.6.3)', () => {
    expect(seenFrom('198.51.100.1:443', both)).toBe('192.0.2.7:443')
    expect(seenFrom('[2001:db8::1]:443', both)).toBe('[2001:db8::7]:4433')
    expect(seenFrom('[::ffff:198.51.100.1]:443', both)).toBe('[::ffff:192.0.2.7]:443')
  })

  it('one family alone stands as all-zero address and port of the other (§18.2)', () => {
    expect(preferredAddressPart({ ipv4: both.ipv4 })).toMatchObject({ ipv6Address: new Uint8Array(16), ipv6Port: 0 })
    expect(seenFrom('[2001:db8::1]:443', { ipv4: both.ipv4 })).toBe('')
    expect(seenFrom('198.51.100.1:443', { ipv6: both.ipv6 })).toBe('')
    expect(seenFrom('[::ffff:198.51.100.1]:443', { ipv6: both.ipv6 })).toBe('')
  })

  it('refuses what is no address of its family', () => {
    for (const config of [{}, { ipv4: 'example.com:443' }, { ipv4: '192.0.2.7' }, { ipv4: '192.0.2.7:0' }, { ipv4: both.ipv6 }, { ipv6: both.ipv4 }]) {
      expect(() => preferredAddressPart(config)).toThrow(RangeError)
    }
  })
})
