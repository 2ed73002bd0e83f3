// The request of HTTP/0.9 over QUIC (ALPN hq-interop): `GET /path`, ended by CR LF, LF or the end of the stream. Servers of that
// protocol differ in what they take; this one takes all of it.

import { join } from 'node:path'

/** Longest request line taken, bytes. */
const MAX_LENGTH = 4096

/** 'more': the line has not ended; null: no request that can be answered. */
export function pathOf(text: string, streamEnded: boolean): string | null | 'more' {
  const end = text.search(/\r?\n/)
  if (end < 0 && !streamEnded) return text.length > MAX_LENGTH ? null : 'more'
  const line = end < 0 ? text : text.slice(0, end)
  return /^GET (\/[^\s]*)\s*$/.exec(line)?.[1] ?? null
}

/** The file below `root` that a path names, null for one that could leave it. */
export function fileOf(root: string, path: string): string | null {
  const segments = path.slice(1).split('/')
  const plain = segments.every((segment) => /^[^\\\0]+$/.test(segment) && segment !== '.' && segment !== '..')
  return plain ? join(root, ...segments) : null
}
