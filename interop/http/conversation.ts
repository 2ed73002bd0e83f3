// What servers of the HTTP cases answer beside files. Ours is here; the peers' own programs do the same.
//
//   POST /-/digest    SHA-256 of the request body in hex; its length in the field body-length
//   POST /-/echo      the request body
//   GET  /-/trailers  'with trailers', then the trailer x-checksum: abc
//   GET  /-/hints     103 with link, then 200 'final'
//   GET  /-/fields/N  N large response fields; the body tells how many the request had

import { createHash } from 'node:crypto'
import type { Handler, Header, OutgoingResponse } from 'quicwire'

export const HINT: Header = ['link', '</style.css>; rel=preload; as=style']
export const TRAILER: Header = ['x-checksum', 'abc']

/** `count` fields x-field-N with the 90 digits of N: 100 bytes and a bit each. */
export function largeFields(count: number): Header[] {
  return Array.from({ length: count }, (_, n) => [`x-field-${n}`, String(n).padStart(90, '0')] as const)
}

export function countLargeFields(headers: readonly Header[]): number {
  return headers.filter(([name, value]) => /^x-field-\d+$/.test(name) && value === name.slice(8).padStart(90, '0')).length
}

/** `files` answers what is not under /-/. */
export function conversation(files: Handler): Handler {
  return async (request): Promise<OutgoingResponse> => {
    switch (request.path) {
      case '/-/digest': {
        const digest = createHash('sha256')
        let length = 0
        for await (const piece of request.body) {
          digest.update(piece)
          length += piece.length
        }
        return { status: 200, headers: [['body-length', String(length)]], body: digest.digest('hex') }
      }
      case '/-/echo':
        return { status: 200, body: request.body }
      case '/-/trailers':
        return { status: 200, body: 'with trailers', trailers: [TRAILER] }
      case '/-/hints':
        await request.inform(103, [HINT])
        return { status: 200, body: 'final' }
      default: {
        const fields = /^\/-\/fields\/(\d+)$/.exec(request.path)
        if (fields === null) return files(request)
        return { status: 200, headers: largeFields(Number(fields[1])), body: String(countLargeFields(request.headers)) }
      }
    }
  }
}
