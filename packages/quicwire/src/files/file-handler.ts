// Serves the files below one directory: a function from request to response. GET and HEAD, index.html, listings, one
// byte range, validators. Nothing outside of the root is served: the path is checked lexically (request-path.ts), then
// the real path of what it leads to must lie below the real path of the root, and that real path is what is opened.

import { constants } from 'node:fs'
import { open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import type { Handler, Header, IncomingRequest, OutgoingResponse } from '../http/message.ts'
import { headerValue } from '../http/message.ts'
import { parseByteRange } from './byte-range.ts'
import { contentType } from './content-type.ts'
import { directoryListing, type ListingEntry } from './directory-listing.ts'
import { FileBody } from './file-body.ts'
import { encodeRequestPath, parseRequestPath, type RequestPath } from './request-path.ts'

export interface FileHandlerOptions {
  /** Default 'index.html'. */
  readonly index?: string
  /** List directories without index. Default true. */
  readonly listing?: boolean
}

/** Reads the root once; rejects when it is not a readable directory. */
export async function createFileHandler(root: string, options: FileHandlerOptions = {}): Promise<Handler> {
  const realRoot = await realpath(root)
  if (!(await stat(realRoot)).isDirectory()) throw new Error(`${root} is not a directory`)
  const index = options.index ?? 'index.html'
  const listing = options.listing ?? true
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return plain(request, 405, 'method not allowed', [['allow', 'GET, HEAD']])
    }
    const path = parseRequestPath(request.path)
    if (path === null) return plain(request, 400, 'bad path')
    try {
      return await answer(request, path, realRoot, index, listing)
    } catch (error) {
      return failed(request, error)
    }
  }
}

async function answer(request: IncomingRequest, path: RequestPath, realRoot: string, index: string, listing: boolean): Promise<OutgoingResponse> {
  const target = await realBelow(realRoot, join(realRoot, ...path.segments))
  if (target === null) return plain(request, 404, 'not found')
  const found = await stat(target)
  if (found.isFile()) return path.directory ? plain(request, 404, 'not found') : file(request, target, basename(path.segments.at(-1) ?? target))
  if (!found.isDirectory()) return plain(request, 404, 'not found')
  if (!path.directory) {
    const query = request.path.includes('?') ? request.path.slice(request.path.indexOf('?')) : ''
    return plain(request, 301, 'moved', [['location', encodeRequestPath({ segments: path.segments, directory: true }) + query.replace(/#.*$/, '')]])
  }
  const indexPath = await realBelow(realRoot, join(target, index)).catch(missingIsNull)
  if (indexPath !== null && (await stat(indexPath)).isFile()) return file(request, indexPath, index)
  if (!listing) return plain(request, 404, 'not found')
  const page = Buffer.from(directoryListing(path.segments, await entries(realRoot, target)))
  return whole(request, 200, page, [['content-type', 'text/html; charset=utf-8']])
}

async function file(request: IncomingRequest, path: string, name: string): Promise<OutgoingResponse> {
  // O_NOFOLLOW: the real path was checked, a link put in its place since is not followed. O_NONBLOCK: nor a pipe waited for.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  let handedOver = false
  try {
    const found = await handle.stat()
    if (!found.isFile()) return plain(request, 404, 'not found')
    const { size, mtimeMs } = found
    const etag = `"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`
    const modified = new Date(mtimeMs).toUTCString()
    const headers: Header[] = [
      ['content-type', contentType(name)],
      ['x-content-type-options', 'nosniff'],
      ['accept-ranges', 'bytes'],
      ['etag', etag],
      ['last-modified', modified],
    ]
    if (notModified(request, etag, mtimeMs)) return { status: 304, headers }
    const ifRange = headerValue(request.headers, 'if-range')
    const wanted = ifRange === null || ifRange === etag || ifRange === modified ? headerValue(request.headers, 'range') : null
    // RFC 9110 §14.2: Range is defined for GET alone.
    const range = request.method === 'GET' ? parseByteRange(wanted, size) : null
    if (range === 'unsatisfiable') return plain(request, 416, 'range not satisfiable', [['content-range', `bytes */${size}`]])
    const span = range ?? { start: 0, end: size }
    headers.push(['content-length', String(span.end - span.start)])
    if (range !== null) headers.push(['content-range', `bytes ${range.start}-${range.end - 1}/${size}`])
    const status = range === null ? 200 : 206
    if (request.method === 'HEAD' || span.start === span.end) return { status, headers }
    handedOver = true
    return { status, headers, body: new FileBody(handle, span) }
  } finally {
    if (!handedOver) await handle.close()
  }
}

/** RFC 9110 §13.2.2: If-None-Match first, If-Modified-Since only without it. */
function notModified(request: IncomingRequest, etag: string, mtimeMs: number): boolean {
  const noneMatch = headerValue(request.headers, 'if-none-match')
  if (noneMatch !== null) return noneMatch.trim() === '*' || noneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
  const since = headerValue(request.headers, 'if-modified-since')
  return since !== null && Math.floor(mtimeMs / 1000) * 1000 <= Date.parse(since)
}

/** The real path, or null when a symbolic link leads out of the root. */
async function realBelow(realRoot: string, path: string): Promise<string | null> {
  const real = await realpath(path)
  const prefix = realRoot.endsWith(sep) ? realRoot : realRoot + sep
  return real === realRoot || real.startsWith(prefix) ? real : null
}

/** What the directory holds and may be served; links that lead out or nowhere are left out. */
async function entries(realRoot: string, directory: string): Promise<ListingEntry[]> {
  const listed: ListingEntry[] = []
  for (const name of await readdir(directory)) {
    const real = await realBelow(realRoot, join(directory, name)).catch(missingIsNull)
    if (real === null) continue
    const found = await stat(real).catch(missingIsNull)
    if (found === null || !(found.isFile() || found.isDirectory())) continue
    listed.push({ name, directory: found.isDirectory(), size: found.size })
  }
  return listed
}

function missingIsNull(error: NodeJS.ErrnoException): null {
  if (isMissing(error)) return null
  throw error
}

function isMissing(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ELOOP' || error.code === 'ENAMETOOLONG'
}

function failed(request: IncomingRequest, error: unknown): OutgoingResponse {
  const problem = error as NodeJS.ErrnoException
  if (isMissing(problem)) return plain(request, 404, 'not found')
  if (problem.code === 'EACCES' || problem.code === 'EPERM') return plain(request, 403, 'forbidden')
  return plain(request, 500, 'the file could not be read')
}

function plain(request: IncomingRequest, status: number, text: string, headers: readonly Header[] = []): OutgoingResponse {
  return whole(request, status, Buffer.from(`${status} ${text}\n`), [['content-type', 'text/plain; charset=utf-8'], ...headers])
}

function whole(request: IncomingRequest, status: number, body: Uint8Array, headers: readonly Header[]): OutgoingResponse {
  const all: Header[] = [...headers, ['x-content-type-options', 'nosniff'], ['content-length', String(body.byteLength)]]
  return request.method === 'HEAD' ? { status, headers: all } : { status, headers: all, body }
}
