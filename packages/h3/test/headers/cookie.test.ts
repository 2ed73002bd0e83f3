import { describe, expect, it } from 'vitest'
import { joinCookies } from '../../src/index.ts'
import { GET } from '../h3-pair.ts'

describe('cookie crumbs (RFC 9114 §4.2.1)', () => {
  it('are put together with "; " where the first stood', () => {
    expect(joinCookies([['a', '1'], ['cookie', 'x=1'], ['b', '2'], ['cookie', 'y=2; z=3'], ['cookie', 'w']])).toEqual([
      ['a', '1'],
      ['cookie', 'x=1; y=2; z=3; w'],
      ['b', '2'],
    ])
  })
  it('nothing is copied where nothing is to be done', () => {
    expect(joinCookies(GET)).toBe(GET)
    const one = [['cookie', 'a=b']] as const
    expect(joinCookies(one)).toBe(one)
  })
})
