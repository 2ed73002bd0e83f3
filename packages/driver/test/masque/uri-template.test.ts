import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MasqueError } from '../../src/index.ts'
import { DEFAULT_UDP_PATH, MAX_MATCHED_PATH, UriTemplate } from '../../src/masque/uri/uri-template.ts'

const names = ['target_host', 'target_port']

describe('URI Templates (RFC 6570 up to level 3, RFC 9298 §2)', () => {
  it.each([
    ['https://example.org/.well-known/masque/udp/{target_host}/{target_port}/', '/.well-known/masque/udp/192.0.2.6/443/'],
    ['https://proxy.example.org:4443/masque?h={target_host}&p={target_port}', '/masque?h=192.0.2.6&p=443'],
    ['https://proxy.example.org:4443/masque{?target_host,target_port}', '/masque?target_host=192.0.2.6&target_port=443'],
    ['https://proxy.example.org/a?x=1{&target_host,target_port}', '/a?x=1&target_host=192.0.2.6&target_port=443'],
    ['https://proxy.example.org/{target_host,target_port}', '/192.0.2.6,443'],
  ])('%s expands to %s and back', (text, path) => {
    const template = UriTemplate.absolute(text, names)
    const values = { target_host: '192.0.2.6', target_port: '443' }
    expect(template.expand(values)).toBe(path)
    expect(Object.fromEntries(template.match(path)!)).toEqual(values)
  })

  it('keeps the authority and encodes colons (RFC 9298 §3)', () => {
    const template = UriTemplate.absolute('https://proxy.example.org:4443/{target_host}/{target_port}/')
    expect([template.scheme, template.authority]).toEqual(['https', 'proxy.example.org:4443'])
    expect(template.expand({ target_host: '2001:db8::42', target_port: '443' })).toBe('/2001%3Adb8%3A%3A42/443/')
  })

  it.each([
    ['not absolute', '/masque/{target_host}/{target_port}'],
    ['http', 'http://example.org/{target_host}/{target_port}'],
    ['no path', 'https://example.org'],
    ['a variable in the authority', 'https://{target_host}/{target_port}'],
    ['a variable missing', 'https://example.org/{target_host}'],
    ['a variable twice', 'https://example.org/{target_host}/{target_port}/{target_host}'],
    ['reserved expansion', 'https://example.org/{+target_host}/{target_port}'],
    ['fragment expansion', 'https://example.org/{target_host}/{target_port}{#x}'],
    ['label expansion', 'https://example.org/{.target_host}/{target_port}'],
    ['path segment expansion', 'https://example.org/x{/target_host,target_port}'],
    ['path-style parameters', 'https://example.org/x{;target_host,target_port}'],
    ['level 4: prefix', 'https://example.org/{target_host:3}/{target_port}'],
    ['level 4: explode', 'https://example.org/{target_host*}/{target_port}'],
    ['beyond ASCII', 'https://example.org/ü/{target_host}/{target_port}'],
    ['a space', 'https://example.org/ /{target_host}/{target_port}'],
    ['an open expression', 'https://example.org/{target_host}/{target_port'],
    ['an empty expression', 'https://example.org/{}/{target_host}/{target_port}'],
    ['neighbours', 'https://example.org/{target_host}{target_port}'],
  ])('refuses %s', (_what, text) => {
    expect(() => UriTemplate.absolute(text, names)).toThrow(expect.objectContaining({ code: 'MASQUE_INVALID_TEMPLATE' }) as Error)
  })

  it('matches nothing but its own paths', () => {
    const template = UriTemplate.ofPath(DEFAULT_UDP_PATH, names)
    for (const path of [
      '/',
      '/.well-known/masque/udp/a/1',
      '/.well-known/masque/udp/a/1/2/',
      '/.well-known/masque/udp/a/1/?x',
      'x/.well-known/masque/udp/a/1/',
      '/.well-known/masque/udp/%zz/1/',
      '/.well-known/masque/udp/%ff/1/',
      `/.well-known/masque/udp/${'a'.repeat(MAX_MATCHED_PATH)}/1/`,
    ]) expect([path, template.match(path)]).toEqual([path, null])
    const query = UriTemplate.ofPath('/m{?target_host,target_port}', names)
    expect(query.match('/m?target_port=1&target_host=a')!.get('target_host')).toBe('a')
    expect(query.match('/m?target_host=a&target_host=b')).toBeNull()
    expect(query.match('/m?target_host=a&other=b')).toBeNull()
    expect(query.match('/m')!.size).toBe(0)
  })

  it('any values survive expansion and matching', () => {
    const template = UriTemplate.ofPath('/a/{target_host}/b{?target_port}')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.string({ maxLength: 60 }), (host, port) => {
        const matched = template.match(template.expand({ target_host: host, target_port: port }))
        expect(matched!.get('target_host')).toBe(host)
        expect(matched!.get('target_port')).toBe(port)
      }),
    )
  })

  it('any text is a template or a MasqueError, any path a match or none', () => {
    const character = fc.constantFrom(...'{}?&,/a%4=+#.*: ')
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 30 }), fc.string({ unit: character, maxLength: 30 }), (text, path) => {
        try {
          UriTemplate.ofPath(`/${text}`).match(`/${path}`)
        } catch (error) {
          expect(error).toBeInstanceOf(MasqueError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
