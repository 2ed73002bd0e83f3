// Backpressure end to end: 200 MB on offer, a reader that stops, and a bound on what the whole process holds for it.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { connect, developmentCertificate, serve } from '../src/index.ts'

const OFFERED = 200 * 1024 * 1024
const CHUNK = 64 * 1024
const LIMIT = 64 * 1024 * 1024

setFlagsFromString('--expose_gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Everything alive, JavaScript heap and buffers, in bytes. */
function alive(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

class Producer {
  made = 0

  /** Fresh memory for every chunk: what is buffered anywhere is counted. */
  async *body(): AsyncGenerator<Uint8Array> {
    while (this.made < OFFERED) {
      this.made += CHUNK
      yield new Uint8Array(CHUNK).fill(this.made & 0xff)
    }
  }

  /** Resolves once nothing was taken for a while. */
  async stalled(): Promise<void> {
    for (let quiet = 0, seen = -1; quiet < 20; quiet += 1) {
      await new Promise((resolve) => void setTimeout(resolve, 50))
      if (this.made !== seen) quiet = 0
      seen = this.made
    }
  }
}

it('a client that stops reading a 200 MB response does not grow memory on either side', async () => {
  const certificate = await developmentCertificate()
  const producer = new Producer()
  const server = await serve({ port: 0, certificate, handler: () => ({ status: 200, body: producer.body() }) })
  const session = await connect(server.url, { ca: certificate.cert })
  const before = alive()
  const response = await session.request('/')
  const reader = response.body[Symbol.asyncIterator]()
  await reader.next()
  await producer.stalled()
  const grown = alive() - before
  expect(producer.made).toBeLessThan(OFFERED)
  expect(grown).toBeLessThan(LIMIT)
  await reader.return?.()
  await session.close()
  await server.close()
})

it('a handler that does not read a 200 MB upload does not grow memory on either side', async () => {
  const certificate = await developmentCertificate()
  const producer = new Producer()
  let release = (): void => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const server = await serve({
    port: 0,
    certificate,
    handler: async () => {
      await held
      return { status: 413, body: 'too much\n' }
    },
  })
  const session = await connect(server.url, { ca: certificate.cert })
  const before = alive()
  const answered = session.request('/', { method: 'POST', body: producer.body() })
  await producer.stalled()
  const grown = alive() - before
  expect(producer.made).toBeLessThan(OFFERED)
  expect(grown).toBeLessThan(LIMIT)
  release()
  expect((await answered).status).toBe(413)
  await session.close()
  await server.close()
})
