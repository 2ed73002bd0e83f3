// The endpoint of quic-interop-runner: `ROLE=client|server TESTCASE=… node interop/endpoint/main.ts`. runner/endpoint.ts lists the
// variables; README.md says how to run it in the runner's container and without.
// Exit status: 0 done, 127 the TESTCASE is not supported, 1 failed. With the argument --supported that question alone is answered.

import { runClient } from './client.ts'
import { endpointEnvironment, EnvironmentError, type EndpointEnvironment } from './environment.ts'
import { runServer } from './server.ts'
import { clientPlan, serverPlan } from './testcase.ts'

const UNSUPPORTED = 127
const FAILED = 1

async function main(environment: EndpointEnvironment, onlyAsked: boolean): Promise<number> {
  const { role, testcase } = environment
  const run = role === 'client' ? clientRun(environment) : serverRun(environment)
  if (run === null) {
    process.stderr.write(`TESTCASE ${testcase} is not supported by this ${role}\n`)
    return UNSUPPORTED
  }
  if (!onlyAsked) await run()
  return 0
}

/** Null: not supported. */
type Run = (() => Promise<void>) | null

function clientRun(environment: EndpointEnvironment): Run {
  const plan = clientPlan(environment.testcase)
  return plan === null ? null : () => runClient(environment, plan)
}

function serverRun(environment: EndpointEnvironment): Run {
  const plan = serverPlan(environment.testcase)
  if (plan === null) return null
  return async () => {
    const server = await runServer(environment, plan)
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve)
      process.once('SIGINT', resolve)
    })
    await server.close()
  }
}

try {
  // Sockets in their closing period have nothing more to do.
  process.exit(await main(endpointEnvironment(process.env), process.argv.includes('--supported')))
} catch (error) {
  process.stderr.write(error instanceof EnvironmentError ? `${error.message}\n` : `${(error as Error).stack ?? String(error)}\n`)
  process.exit(FAILED)
}
