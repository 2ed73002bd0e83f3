import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { checkTree } from '../check-layers.ts'
import { importsOf, tokenize } from '../source-tokens.ts'

const roots: string[] = []

function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'quicwire-layers-'))
  roots.push(root)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
}

function findings(files: Record<string, string>): string[] {
  return checkTree(tree(files)).map(({ file, line, rule }) => `${rule} ${file}:${line}`)
}

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

describe('tokenize', () => {
  it('sets comments, strings, templates and regular expressions apart', () => {
    const source = [
      '// Promise in a comment',
      '/* console',
      '   process */ const a = "Buffer", b = \'it\\\'s async\'',
      'const c = `await ${x + `${inner}`} setTimeout` / 2',
      'const d = /Promise["\'/]\\/async/g.test(a)',
      'let e = a / b / 3n',
    ].join('\n')
    const names = tokenize(source).filter((token) => token.kind === 'identifier').map((token) => token.text)
    expect(names).toEqual(['const', 'a', 'b', 'const', 'c', 'x', 'inner', 'const', 'd', 'test', 'a', 'let', 'e', 'a', 'b'])
    expect(tokenize(source).at(-1)).toEqual({ kind: 'bigint', text: '3n', line: 6 })
  })

  it('finds every form of import and nothing that only looks like one', () => {
    const source = [
      "import { a } from './a.ts'",
      "import type { B } from './b.ts'",
      "import './c.ts'",
      "export * from './d.ts'",
      "type E = import('./e.ts').E",
      "Array.from('x')",
      '// import "./comment.ts"',
      'const text = "import \'./string.ts\'"',
    ].join('\n')
    expect(importsOf(tokenize(source)).map((reference) => reference.specifier)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts'])
  })
})

describe('checkTree', () => {
  it('accepts a clean tree', () => {
    expect(
      findings({
        'packages/quic/src/base/bytes.ts': 'export const EMPTY = new Uint8Array(0)',
        'packages/quic/src/wire/varint.ts': "import { EMPTY } from '../base/bytes.ts'\nexport const x = EMPTY",
        'packages/quic/src/tls/certificates/parse.ts': 'export const at = (unixTimeMs: number) => new Date(unixTimeMs)',
        'packages/quic/src/crypto/node/index.ts': "import { createHash } from 'node:crypto'\nexport const h = createHash",
        'packages/quic/src/stream/queue.ts': "import { Ring } from '../base/ring.ts'\nclass Q { private ring: Ring<number>\n take() { return this.ring.shift() } }",
        'packages/quic/src/base/ring.ts': 'export class Ring<T> { items: T[] = [] }',
        'packages/driver/src/index.ts': "import type {} from '@quicwire/quic'\nexport const now = () => Date.now()",
      }),
    ).toEqual([])
  })

  it('refuses import cycles, also through type-only imports', () => {
    expect(
      findings({
        'packages/quic/src/stream/a.ts': "import { b } from './b.ts'",
        'packages/quic/src/stream/b.ts': "import { c } from './c.ts'",
        'packages/quic/src/stream/c.ts': "import type { A } from './a.ts'",
      }),
    ).toEqual(['cycle packages/quic/src/stream/c.ts:1'])
  })

  it('refuses imports against the layer table', () => {
    expect(
      findings({
        'packages/quic/src/recovery/rtt.ts': "import type { X } from '../wire/constants.ts'",
        'packages/quic/src/wire/constants.ts': 'export type X = 1',
        'packages/quic/src/path/path.ts': "import { P } from '../crypto/packet-keys.ts'\nimport { I } from '../crypto/initial-keys.ts'",
        'packages/quic/src/newroom/x.ts': 'export const x = 1',
      }),
    ).toEqual(['layer packages/quic/src/newroom/x.ts:1', 'layer packages/quic/src/path/path.ts:2', 'layer packages/quic/src/recovery/rtt.ts:1'])
  })

  it('refuses imports across package boundaries', () => {
    expect(
      findings({
        'packages/h3/package.json': '{"dependencies":{"@quicwire/qpack":"*"}}',
        'packages/h3/src/a.ts': "import '@quicwire/quic/varint'\nimport '@quicwire/quic'\nimport '../../quic/src/index.ts'\nimport 'lodash/fp'",
      }),
    ).toEqual(['boundary packages/h3/src/a.ts:2', 'boundary packages/h3/src/a.ts:3', 'boundary packages/h3/src/a.ts:4'])
  })

  it.each([
    ["import 'node:fs'", true],
    ['const t = Date.now()', true],
    ['const t = new Date()', true],
    ['const t = performance.now()', true],
    ['setTimeout(() => 1, 2)', true],
    ['const r = Math.random()', true],
    ['crypto.getRandomValues(x)', true],
    ['async function f() {}', true],
    ['const p: Promise<void> = x', true],
    ['console.log(1)', true],
    ['process.env.X', true],
    ['Buffer.alloc(1)', true],
    ['class A extends EventEmitter {}', true],
    ['const s = `${Math.random()}`', true],
    ['// Math.random() and Promise', false],
    ["const s = 'await Promise'", false],
    ['controller.process(1)', false],
    ['const d = new Date(now)', false],
  ])('purity of `%s` in qpack: refused %s', (source, refused) => {
    expect(findings({ 'packages/qpack/src/a.ts': source })).toEqual(refused ? ['purity packages/qpack/src/a.ts:1'] : [])
  })

  it('refuses slow habits in the hot folders only', () => {
    const slow = 'const a = 1n\nconst b = BigInt(2)\nconst c = list.shift()\nconst d = new Map<string, number>()'
    expect(findings({ 'packages/quic/src/recovery/a.ts': slow })).toEqual([1, 2, 3, 4].map((line) => `hot packages/quic/src/recovery/a.ts:${line}`))
    expect(findings({ 'packages/quic/src/connection/receive/a.ts': slow })).toHaveLength(4)
    expect(findings({ 'packages/quic/src/tls/a.ts': slow })).toEqual([])
  })

  it('permits a line that says why, for that rule and that line only', () => {
    const lines = [
      '// check-layers: allow hot because users see the value',
      'const a = 1n',
      'const b = 1n',
      '// check-layers: allow hot because',
      'const c = 1n',
      '// check-layers: allow purity because users see the value',
      'const d = 1n',
    ]
    expect(findings({ 'packages/quic/src/stream/a.ts': lines.join('\n') })).toEqual([3, 5, 7].map((line) => `hot packages/quic/src/stream/a.ts:${line}`))
  })

  it('refuses names that say nothing', () => {
    expect(findings({ 'packages/quic/src/base/utils.ts': '', 'packages/driver/src/helpers/x.ts': '' })).toEqual([
      'name packages/driver/src/helpers/x.ts:1',
      'name packages/quic/src/base/utils.ts:1',
    ])
  })
})
