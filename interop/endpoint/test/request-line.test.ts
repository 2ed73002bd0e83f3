import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileOf, pathOf } from '../hq/request-line.ts'

describe('the request line of hq-interop', () => {
  test.each([
    ['GET /a-b-c\r\n', false, '/a-b-c'],
    ['GET /a-b-c\n', false, '/a-b-c'],
    ['GET /a-b-c', true, '/a-b-c'],
    ['GET /a-b-c \r\n', false, '/a-b-c'],
    ['GET /a\r\nHost: server4\r\n', false, '/a'],
    ['GET /', true, '/'],
  ])('%j, stream ended: %s', (text, ended, path) => {
    expect(pathOf(text, ended)).toBe(path)
  })

  test('an open line that has not ended waits for more', () => {
    expect(pathOf('GE', false)).toBe('more')
    expect(pathOf('GET /a-b', false)).toBe('more')
    expect(pathOf('GET /a-b\r', false)).toBe('more')
  })

  test.each([['POST /a\r\n'], ['GET a\r\n'], ['GET\r\n'], ['\r\n'], ['GET /a b\r\n'], ['get /a\r\n']])('%j is no request', (text) => {
    expect(pathOf(text, false)).toBeNull()
  })

  test('a line without an end is refused at some length', () => {
    expect(pathOf(`GET /${'a'.repeat(250)}`, false)).toBe('more')
    expect(pathOf(`GET /${'a'.repeat(100_000)}`, false)).toBeNull()
  })
})

describe('the file of a path', () => {
  test('lies below the root', () => {
    expect(fileOf('/www', '/a-b-c')).toBe(join('/www', 'a-b-c'))
    expect(fileOf('/www', '/folder/file.txt')).toBe(join('/www', 'folder', 'file.txt'))
  })

  test.each(['/', '/../etc/passwd', '/a/../../b', '/.', '//etc/passwd', '/a\\..\\b', '/a\0b', '/..'])('there is none for %j', (path) => {
    expect(fileOf('/www', path)).toBeNull()
  })
})
