// Runs a peer's install.sh: its output goes to the terminal's standard error, its last line of output is the version.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { InstallError } from './peer.ts'

export async function runInstallScript(script: URL, args: readonly string[] = []): Promise<string> {
  const installer = spawn('bash', [fileURLToPath(script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  installer.stdout.on('data', (chunk: Buffer) => void (output += chunk.toString()))
  installer.stderr.on('data', (chunk: Buffer) => void (errors += chunk.toString()))
  const [code] = (await once(installer, 'close').catch((error: unknown) => {
    throw new InstallError(`bash cannot be started: ${(error as Error).message}`, { cause: error })
  })) as [number | null]
  const version = output.trim().split('\n').at(-1) ?? ''
  if (code === 0 && version !== '') return version
  process.stderr.write(errors)
  throw new InstallError(errors.trim().split('\n').at(-1) || `its install script ended with ${code}`)
}
