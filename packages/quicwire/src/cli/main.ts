#!/usr/bin/env node
// The quicwire command: picks the subcommand, turns errors into one line and an exit code.

import { readFileSync } from 'node:fs'
import { connectTarget } from '../client/connect.ts'
import { serve } from '../server/serve.ts'
import type { CommandIo } from './command-io.ts'
import { reportError } from './error-report.ts'
import { CommandError, ExitCode } from './exit-code.ts'
import { getHelp, runGet } from './get-command.ts'
import { runServe, serveHelp } from './serve-command.ts'

const help = ['quicwire: HTTP/3 server and client', '', serveHelp, '', getHelp, ''].join('\n')

const io: CommandIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  onInterrupt(callback) {
    process.on('SIGINT', callback)
    process.on('SIGTERM', callback)
    return () => {
      process.off('SIGINT', callback)
      process.off('SIGTERM', callback)
    }
  },
}

async function run(argv: readonly string[]): Promise<ExitCode> {
  const [command, ...rest] = argv
  switch (command) {
    case 'serve':
      return runServe(rest, io, serve)
    case 'get':
      return runGet(rest, io, connectTarget)
    case '--help':
    case '-h':
    case 'help':
      process.stdout.write(help)
      return ExitCode.success
    case '--version': {
      const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
      process.stdout.write(`${manifest.version}\n`)
      return ExitCode.success
    }
    case undefined:
      throw new CommandError(ExitCode.usage, 'no command given: serve or get (see quicwire --help)')
    default:
      throw new CommandError(ExitCode.usage, `unknown command '${command}': serve or get (see quicwire --help)`)
  }
}

// `quicwire get … | head`: a reader that has seen enough is no error worth words.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? ExitCode.success : ExitCode.local)
})

let exitCode: ExitCode
try {
  exitCode = await run(process.argv.slice(2))
} catch (error) {
  const report = reportError(error)
  process.stderr.write(`quicwire: ${report.message}\n`)
  exitCode = report.exitCode
}
// Whatever is still under way must not keep the process; what was written must still arrive.
process.stdout.write('', () => process.exit(exitCode))
