// The local runner: the test cases of quic-interop-runner with processes instead of containers.

import { randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tsharkVersion } from '../capture/tshark.ts'
import { crossChecked } from '../cases/cross-check.ts'
import { interopCases } from '../cases/runner-cases.ts'
import { OUR_NAME, quicwireEndpoint } from '../endpoint/endpoint.ts'
import { openLink, tunUnavailable } from '../link/open-link.ts'
import { foreignEndpoints } from '../peers/endpoints.ts'
import { UsageError } from '../process/arguments.ts'
import { intoDocument, matrixOf, MatrixError } from './matrix.ts'
import { chosen, interopOptions, usage, type InteropOptions } from './options.ts'
import { CELL_HEAD, cellLine, isOurFailure, summary } from './progress.ts'
import { readResults, resultFile, writeResults, type ResultFile } from './results.ts'
import { runSuite } from './suite.ts'

async function main(options: InteropOptions): Promise<number> {
  if (options.from !== null) {
    writeMatrix(options, options.from.map(readResults))
    return 0
  }
  const tshark = await tsharkVersion()
  const cases = chosen(options.cases, interopCases, ({ name, abbreviation }) => [name, abbreviation], 'case')
  const peers = chosen(options.peers, foreignEndpoints, ({ name }) => [name], 'peer')
  const backend = options.backend ?? (await bestBackend())
  const seed = options.seed ?? randomInt(2 ** 32)
  const directory = mkdtempSync(join(tmpdir(), 'quicwire-interop-'))
  const startedAt = Date.now()
  console.log(`back end ${backend}, seed ${seed}, corrupted packets ${options.corruption === 'drop' ? 'dropped' : 'delivered'}, logs in ${directory}`)
  console.log(`${tshark === null ? 'tshark is not installed: the captures are read by our own parser alone' : `captures read by tshark ${tshark} too`}\n${CELL_HEAD}`)
  const { versions, cells } = await runSuite({
    ours: quicwireEndpoint(options.node ?? undefined),
    peers,
    cases: tshark === null ? cases : cases.map(crossChecked),
    roles: options.roles,
    reference: options.reference,
    openLink: (linkOptions) => openLink(backend, linkOptions),
    seed,
    corruption: options.corruption,
    repetitions: options.repetitions,
    directory,
    keep: options.keep,
    onCell: (cell) => console.log(cellLine(cell)),
    onRemark: (remark) => console.log(remark),
  })
  const results = resultFile({ versions, tshark, backend, corruption: options.corruption, seed, cells }, { startedAt, endedAt: Date.now(), logDirectory: directory })
  if (options.json !== null) writeResults(options.json, results)
  if (options.markdown !== null) writeMatrix(options, [results])
  console.log(`\n${summary(cells)}`)
  const clean = cells.every(({ verdict }) => verdict.kind !== 'failed')
  if (clean && !options.keep) rmSync(directory, { recursive: true })
  else console.log(`logs: ${directory}`)
  return cells.some((cell) => isOurFailure(cell, OUR_NAME)) ? 1 : 0
}

async function bestBackend(): Promise<'tun' | 'relay'> {
  const why = await tunUnavailable()
  if (why === null) return 'tun'
  console.log(`The back end is relay, without ECN and cross traffic: ${why}.`)
  return 'relay'
}

function writeMatrix({ markdown }: InteropOptions, files: readonly ResultFile[]): void {
  if (markdown === null) throw new UsageError('--from needs --markdown')
  writeFileSync(markdown, intoDocument(readFileSync(markdown, 'utf8'), matrixOf(files, OUR_NAME, interopCases.map(({ name }) => name))))
}

try {
  const options = interopOptions(process.argv.slice(2))
  if (options.help) console.log(usage)
  else process.exitCode = await main(options)
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof MatrixError)) throw error
  console.error(`interop: ${error.message}\n\n${error instanceof UsageError ? usage : ''}`)
  process.exitCode = 2
}
