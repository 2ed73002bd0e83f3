// Names and addresses. RFC 9525 §6.3, RFC 4291 §2.2.

import { isIP } from 'node:net'
import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseIpAddress } from '../../../src/base/ip-address.ts'
import { matchesName, sniName } from '../../../src/tls/certificates/names.ts'
import { parseCertificate } from '../../../src/tls/certificates/parse.ts'
import { issue } from './authority.ts'

function certifies(names: readonly string[], serverName: string): boolean {
  return matchesName(parseCertificate(issue({ names }).der, 'it'), serverName)
}

describe('matchesName', () => {
  const cases: readonly [string, string, boolean][] = [
    ['example.org', 'example.org', true],
    ['Example.ORG', 'eXample.org', true],
    ['example.org', 'example.org.', true],
    ['example.org', 'www.example.org', false],
    ['*.example.org', 'www.example.org', true],
    ['*.example.org', 'example.org', false],
    ['*.example.org', 'a.b.example.org', false],
    ['*.example.org', '.example.org', false],
    ['w*.example.org', 'www.example.org', false],
    ['www.*.org', 'www.example.org', false],
    ['*.org', 'example.org', false],
    ['*', 'localhost', false],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['::1', '[::1]', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['::ffff:1.2.3.4', '1.2.3.4', false],
  ]
  for (const [pattern, name, good] of cases) {
    it(`${pattern} ${good ? 'is' : 'is not'} for ${name}`, () => expect(certifies([pattern], name)).toBe(good))
  }

  it('agrees with node:crypto about wildcards', () => {
    const label = fc.constantFrom('a', 'b', 'xy', '*')
    const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join('.'))
    fc.assert(
      fc.property(name, name.filter((text) => !text.includes('*')), (pattern, host) => {
        // node:crypto takes *.tld, which we do not.
        if (pattern.startsWith('*.') && pattern.split('.').length === 2) return
        const { der } = issue({ names: [pattern] })
        const theirs = new X509Certificate(der).checkHost(host, { subject: 'never' }) !== undefined
        expect(matchesName(parseCertificate(der, 'it'), host)).toBe(theirs)
      }),
      { numRuns: 100 },
    )
  })
})

describe('parseIpAddress', () => {
  it('reads what node:net calls an address, and nothing else', () => {
    const group = fc.constantFrom('0', '1', 'ff', 'FFFF', '12345', '', 'g', '1.2.3.4', '256')
    const groups = fc.array(group, { maxLength: 9 }).map((parts) => parts.join(':'))
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), groups, fc.string({ maxLength: 12 })), (text) => {
        if (text.includes('%') || text.startsWith('[')) return
        const kind = isIP(text)
        expect(`${text} ${parseIpAddress(text)?.length ?? 0}`).toBe(`${text} ${kind === 0 ? 0 : kind === 4 ? 4 : 16}`)
      }),
      { numRuns: 1000 },
    )
  })

  it('gives the bytes', () => {
    expect(parseIpAddress('192.0.2.1')).toEqual(Uint8Array.of(192, 0, 2, 1))
    expect(parseIpAddress('2001:db8::ff')).toEqual(Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff))
    expect(parseIpAddress('::ffff:192.0.2.1')).toEqual(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1))
    expect(parseIpAddress('fe80::1%eth0')).toEqual(parseIpAddress('fe80::1'))
  })
})

describe('sniName', () => {
  it('normalises names, keeps addresses out and refuses the rest', () => {
    expect(sniName('Example.org.')).toBe('example.org')
    expect(sniName('10.0.0.1')).toBeNull()
    expect(sniName('[fe80::1]')).toBeNull()
    for (const name of ['', 'a b', 'bücher.de', `${'a'.repeat(64)}.org`, 'a..b']) {
      expect(() => sniName(name)).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
    }
  })
})
