// Our server, in this process, against a peer's client.

import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFileHandler, serve, type Server } from 'quicwire'
import type { CaseFiles, Peer, PeerAnswer, PeerRequest } from '../peers/peer.ts'
import { sha256OfFile } from '../smoke/test-files.ts'
import { conversation } from './conversation.ts'
import { checkCompression, equal } from './our-client.ts'
import { SIZES, type HttpFiles, type TestFile } from './test-files.ts'

export interface ServerCase {
  readonly name: string
  /** Null when the peer's client cannot do it. Rejects when the case fails. */
  of(peer: Peer): ((server: Server, files: HttpFiles, caseFiles: CaseFiles, timeoutMs: number) => Promise<void>) | null
}

export async function startServer(files: HttpFiles, onError: (error: Error) => void): Promise<Server> {
  const certificate = { cert: await readFile(files.certificate, 'utf8'), key: await readFile(files.key, 'utf8') }
  return serve({ port: 0, certificate, handler: conversation(await createFileHandler(files.root)), onError })
}

const NONE: Pick<PeerRequest, 'upload' | 'fields'> = { upload: null, fields: 0 }

export const serverCases: readonly ServerCase[] = [
  ...SIZES.map(({ label }, index): ServerCase => {
    return { name: `download of ${label}`, of: (peer) => downloads(peer, (files) => [files.sizes[index]!]) }
  }),
  ...SIZES.map(({ label }, index): ServerCase => ({ name: `upload of ${label}`, of: (peer) => upload(peer, index) })),
  { name: '1000 requests at once', of: (peer) => downloads(peer, (files) => files.small) },
  {
    name: 'HEAD',
    of: (peer) =>
      exchange(peer, (files) => ({ method: 'HEAD', path: `/${files.sizes[2]!.name}`, ...NONE }), (answer, files) => {
        equal('content-length', answer.headers['content-length'] ?? null, String(files.sizes[2]!.bytes))
        equal('content', answer.bodyLength, 0)
      }),
  },
  {
    name: 'trailers',
    of: (peer) =>
      exchange(peer, () => ({ method: 'GET', path: '/-/trailers', ...NONE }), (answer) => {
        equal('content', answer.bodySha256, sha256('with trailers'))
        equal('trailer', answer.trailers['x-checksum'] ?? null, 'abc')
      }),
  },
  {
    name: '103 Early Hints',
    of: (peer) =>
      exchange(peer, () => ({ method: 'GET', path: '/-/hints', ...NONE }), (answer) => {
        equal('interim responses', answer.informational.join(), '103')
        equal('content', answer.bodySha256, sha256('final'))
      }),
  },
  {
    name: '100 large fields each way',
    of: (peer) =>
      exchange(peer, () => ({ method: 'GET', path: '/-/fields/100', upload: null, fields: 100 }), (answer) => {
        equal('request fields at the server', answer.bodySha256, sha256('100'))
        equal('response fields', answer.fields, 100)
      }),
  },
  {
    name: 'dynamic table in both directions',
    of: (peer) => {
      const run = peer.dynamicTable === true ? downloads(peer, (files) => files.small.slice(0, 300)) : null
      if (run === null) return null
      return async (server, files, caseFiles, timeoutMs) => {
        await run(server, files, caseFiles, timeoutMs)
        checkCompression(server.stats().qpack)
      }
    },
  },
]

function downloads(peer: Peer, choose: (files: HttpFiles) => readonly TestFile[]): ReturnType<ServerCase['of']> {
  const verb = peer.download
  if (verb === undefined) return null
  return async ({ port }, files, caseFiles, timeoutMs) => {
    const output = join(caseFiles.logDirectory, 'downloads')
    await mkdir(output, { recursive: true })
    const chosen = choose(files)
    await verb(port, chosen.map(({ name }) => name), output, caseFiles, timeoutMs)
    for (const file of chosen) equal(`${file.name}: SHA-256`, await sha256OfFile(join(output, file.name)), file.sha256)
  }
}

function upload(peer: Peer, index: number): ReturnType<ServerCase['of']> {
  if (peer.exchange === undefined && peer.upload === undefined) return null
  return async ({ port }, files, caseFiles, timeoutMs) => {
    const file = files.sizes[index]!
    const path = join(files.root, file.name)
    if (peer.exchange === undefined) {
      await peer.upload?.(port, '/-/digest', path, caseFiles, timeoutMs)
      return
    }
    const answer = await peer.exchange(port, { method: 'POST', path: '/-/digest', upload: path, fields: 0 }, caseFiles, timeoutMs)
    equal('status', answer.status, 200)
    equal('length at the server', answer.headers['body-length'] ?? null, String(file.bytes))
    equal('SHA-256 at the server', answer.bodySha256, sha256(file.sha256))
  }
}

function exchange(
  peer: Peer,
  request: (files: HttpFiles) => PeerRequest,
  check: (answer: PeerAnswer, files: HttpFiles) => void,
): ReturnType<ServerCase['of']> {
  const verb = peer.exchange
  if (verb === undefined) return null
  return async ({ port }, files, caseFiles, timeoutMs) => {
    const answer = await verb(port, request(files), caseFiles, timeoutMs)
    equal('status', answer.status, 200)
    check(answer, files)
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
