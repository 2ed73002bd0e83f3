// `quicwire serve`: serves the files of a directory over HTTP/3. One ready line on standard output. SIGINT closes
// gracefully: GOAWAY, responses under way finish, CONNECTION_CLOSE; a second one stops at once.

import { realpath } from 'node:fs/promises'
import { createFileHandler } from '../files/file-handler.ts'
import type { Handler } from '../http/message.ts'
import type { serve } from '../server/serve.ts'
import { readPemFile } from '../tls/certificate-files.ts'
import type { CommandIo } from './command-io.ts'
import { CommandError, ExitCode, exitCodeTable } from './exit-code.ts'
import { integerOption, optionHelp, parseArguments, usageError, type OptionTable } from './options.ts'

const options = {
  root: { kind: 'value', value: 'DIR', help: 'the directory to serve (default: the current one)' },
  host: { kind: 'value', value: 'HOST', help: 'address to listen on (default 127.0.0.1)' },
  port: { kind: 'value', short: 'p', value: 'PORT', help: 'UDP port, 0 for any free one (default 4433)' },
  cert: { kind: 'value', value: 'FILE', help: 'certificate chain (PEM); without it a development certificate is made' },
  key: { kind: 'value', value: 'FILE', help: 'private key (PEM, PKCS #8)' },
  verbose: { kind: 'flag', short: 'v', help: 'show each request on standard error' },
  help: { kind: 'flag', short: 'h', help: 'show this text' },
} as const satisfies OptionTable

export const serveHelp: string = [
  'quicwire serve [--root DIR] [options]',
  '',
  'Serves files over HTTP/3: index.html, directory listings, HEAD, byte ranges. SIGINT closes gracefully.',
  '',
  'Options:',
  optionHelp(options),
  '',
  'Exit codes:',
  ...exitCodeTable.filter(([code]) => code <= ExitCode.usage).map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`),
  '',
  'Environment: SSLKEYLOGFILE appends TLS secrets in the NSS format; QLOGDIR receives one .sqlog file per connection.',
].join('\n')

/** Runs until interrupted; resolves with the exit code. */
export async function runServe(argv: readonly string[], io: CommandIo, startServer: typeof serve): Promise<ExitCode> {
  const { options: given, operands } = parseArguments('serve', options, argv)
  if (given.help) {
    io.stdout.write(`${serveHelp}\n`)
    return ExitCode.success
  }
  if (operands.length > 0) throw usageError('serve', `unexpected argument '${operands[0]}'`)
  if ((given.cert === null) !== (given.key === null)) throw usageError('serve', '--cert and --key belong together')
  const port = integerOption('serve', 'port', given.port, 4433, 0, 65_535)
  const root = given.root ?? '.'
  const files = await createFileHandler(root).catch((error: unknown) => {
    throw new CommandError(ExitCode.local, `cannot serve ${root}: ${rootProblem(error as NodeJS.ErrnoException)}`, error)
  })
  const server = await startServer({
    host: given.host ?? '127.0.0.1',
    port,
    handler: given.verbose ? logged(files, io) : files,
    onError: (error) => void io.stderr.write(`quicwire: ${error.message}\n`),
    ...(given.cert === null || given.key === null
      ? {}
      : { certificate: { cert: await readPemFile(given.cert, 'certificate', 'CERTIFICATE'), key: await readPemFile(given.key, 'key', 'PRIVATE KEY') } }),
  })
  io.stdout.write(`Serving ${await realpath(root)} at ${server.url} (certificate SHA-256 ${server.certificateSha256})\n`)

  return new Promise((resolve, reject) => {
    let interrupts = 0
    const stopListening = io.onInterrupt(() => {
      interrupts++
      if (interrupts === 1) io.stderr.write('Closing: running responses finish; interrupt again to stop at once.\n')
      server.close({ immediately: interrupts > 1 }).then(() => {
        stopListening()
        resolve(ExitCode.success)
      }, reject)
    })
  })
}

function logged(handler: Handler, io: CommandIo): Handler {
  return async (request) => {
    const response = await handler(request)
    io.stderr.write(`${request.method} ${request.path} ${response.status}\n`)
    return response
  }
}

function rootProblem(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return 'no such directory'
  if (error.code === 'EACCES') return 'permission denied'
  return error.message
}
