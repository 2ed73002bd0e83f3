// The smoke run: installs the peers, runs every case, prints the table. Exit 0 only when every case passed.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Peer } from '../peers/peer.ts'
import { quicwire } from '../peers/quicwire/peer.ts'
import { foreignPeers } from '../peers/registry.ts'
import { parseRunArguments, usageOf, UsageError, type RunOptions } from '../process/arguments.ts'
import { casesAmong, casesWith, runCase, type Case, type CaseResult } from './cases.ts'
import { formatTable } from './table.ts'
import { createTestFiles } from './test-files.ts'

const usage = usageOf('interop:smoke', 'Installs stacks that were not written here and exchanges files with them over HTTP/3.', [
  '  --reference        the peers among themselves instead, without quicwire: checks this program, not the stack',
])

interface Installed {
  readonly versions: Map<string, string>
  readonly failures: Map<string, string>
}

async function installAll(peers: readonly Peer[]): Promise<Installed> {
  const versions = new Map<string, string>()
  const failures = new Map<string, string>()
  for (const peer of peers) {
    process.stdout.write(`installing ${peer.name} ... `)
    try {
      const version = await peer.install()
      versions.set(peer.name, version)
      console.log(version)
    } catch (error) {
      failures.set(peer.name, (error as Error).message)
      console.log(`FAILED: ${(error as Error).message}`)
    }
  }
  return { versions, failures }
}

async function runAll(cases: readonly Case[], installed: Installed, directory: string, timeoutMs: number): Promise<CaseResult[]> {
  const files = await createTestFiles(directory)
  const results: CaseResult[] = []
  for (const subject of cases) {
    const title = `${subject.client.name} from ${subject.server.name}: ${subject.what}`
    process.stdout.write(`${title} ... `)
    const missing = installed.failures.get(subject.client.name) ?? installed.failures.get(subject.server.name)
    const logDirectory = join(directory, `${subject.client.name}-from-${subject.server.name}`)
    const result: CaseResult =
      missing === undefined ? await runCase(subject, files, logDirectory, timeoutMs) : { case: subject, failure: missing, bytes: 0, elapsedMs: 0 }
    results.push(result)
    console.log(result.failure === null ? 'ok' : `FAILED\n    ${result.failure}${missing === undefined ? `\n    logs: ${logDirectory}` : ''}`)
  }
  return results
}

async function smoke(options: RunOptions): Promise<number> {
  const installed = await installAll(options.peers)
  const cases = options.reference ? casesAmong(options.peers) : casesWith(quicwire, options.peers)
  if (cases.length === 0) throw new UsageError('nothing to run: these peers have no case together')
  const directory = await mkdtemp(join(tmpdir(), 'quicwire-smoke-'))
  const results = await runAll(cases, installed, directory, options.timeoutMs)
  console.log(`\n${formatTable(results, installed.versions)}\n`)
  const failed = results.filter(({ failure }) => failure !== null).length
  console.log(`${results.length - failed} ok, ${failed} failed. Times and MB/s include the start of the client program.`)
  if (failed > 0 || options.keep) console.log(`Logs (output, key logs, qlog): ${directory}`)
  else await rm(directory, { recursive: true, force: true })
  return failed === 0 ? 0 : 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
try {
  const options = parseRunArguments(process.argv.slice(2), foreignPeers.filter((peer) => peer.serve !== undefined || peer.download !== undefined || peer.loadPage !== undefined))
  if (options.help) console.log(usage)
  else process.exitCode = await smoke(options)
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`interop:smoke: ${error.message}\n\n${usage}`)
  process.exitCode = 2
}
