// The quicwire command as a user meets it: real processes, real UDP, exit codes, SIGINT.

import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { developmentCertificate } from '../../src/index.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const command = ['--import', 'tsx', '--conditions=@quicwire/source', join(root, 'packages/quicwire/src/cli/main.ts')]
const large = Buffer.alloc(6_000_000, 'quicwire')

let folder: string
let site: string
let server: Served

interface Served {
  readonly child: ChildProcess
  readonly ready: string
  readonly url: string
}

interface Outcome {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): { child: ChildProcess; outcome: Promise<Outcome> } {
  const child = spawn(process.execPath, [...command, ...args], { cwd: root, env: { ...process.env, ...env } })
  const stdout: Buffer[] = []
  let stderr = ''
  child.stdout.on('data', (data: Buffer) => stdout.push(data))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  const outcome = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout: Buffer.concat(stdout), stderr }))
  return { child, outcome }
}

function run(...args: string[]): Promise<Outcome> {
  return start(args).outcome
}

async function serveFolder(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Served & { outcome: Promise<Outcome> }> {
  const { child, outcome } = start(['serve', '--port', '0', ...args], env)
  let ready = ''
  while (!ready.includes('\n')) ready += String(((await once(child.stdout!, 'data')) as [Buffer])[0])
  return { child, outcome, ready, url: /https:\/\/\S+/.exec(ready)![0] }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quicwire-command-'))
  site = join(folder, 'site')
  mkdirSync(join(site, 'sub'), { recursive: true })
  writeFileSync(join(site, 'hello.txt'), 'hello\n')
  writeFileSync(join(site, 'large.bin'), large)
  for (let index = 0; index < 50; index++) writeFileSync(join(site, 'sub', `${index}.txt`), `file ${index}\n`)
  server = await serveFolder(['--root', site])
})

afterAll(async () => {
  server.child.kill('SIGKILL')
  await once(server.child, 'close')
  rmSync(folder, { recursive: true })
})

describe('serve', () => {
  it('prints one ready line with URL and certificate SHA-256', () => {
    expect(server.ready).toMatch(/^Serving \S+ at https:\/\/127\.0\.0\.1:\d+\/ \(certificate SHA-256 [\da-f]{64}\)\n$/)
  })

  it('closes gracefully on SIGINT: the response under way arrives whole', async () => {
    const own = await serveFolder(['--root', site])
    const file = join(folder, 'graceful.bin')
    const { outcome } = start(['get', '--insecure', '-o', file, `${own.url}large.bin`])
    const waiting = setInterval(() => {
      if (!readdirSync(folder).includes('graceful.bin')) return
      clearInterval(waiting)
      own.child.kill('SIGINT')
    }, 1)
    const got = await outcome
    clearInterval(waiting)
    expect(got).toMatchObject({ code: 0, stderr: '' })
    expect(readFileSync(file).equals(large)).toBe(true)
    own.child.kill('SIGINT')
    expect(await own.outcome).toMatchObject({ code: 0 })
  })

  it('uses a certificate and key from files, and a client that trusts them', async () => {
    const { cert, key } = await developmentCertificate()
    writeFileSync(join(folder, 'cert.pem'), cert)
    writeFileSync(join(folder, 'key.pem'), key)
    const own = await serveFolder(['--root', site, '--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')])
    const got = await run('get', '--ca', join(folder, 'cert.pem'), `${own.url}hello.txt`)
    expect(got).toMatchObject({ code: 0, stderr: '' })
    expect(got.stdout.toString()).toBe('hello\n')
    own.child.kill('SIGTERM')
    expect((await own.outcome).code).toBe(0)
  })

  it('says in one line what is wrong', async () => {
    const port = new URL(server.url).port
    const { key } = await developmentCertificate()
    writeFileSync(join(folder, 'other-key.pem'), key)
    const { cert } = await developmentCertificate()
    writeFileSync(join(folder, 'some-cert.pem'), cert)
    const cases: readonly (readonly [args: readonly string[], code: number, message: string])[] = [
      [['--port', port], 1, 'already in use'],
      [['--root', join(folder, 'missing')], 1, 'no such directory'],
      [['--root', join(site, 'hello.txt')], 1, 'is not a directory'],
      [['--cert', join(folder, 'missing.pem'), '--key', join(folder, 'other-key.pem')], 1, 'no such file'],
      [['--cert', join(site, 'hello.txt'), '--key', join(folder, 'other-key.pem')], 1, 'holds no PEM block CERTIFICATE'],
      [['--cert', join(folder, 'some-cert.pem'), '--key', join(folder, 'other-key.pem')], 1, 'does not belong'],
      [['--cert', 'x'], 2, '--cert and --key belong together'],
      [['--port', '99999'], 2, '--port must be'],
      [['--nonsense'], 2, 'unknown option --nonsense'],
      [['extra'], 2, "unexpected argument 'extra'"],
    ]
    for (const [args, code, message] of cases) {
      const got = await run('serve', ...args)
      expect(got.code).toBe(code)
      expect(got.stderr).toContain(message)
      expect(got.stderr.trim().split('\n')).toHaveLength(1)
    }
  })

  it('honours SSLKEYLOGFILE and QLOGDIR on both ends', async () => {
    const env = (name: string): NodeJS.ProcessEnv => ({ SSLKEYLOGFILE: join(folder, `${name}.keys`), QLOGDIR: join(folder, `${name}-qlog`) })
    const own = await serveFolder(['--root', site], env('server'))
    await start(['get', '--insecure', `${own.url}hello.txt`], env('client')).outcome
    own.child.kill('SIGINT')
    await own.outcome
    const lines = (name: string): string[] => readFileSync(join(folder, `${name}.keys`), 'utf8').trim().split('\n').sort()
    expect(lines('client').filter((line) => /^(CLIENT|SERVER)_(HANDSHAKE_TRAFFIC_SECRET|TRAFFIC_SECRET_0) [\da-f]{64} [\da-f]+$/.test(line))).toHaveLength(4)
    expect(lines('server')).toEqual(lines('client'))
    for (const name of ['client', 'server']) {
      const [file, ...others] = readdirSync(join(folder, `${name}-qlog`))
      expect(others).toEqual([])
      expect(file).toMatch(/\.sqlog$/)
      const records = readFileSync(join(folder, `${name}-qlog`, file!), 'utf8').split('\x1e').slice(1)
      expect(records.length).toBeGreaterThan(10)
      const names = records.map((record) => (JSON.parse(record) as { name?: string }).name)
      for (const name of ['quic:packet_sent', 'http3:parameters_set', 'http3:frame_created', 'http3:frame_parsed']) expect(names).toContain(name)
    }
  })
})

describe('get', () => {
  it('writes the body to standard output', async () => {
    const got = await run('get', '--insecure', `${server.url}large.bin`)
    expect(got.code).toBe(0)
    expect(got.stdout.equals(large)).toBe(true)
  })

  it('keeps sessions in a file and resumes them', async () => {
    const file = join(folder, 'sessions')
    const get = async (): Promise<string> => (await run('get', '--insecure', '--verbose', '--session-file', file, `${server.url}hello.txt`)).stderr
    expect(await get()).toMatch(/^\* TLS 1\.3, /m)
    expect(await get()).toMatch(/^\* TLS 1\.3 resumed, /m)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('fetches many files into a directory', async () => {
    const urls = Array.from({ length: 50 }, (_, index) => `${server.url}sub/${index}.txt`)
    const directory = join(folder, 'many')
    const got = await run('get', '--insecure', '--output-dir', directory, '--parallel', '16', ...urls)
    expect(got).toMatchObject({ code: 0, stderr: '' })
    const hash = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
    expect(readdirSync(directory)).toHaveLength(50)
    for (const name of readdirSync(directory)) expect(hash(join(directory, name))).toBe(hash(join(site, 'sub', name)))
  })

  it('ends with a documented code and one line for each kind of trouble', async () => {
    const silent = createSocket('udp4')
    silent.bind(0, '127.0.0.1')
    await once(silent, 'listening')
    const cases: readonly (readonly [args: readonly string[], code: number, message: string])[] = [
      [[server.url], 5, 'self-signed'],
      [['--insecure', '--fail', `${server.url}missing`], 3, 'status 404'],
      [['--insecure', 'https://name.invalid/'], 4, 'no address for host name.invalid'],
      [['--timeout', '1', `https://127.0.0.1:${silent.address().port}/`], 4, 'no answer'],
      [['http://127.0.0.1/'], 2, 'not an https URL'],
      [['--bogus', server.url], 2, 'unknown option --bogus'],
    ]
    for (const [args, code, message] of cases) {
      const got = await run('get', ...args)
      expect(`${got.code} ${got.stderr}`).toContain(`${code} quicwire: `)
      expect(got.stderr).toContain(message)
      expect(got.stderr.trim().split('\n')).toHaveLength(1)
      expect(got.stdout).toHaveLength(0)
    }
    silent.close()
  })
})

describe('quicwire', () => {
  it('has help, a version, and words for an unknown command', async () => {
    expect((await run('--help')).stdout.toString()).toContain('quicwire serve')
    expect((await run('--version')).stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/)
    expect(await run('fly')).toMatchObject({ code: 2, stderr: "quicwire: unknown command 'fly': serve or get (see quicwire --help)\n" })
    expect((await run()).code).toBe(2)
  })
})
