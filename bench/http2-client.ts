import { connect } from 'node:http2'
import type { ClientHttp2Session } from 'node:http2'
import { answer } from './child.ts'
import { BULK_BYTES, HANDSHAKES, megabytesPerSecond, requestsPerSecond } from './work.ts'

const url = process.argv[2] ?? ''

function open(): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(url, { rejectUnauthorized: false })
    session.once('connect', () => resolve(session))
    session.once('error', reject)
  })
}

function get(session: ClientHttp2Session, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path })
    let received = 0
    stream.on('data', (chunk: Buffer) => void (received += chunk.length))
    stream.on('end', () => resolve(received))
    stream.on('error', reject)
  })
}

async function handshakes(): Promise<number> {
  const begin = performance.now()
  for (let i = 0; i < HANDSHAKES; i += 1) {
    const session = await open()
    await new Promise<void>((resolve) => session.close(resolve))
  }
  return HANDSHAKES / ((performance.now() - begin) / 1000)
}

answer(async (request) => {
  if (request === 'handshakes') return await handshakes()
  const session = await open()
  try {
    if (request === 'small') return await requestsPerSecond(async () => void (await get(session, '/small')))
    const begin = performance.now()
    const received = await get(session, '/bulk')
    if (received !== BULK_BYTES) throw new Error(`bulk body of ${received} bytes`)
    return megabytesPerSecond(received, performance.now() - begin)
  } finally {
    session.close()
  }
})
