// HTTP/3 server of the bench: /bulk streams, everything else answers 100 bytes.

import { serve } from 'quicwire'
import type { Server } from 'quicwire'
import { answer } from './child.ts'
import { SMALL_BODY, bulkBody, datagramSettings } from './work.ts'

const settings = datagramSettings(process.argv[2] ?? 'found')
let server: Server | null = null

answer(async (request) => {
  switch (request) {
    case 'start':
      server = await serve({
        port: 0,
        settings,
        handler: (incoming) => (incoming.path === '/bulk' ? { status: 200, body: bulkBody() } : { status: 200, body: SMALL_BODY }),
      })
      return server.url
    case 'heap':
      globalThis.gc?.()
      return process.memoryUsage().heapUsed
    default:
      return null
  }
})
