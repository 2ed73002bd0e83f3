// HTTP/3 client of the bench, straight to the server or through the tunnel of a proxy.

import { connect, connectUdp } from 'quicwire'
import type { Session } from 'quicwire'
import { answer } from './child.ts'
import { BULK_BYTES, HANDSHAKES, IDLE_CONNECTIONS, datagramSettings, megabytesPerSecond, requestsPerSecond } from './work.ts'

const url = process.argv[2] ?? ''
const options = { insecure: true, settings: datagramSettings(process.argv[3] ?? 'found') }
const proxy = process.argv[4]
const idle: Session[] = []

async function open(): Promise<Session> {
  if (proxy === undefined) return connect(url, options)
  const tunnel = await connectUdp(proxy, new URL(url).host, { connection: { insecure: true } })
  return connect(url, { ...options, tunnel })
}

async function bulk(session: Session): Promise<number> {
  const begin = performance.now()
  const response = await session.request('/bulk')
  let received = 0
  for await (const chunk of response.body) received += chunk.length
  if (received !== BULK_BYTES) throw new Error(`bulk body of ${received} bytes`)
  return megabytesPerSecond(received, performance.now() - begin)
}

async function handshakes(): Promise<number> {
  const begin = performance.now()
  for (let i = 0; i < HANDSHAKES; i += 1) await (await connect(url, options)).close()
  return HANDSHAKES / ((performance.now() - begin) / 1000)
}

answer(async (request) => {
  const session = request === 'handshakes' || request === 'idle' ? null : await open()
  try {
    if (request === 'handshakes') return await handshakes()
    if (request === 'idle') {
      for (let i = 0; i < IDLE_CONNECTIONS; i += 1) idle.push(await connect(url, options))
      return idle.length
    }
    if (session === null) return null
    if (request === 'bulk') return await bulk(session)
    return await requestsPerSecond(async () => void (await (await session.request('/small')).bytes()))
  } finally {
    await session?.close()
  }
})
