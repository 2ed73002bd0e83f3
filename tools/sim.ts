// Runs simulated networks by seed: `pnpm sim --seeds 1000 [--from 1] [--scenario lossy] [--trace]`. Prints the seeds that failed and how to
// repeat them; the exit code says whether there were any.

import { parseArgs } from 'node:util'
import { nodeProvider } from '../packages/quic/src/crypto/node/index.ts'
import { NamedGroup } from '../packages/quic/src/crypto/provider.ts'
import { SIMULATION_SCENARIOS, planSimulation, runSimulation } from '../packages/quic/src/testing/index.ts'
import type { SimulationScenario, SimulationSetup } from '../packages/quic/src/testing/index.ts'
import { createDevCertificate } from '../packages/quic/src/tls/certificates/development.ts'

const USAGE = `usage: pnpm sim [--seeds N] [--from S] [--scenario NAME] [--trace]
  --seeds N         how many seeds, default 100
  --from S          the first one, default 1
  --scenario NAME   ${SIMULATION_SCENARIOS.join(', ')}; by default the seed picks one
  --trace           print the plan and every event of each seed`

const HANDFUL = 20

interface Options {
  readonly seeds: number
  readonly from: number
  readonly scenario: SimulationScenario | undefined
  readonly trace: boolean
}

function options(): Options {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    options: { seeds: { type: 'string' }, from: { type: 'string' }, scenario: { type: 'string' }, trace: { type: 'boolean' } },
  })
  const scenario = values.scenario as SimulationScenario | undefined
  if (scenario !== undefined && !SIMULATION_SCENARIOS.includes(scenario)) throw new RangeError(`no scenario '${scenario}'`)
  const [seeds, from] = [Number(values.seeds ?? 100), Number(values.from ?? 1)]
  if (!Number.isSafeInteger(seeds) || seeds < 1) throw new RangeError('--seeds is a number from 1')
  if (!Number.isSafeInteger(from) || from < 0) throw new RangeError('--from is a number from 0')
  return { seeds, from, scenario, trace: values.trace ?? false }
}

function setup(trace: boolean): SimulationSetup {
  const certificate = createDevCertificate(nodeProvider, { names: ['sim.test'], unixTimeMs: Date.UTC(2026, 0, 1) })
  const key = nodeProvider.importPrivateKey(certificate.privateKey)
  return {
    provider: nodeProvider,
    clientTls: { alpn: ['sim'], serverName: 'sim.test', groups: [NamedGroup.x25519], verify: { mode: 'insecure' } },
    serverTls: { alpn: ['sim'], certificates: [{ chain: [certificate.certificate], key }] },
    ...(trace ? { traceLength: 1_000_000, onTrace: (text: string) => console.log(text) } : {}),
  }
}

function main({ seeds, from, scenario, trace }: Options): number {
  const what = setup(trace)
  const failed: number[] = []
  const totals = { complete: 0, timeout: 0, bytes: 0, datagrams: 0 }
  const started = performance.now()
  for (let seed = from; seed < from + seeds; seed += 1) {
    const plan = planSimulation(seed, scenario)
    if (trace) console.log(JSON.stringify(plan, null, 1))
    try {
      const outcome = runSimulation(plan, what)
      totals[outcome.result] += 1
      totals.bytes += outcome.bytes
      totals.datagrams += outcome.datagrams
      if (seeds <= HANDFUL) console.log(`seed ${seed} ${plan.scenario}: ${outcome.result}, ${outcome.bytes} bytes in ${outcome.duration.toFixed(1)} ms`)
    } catch (error) {
      failed.push(seed)
      if (failed.length <= HANDFUL) console.error(error instanceof Error ? error.message : error)
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${seeds} seeds in ${seconds} s: ${totals.complete} complete, ${totals.timeout} timeouts, ${failed.length} failed; `
    + `${totals.bytes} bytes compared, ${totals.datagrams} datagrams`)
  if (failed.length === 0) return 0
  console.error(`failed seeds: ${failed.join(' ')}`)
  console.error(`repeat: pnpm sim --seeds 1 --from ${failed[0]!}${scenario === undefined ? '' : ` --scenario ${scenario}`} --trace`)
  return 1
}

try {
  process.exitCode = main(options())
} catch (error) {
  if (!(error instanceof RangeError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true)) throw error
  console.error(`${(error as Error).message}\n${USAGE}`)
  process.exitCode = 2
}
