// The HTTP cases: our client and our server, in this process, against the servers and clients of the peers. Exit 0 only when
// every case that a peer can take part in passed.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CaseFiles, Peer } from '../peers/peer.ts'
import { foreignPeers } from '../peers/registry.ts'
import { UsageError, parseRunArguments, usageOf, type RunOptions } from '../process/arguments.ts'
import { before } from '../process/deadline.ts'
import { clientCases, withSession } from './our-client.ts'
import { serverCases, startServer } from './our-server.ts'
import { createHttpFiles, type HttpFiles } from './test-files.ts'

const usage = usageOf('interop:http', 'Requests and responses of all kinds with stacks that were not written here.')
const peers = foreignPeers.filter((peer) => peer.serve !== undefined || peer.download !== undefined)

type Outcome = 'ok' | 'unsupported' | "the peer's fault" | { readonly failure: string; readonly logs: string }

interface Row {
  readonly peer: string
  readonly role: 'server' | 'client'
  readonly name: string
  readonly outcome: Outcome
}

class Run {
  private readonly rows: Row[]
  private readonly files: HttpFiles
  private readonly directory: string
  private readonly options: RunOptions

  constructor(files: HttpFiles, directory: string, options: RunOptions) {
    this.rows = []
    this.files = files
    this.directory = directory
    this.options = options
  }

  get failed(): number {
    return this.rows.filter(({ outcome }) => typeof outcome === 'object').length
  }

  summary(): string {
    const count = (kind: string): number => this.rows.filter(({ outcome }) => outcome === kind).length
    return `${count('ok')} ok, ${this.failed} failed, ${count("the peer's fault")} through the peer's own fault, ${count('unsupported')} that its program cannot do.`
  }

  async withServerOf(peer: Peer): Promise<void> {
    for (const subject of clientCases) {
      const possible = peer.serve !== undefined && (!subject.conversation || peer.answersConversation === true) && (subject.dynamicTable !== true || peer.dynamicTable === true)
      await this.row(peer, 'server', subject.name, !possible ? null : async (caseFiles) => {
        const server = await peer.serve!(this.files.root, caseFiles)
        try {
          await before(this.options.timeoutMs, withSession(server.port, caseFiles, (session) => subject.run(session, this.files)))
        } finally {
          await server.stop()
        }
      })
    }
  }

  async withClientOf(peer: Peer): Promise<void> {
    for (const subject of serverCases) {
      const run = subject.of(peer)
      await this.row(peer, 'client', subject.name, run === null ? null : async (caseFiles) => {
        const errors: Error[] = []
        const server = await startServer(this.files, (error) => void errors.push(error))
        try {
          await run(server, this.files, caseFiles, this.options.timeoutMs)
        } catch (error) {
          throw errors.length === 0 ? error : new Error(`${(error as Error).message}; our server: ${errors[0]!.message}`, { cause: error })
        } finally {
          await server.close({ immediately: true })
        }
      })
    }
  }

  async missing(peer: Peer, failure: string): Promise<void> {
    this.rows.push({ peer: peer.name, role: 'server', name: 'install', outcome: { failure, logs: '' } })
  }

  private async row(peer: Peer, role: Row['role'], name: string, run: ((files: CaseFiles) => Promise<void>) | null): Promise<void> {
    process.stdout.write(`${peer.name} as ${role}: ${name} ... `)
    const logDirectory = join(this.directory, `${peer.name}-${role}-${name.replaceAll(/\W+/g, '-')}`)
    const known = peer.faults?.[`${role}: ${name}`]
    let outcome: Outcome = 'unsupported'
    if (run !== null) {
      await mkdir(logDirectory, { recursive: true })
      const { certificate, key, spkiHash } = this.files
      outcome = await run({ certificate, key, spkiHash, logDirectory }).then(
        () => 'ok' as const,
        (error: unknown) => (known === undefined ? { failure: (error as Error).message, logs: logDirectory } : ("the peer's fault" as const)),
      )
    }
    this.rows.push({ peer: peer.name, role, name, outcome })
    if (outcome === "the peer's fault") console.log(`${outcome}: ${known}`)
    else console.log(typeof outcome === 'string' ? outcome : `FAILED\n    ${outcome.failure}\n    logs: ${outcome.logs}`)
  }
}

async function main(options: RunOptions): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'quicwire-http-'))
  const run = new Run(await createHttpFiles(directory), directory, options)
  for (const peer of options.peers) {
    try {
      console.log(`${peer.name} ${await peer.install()}`)
    } catch (error) {
      console.log(`${peer.name} FAILED to install: ${(error as Error).message}`)
      await run.missing(peer, (error as Error).message)
      continue
    }
    await run.withServerOf(peer)
    await run.withClientOf(peer)
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
  console.error(`interop:http: ${error.message}\n\n${usage}`)
  process.exitCode = 2
}
