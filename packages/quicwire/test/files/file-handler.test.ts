import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFileHandler } from '../../src/files/file-handler.ts'
import { FileBody } from '../../src/files/file-body.ts'
import type { Handler, Header, IncomingRequest, OutgoingResponse } from '../../src/http/message.ts'
import { bodyPieces, headerValue } from '../../src/http/message.ts'

let base: string
let handler: Handler
const large = new Uint8Array(300_000).map((_, index) => index * 7)

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), 'quicwire-files-'))
  const root = join(base, 'root')
  mkdirSync(join(root, 'sub', 'deep'), { recursive: true })
  mkdirSync(join(root, 'site'))
  mkdirSync(join(base, 'root-twin'))
  writeFileSync(join(base, 'secret.txt'), 'SECRET')
  writeFileSync(join(base, 'root-twin', 'secret.txt'), 'SECRET')
  writeFileSync(join(root, 'hello.txt'), '0123456789')
  writeFileSync(join(root, 'empty'), '')
  writeFileSync(join(root, 'large.bin'), large)
  writeFileSync(join(root, 'a b%&<i>.html'), '<p>')
  writeFileSync(join(root, 'site', 'index.html'), '<h1>site</h1>')
  writeFileSync(join(root, 'sub', 'deep', 'x.json'), '{}')
  symlinkSync(join(base, 'secret.txt'), join(root, 'leak.txt'))
  symlinkSync(base, join(root, 'leakdir'))
  symlinkSync(join(base, 'root-twin'), join(root, 'twin'))
  symlinkSync('hello.txt', join(root, 'inside.txt'))
  symlinkSync('nowhere', join(root, 'dangling'))
  symlinkSync('loop', join(root, 'loop'))
  handler = await createFileHandler(root)
})

afterAll(() => rmSync(base, { recursive: true }))

interface Got {
  readonly status: number
  readonly text: string
  readonly bytes: Uint8Array
  header(name: string): string | null
}

function requestOf(path: string, method = 'GET', headers: readonly Header[] = []): IncomingRequest {
  const inform = (): Promise<boolean> => Promise.resolve(false)
  return { method, path, headers, authority: 'localhost', scheme: 'https', body: bodyPieces(null), early: false, inform, sensitiveHeaders: [], setPriority: () => undefined }
}

async function request(path: string, headers: readonly Header[] = [], method = 'GET'): Promise<Got> {
  const response: OutgoingResponse = await handler(requestOf(path, method, headers))
  const pieces: Uint8Array[] = []
  for await (const piece of bodyPieces(response.body ?? null)) pieces.push(piece)
  const bytes = Buffer.concat(pieces)
  return { status: response.status, text: bytes.toString('utf8'), bytes, header: (name) => headerValue(response.headers ?? [], name) }
}

describe('a file', () => {
  it('comes with content type, length and validators', async () => {
    const got = await request('/hello.txt?query#x')
    expect(got).toMatchObject({ status: 200, text: '0123456789' })
    expect(got.header('content-type')).toBe('text/plain; charset=utf-8')
    expect(got.header('content-length')).toBe('10')
    expect(got.header('accept-ranges')).toBe('bytes')
    expect(got.header('etag')).toMatch(/^"[\da-f]+-[\da-f]+"$/)
    expect(Date.parse(got.header('last-modified')!)).toBeGreaterThan(0)
  })

  it('is streamed whole, in pieces', async () => {
    expect(Buffer.compare((await request('/large.bin')).bytes, large)).toBe(0)
    expect((await request('/large.bin')).header('content-type')).toBe('application/octet-stream')
  })

  it('may be empty, or have a name that needs encoding', async () => {
    expect(await request('/empty')).toMatchObject({ status: 200, text: '' })
    expect(await request('/a%20b%25%26%3Ci%3E.html')).toMatchObject({ status: 200, text: '<p>' })
  })

  it('answers HEAD with the same fields and no body', async () => {
    const head = await request('/large.bin', [], 'HEAD')
    expect(head).toMatchObject({ status: 200, text: '' })
    expect(head.header('content-length')).toBe('300000')
  })

  it('refuses other methods with Allow (RFC 9110 §15.5.6)', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'get', 'CONNECT']) {
      const got = await request('/hello.txt', [], method)
      expect(got.status).toBe(405)
      expect(got.header('allow')).toBe('GET, HEAD')
    }
  })

  it('is not sent again when it has not changed (RFC 9110 §13.1)', async () => {
    const first = await request('/hello.txt')
    const etag = first.header('etag')!
    const modified = first.header('last-modified')!
    expect(await request('/hello.txt', [['if-none-match', `"x", W/${etag}`]])).toMatchObject({ status: 304, text: '' })
    expect((await request('/hello.txt', [['if-none-match', '"x"'], ['if-modified-since', modified]])).status).toBe(200)
    expect((await request('/hello.txt', [['if-modified-since', modified]])).status).toBe(304)
    expect((await request('/hello.txt', [['if-modified-since', 'Thu, 01 Jan 1970 00:00:00 GMT']])).status).toBe(200)
    expect((await request('/hello.txt', [['if-modified-since', 'nonsense']])).status).toBe(200)
  })
})

describe('a byte range (RFC 9110 §14)', () => {
  it.each([
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-4', 206, '6789', 'bytes 6-9/10'],
    ['bytes=-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=9-99', 206, '9', 'bytes 9-9/10'],
    ['bytes=10-', 416, '', 'bytes */10'],
    ['bytes=-0', 416, '', 'bytes */10'],
    ['bytes=5-2', 200, '0123456789', null],
    ['bytes=-', 200, '0123456789', null],
    ['bytes=0-1,3-4', 200, '0123456789', null],
    ['lines=0-1', 200, '0123456789', null],
    ['bytes=a-b', 200, '0123456789', null],
  ])('%s gives %i', async (range, status, text, contentRange) => {
    const got = await request('/hello.txt', [['range', range]])
    expect(got.status).toBe(status)
    if (status !== 416) expect(got.text).toBe(text)
    if (status !== 416) expect(got.header('content-length')).toBe(String(text.length))
    expect(got.header('content-range')).toBe(contentRange)
  })

  it('equals the plain slice for any range', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(300_010), fc.nat(300_010), async (a, b) => {
        const start = Math.min(a, b)
        const end = Math.max(a, b)
        const got = await request('/large.bin', [['range', `bytes=${start}-${end}`]])
        if (start >= large.length) expect(got.status).toBe(416)
        else expect(Buffer.compare(got.bytes, large.subarray(start, end + 1))).toBe(0)
      }),
      { numRuns: 50 },
    )
  })

  it('depends on If-Range and is for GET only', async () => {
    const etag = (await request('/hello.txt')).header('etag')!
    expect((await request('/hello.txt', [['range', 'bytes=0-0'], ['if-range', etag]])).status).toBe(206)
    expect((await request('/hello.txt', [['range', 'bytes=0-0'], ['if-range', '"old"']])).status).toBe(200)
    expect((await request('/hello.txt', [['range', 'bytes=0-0']], 'HEAD')).status).toBe(200)
  })
})

describe('a directory', () => {
  it('answers with its index', async () => {
    const got = await request('/site/')
    expect(got).toMatchObject({ status: 200, text: '<h1>site</h1>' })
    expect(got.header('content-type')).toBe('text/html; charset=utf-8')
  })

  it('without slash is redirected, and never to another host', async () => {
    const got = await request('/site?x=1')
    expect(got.status).toBe(301)
    expect(got.header('location')).toBe('/site/?x=1')
    expect((await request('//sub//deep')).header('location')).toBe('/sub/deep/')
  })

  it('lists what it holds with names escaped, and nothing that leads out', async () => {
    const { text } = await request('/')
    expect(text).toContain('<a href="./a%20b%25%26%3Ci%3E.html">a b%&amp;&lt;i&gt;.html</a>')
    expect(text).toContain('<a href="./sub/">sub/</a>')
    expect(text).toContain('inside.txt')
    for (const hidden of ['leak', 'twin', 'dangling', 'loop']) expect(text).not.toContain(hidden)
    expect(text).not.toContain('<i>')
    expect((await request('/sub/')).text).toContain('href="../"')
    const silent = await createFileHandler(join(base, 'root'), { listing: false })
    expect((await silent(requestOf('/'))).status).toBe(404)
  })
})

describe('the root', () => {
  it.each([
    ['/missing', 404], ['/hello.txt/', 404], ['/hello.txt/x', 404], ['/dangling', 404], ['/loop', 404],
    ['/leak.txt', 404], ['/leakdir/secret.txt', 404], ['/leakdir/', 404], ['/twin/secret.txt', 404],
    ['/../secret.txt', 400], ['/..', 400], ['/sub/../../secret.txt', 400], ['/%2e%2e/secret.txt', 400], ['/%2E./secret.txt', 400],
    ['/sub%2f..%2f..%2fsecret.txt', 400], ['/..%5csecret.txt', 400], ['/..\\secret.txt', 400], ['/%00', 400], ['/hello.txt%00.png', 400],
    ['/%zz', 400], ['/%c0%ae%c0%ae/secret.txt', 400], ['hello.txt', 400], ['', 400], ['*', 400], ['/%252e%252e/secret.txt', 404],
  ])('is not left by %s: %i', async (path, status) => {
    const got = await request(path)
    expect(got.status).toBe(status)
    expect(got.text).not.toContain('SECRET')
  })

  it('serves links that stay inside', async () => {
    expect(await request('/inside.txt')).toMatchObject({ status: 200, text: '0123456789' })
  })

  it('is not left by any path made of the dangerous parts', async () => {
    const part = fc.constantFrom('..', '.', '%2e', '%2e%2e', '/', '%2f', '\\', '%5c', 'secret.txt', 'leakdir', 'sub', 'root-twin', '%00', ';', '?', '~')
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 8 }), async (parts) => {
        const got = await request(`/${parts.join('')}`)
        expect(got.text).not.toContain('SECRET')
        expect(got.status).not.toBe(500)
      }),
      { numRuns: 300 },
    )
  })

  it('must be a directory that exists', async () => {
    await expect(createFileHandler(join(base, 'nope'))).rejects.toThrow(/ENOENT/)
    await expect(createFileHandler(join(base, 'secret.txt'))).rejects.toThrow(/not a directory/)
  })
})

describe('FileBody', () => {
  it.runIf(process.platform === 'linux')('closes the file at the end, when the reader leaves, and when nobody reads', async () => {
    const open = async (): Promise<number> => (await readdir('/proc/self/fd')).length
    const get = async (): Promise<FileBody> => {
      const response = await handler(requestOf('/large.bin'))
      expect(response.body).toBeInstanceOf(FileBody)
      return response.body as FileBody
    }
    const before = await open()
    await request('/large.bin')
    for await (const piece of await get()) {
      expect(piece.length).toBe(65_536)
      break
    }
    await (await get()).close()
    await request('/large.bin', [], 'HEAD')
    await request('/large.bin', [['range', 'bytes=999999-']])
    expect(await open()).toBe(before)
  })
})
