// MASQUE proxy of the bench: to loopback, for everybody.

import { serve } from 'quicwire'
import { answer } from './child.ts'

answer(async (request) => {
  if (request !== 'start') return null
  const proxy = await serve({ port: 0, handler: () => ({ status: 404 }), proxy: { policy: { allow: ['127.0.0.1'] } } })
  return proxy.url
})
