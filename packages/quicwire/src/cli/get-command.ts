// `quicwire get`: fetches URLs over HTTP/3. URLs of one origin share a connection. Bodies go to standard output in the
// order given, or to files, several at a time. Everything but bodies goes to standard error.

import { setMaxListeners } from 'node:events'
import { mkdir, stat } from 'node:fs/promises'
import type { ConnectOptions } from '../client/connect.ts'
import { FileSessionStore } from '@quicwire/driver'
import type { IncomingResponse, Session } from '../client/session.ts'
import type { Target } from '../client/target.ts'
import { parseTarget } from '../client/target.ts'
import type { Header } from '../http/message.ts'
import { headerValue } from '../http/message.ts'
import { readPemFile } from '../tls/certificate-files.ts'
import type { CommandIo } from './command-io.ts'
import { reportError } from './error-report.ts'
import { CommandError, ExitCode, exitCodeTable } from './exit-code.ts'
import { integerOption, optionHelp, parseArguments, usageError, type OptionTable, type ParsedOptions } from './options.ts'
import { fileOutput, filesIn, stdoutOutput, type BodyOutput } from './output-target.ts'
import { ProgressBar } from './progress-bar.ts'
import { formatBytes, formatDuration, formatRate } from './quantity.ts'

const options = {
  output: { kind: 'value', short: 'o', value: 'FILE', help: 'write the body to FILE (one URL only)' },
  'output-dir': { kind: 'value', value: 'DIR', help: 'write each body to DIR under the last part of its URL path' },
  insecure: { kind: 'flag', short: 'k', help: "do not verify the server's certificate" },
  ca: { kind: 'value', value: 'FILE', help: 'trust the certificates in FILE (PEM) instead of the roots Node trusts' },
  'system-ca': { kind: 'flag', help: "trust the operating system's certificates instead of the roots Node trusts" },
  'session-file': { kind: 'value', value: 'FILE', help: 'keep sessions in FILE and resume those that are there' },
  header: { kind: 'list', short: 'H', value: "'k: v'", help: 'add a request header; may be repeated' },
  parallel: { kind: 'value', value: 'N', help: 'requests at a time when writing to files, 1 to 1000 (default 8)' },
  timeout: { kind: 'value', value: 'SECONDS', help: 'give up connecting after this time (default 10)' },
  fail: { kind: 'flag', short: 'f', help: 'no output and exit code 3 for a status of 400 or above' },
  verbose: { kind: 'flag', short: 'v', help: 'show handshake, request and response headers on standard error' },
  help: { kind: 'flag', short: 'h', help: 'show this text' },
} as const satisfies OptionTable

type GetOptions = ParsedOptions<typeof options>

export const getHelp: string = [
  'quicwire get URL... [options]',
  '',
  'Fetches URLs over HTTP/3. The body goes to standard output, or to files with -o or --output-dir.',
  'URLs of one origin share one connection.',
  '',
  'Options:',
  optionHelp(options),
  '',
  'Exit codes:',
  ...exitCodeTable.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`),
  '',
  'Environment: SSLKEYLOGFILE appends TLS secrets in the NSS format; QLOGDIR receives one .sqlog file per connection.',
].join('\n')

/** Makes the connections; the real one is connectTarget() of client/connect.ts. */
export type Connector = (target: Target, options: ConnectOptions) => Promise<Session>

interface Download {
  readonly target: Target
  /** Null: standard output. */
  readonly file: string | null
}

/** Runs the command; resolves with its exit code, rejects with a CommandError or a connection's error. */
export async function runGet(argv: readonly string[], io: CommandIo, connect: Connector): Promise<ExitCode> {
  const { options: given, operands } = parseArguments('get', options, argv)
  if (given.help) {
    io.stdout.write(`${getHelp}\n`)
    return ExitCode.success
  }
  if (operands.length === 0) throw usageError('get', 'no URL given')
  if (given.output !== null && given['output-dir'] !== null) throw usageError('get', '--output and --output-dir exclude each other')
  if (given.output !== null && operands.length > 1) throw usageError('get', '--output takes one URL; use --output-dir for several')
  if ([given.insecure, given.ca !== null, given['system-ca']].filter(Boolean).length > 1) {
    throw usageError('get', '--insecure, --ca and --system-ca exclude each other')
  }
  const headers = given.header.map(parseHeader)
  const parallel = integerOption('get', 'parallel', given.parallel, 8, 1, 1000)
  const timeoutMs = 1000 * integerOption('get', 'timeout', given.timeout, 10, 1, 3600)
  const downloads = await planDownloads(operands.map(parseTarget), given)
  const interrupt = new AbortController()
  // Every request under way listens.
  setMaxListeners(0, interrupt.signal)
  const connectOptions: ConnectOptions = {
    ...(given.insecure ? { insecure: true } : {}),
    ...(given.ca === null ? {} : { ca: await readPemFile(given.ca, 'CA file', 'CERTIFICATE') }),
    ...(given['system-ca'] ? { tls: { roots: 'system' } } : {}),
    ...(given['session-file'] === null ? {} : { sessionStore: new FileSessionStore(given['session-file']) }),
    timeoutMs,
    signal: interrupt.signal,
  }
  const stopListening = io.onInterrupt(() => interrupt.abort(new CommandError(ExitCode.interrupted, 'interrupted')))
  const sessions = new SessionsByOrigin(connect, connectOptions, io, given.verbose)
  const run = new GetRun(downloads, given, headers, sessions, io, interrupt.signal)
  try {
    return await run.all(given.output === null && given['output-dir'] === null ? 1 : parallel)
  } catch (error) {
    throw interrupt.signal.aborted ? interrupt.signal.reason : error
  } finally {
    stopListening()
    await sessions.close()
  }
}

async function planDownloads(targets: readonly Target[], given: GetOptions): Promise<Download[]> {
  const directory = given['output-dir']
  if (directory === null) return targets.map((target) => ({ target, file: given.output }))
  const files = filesIn(directory, targets)
  await mkdir(directory, { recursive: true }).catch((error: unknown) => {
    throw new CommandError(ExitCode.local, `cannot make directory ${directory}: ${(error as Error).message}`, error)
  })
  if (!(await stat(directory)).isDirectory()) throw new CommandError(ExitCode.local, `${directory} is not a directory`)
  return targets.map((target, index) => ({ target, file: files[index]! }))
}

function parseHeader(text: string): Header {
  const colon = text.indexOf(':')
  const name = text.slice(0, Math.max(colon, 0)).trim().toLowerCase()
  const value = text.slice(colon + 1).trim()
  // RFC 9110 §5.1 and §5.5: a token, and a value without control characters.
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) throw usageError('get', `header '${text}' is not of the form 'name: value'`)
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index)
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) throw usageError('get', `header '${name}' has a character that cannot be sent`)
  }
  return [name, value]
}

/** One connection per origin, made when first needed. */
class SessionsByOrigin {
  private readonly connect: Connector
  private readonly connectOptions: ConnectOptions
  private readonly io: CommandIo
  private readonly verbose: boolean
  private readonly sessions: Map<string, Promise<Session>>

  constructor(connect: Connector, connectOptions: ConnectOptions, io: CommandIo, verbose: boolean) {
    this.connect = connect
    this.connectOptions = connectOptions
    this.io = io
    this.verbose = verbose
    this.sessions = new Map()
  }

  async get(target: Target): Promise<Session> {
    const known = this.sessions.get(target.origin)
    if (known !== undefined && !(await known).closed) return known
    // Another request may have replaced it while this one waited.
    const latest = this.sessions.get(target.origin)
    if (latest !== undefined && latest !== known) return latest
    const session = this.open(target)
    this.sessions.set(target.origin, session)
    return session
  }

  async close(): Promise<void> {
    await Promise.allSettled(Array.from(this.sessions.values(), async (session) => (await session).close()))
  }

  private async open(target: Target): Promise<Session> {
    if (this.verbose) this.io.stderr.write(`* connecting to ${target.host} port ${target.port}\n`)
    const session = await this.connect(target, this.connectOptions)
    const { info } = session
    if (this.verbose) {
      this.io.stderr.write(
        [
          `* connected to ${info.remoteAddress} in ${formatDuration(info.handshakeMs)}, server name ${info.serverName}`,
          `* TLS 1.3${info.resumed ? ' resumed' : ''}, ${info.cipher}, ${info.keyExchange}, ALPN ${info.alpn}`,
          `* certificate SHA-256 ${info.certificateSha256}${this.connectOptions.insecure === true ? ' (not verified)' : ' (verified)'}`,
          '',
        ].join('\n'),
      )
    }
    return session
  }
}

class GetRun {
  private readonly downloads: readonly Download[]
  private readonly given: GetOptions
  private readonly headers: readonly Header[]
  private readonly sessions: SessionsByOrigin
  private readonly io: CommandIo
  private readonly signal: AbortSignal
  private readonly progress: ProgressBar | null
  private next = 0
  private worst: ExitCode = ExitCode.success
  private knownTotal: number | null = 0

  constructor(
    downloads: readonly Download[],
    given: GetOptions,
    headers: readonly Header[],
    sessions: SessionsByOrigin,
    io: CommandIo,
    signal: AbortSignal,
  ) {
    this.downloads = downloads
    this.given = given
    this.headers = headers
    this.sessions = sessions
    this.io = io
    this.signal = signal
    const [first] = downloads
    const label = downloads.length === 1 ? (first?.file ?? '') : `${downloads.length} files`
    this.progress = first?.file === null || given.verbose ? null : new ProgressBar(io.stderr, label, null)
  }

  /** Fetches everything, `workers` at a time; the exit code is that of the last problem, success when there was none. */
  async all(workers: number): Promise<ExitCode> {
    const work = async (): Promise<void> => {
      for (let download = this.downloads[this.next++]; download !== undefined; download = this.downloads[this.next++]) {
        try {
          await this.one(download)
        } catch (error) {
          if (this.signal.aborted) throw error
          this.problem(reportError(error).exitCode, `${download.target.origin}${download.target.path}: ${reportError(error).message}`)
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(workers, this.downloads.length) }, work))
    this.progress?.finish()
    return this.worst
  }

  private async one({ target, file }: Download): Promise<void> {
    const startedAt = performance.now()
    const session = await this.sessions.get(target)
    if (this.given.verbose) this.say('>', `GET ${target.path}`, [['host', target.authority], ...this.headers])
    const response = await session.request(target.path, { headers: this.headers, signal: this.signal })
    if (this.given.verbose) this.say('<', `HTTP/3 ${response.status}`, response.headers)
    const failed = response.status >= 400
    if (failed && this.given.fail) {
      this.problem(ExitCode.httpStatus, `${target.origin}${target.path}: status ${response.status}`)
      await cancel(response)
      return
    }
    this.expect(response)
    const bytes = await this.store(response, file === null ? stdoutOutput(this.io) : await fileOutput(file))
    if (this.given.verbose) {
      if (response.trailers.length > 0) this.say('<', 'trailers', response.trailers)
      const elapsed = performance.now() - startedAt
      this.io.stderr.write(`* ${formatBytes(bytes)} in ${formatDuration(elapsed)}, ${formatRate(bytes, elapsed)}\n`)
    }
  }

  private async store(response: IncomingResponse, output: BodyOutput): Promise<number> {
    let bytes = 0
    try {
      for await (const piece of response.body) {
        await output.write(piece)
        bytes += piece.length
        this.progress?.add(piece.length)
      }
    } catch (error) {
      await output.discard()
      throw error
    }
    await output.end()
    return bytes
  }

  /** The bar knows its end only when every response so far said its length and none is still to come. */
  private expect(response: IncomingResponse): void {
    const length = headerValue(response.headers, 'content-length')
    this.knownTotal = length === null || this.knownTotal === null ? null : this.knownTotal + Number(length)
    this.progress?.setTotal(this.next >= this.downloads.length ? this.knownTotal : null)
  }

  private problem(exitCode: ExitCode, message: string): void {
    this.worst = exitCode
    this.progress?.clear()
    this.io.stderr.write(`quicwire: ${message}\n`)
  }

  private say(mark: string, first: string, headers: readonly Header[]): void {
    this.io.stderr.write([`${mark} ${first}`, ...headers.map(([name, value]) => `${mark} ${name}: ${value}`), ''].join('\n'))
  }
}

async function cancel(response: IncomingResponse): Promise<void> {
  await response.body[Symbol.asyncIterator]().return?.()
}
