// Our client, in this process, against a peer's server.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, headerValue, type ByteStream, type Header, type HeaderCompressionStats, type IncomingResponse, type Session } from 'quicwire'
import type { CaseFiles } from '../peers/peer.ts'
import { HINT, TRAILER, countLargeFields, largeFields } from './conversation.ts'
import { SIZES, type HttpFiles, type TestFile } from './test-files.ts'

export interface ClientCase {
  readonly name: string
  /** Needs a server that answers what conversation.ts describes. */
  readonly conversation: boolean
  /** Needs a peer whose QPACK has dynamic tables. */
  readonly dynamicTable?: boolean
  /** Rejects when the case fails. */
  run(session: Session, files: HttpFiles): Promise<void>
}

export async function withSession(port: number, files: CaseFiles, run: (session: Session) => Promise<void>): Promise<void> {
  const session = await connect(`https://localhost:${port}/`, { ca: await readFile(files.certificate, 'utf8'), serverName: 'localhost' })
  try {
    await run(session)
  } finally {
    await session.close()
  }
}

export const clientCases: readonly ClientCase[] = [
  ...SIZES.map(({ label }, index): ClientCase => {
    return { name: `download of ${label}`, conversation: false, run: (session, files) => download(session, files.sizes[index]!) }
  }),
  ...SIZES.map(({ label }, index): ClientCase => {
    return { name: `upload of ${label}`, conversation: true, run: (session, files) => upload(session, files, files.sizes[index]!) }
  }),
  { name: '1000 requests at once', conversation: false, run: thousand },
  { name: 'HEAD', conversation: false, run: (session, files) => head(session, files.sizes[2]!) },
  { name: 'trailers', conversation: true, run: trailers },
  { name: '103 Early Hints', conversation: true, run: hints },
  { name: '100 large fields each way', conversation: true, run: fields },
  { name: 'dynamic table in both directions', conversation: false, dynamicTable: true, run: dynamicTable },
]

async function download(session: Session, file: TestFile): Promise<void> {
  const response = await session.request(`/${file.name}`)
  const { sha256, length } = await digestOf(await ok(response))
  equal(`${file.name}: length`, length, file.bytes)
  equal(`${file.name}: SHA-256`, sha256, file.sha256)
}

async function upload(session: Session, files: HttpFiles, file: TestFile): Promise<void> {
  const body = createReadStream(join(files.root, file.name), { highWaterMark: 65_536 }) as AsyncIterable<Uint8Array>
  const response = await session.request('/-/digest', { method: 'POST', body, headers: [['content-length', String(file.bytes)]] })
  const text = await (await ok(response)).text()
  equal(`${file.name}: length at the server`, headerValue(response.headers, 'body-length'), String(file.bytes))
  equal(`${file.name}: SHA-256 at the server`, text, file.sha256)
}

async function thousand(session: Session, files: HttpFiles): Promise<void> {
  await Promise.all(files.small.map((file) => download(session, file)))
}

async function head(session: Session, file: TestFile): Promise<void> {
  const response = await ok(await session.request(`/${file.name}`, { method: 'HEAD' }))
  equal('content-length', headerValue(response.headers, 'content-length'), String(file.bytes))
  equal('content', (await response.bytes()).length, 0)
}

async function trailers(session: Session): Promise<void> {
  const response = await ok(await session.request('/-/trailers'))
  equal('content', await response.text(), 'with trailers')
  equal('trailer', headerValue(response.trailers, TRAILER[0]), TRAILER[1])
}

async function hints(session: Session): Promise<void> {
  const seen: string[] = []
  const onInformational = (status: number, headers: ClientHeaders): void => void seen.push(`${status} ${headerValue(headers, HINT[0])}`)
  const response = await ok(await session.request('/-/hints', { onInformational }))
  equal('interim responses', seen.join(), `103 ${HINT[1]}`)
  equal('content', await response.text(), 'final')
}

async function fields(session: Session): Promise<void> {
  const response = await ok(await session.request('/-/fields/100', { headers: largeFields(100) }))
  equal('request fields at the server', await response.text(), '100')
  equal('response fields', countLargeFields(response.headers), 100)
}

/** Rounds of requests that are alike but for their path. The first few tell each encoder what comes back, and let acknowledgments pass. */
async function dynamicTable(session: Session, files: HttpFiles): Promise<void> {
  const headers: Header[] = [['user-agent', 'quicwire interoperability'], ['accept', 'application/octet-stream'], ['x-run', 'dynamic table']]
  const get = async (file: TestFile): Promise<void> => {
    const { sha256 } = await digestOf(await ok(await session.request(`/${file.name}`, { headers })))
    equal(`${file.name}: SHA-256`, sha256, file.sha256)
  }
  for (const file of files.small.slice(0, 8)) await get(file)
  await Promise.all(files.small.slice(8, 64).map(get))
  checkCompression(session.stats().qpack)
}

/** Rejects a connection on which either side has not made use of its dynamic table. */
export function checkCompression(qpack: HeaderCompressionStats): void {
  for (const [what, count] of Object.entries(qpack)) if (count === 0) throw new Error(`${what} is 0: ${JSON.stringify(qpack)}`)
  if (qpack.insertionsAcknowledged > qpack.insertedByUs) throw new Error(`more acknowledged than inserted: ${JSON.stringify(qpack)}`)
}

type ClientHeaders = IncomingResponse['headers']

async function ok(response: IncomingResponse): Promise<IncomingResponse> {
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  return response
}

async function digestOf({ body }: { readonly body: ByteStream }): Promise<{ sha256: string; length: number }> {
  const digest = createHash('sha256')
  let length = 0
  for await (const piece of body) {
    digest.update(piece)
    length += piece.length
  }
  return { sha256: digest.digest('hex'), length }
}

export function equal(what: string, actual: string | number | null, expected: string | number): void {
  if (actual !== expected) throw new Error(`${what} is ${actual ?? 'missing'}, expected ${expected}`)
}
