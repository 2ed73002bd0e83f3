import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDictionary, parseItem } from '../../src/headers/structured-fields.ts'

describe('dictionaries (RFC 8941 §3.2, §4.2.2)', () => {
  it.each<[string, [string, unknown][]]>([
    ['', []],
    ['   ', []],
    ['a', [['a', true]]],
    ['a=1', [['a', 1]]],
    ['  a=1 ', [['a', 1]]],
    ['a=-999999999999999', [['a', -999999999999999]]],
    ['a=1.5, b=?0', [['a', 1.5], ['b', false]]],
    ['a=123456789012.123', [['a', 123456789012.123]]],
    ['a\t', [['a', true]]],
    ['a ,\t b', [['a', true], ['b', true]]],
    ['a=1,a=2', [['a', 2]]],
    ['*k_-.*9=tok/en:x', [['*k_-.*9', 'tok/en:x']]],
    ['a="x\\"\\\\y"', [['a', 'x"\\y']]],
    ['a=:aGk=:', [['a', 'aGk=']]],
    ['a=@1659578233', [['a', 1659578233]]],
    ['a=%"f%c3%bc"', [['a', 'f\u00fc']]],
    ['a;x;y=1;  z="q", b=2;c', [['a', true], ['b', 2]]],
    ['a=(1 "x"  tok;p);q, b', [['a', undefined], ['b', true]]],
    ['a=()', [['a', undefined]]],
    ['a=(  )', [['a', undefined]]],
  ])('%j', (text, expected) => {
    const members = parseDictionary(text)
    expect([...members!].map(([key, member]) => [key, 'value' in member ? member.value : undefined])).toEqual(expected)
  })
  it.each([
    'A', '1', '=', 'a=', 'a=,b', 'a,', 'a, ', 'a,,b', 'a b', 'a;', 'a;1', 'a;x=', ',a', 'a=1.', 'a=.5', 'a=1.2345',
    'a=1234567890123.1', 'a=1234567890123456', 'a=-', 'a=--1', 'a="', 'a="x', 'a="\\x"', 'a="\u00e9"', 'a=?2', 'a=?', 'a=:a', 'a=:*:', 'a=(', 'a=(1', 'a=(1,2)', 'a=("x""y")', 'a=@1.5', 'a=@',
    'a=%"%c3"', 'a=%"%C3%BC"',
    'a=%"%"', 'a=%x', '\ta', 'a=1 b=2', '\u00e9', 'a=\0',
  ])('%j does not parse', (text) => {
    expect(parseDictionary(text)).toBeNull()
  })
})

describe('items (RFC 8941 §3.3, §4.2.3)', () => {
  it('a Boolean with parameters', () => {
    expect(parseItem(' ?1;a=b ')).toEqual({ kind: 'boolean', value: true })
    expect(parseItem('?0')).toEqual({ kind: 'boolean', value: false })
    for (const text of ['', '?1, ?1', '?1 x', '?1;', '(1)']) expect(parseItem(text)).toBeNull()
  })
  it('any text is parsed or refused, and no text takes long', () => {
    const characters = fc.constantFrom(...'ab=(); ,"\\:?01.-@%c3*\t'.split(''))
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 60 }), (text) => {
        const members = parseDictionary(text)
        if (members !== null) for (const key of members.keys()) expect(text).toContain(key)
        parseItem(text)
      }),
      { numRuns: 5000 },
    )
    for (const text of ['"'.repeat(50_000), 'a;'.repeat(50_000), 'a=('.repeat(20_000), `a="${'\\"'.repeat(50_000)}`]) {
      expect(parseDictionary(text)).toBeNull()
    }
    expect(parseDictionary(`${'a,'.repeat(50_000)}a`)!.size).toBe(1)
  })
})
