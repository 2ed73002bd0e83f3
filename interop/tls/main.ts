// The TLS cases: our client and our server, in this process, against the servers and clients of the peers. Exit 0 only when
// every case that a peer can take part in passed.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Peer } from '../peers/peer.ts'
import { foreignPeers } from '../peers/registry.ts'
import { UsageError, parseRunArguments, usageOf, type RunOptions } from '../process/arguments.ts'
import { before } from '../process/deadline.ts'
import { cases, type TlsCase } from './cases.ts'
import { createTlsFiles, type TlsFiles } from './test-files.ts'

const usage = usageOf('interop:tls', 'Handshakes of all kinds with stacks that were not written here.')
const peers = foreignPeers.filter((peer) => peer.tls !== undefined)

type Outcome = 'ok' | 'unsupported' | "the peer's fault" | 'failed'

class Run {
  private readonly counts: Record<Outcome, number>
  private readonly files: TlsFiles
  private readonly directory: string
  private readonly options: RunOptions

  constructor(files: TlsFiles, directory: string, options: RunOptions) {
    this.counts = { ok: 0, unsupported: 0, "the peer's fault": 0, failed: 0 }
    this.files = files
    this.directory = directory
    this.options = options
  }

  get failed(): number {
    return this.counts.failed
  }

  summary(): string {
    const { ok, failed, unsupported, "the peer's fault": faults } = this.counts
    return `${ok} ok, ${failed} failed, ${faults} through the peer's own fault, ${unsupported} that its program cannot do.`
  }

  missing(peer: Peer, failure: string): void {
    this.counts.failed += 1
    console.log(`${peer.name} FAILED to install: ${failure}`)
  }

  async one(peer: Peer, subject: TlsCase): Promise<void> {
    process.stdout.write(`${peer.name} as ${subject.role}: ${subject.name} ... `)
    const logDirectory = join(this.directory, `${peer.name}-${subject.role}-${subject.name.replaceAll(/\W+/g, '-')}`)
    await mkdir(logDirectory, { recursive: true })
    const { certificate, key, spkiHash } = this.files
    const running = subject.run(peer, this.files, { certificate, key, spkiHash, logDirectory }, this.options.timeoutMs)
    const known = peer.faults?.[`${subject.role}: ${subject.name}`]
    let outcome: Outcome = 'unsupported'
    let words: string = outcome
    if (running !== null) {
      try {
        await before(this.options.timeoutMs, running)
        words = outcome = 'ok'
      } catch (error) {
        outcome = known === undefined ? 'failed' : "the peer's fault"
        words = known === undefined ? `FAILED\n    ${(error as Error).message}\n    logs: ${logDirectory}` : `${outcome}: ${known}`
      }
    }
    this.counts[outcome] += 1
    console.log(words)
  }
}

async function main(options: RunOptions): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'quicwire-tls-'))
  const run = new Run(await createTlsFiles(directory), directory, options)
  for (const peer of options.peers) {
    try {
      console.log(`${peer.name} ${await peer.install()}`)
    } catch (error) {
      run.missing(peer, (error as Error).message)
      continue
    }
    for (const subject of cases) await run.one(peer, subject)
  }
  console.log(`\n${run.summary()}`)
  if (run.failed === 0 && !options.keep) await rm(directory, { recursive: true, force: true })
  return run.failed === 0 ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
try {
  const options = parseRunArguments(process.argv.slice(2), peers)
  if (options.reference) throw new UsageError('--reference belongs to interop:smoke')
  if (options.help) console.log(usage)
  else process.exitCode = await main(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`interop:tls: ${error.message}\n\n${usage}`)
  process.exitCode = 2
}
