import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CommandIo } from '../../src/cli/command-io.ts'
import { reportError } from '../../src/cli/error-report.ts'
import { CommandError, ExitCode } from '../../src/cli/exit-code.ts'
import { runGet, type Connector } from '../../src/cli/get-command.ts'
import { fileNameOf } from '../../src/cli/output-target.ts'
import type { ConnectOptions } from '../../src/client/connect.ts'
import type { RequestInit, Session } from '../../src/client/session.ts'
import { ResponseError } from '../../src/http/body-stream.ts'
import type { ByteStream, Header } from '../../src/http/message.ts'
import { NO_HEADER_COMPRESSION } from '../../src/http/header-compression.ts'

let folder: string
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'quicwire-get-'))))
afterAll(() => rmSync(folder, { recursive: true }))

interface Served {
  readonly status?: number
  readonly headers?: readonly Header[]
  readonly body?: readonly string[]
  /** The body breaks after its pieces. */
  readonly breaks?: boolean
}

/** A world with fake servers: path to response, for every origin. */
class World {
  stdout = ''
  stderr = ''
  interrupt: () => void = () => {}
  readonly connected: { origin: string; options: ConnectOptions }[] = []
  readonly requests: { path: string; init: RequestInit }[] = []
  closedSessions = 0
  cancelled = 0
  running = 0
  mostRunning = 0
  readonly pages: Record<string, Served>

  constructor(pages: Record<string, Served> = {}) {
    this.pages = pages
  }

  readonly io: CommandIo = {
    stdout: {
      write: (data, done) => {
        this.stdout += typeof data === 'string' ? data : Buffer.from(data).toString()
        done?.()
        return true
      },
    },
    stderr: { isTTY: false, write: (text) => void (this.stderr += text) },
    onInterrupt: (callback) => {
      this.interrupt = callback
      return () => {}
    },
  }

  readonly connect: Connector = (target, options) => {
    this.connected.push({ origin: target.origin, options })
    if (target.host === 'nowhere') return Promise.reject(Object.assign(new Error('no address for host nowhere'), { code: 'QUIC_NAME_NOT_FOUND' }))
    const session: Session = {
      info: {
        remoteAddress: '127.0.0.1:443', serverName: target.host, cipher: 'TLS_AES_128_GCM_SHA256', keyExchange: 'x25519', alpn: 'h3', certificateSha256: 'ab', resumed: false, handshakeMs: 3,
      },
      authority: target.authority,
      get masque(): never {
        throw new Error('unused')
      },
      closed: false,
      origins: null,
      request: async (path, init = {}) => {
        this.requests.push({ path, init })
        this.mostRunning = Math.max(this.mostRunning, ++this.running)
        await new Promise((resolve) => setImmediate(resolve))
        const page = this.pages[path] ?? { status: 404, body: ['not found\n'] }
        const body = this.stream(page)
        return { status: page.status ?? 200, headers: page.headers ?? [], body, trailers: [], streamId: 0, sensitiveHeaders: [], setPriority: () => undefined, bytes: () => Promise.reject(new Error('unused')), text: () => Promise.reject(new Error('unused')) }
      },
      stats: () => ({ packetsSent: 0, packetsReceived: 0, packetsLost: 0, qpack: NO_HEADER_COMPRESSION }),
      close: () => {
        this.closedSessions++
        return Promise.resolve()
      },
    }
    return Promise.resolve(session)
  }

  private stream(page: Served): ByteStream {
    const pieces = [...(page.body ?? [])]
    const next = (): Promise<IteratorResult<Uint8Array, undefined>> => {
      const piece = pieces.shift()
      if (piece !== undefined) return Promise.resolve({ done: false, value: Buffer.from(piece) })
      this.running--
      if (page.breaks === true) return Promise.reject(new ResponseError('the server reset the stream'))
      return Promise.resolve({ done: true, value: undefined })
    }
    const leave = (): Promise<IteratorResult<Uint8Array, undefined>> => {
      this.cancelled++
      return Promise.resolve({ done: true, value: undefined })
    }
    return { [Symbol.asyncIterator]: () => ({ next, return: leave }) }
  }

  async get(...argv: string[]): Promise<ExitCode> {
    try {
      return await runGet(argv, this.io, this.connect)
    } catch (error) {
      const report = reportError(error)
      this.stderr += `quicwire: ${report.message}\n`
      return report.exitCode
    }
  }
}

describe('quicwire get', () => {
  it('writes bodies to standard output in the order of the URLs, over one connection per origin', async () => {
    const world = new World({ '/a': { body: ['A', '1'] }, '/b?x=1': { body: ['B'] }, '/c': { body: ['C'] } })
    expect(await world.get('https://one/a', 'https://one/b?x=1#f', 'https://two:4433/c', 'https://one:443/a')).toBe(ExitCode.success)
    expect(world.stdout).toBe('A1BCA1')
    expect(world.stderr).toBe('')
    expect(world.connected.map(({ origin }) => origin)).toEqual(['https://one', 'https://two:4433'])
    expect(world.closedSessions).toBe(2)
  })

  it('writes files named by the URL, several at a time', async () => {
    const pages = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`/d/f${index}`, { body: [`content ${index}`] }]))
    const world = new World({ ...pages, '/': { body: ['root'] }, '/na%20me': { body: ['n'] } })
    const directory = join(folder, 'many', 'deep')
    const urls = [...Object.keys(pages), '/', '/na%20me'].map((path) => `https://one${path}`)
    expect(await world.get('--output-dir', directory, '--parallel', '4', ...urls)).toBe(ExitCode.success)
    expect(readdirSync(directory).sort()).toEqual([...Array.from({ length: 20 }, (_, index) => `f${index}`), 'index.html', 'na me'].sort())
    expect(readFileSync(join(directory, 'f7'), 'utf8')).toBe('content 7')
    expect(world.mostRunning).toBe(4)
    expect(world.connected).toHaveLength(1)
  })

  it('writes one file with -o', async () => {
    const world = new World({ '/a': { body: ['A'] } })
    const file = join(folder, 'one')
    expect(await world.get('-o', file, 'https://one/a')).toBe(ExitCode.success)
    expect(readFileSync(file, 'utf8')).toBe('A')
    expect(world.stdout).toBe('')
  })

  it('sends headers, trust and time limit as given', async () => {
    const ca = join(folder, 'ca.pem')
    writeFileSync(ca, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
    const world = new World({ '/a': {} })
    await world.get('--header', 'X-One: 1', '-H', 'accept:text/html', '--ca', ca, '--timeout', '3', 'https://one/a')
    expect(world.requests[0]!.init.headers).toEqual([['x-one', '1'], ['accept', 'text/html']])
    expect(world.connected[0]!.options).toMatchObject({ ca: readFileSync(ca, 'utf8'), timeoutMs: 3000 })
    await world.get('--insecure', 'https://one/a')
    expect(world.connected[1]!.options).toMatchObject({ insecure: true })
  })

  it('shows handshake and headers with --verbose, on standard error', async () => {
    const world = new World({ '/a': { headers: [['content-type', 'text/plain']], body: ['A'] } })
    await world.get('--verbose', '--header', 'k: v', 'https://one/a')
    expect(world.stdout).toBe('A')
    for (const part of ['TLS_AES_128_GCM_SHA256', 'x25519', 'ALPN h3', '> GET /a', '> k: v', '< HTTP/3 200', '< content-type: text/plain', '1 B in']) {
      expect(world.stderr).toContain(part)
    }
  })

  it('reports status 400 and above as failure only with --fail', async () => {
    const world = new World()
    expect(await world.get('https://one/missing')).toBe(ExitCode.success)
    expect(world.stdout).toBe('not found\n')
    const strict = new World({ '/ok': { body: ['fine'] } })
    expect(await strict.get('--fail', 'https://one/missing', 'https://one/ok')).toBe(ExitCode.httpStatus)
    expect(strict.stdout).toBe('fine')
    expect(strict.stderr).toBe('quicwire: https://one/missing: status 404\n')
    expect(strict.cancelled).toBe(1)
  })

  it('goes on after a problem and ends with its exit code', async () => {
    const world = new World({ '/a': { body: ['A'] } })
    expect(await world.get('https://nowhere/x', 'https://one/a')).toBe(ExitCode.unreachable)
    expect(world.stdout).toBe('A')
    expect(world.stderr).toBe('quicwire: https://nowhere/x: no address for host nowhere\n')
  })

  it('never leaves a short file behind', async () => {
    const world = new World({ '/cut': { body: ['first'], breaks: true } })
    const file = join(folder, 'cut')
    expect(await world.get('-o', file, 'https://one/cut')).toBe(ExitCode.protocol)
    expect(readdirSync(folder)).not.toContain('cut')
    expect(world.stderr).toContain('the server reset the stream')
  })

  it('says when a file cannot be written', async () => {
    const world = new World({ '/a': { body: ['A'] } })
    expect(await world.get('-o', join(folder, 'no', 'such', 'dir'), 'https://one/a')).toBe(ExitCode.local)
    expect(world.stderr).toContain('cannot write')
  })

  it('stops on an interrupt', async () => {
    const world = new World({ '/a': { body: ['A'] } })
    const connect: Connector = (_target, options) =>
      new Promise((_resolve, reject) => {
        options.signal!.addEventListener('abort', () => reject(options.signal!.reason as Error))
        world.interrupt()
      })
    await expect(runGet(['https://one/a'], world.io, connect)).rejects.toMatchObject({ exitCode: ExitCode.interrupted })
  })

  it.each([
    [[], 'no URL given'],
    [['http://one/a'], 'is not an https URL'],
    [['one/a'], 'is not a URL'],
    [['https://u:p@one/a'], 'user name or password'],
    [['-o', 'x', 'https://one/a', 'https://one/b'], '--output takes one URL'],
    [['-o', 'x', '--output-dir', 'y', 'https://one/a'], 'exclude each other'],
    [['--insecure', '--ca', 'x', 'https://one/a'], 'exclude each other'],
    [['--system-ca', '--ca', 'x', 'https://one/a'], 'exclude each other'],
    [['--header', 'nocolon', 'https://one/a'], "is not of the form 'name: value'"],
    [['--header', ':path: /x', 'https://one/a'], "is not of the form 'name: value'"],
    [['--header', 'a: b\r\nc: d', 'https://one/a'], 'cannot be sent'],
    [['--parallel', '0', 'https://one/a'], '--parallel must be'],
    [['--output-dir', '/tmp/x', 'https://one/a/f', 'https://one/b/f'], 'same file f'],
    [['--output-dir', '/tmp/x', 'https://one/..%2f..%2fetc'], 'no usable file name'],
    [['--frobnicate', 'https://one/a'], 'unknown option --frobnicate'],
  ])('%j is one clear line and exit code 2', async (argv, message) => {
    const world = new World()
    expect(await world.get(...argv)).toBe(ExitCode.usage)
    expect(world.stderr).toContain(message)
    expect(world.stderr.trim().split('\n')).toHaveLength(1)
    expect(world.connected).toEqual([])
  })

  it('says which CA file cannot be used', async () => {
    const world = new World()
    expect(await world.get('--ca', join(folder, 'missing.pem'), 'https://one/a')).toBe(ExitCode.local)
    expect(world.stderr).toContain('missing.pem: no such file')
    writeFileSync(join(folder, 'text.pem'), 'hello')
    expect(await world.get('--ca', join(folder, 'text.pem'), 'https://one/a')).toBe(ExitCode.local)
    expect(world.stderr).toContain('holds no PEM block CERTIFICATE')
  })

  it('prints its help with every exit code', async () => {
    const world = new World()
    expect(await world.get('--help')).toBe(ExitCode.success)
    for (const code of Object.values(ExitCode)) expect(world.stdout).toMatch(new RegExp(`^ +${code}  \\S`, 'm'))
  })
})

describe('fileNameOf', () => {
  it('is the last part of the path, decoded, and never a place', () => {
    expect(fileNameOf({ path: '/a/b%20c?d=/e' })).toBe('b c')
    expect(fileNameOf({ path: '/a/' })).toBe('index.html')
    expect(fileNameOf({ path: '/%zz' })).toBe('%zz')
    for (const path of ['/a/%2e%2e', '/a/..%2fb', '/a/b%5cc', '/a/%00']) expect(() => fileNameOf({ path })).toThrow(CommandError)
  })
})

describe('reportError', () => {
  it.each([
    ['QUIC_CONNECT_TIMEOUT', {}, ExitCode.unreachable],
    ['QUIC_CERTIFICATE_REFUSED', { alert: 42 }, ExitCode.tls],
    ['QUIC_HANDSHAKE_FAILED', { alert: 40 }, ExitCode.tls],
    ['QUIC_HANDSHAKE_FAILED', { alert: null }, ExitCode.protocol],
    ['QUIC_PORT_IN_USE', {}, ExitCode.local],
    ['QUIC_PEER_CLOSED', {}, ExitCode.protocol],
    ['ENOSPC', {}, ExitCode.local],
  ])('%s %j', (code, more, exitCode) => {
    expect(reportError(Object.assign(new Error('words\nstack'), { code, ...more }))).toEqual({ exitCode, message: 'words' })
  })
})
