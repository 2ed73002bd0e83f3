// What each browser does, and what is demanded of it. The protocol is what the browser itself says (PerformanceResourceTiming.nextHopProtocol);
// content is compared byte for byte.

import { randomBytes } from 'node:crypto'
import { pageProblem } from '../smoke/cases.ts'
import type { TestFiles } from '../smoke/test-files.ts'
import { loadPage, type Tab } from './browser.ts'
import type { Site, Submission } from './site.ts'

export interface Visit {
  readonly tab: Tab
  readonly site: Site
  readonly files: TestFiles
}

export interface Check {
  readonly name: string
  /** Rejects when the check fails; resolves with what is worth saying, '' for nothing. */
  run(visit: Visit): Promise<string>
}

const FIELDS: readonly (readonly [string, string])[] = [
  ['plain', 'a value'],
  ['punctuation', 'a=b&c+d %20 "quoted"'],
  ['letters', 'äöü € 漢字 🙂'],
  ['lines', 'first\r\nsecond'],
  ['empty', ''],
]
const UPLOAD_BYTES = 1_000_000

export const checks: readonly Check[] = [
  {
    name: 'page with 50 images, fetch of 10 MB',
    async run({ tab, site, files }) {
      const problem = pageProblem(await loadPage(tab, site.server.port, files.page, files.download), files)
      if (problem !== null) throw new Error(problem)
      return ''
    },
  },
  {
    name: 'form, application/x-www-form-urlencoded',
    async run(visit) {
      const { contentType, body } = await submit(visit, 'application/x-www-form-urlencoded', null)
      if (contentType !== 'application/x-www-form-urlencoded') throw new Error(`content-type: ${contentType}`)
      const expected = new URLSearchParams(FIELDS.map(([name, value]) => [name, value])).toString()
      same(body, Buffer.from(expected))
      return `${body.length} bytes`
    },
  },
  {
    name: 'form, multipart/form-data with a file of 1 MB',
    async run(visit) {
      const file = randomBytes(UPLOAD_BYTES)
      const { contentType, body } = await submit(visit, 'multipart/form-data', file)
      const boundary = /^multipart\/form-data; boundary=([\w-]+)$/.exec(contentType)?.[1]
      if (boundary === undefined) throw new Error(`content-type: ${contentType}`)
      same(body, multipart(boundary, file))
      return `${body.length} bytes`
    },
  },
  {
    name: 'download of 10 MB, piece by piece',
    async run({ tab, site, files }) {
      await tab.navigate(`https://localhost:${site.server.port}/blank`)
      const result = (await tab.call(STREAM, files.download)) as { protocol: string; bytes: number; pieces: number; sha256: string }
      if (result.protocol !== 'h3') throw new Error(`the browser says '${result.protocol}', not h3`)
      if (result.bytes !== files.downloadBytes || result.sha256 !== files.downloadSha256) throw new Error(`${result.bytes} bytes with SHA-256 ${result.sha256}`)
      if (result.pieces < 2) throw new Error('it came in one piece')
      return `${result.pieces} pieces`
    },
  },
]

/** A form of FIELDS, and of a file if there is one, submitted into a frame. */
async function submit({ tab, site }: Visit, enctype: string, file: Buffer | null): Promise<Submission> {
  const before = site.submissions.length
  await tab.navigate(`https://localhost:${site.server.port}/blank`)
  const answer = (await tab.call(SUBMIT, { enctype, fields: FIELDS, file: file?.toString('base64') ?? null })) as { protocol: string; text: string }
  if (answer.protocol !== 'h3') throw new Error(`the browser says '${answer.protocol}', not h3`)
  const [submission, ...more] = site.submissions.slice(before)
  if (submission === undefined || more.length > 0) throw new Error(`the server had ${more.length + (submission === undefined ? 0 : 1)} submissions`)
  if (answer.text !== `${submission.body.length} bytes`) throw new Error(`the browser shows '${answer.text}'`)
  return submission
}

/** As HTML has browsers encode it (multipart/form-data encoding algorithm). */
function multipart(boundary: string, file: Buffer): Buffer {
  const head = (disposition: string): string => `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`
  const parts = FIELDS.map(([name, value]) => Buffer.from(`${head(`name="${name}"`)}\r\n${value}\r\n`))
  const fileHead = Buffer.from(`${head('name="file"; filename="random.bin"')}Content-Type: application/octet-stream\r\n\r\n`)
  return Buffer.concat([...parts, fileHead, file, Buffer.from(`\r\n--${boundary}--\r\n`)])
}

function same(body: Buffer, expected: Buffer): void {
  if (body.equals(expected)) return
  const at = body.findIndex((byte, index) => byte !== expected[index])
  throw new Error(`the body differs: ${body.length} bytes, expected ${expected.length}; first difference at ${at === -1 ? Math.min(body.length, expected.length) : at}`)
}

/** Runs in the browser. */
const SUBMIT = `async ({ enctype, fields, file }) => {
  const frame = document.createElement('iframe')
  frame.name = 'answer'
  const form = document.createElement('form')
  Object.assign(form, { method: 'post', action: '/submitted', enctype, target: 'answer' })
  form.acceptCharset = 'utf-8'
  for (const [name, value] of fields) {
    const field = document.createElement('textarea')
    Object.assign(field, { name, value })
    form.append(field)
  }
  if (file !== null) {
    const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0))
    const chosen = new DataTransfer()
    chosen.items.add(new File([bytes], 'random.bin'))
    const field = document.createElement('input')
    Object.assign(field, { name: 'file', type: 'file' })
    field.files = chosen.files
    form.append(field)
  }
  document.body.append(frame, form)
  // A frame may report its empty document first.
  const answered = new Promise((resolve) => {
    frame.addEventListener('load', () => { if (frame.contentWindow.location.pathname === '/submitted') resolve() })
  })
  form.submit()
  await answered
  const { nextHopProtocol } = frame.contentWindow.performance.getEntriesByType('navigation')[0]
  return { protocol: nextHopProtocol, text: frame.contentDocument.body.textContent }
}`

/** Runs in the browser. */
const STREAM = `async (file) => {
  const url = new URL(file, location.origin).href
  const reader = (await fetch(url, { cache: 'no-store' })).body.getReader()
  const pieces = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    pieces.push(value)
  }
  const body = await new Blob(pieces).arrayBuffer()
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body))
  return {
    protocol: performance.getEntriesByName(url, 'resource')[0]?.nextHopProtocol ?? 'not in the resource timings',
    bytes: body.byteLength,
    pieces: pieces.length,
    sha256: Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join(''),
  }
}`
