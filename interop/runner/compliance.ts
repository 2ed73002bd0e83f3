// The runner's first question to an endpoint: one that does not say that it does not know a test case cannot be believed.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SeededRandom } from '@quicwire/quic/testing'
import { certificateChain, writeCertificates } from './certificates.ts'
import { startEndpoint, terminate } from './endpoint-process.ts'
import type { Endpoint, Role } from './endpoint.ts'
import { UNSUPPORTED } from './exit-rule.ts'

const TIMEOUT = 30_000

/** Null: it exits with 127 for a test case that nobody has. Otherwise what it does. `directory`: where its logs go; made here. */
export async function whyNotCompliant(endpoint: Endpoint, role: Role, seed: number, directory: string): Promise<string | null> {
  const random = new SeededRandom(seed)
  const directories = { www: join(directory, 'www'), downloads: join(directory, 'downloads'), certificates: join(directory, 'certs'), logs: directory }
  for (const folder of Object.values(directories)) mkdirSync(folder, { recursive: true })
  writeCertificates(directories.certificates, certificateChain(1, Date.now(), random))
  const testcase = `no-such-case-${random.word()}`
  const child = await startEndpoint({
    endpoint,
    role,
    testcase,
    requests: role === 'client' ? ['https://server4:443/a-b-c'] : [],
    directories,
    environment: {},
    place: (command) => command,
  })
  const status = await child.exitWithin(TIMEOUT)
  if (status === null) {
    await terminate(child)
    return `with TESTCASE ${testcase} it ran on for ${TIMEOUT / 1000} s`
  }
  return status.code === UNSUPPORTED ? null : `with TESTCASE ${testcase} it exited with ${status.code ?? status.signal}`
}
