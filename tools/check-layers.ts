// Refuses what the house rules refuse: import cycles (type-only imports included), imports against the layer table,
// impure sources in quic, qpack and h3, imports across package boundaries, and slow habits in the hot folders.
// Every message says what to do instead. A line that must break a rule says so on the line above, with its reason:
// `// check-layers: allow hot because users see the value`. Usage: tsx tools/check-layers.ts [root]

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, posix, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hotFolders, nodeFolders, packageRules, quicLayers } from './layers.ts'
import { importsOf, tokenize, type ImportReference, type Token } from './source-tokens.ts'

export interface Finding {
  readonly file: string
  readonly line: number
  readonly rule: 'cycle' | 'layer' | 'boundary' | 'purity' | 'hot' | 'name'
  readonly message: string
}

interface SourceFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string
  readonly tokens: readonly Token[]
  readonly imports: readonly ImportReference[]
  /** 'rule:line' that a comment with a reason permits. */
  readonly allowed: ReadonlySet<string>
}

const takeTime = 'time is the argument `now` (milliseconds); the caller owns the clock'
const takeRandom = 'take a RandomSource from the configuration'
const noPromise = 'return a number or null now and report the rest through poll(); only the driver awaits'

const forbiddenGlobals: ReadonlyMap<string, string> = new Map([
  ['performance', takeTime],
  ['setTimeout', 'report the deadline through nextTimeout(); the caller arms the timer'],
  ['setInterval', 'report the deadline through nextTimeout(); the caller arms the timer'],
  ['setImmediate', 'do it now, or report it through poll()'],
  ['queueMicrotask', 'do it now, or report it through poll()'],
  ['clearTimeout', 'the caller owns the timers'],
  ['clearInterval', 'the caller owns the timers'],
  ['Promise', noPromise],
  ['async', noPromise],
  ['await', noPromise],
  ['EventEmitter', 'queue an event and let the caller poll() it'],
  ['EventTarget', 'queue an event and let the caller poll() it'],
  ['console', 'report through the TraceSink or throw a typed error'],
  ['process', 'take the setting as a configuration value'],
  ['Buffer', 'use Uint8Array, DataView and base/bytes.ts'],
])

function listSources(root: string, folder: string): string[] {
  const absolute = join(root, folder)
  if (!existsSync(absolute)) return []
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

function load(root: string, path: string): SourceFile {
  const source = readFileSync(join(root, path), 'utf8')
  const tokens = tokenize(source)
  return { path, tokens, imports: importsOf(tokens), allowed: allowances(source) }
}

function allowances(source: string): Set<string> {
  const allowed = new Set<string>()
  for (const [index, text] of source.split('\n').entries()) {
    const match = /^\s*\/\/ check-layers: allow (\w+) because \S/.exec(text)
    // The comment is line index + 1; it speaks for the line below.
    if (match !== null) allowed.add(`${match[1]}:${index + 2}`)
  }
  return allowed
}

function resolveRelative(file: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(file), specifier))
}

function inFolder(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(folder))
}

/** 'packages/quic/src/stream/x.ts' → ['quic', 'stream/x.ts']; null outside of a package's sources. */
function packageOf(path: string): readonly [name: string, inside: string] | null {
  const match = /^packages\/([^/]+)\/src\/(.+)$/.exec(path)
  return match === null ? null : [match[1]!, match[2]!]
}

function checkCycles(files: readonly SourceFile[], findings: Finding[]): void {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const state = new Map<string, 'open' | 'done'>()
  const trail: string[] = []
  const visit = (path: string): void => {
    const file = byPath.get(path)
    if (file === undefined || state.get(path) === 'done') return
    state.set(path, 'open')
    trail.push(path)
    for (const reference of file.imports) {
      if (!reference.specifier.startsWith('.')) continue
      const target = resolveRelative(path, reference.specifier)
      if (state.get(target) === 'open') {
        const cycle = [...trail.slice(trail.indexOf(target)), target].join(' → ')
        findings.push({ file: path, line: reference.line, rule: 'cycle', message: `import cycle ${cycle}: move what both need into a file below them` })
      } else {
        visit(target)
      }
    }
    trail.pop()
    state.set(path, 'done')
  }
  for (const file of files) visit(file.path)
}

function checkLayers(file: SourceFile, inside: string, findings: Finding[]): void {
  const folder = inside.includes('/') ? inside.slice(0, inside.indexOf('/')) : ''
  if (folder === '') return
  const allowed = quicLayers[folder]
  if (allowed === undefined) {
    findings.push({ file: file.path, line: 1, rule: 'layer', message: `folder '${folder}' is not in the layer table: give it a row in tools/layers.ts` })
    return
  }
  if (allowed.includes('*')) return
  for (const reference of file.imports) {
    if (!reference.specifier.startsWith('.')) continue
    const target = packageOf(resolveRelative(file.path, reference.specifier))
    if (target === null || target[0] !== 'quic') continue
    const targetFolder = target[1].includes('/') ? target[1].slice(0, target[1].indexOf('/')) : 'index'
    if (targetFolder === folder || allowed.includes(targetFolder) || allowed.includes(target[1].replace(/\.ts$/, ''))) continue
    const may = allowed.length === 0 ? 'nothing' : allowed.join(', ')
    findings.push({
      file: file.path,
      line: reference.line,
      rule: 'layer',
      message: `${folder} must not import ${target[1]} (it may import ${may}): take the value as an argument, or move the shared part down`,
    })
  }
}

function checkBoundaries(file: SourceFile, packageName: string, inside: string, dependencies: ReadonlySet<string>, findings: Finding[]): void {
  const rule = packageRules[packageName]
  if (rule === undefined) {
    findings.push({ file: file.path, line: 1, rule: 'boundary', message: `package '${packageName}' has no rule: add one in tools/layers.ts` })
    return
  }
  for (const { specifier, line } of file.imports) {
    const add = (kind: Finding['rule'], message: string): void => void findings.push({ file: file.path, line, rule: kind, message })
    if (specifier.startsWith('.')) {
      const target = packageOf(resolveRelative(file.path, specifier))
      if (target === null || target[0] !== packageName) add('boundary', `'${specifier}' leaves packages/${packageName}/src: import the other package by its name`)
    } else if (specifier.startsWith('node:')) {
      if (rule.pure && !(packageName === 'quic' && inFolder(inside, nodeFolders))) {
        add('purity', `'${specifier}' in a sans-IO package: only ${nodeFolders.map((folder) => `quic/src/${folder}`).join(' and ')} may touch Node; let the driver do it`)
      }
    } else if (specifier.startsWith('@quicwire/') || specifier === 'quicwire') {
      if (!rule.workspace.includes(specifier)) add('boundary', `${packageName} must not import '${specifier}': ${rule.instead}`)
    } else {
      const name = specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
      if (!dependencies.has(name)) add('boundary', `'${name}' is not a dependency of packages/${packageName}: add it to its package.json, or write 'node:${name}' if Node's is meant`)
    }
  }
}

function checkPurity(file: SourceFile, inside: string, findings: Finding[]): void {
  const { tokens } = file
  const add = (token: Token, what: string, instead: string): void =>
    void findings.push({ file: file.path, line: token.line, rule: 'purity', message: `${what} in a sans-IO package: ${instead}` })
  const mayUseGlobalRandom = inside.startsWith('crypto/noble/')
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!
    if (token.kind !== 'identifier') continue
    const previous = tokens[index - 1]?.text
    const next = tokens[index + 1]?.text
    if ((token.text === 'getRandomValues' || token.text === 'randomUUID') && !mayUseGlobalRandom) add(token, token.text, takeRandom)
    if (previous === '.' || previous === '?.' || next === ':') continue
    const instead = forbiddenGlobals.get(token.text)
    if (instead !== undefined) add(token, `'${token.text}'`, instead)
    if (token.text === 'globalThis' && !mayUseGlobalRandom) add(token, "'globalThis'", 'take what you need from the configuration')
    if (token.text === 'Math' && next === '.' && tokens[index + 2]?.text === 'random') add(token, 'Math.random', takeRandom)
    const readsClock = (next === '.' && tokens[index + 2]?.text === 'now') || (next === '(' && (previous !== 'new' || tokens[index + 2]?.text === ')'))
    if (token.text === 'Date' && readsClock) add(token, 'the clock', takeTime)
  }
}

function checkHot(file: SourceFile, findings: Finding[]): void {
  const { tokens } = file
  const add = (token: Token, message: string): void => void findings.push({ file: file.path, line: token.line, rule: 'hot', message })
  const rings = new Set<string>()
  for (let index = 0; index < tokens.length; index++) {
    // `name: Ring<…>` and `name = new Ring…`: these have a shift() that costs nothing.
    if (tokens[index]!.text !== 'Ring') continue
    const back = tokens[index - 1]?.text === 'new' ? 3 : 2
    const name = tokens[index - back]
    if (name?.kind === 'identifier') rings.add(name.text)
  }
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index]!
    const next = tokens[index + 1]?.text
    if (token.kind === 'bigint') add(token, `BigInt literal ${token.text} on the packet path: use number (WireValue only where a user can see the value)`)
    if (token.kind !== 'identifier') continue
    if (token.text === 'BigInt' && (next === '(' || next === '.')) add(token, 'BigInt on the packet path: use number; exact 62-bit values are read by readVarintExact at the edge')
    if (token.text === 'Map' && next === '<' && tokens[index + 2]?.text === 'string') {
      add(token, 'Map<string, …> on the packet path: key it by number, or look it up once and keep the object')
    }
    if (token.text === 'shift' && next === '(' && tokens[index + 2]?.text === ')' && (tokens[index - 1]?.text === '.' || tokens[index - 1]?.text === '?.')) {
      const owner = tokens[index - 2]
      if (owner === undefined || !rings.has(owner.text)) add(token, 'Array.shift() moves every element: use Ring of base/ring.ts (declare it with its type in this file)')
    }
  }
}

const vagueNames = /(^|\/)(utils?|helpers?|misc|common)(\/|\.ts$)/

/** All findings under a workspace root, sorted by file and line. */
export function checkTree(root: string): Finding[] {
  const findings: Finding[] = []
  const packages = existsSync(join(root, 'packages')) ? readdirSync(join(root, 'packages')).sort() : []
  const sources: SourceFile[] = []
  for (const packageName of packages) {
    const manifestPath = join(root, 'packages', packageName, 'package.json')
    const manifest = existsSync(manifestPath) ? (JSON.parse(readFileSync(manifestPath, 'utf8')) as { dependencies?: Record<string, string> }) : {}
    const dependencies = new Set(Object.keys(manifest.dependencies ?? {}))
    for (const path of listSources(root, `packages/${packageName}/src`)) {
      const file = load(root, path)
      sources.push(file)
      const inside = packageOf(path)![1]
      checkBoundaries(file, packageName, inside, dependencies, findings)
      const pure = packageRules[packageName]?.pure === true
      const touchesNode = packageName === 'quic' && inFolder(inside, nodeFolders)
      if (pure && !touchesNode) checkPurity(file, inside, findings)
      if (packageName === 'quic') {
        checkLayers(file, inside, findings)
        if (inside.split('/').slice(0, -1).some((folder) => hotFolders.includes(folder))) checkHot(file, findings)
      }
    }
  }
  const others = ['tools', 'bench', 'interop', 'examples', 'fuzz', 'test', ...packages.map((name) => `packages/${name}/test`)]
  for (const folder of others) for (const path of listSources(root, folder)) sources.push(load(root, path))
  for (const { path } of sources) {
    if (vagueNames.test(path)) findings.push({ file: path, line: 1, rule: 'name', message: 'the name says nothing: call the file after the thing it holds' })
  }
  checkCycles(sources, findings)
  const byPath = new Map(sources.map((file) => [file.path, file]))
  const left = findings.filter(({ file, line, rule }) => byPath.get(file)?.allowed.has(`${rule}:${line}`) !== true)
  return left.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

function main(): void {
  const root = resolve(process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '..'))
  const findings = checkTree(root)
  for (const { file, line, rule, message } of findings) console.error(`${file}:${line}: ${rule}: ${message}`)
  if (findings.length > 0) {
    console.error(`${findings.length} ${findings.length === 1 ? 'finding' : 'findings'} against the layer, purity and cycle rules (tools/layers.ts)`)
    process.exitCode = 1
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) main()
