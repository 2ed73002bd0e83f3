// The endpoint of quic-interop-runner: `ROLE=client|server TESTCASE=… node interop/endpoint/main.ts`. runner/endpoint.ts lists the
// variables; README.md says how to run it in the runner's container and without.
// Exit status: 0 done, 127 the TESTCASE is not supported, 1 failed.

import { runClient } from './client.ts'
import { endpointEnvironment, EnvironmentError, type EndpointEnvironment } from './environment.ts'
import { runServer } from './server.ts'
import { clientPlan, serverPlan } from './testcase.ts'

const UNSUPPORTED = 127
const FAILED = 1

async function main(environment: EndpointEnvironment): Promise<number> {
  const { role, testcase } = environment
  if (role === 'client') {
    const plan = clientPlan(testcase)
    if (plan === null) return unsupported(environment)
    await runClient(environment, plan)
    return 0
  }
  const plan = serverPlan(testcase)
  if (plan === null) return unsupported(environment)
  const server = await runServer(environment, plan)
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
  await server.close()
  return 0
}

function unsupported({ role, testcase }: EndpointEnvironment): number {
  process.stderr.write(`TESTCASE ${testcase} is not supported by this ${role}\n`)
  return UNSUPPORTED
}

try {
  // Sockets in their closing period have nothing more to do.
  process.exit(await main(endpointEnvironment(process.env)))
} catch (error) {
  process.stderr.write(error instanceof EnvironmentError ? `${error.message}\n` : `${(error as Error).stack ?? String(error)}\n`)
  process.exit(FAILED)
}
