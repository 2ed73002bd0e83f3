// `npm run demo`: makes a development certificate and a tree of files in a temporary folder, serves it over HTTP/3 from
// one process, fetches all of it from another over UDP loopback, and checks every byte. Exits 0 only if all is well.

import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { developmentCertificate } from 'quicwire'
import { makeFileTree } from './file-tree.ts'

const READY_WITHIN_MS = 30_000
const CLOSE_WITHIN_MS = 10_000
const root = fileURLToPath(new URL('../..', import.meta.url))

function start(script: string, args: readonly string[], stdout: 'pipe' | 'inherit'): ChildProcess {
  // The same node, with the same loader and conditions.
  return spawn(process.execPath, [...process.execArgv, join(root, script), ...args], { cwd: root, stdio: ['ignore', stdout, 'inherit'] })
}

function ended(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(String(child.exitCode ?? child.signalCode))
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(String(code ?? signal)))
  })
}

function timeout(milliseconds: number): Promise<null> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds, null).unref())
}

async function readyUrl(server: ChildProcess): Promise<string> {
  let output = ''
  const line = new Promise<string>((resolve) => {
    server.stdout!.on('data', (data: Buffer) => {
      output += data.toString()
      const url = /https:\/\/\S+/.exec(output)
      if (url !== null && output.includes('\n')) resolve(url[0].replace(/,$/, ''))
    })
  })
  const early = ended(server).then((how) => {
    throw new Error(`the server ended early (${how})`)
  })
  const url = await Promise.race([line, early, timeout(READY_WITHIN_MS)])
  if (url === null) throw new Error('the server did not get ready')
  process.stdout.write(output)
  return url
}

async function run(folder: string): Promise<void> {
  process.stdout.write('Making files and a development certificate ...\n')
  const site = join(folder, 'site')
  mkdirSync(site)
  const classes = makeFileTree(site, Number(process.env['QUICWIRE_DEMO_SCALE'] ?? 1))
  const certificate = await developmentCertificate()
  const [list, cert, key] = [join(folder, 'list.json'), join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  writeFileSync(list, JSON.stringify(classes))
  writeFileSync(cert, certificate.cert)
  writeFileSync(key, certificate.key, { mode: 0o600 })

  const server = start('packages/quicwire/src/cli/main.ts', ['serve', '--root', site, '--port', '0', '--cert', cert, '--key', key], 'pipe')
  try {
    const url = await readyUrl(server)
    const outcome = await ended(start('examples/demo/client.ts', [list, url, cert], 'inherit'))
    if (outcome !== '0') throw new Error(`the client failed (${outcome})`)
    server.kill('SIGINT')
    const close = await Promise.race([ended(server), timeout(CLOSE_WITHIN_MS)])
    if (close !== '0') throw new Error(close === null ? 'the server did not close' : `the server ended with ${close}`)
  } finally {
    if (server.exitCode === null) server.kill('SIGKILL')
  }
}

const folder = mkdtempSync(join(tmpdir(), 'quicwire-demo-'))
try {
  await run(folder)
  process.stdout.write('demo: all files arrived unchanged\n')
} catch (error) {
  process.stderr.write(`demo failed: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
