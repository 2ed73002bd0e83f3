// What the browsers visit: the files of the smoke run, a page for forms, and a record of what forms brought.

import { createFileHandler, headerValue, serve, type Handler, type Server } from 'quicwire'
import type { ServerIdentity } from './identity.ts'

export interface Submission {
  readonly contentType: string
  readonly body: Buffer
}

export interface Site {
  readonly server: Server
  /** Of each POST to /submitted, in order. */
  readonly submissions: readonly Submission[]
}

export async function startSite(root: string, { cert, key }: ServerIdentity, onError: (error: Error) => void): Promise<Site> {
  const submissions: Submission[] = []
  const files = await createFileHandler(root)
  const handler: Handler = async (request) => {
    if (request.path === '/blank') return { status: 200, headers: [['content-type', 'text/html; charset=utf-8']], body: '<!doctype html><link rel="icon" href="data:,">' }
    if (request.path !== '/submitted') return files(request)
    if (request.method !== 'POST') return { status: 405, headers: [['allow', 'POST']] }
    const pieces: Uint8Array[] = []
    for await (const piece of request.body) pieces.push(piece.slice())
    const body = Buffer.concat(pieces)
    submissions.push({ contentType: headerValue(request.headers, 'content-type') ?? '', body })
    return { status: 200, headers: [['content-type', 'text/plain']], body: `${body.length} bytes` }
  }
  return { server: await serve({ port: 0, certificate: { cert, key }, handler, onError }), submissions }
}
