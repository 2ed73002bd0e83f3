import { describe, expect, it } from 'vitest'
import { contentType } from '../../src/files/content-type.ts'

describe('contentType', () => {
  it.each([
    ['index.html', 'text/html; charset=utf-8'],
    ['A.JPEG', 'image/jpeg'],
    ['lib.min.mjs', 'text/javascript; charset=utf-8'],
    ['.html', 'application/octet-stream'],
    ['noextension', 'application/octet-stream'],
    ['x.constructor', 'application/octet-stream'],
    ['x.', 'application/octet-stream'],
  ])('%s is %s', (name, type) => {
    expect(contentType(name)).toBe(type)
  })
})
