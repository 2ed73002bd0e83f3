import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { COLUMNS, checkRequirements, parseCsv } from '../check-requirements.ts'
import type { LedgerReport } from '../check-requirements.ts'

const roots: string[] = []

const TEST_FILE = "// a comment names nothing\nit('RFC 1 §2: refuses what isn\\'t there', () => {})\nit(`drops ${count} packets`, () => {})\n"

function report(...rows: string[]): LedgerReport {
  const root = mkdtempSync(join(tmpdir(), 'quicwire-requirements-'))
  roots.push(root)
  const files = {
    'docs/requirements/rfc1.csv': [COLUMNS.join(), ...rows, ''].join('\n'),
    'packages/a/src/b.ts': '',
    'packages/a/test/b.test.ts': TEST_FILE,
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return checkRequirements(root)
}

afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true })
})

describe('parseCsv (RFC 4180)', () => {
  it('reads quotes, commas, line breaks and empty fields', () => {
    expect(parseCsv('a,"b, ""c""\nd",\r\n,e\n')).toEqual([
      { line: 1, fields: ['a', 'b, "c"\nd', ''] },
      { line: 3, fields: ['', 'e'] },
    ])
  })

  it('refuses a quote that is not closed', () => {
    expect(() => parseCsv('a,"b\n')).toThrow(SyntaxError)
  })
})

describe('a ledger', () => {
  it('counts what is tested and what has a reason', () => {
    const { findings, ...counts } = report(
      "rfc1-2-1,2,MUST,be there,packages/a/src/b.ts,packages/a/test/b.test.ts > refuses what isn't there,",
      'rfc1-2-2,2,SHOULD,drop,,packages/a/test/b.test.ts > §2: refuses | packages/a/test/b.test.ts > drops ${count} packets,both',
      'rfc1-2-3,2,MAY,sing,,,not applicable: nobody listens',
    )
    expect(findings).toEqual([])
    expect(counts).toEqual({ requirements: 3, tested: 2, reasoned: 1 })
  })

  it.each([
    ['a file that is gone', 'rfc1-2-1,2,MUST,x,packages/a/src/c.ts,,not tested: y', 'where: there is no file'],
    ['a file outside of the packages', 'rfc1-2-1,2,MUST,x,docs/requirements/rfc1.csv,,not tested: y', 'where: there is no file'],
    ['a test file that is gone', 'rfc1-2-1,2,MUST,x,,packages/a/test/c.test.ts > y,', 'test: there is no file'],
    ['a file that is no test', 'rfc1-2-1,2,MUST,x,,packages/a/src/b.ts > y,', 'is not a test file'],
    ['a title that is gone', 'rfc1-2-1,2,MUST,x,,packages/a/test/b.test.ts > takes it,', 'has no title with'],
    ['words of a comment', 'rfc1-2-1,2,MUST,x,,packages/a/test/b.test.ts > a comment,', 'has no title with'],
    ['a file without a title', 'rfc1-2-1,2,MUST,x,,packages/a/test/b.test.ts,', 'words of a title'],
    ['neither test nor reason', 'rfc1-2-1,2,MUST,x,,,later', 'without a test'],
    ['a level that is none', 'rfc1-2-1,2,WILL,x,,,not tested: y', 'no level'],
    ['an id of another section', 'rfc1-3-1,2,MUST,x,,,not tested: y', 'an id is'],
    ['too few fields', 'rfc1-2-1,2,MUST,x', '4 fields'],
    ['nothing required', 'rfc1-2-1,2,MUST,,,,not tested: y', 'no requirement'],
  ])('with %s is refused', (_name, row, problem) => {
    const { findings } = report(row)
    expect(findings).toHaveLength(1)
    expect(findings[0]).toContain('rfc1.csv:2')
    expect(findings[0]).toContain(problem)
  })

  it('with an id twice is refused', () => {
    const row = 'rfc1-2-1,2,MUST,x,,,not tested: y'
    expect(report(row, row).findings).toEqual(['rfc1.csv:3 rfc1-2-1: this id is used twice'])
  })
})

it('the ledgers of this repository hold', () => {
  const { findings, requirements } = checkRequirements(fileURLToPath(new URL('../..', import.meta.url)))
  expect(findings).toEqual([])
  expect(requirements).toBeGreaterThan(500)
})
