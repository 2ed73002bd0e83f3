import { networkInterfaces } from 'node:os'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../src/masque/ip/address.ts'
import { TargetPolicy } from '../../src/masque/policy/target-policy.ts'
import { parseAuthority, parseTarget } from '../../src/masque/uri/target.ts'

function verdict(policy: TargetPolicy, address: string, host: string = address): string | null {
  return policy.checkAddress(parseAddress(address)!, host)
}

const DENIED = [
  '0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1', '172.31.255.255', '192.0.0.8',
  '192.0.2.1', '192.88.99.1', '192.168.1.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1',
  '255.255.255.255', '::', '::1', '::7f00:1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '::ffff:a9fe:a9fe', '64:ff9b::7f00:1', '64:ff9b::10.0.0.1',
  '64:ff9b:1::1', '100::1', '2001::1', '2001:db8::1', '2002:7f00:1::', '3fff::1', 'fc00::1', 'fd12::1', 'fe80::1', 'febf::1', 'fec0::1', 'ff02::fb',
]
const PUBLIC = ['1.1.1.1', '8.8.8.8', '100.63.255.255', '172.15.0.1', '172.32.0.1', '192.0.1.1', '223.255.255.255', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808', '2a00::1']

describe('the target policy (RFC 9298 §7)', () => {
  it.each(DENIED)('denies %s by default', (address) => {
    expect(verdict(new TargetPolicy(), address)).toMatch(/not public/)
  })

  it.each(PUBLIC)('allows %s', (address) => {
    expect(verdict(new TargetPolicy(), address)).toBeNull()
  })

  it("denies the proxy's own addresses", () => {
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).map(({ address }) => address)
    const policy = new TargetPolicy()
    for (const address of own) if (parseAddress(address) !== null) expect([address, verdict(policy, address)]).not.toEqual([address, null])
  })

  it('lists: addresses open, deny wins, mapped forms are the same address', () => {
    const policy = new TargetPolicy({ allow: ['10.1.0.0/16', '::1'], deny: ['10.1.2.3', '8.8.8.0/24', '2606:4700::/32'] })
    expect(verdict(policy, '10.1.0.1')).toBeNull()
    expect(verdict(policy, '::ffff:10.1.0.1')).toBeNull()
    expect(verdict(policy, '::1')).toBeNull()
    expect(verdict(policy, '10.2.0.1')).toMatch(/private/)
    expect(verdict(policy, '10.1.2.3')).toMatch(/denied/)
    expect(verdict(policy, '::ffff:8.8.8.8')).toMatch(/denied/)
    // Through NAT64, too, whether the IPv4 address is denied or opened.
    expect(verdict(policy, '64:ff9b::808:808')).toMatch(/denied/)
    expect(verdict(policy, '64:ff9b::a01:1')).toBeNull()
    expect(verdict(policy, '2606:4700::1')).toMatch(/denied/)
    expect(new TargetPolicy({ allow: ['::ffff:10.1.0.0/112'] }).checkAddress(parseAddress('10.1.9.9')!, 'x')).toBeNull()
  })

  it('lists: names never open what is not public', () => {
    const policy = new TargetPolicy({ allow: ['*.example.org', 'Example.com.'], deny: ['bad.example.org'], others: 'none' })
    expect(policy.checkTarget({ host: 'BAD.example.org.', port: 443 })).toMatch(/denied/)
    expect(policy.checkTarget({ host: 'a.example.org', port: 443 })).toBeNull()
    expect(verdict(policy, '8.8.8.8', 'a.example.org')).toBeNull()
    expect(verdict(policy, '8.8.8.8', 'example.com')).toBeNull()
    expect(verdict(policy, '8.8.8.8', 'example.org')).toMatch(/not on the list/)
    expect(verdict(policy, '8.8.8.8')).toMatch(/not on the list/)
    expect(verdict(policy, '127.0.0.1', 'a.example.org')).toMatch(/loopback/)
  })

  it('ports', () => {
    const policy = new TargetPolicy({ ports: [443] })
    expect(policy.checkTarget({ host: 'example.org', port: 443 })).toBeNull()
    expect(policy.checkTarget({ host: 'example.org', port: 25 })).toMatch(/port 25/)
  })

  it('refuses entries that mean something else than they say', () => {
    for (const entry of ['10.1.2.3/16', '10.0.0.0/33', 'fe80::1%eth0', '::/129', '1.2.3/24']) {
      expect(() => new TargetPolicy({ deny: [entry] })).toThrow(expect.objectContaining({ code: 'MASQUE_INVALID_ARGUMENT' }) as Error)
    }
  })

  it('an IPv4 address has one verdict in all its forms', () => {
    const policy = new TargetPolicy({ allow: ['10.0.0.0/9'], deny: ['1.0.0.0/8'] })
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
        const open = policy.checkAddress(bytes, '') === null
        const hex = Buffer.from(bytes).toString('hex')
        expect(verdict(policy, `::ffff:${hex.slice(0, 4)}:${hex.slice(4)}`) === null).toBe(open)
        expect(verdict(policy, `64:ff9b::${hex.slice(0, 4)}:${hex.slice(4)}`) === null).toBe(open)
      }),
    )
  })
})

describe('targets (RFC 9298 §3)', () => {
  it.each([
    ['example.org', '443'], ['example.org.', '1'], ['a_b.example', '65535'], ['192.0.2.1', '53'], ['2001:db8::42', '53'], ['xn--bcher-kva.example', '1'],
  ])('%s port %s', (host, port) => {
    expect(parseTarget(host, port)).toEqual({ host, port: Number(port) })
  })

  it.each([
    ['', '443'], ['example.org', ''], ['example.org', '0'], ['example.org', '65536'], ['example.org', '-1'], ['example.org', '1e3'],
    ['example.org', '443 '], ['fe80::1%25eth0', '53'], ['fe80::1%eth0', '53'], ['[::1]', '53'], ['a b', '1'], ['a/b', '1'], ['-a', '1'], ['a..b', '1'],
    ['a\0b', '1'], [`${'a'.repeat(64)}.example`, '1'], ['ü.example', '1'], ['host:1', '1'],
  ])('none: %j port %j', (host, port) => {
    expect(parseTarget(host, port)).toBeNull()
  })

  it('authorities of CONNECT', () => {
    expect(parseAuthority('[::1]:443')).toEqual({ host: '::1', port: 443 })
    for (const text of ['::1:443', '[::1]', 'example.org', '[example.org]:1', 'a@b:1', ':443', '[::1:443']) expect([text, parseAuthority(text)]).toEqual([text, null])
  })
})
