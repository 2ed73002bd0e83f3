// Brings a fresh clone to a runnable state: installs the locked dependencies with pnpm through npx. Plain Node, no
// dependencies. Does nothing when node_modules already belongs to the present lockfile.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const pnpm = 'pnpm@12.21.0'
const stampPath = join(root, 'node_modules', '.quicwire-setup')

function fail(message) {
  console.error(`set-up failed: ${message}`)
  process.exit(1)
}

function currentStamp() {
  const manifests = readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'package.json'))
  const hash = createHash('sha256')
  for (const file of ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', ...manifests.sort()]) {
    if (!existsSync(join(root, file))) continue
    hash.update(`${file}\0`).update(readFileSync(join(root, file))).update('\0')
  }
  // Prebuilt parts (esbuild, rolldown) are chosen by platform.
  return hash.update(`${process.platform} ${process.arch}`).digest('hex')
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) fail(`Node ${process.versions.node} is too old, quicwire needs Node 20.19 or newer`)
if (!existsSync(join(root, 'pnpm-lock.yaml'))) fail('pnpm-lock.yaml is missing: is this a complete clone?')

const stamp = currentStamp()
const installed = existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp && existsSync(join(root, 'node_modules', 'tsx'))
if (!installed) {
  console.log(`set-up: installing the locked dependencies (${pnpm}) ...`)
  const result = spawnSync('npx', ['-y', pnpm, 'install', '--frozen-lockfile'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === 'win32',
    env: { ...process.env, CI: 'true', npm_config_update_notifier: 'false' },
  })
  if (result.error !== undefined) fail(`npx could not be started (${result.error.message}): is npm installed?`)
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}`)
    fail(`'npx -y ${pnpm} install --frozen-lockfile' ended with ${result.status ?? result.signal} (its output is above)`)
  }
  writeFileSync(stampPath, stamp)
  console.log('set-up: done')
}
