// An endpoint under test as a child process, with the environment and the folders its role has in the runner.

import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from '../process/child.ts'
import type { Endpoint, EndpointDirectories, Role } from './endpoint.ts'

/** How long an endpoint may take to end after SIGTERM, milliseconds; as docker's --timeout in the runner. */
const GRACE = 10_000

export interface EndpointStart {
  readonly endpoint: Endpoint
  readonly role: Role
  readonly testcase: string
  /** URLs. */
  readonly requests: readonly string[]
  readonly directories: EndpointDirectories
  /** Further variables, such as those of the link. */
  readonly environment: Readonly<Record<string, string>>
  /** Puts the command where the link wants it. */
  readonly place: (command: readonly string[]) => readonly string[]
}

export function startEndpoint(start: EndpointStart): Promise<Child> {
  const { endpoint, role, directories, place } = start
  const fixed = endpoint.fixedPaths === true
  const command = endpoint.command(role)
  const [program, ...args] = place(fixed ? withFixedPaths(command, directories) : command)
  return Child.start(program!, args, {
    name: `the ${role} ${endpoint.name}`,
    logFile: join(directories.logs, 'output.txt'),
    env: endpointVariables(start),
  })
}

export function endpointVariables({ endpoint, role, testcase, requests, directories, environment }: EndpointStart): Record<string, string> {
  const { www, downloads, certificates, logs } = endpoint.fixedPaths === true ? FIXED : directories
  return {
    ...environment,
    ROLE: role,
    TESTCASE: testcase,
    REQUESTS: requests.join(' '),
    SSLKEYLOGFILE: `${logs}/keys.log`,
    QLOGDIR: `${logs}/qlog/`,
    WWW: www,
    DOWNLOADS: downloads,
    CERTS: certificates,
    CLIENT_PARAMS: '',
    SERVER_PARAMS: '',
  }
}

const FIXED: EndpointDirectories = { www: '/www', downloads: '/downloads', certificates: '/certs', logs: '/logs' }

function withFixedPaths(command: readonly string[], { www, downloads, certificates, logs }: EndpointDirectories): string[] {
  const script = fileURLToPath(new URL('fixed-paths.sh', import.meta.url))
  const workspace = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
  // Programs that were built lie in the workspace; where they keep what they need at run time, in the user's folder perhaps.
  const keep = workspace.startsWith(`${homedir()}/`) ? homedir() : workspace
  return ['unshare', '-m', '--propagation', 'private', script, www, downloads, certificates, logs, keep, ...command]
}

/** SIGTERM, and SIGKILL for what has not ended within ten seconds. */
export async function terminate(child: Child): Promise<void> {
  child.kill('SIGTERM')
  if ((await child.exitWithin(GRACE)) === null) child.kill('SIGKILL')
  await child.exit
}
