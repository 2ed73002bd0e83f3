// Packs every package and proves the tarballs in a scratch project outside the workspace: the README example runs under
// plain Node, and type-checks against the published declarations. Usage: check-packages.mjs [path of another node ...]

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const pnpm = 'pnpm@12.21.0'
const nodes = [process.execPath, ...process.argv.slice(2).map((path) => resolve(path))]
const scratch = mkdtempSync(join(tmpdir(), 'quicwire-packages-'))

function run(title, command, args, cwd) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, shell: process.platform === 'win32' })
  if (result.status === 0) return
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n`)
  throw new Error(`${title} failed`)
}

function pack() {
  run('build', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], root)
  for (const name of readdirSync(join(root, 'packages'))) {
    run(`packing ${name}`, 'npx', ['-y', pnpm, 'pack', '--pack-destination', join(scratch, 'tarballs')], join(root, 'packages', name))
  }
  return readdirSync(join(scratch, 'tarballs')).map((file) => join(scratch, 'tarballs', file))
}

function install(tarballs) {
  const project = join(scratch, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
  run('installing the tarballs', 'npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs], project)
  for (const file of ['server.mjs', 'client.mjs']) cpSync(join(root, 'examples/readme', file), join(project, file))
  return project
}

function typeCheck(project) {
  mkdirSync(join(project, 'types'))
  for (const name of ['server', 'client']) cpSync(join(project, `${name}.mjs`), join(project, 'types', `${name}.mts`))
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    target: 'es2023',
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  }
  writeFileSync(join(project, 'types/tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.mts'] }))
  run('type check against the declarations', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'types'], project)
}

async function runExample(node, project) {
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  const version = stdout.trim()
  const server = spawn(node, ['server.mjs'], { cwd: project, env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] })
  const deadline = setTimeout(() => server.kill('SIGKILL'), 60_000)
  try {
    let ready = ''
    for await (const chunk of server.stdout) {
      ready += chunk
      if (ready.includes('\n')) break
    }
    const url = `${ready.split(' ')[0]}hello`
    const client = spawnSync(node, ['client.mjs', url], { cwd: project, encoding: 'utf8', timeout: 60_000 })
    if (client.status !== 0 || client.stdout !== '200 You asked for /hello\n\n') {
      throw new Error(`the README example failed on ${version}: ${client.stdout}${client.stderr}`)
    }
    const ended = once(server, 'close')
    server.kill('SIGINT')
    const [status] = await ended
    if (status !== 0) throw new Error(`the README server ended with ${status} on ${version}`)
  } finally {
    clearTimeout(deadline)
    server.kill('SIGKILL')
  }
  console.log(`ok     README example from packed tarballs on Node ${version}`)
}

try {
  const tarballs = pack()
  for (const tarball of tarballs) if (readFileSync(tarball).length === 0) throw new Error(`${tarball} is empty`)
  console.log(`ok     ${tarballs.length} packages pack`)
  const project = install(tarballs)
  typeCheck(project)
  console.log('ok     README example type-checks against the packed declarations')
  for (const node of nodes) await runExample(node, project)
} catch (error) {
  console.error(`FAILED packages: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
