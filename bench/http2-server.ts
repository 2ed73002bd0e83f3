// node:http2 over TLS: what a user would pick instead.

import { createSecureServer } from 'node:http2'
import type { ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import { developmentCertificate } from 'quicwire'
import { answer } from './child.ts'
import { SMALL_BODY, bulkBody } from './work.ts'

answer(async (request) => {
  if (request !== 'start') return null
  const { cert, key } = await developmentCertificate({ names: ['127.0.0.1'] })
  const server = createSecureServer({ cert, key })
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.respond({ ':status': 200 })
    if (headers[':path'] === '/bulk') pipeline(Readable.from(bulkBody(), { objectMode: false }), stream, () => {})
    else stream.end(SMALL_BODY)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
})
