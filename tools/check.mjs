// What `npm test` runs after set-up: type check, lint, layer and purity rules, requirement ledgers, all tests. Stops at the first failure.
// Arguments are passed on to vitest. `--tests-only` leaves out everything but the tests (second Node version in CI).
// The last line is `N passed, N failed`, from vitest's own report.

import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name, path) => join(root, 'node_modules', name, path)
const reportPath = join(root, 'node_modules', '.cache', 'quicwire', `vitest-${process.version}.json`)
const args = process.argv.slice(2)
const testsOnly = args.includes('--tests-only')
const vitestArgs = args.filter((argument) => argument !== '--tests-only')

/** `summary`: what a quiet command printed goes behind its title. */
function run(title, command, { quiet, summary = false }) {
  const started = performance.now()
  const result = spawnSync(process.execPath, command, {
    cwd: root,
    stdio: quiet ? 'pipe' : 'inherit',
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const passed = result.status === 0
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${title}${passed && summary ? `: ${result.stdout.trim()}` : ''} (${seconds} s)`)
  if (!passed && quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`)
  return passed
}

function stopAt(what) {
  console.error(`\n${what} failed: what comes after it was not run.`)
  process.exit(1)
}

function count(report) {
  const failedFiles = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'))
  return {
    passed: report.numPassedTests,
    // A file that could not be loaded has no failed test of its own, yet nothing in it ran.
    failed: report.numFailedTests + failedFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

console.log(`quicwire on Node ${process.versions.node}${testsOnly ? ' (tests only)' : ''}`)
if (!testsOnly) {
  if (!run('type check', [bin('typescript', 'bin/tsc'), '-b'], { quiet: true })) stopAt('The type check')
  if (!run('lint', [bin('oxlint', 'bin/oxlint'), '--deny-warnings'], { quiet: true })) stopAt('The lint')
  if (!run('layers, purity, cycles', ['--import', 'tsx', 'tools/check-layers.ts'], { quiet: true })) stopAt('The layer check')
  if (!run('requirement ledgers', ['--import', 'tsx', 'tools/check-requirements.ts'], { quiet: true, summary: true })) stopAt('The check of docs/requirements')
}

rmSync(reportPath, { force: true })
mkdirSync(join(reportPath, '..'), { recursive: true })
const testsPassed = run('tests', [bin('vitest', 'vitest.mjs'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`, ...vitestArgs], { quiet: false })
if (!existsSync(reportPath)) stopAt('Vitest wrote no report, so the test run')
const { passed, failed, skipped } = count(JSON.parse(readFileSync(reportPath, 'utf8')))

console.log('\nNot run here: the peers that others wrote. `pnpm interop` and its sisters (interop/README.md) install and run them.')
if (skipped > 0) console.log(`Skipped tests: ${skipped} (named above).`)
const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
if (process.env.QUICWIRE_COUNTS === undefined) {
  console.log(line)
} else {
  // .ci/run adds up several runs and prints the sum itself.
  appendFileSync(process.env.QUICWIRE_COUNTS, `${passed} ${failed} ${skipped}\n`)
  console.log(`Node ${process.versions.node}: ${line}`)
}
if (!testsPassed || failed > 0 || passed === 0) process.exit(1)
