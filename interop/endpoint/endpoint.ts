// This project's endpoint for the runner.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runInstallScript } from '../peers/install-script.ts'
import { InstallError } from '../peers/peer.ts'
import type { Endpoint } from '../runner/endpoint.ts'

export const OUR_NAME = 'quicwire'

/** It needs no compiler from there on: types are stripped as files are loaded. */
const WITHOUT_LOADER = 24

/** `node`: the program to run it on. Default: the Node 26 that install.sh fetches. */
export function quicwireEndpoint(node?: string): Endpoint {
  let program = node ?? ''
  let arguments_: readonly string[] = []
  return {
    name: OUR_NAME,
    roles: ['client', 'server'],
    async install() {
      if (node === undefined) program = await runInstallScript(new URL('install.sh', import.meta.url))
      const version = versionOf(program)
      arguments_ = Number.parseInt(version.slice(1)) < WITHOUT_LOADER ? ['--import', import.meta.resolve('tsx')] : []
      return `${packageVersion()} (Node ${version.slice(1)})`
    },
    command: () => [program, ...arguments_, '--no-warnings', '--conditions=@quicwire/source', fileURLToPath(new URL('main.ts', import.meta.url))],
  }
}

function versionOf(program: string): string {
  try {
    return execFileSync(program, ['--version'], { encoding: 'utf8' }).trim()
  } catch (error) {
    throw new InstallError(`${program} does not run: ${(error as Error).message}`, { cause: error })
  }
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL('../../packages/quicwire/package.json', import.meta.url), 'utf8')) as { version: string }).version
}
