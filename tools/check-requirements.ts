// Refuses a requirement ledger that lies: docs/requirements/rfcNNNN.csv, columns in docs/requirements/README.md. Ids are unique and name
// their section, every `where` is a file, every `test` is a file of tests (or of a suite they share) that says the words given, and a row
// without a test has a reason. Usage: tsx tools/check-requirements.ts [root]

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const COLUMNS: readonly string[] = ['id', 'section', 'level', 'requirement', 'where', 'test', 'note']

const LEVELS: ReadonlySet<string> = new Set([
  'MUST', 'MUST NOT', 'SHALL', 'SHALL NOT', 'REQUIRED', 'SHOULD', 'SHOULD NOT', 'RECOMMENDED', 'NOT RECOMMENDED', 'MAY',
])

/** How the note of a row without a test begins. */
const REASONS: readonly string[] = ['not applicable: ', 'not tested: ', 'deviation: ']

export interface LedgerReport {
  readonly requirements: number
  readonly tested: number
  /** Without a test, for a stated reason. */
  readonly reasoned: number
  /** One line each, with file and line number. */
  readonly findings: readonly string[]
}

/** RFC 4180. Throws SyntaxError for a quote that is not closed. */
export function parseCsv(text: string): { line: number; fields: string[] }[] {
  const rows: { line: number; fields: string[] }[] = []
  let fields: string[] = []
  let field = ''
  let quoted = false
  let line = 1
  let begun = 1
  const endRow = (): void => {
    fields.push(field)
    rows.push({ line: begun, fields })
    fields = []
    field = ''
  }
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]!
    if (character === '\n') line += 1
    if (quoted) {
      if (character !== '"') field += character
      else if (text[at + 1] === '"') field += text[(at += 1)]!
      else quoted = false
    } else if (character === '"') {
      quoted = true
    } else if (character === ',') {
      fields.push(field)
      field = ''
    } else if (character === '\n') {
      endRow()
      begun = line
    } else if (character !== '\r') {
      field += character
    }
  }
  if (quoted) throw new SyntaxError(`a quoted field that begins in the row of line ${begun} does not end`)
  if (field !== '' || fields.length > 0) endRow()
  return rows
}

export function checkRequirements(root: string): LedgerReport {
  const folder = join(root, 'docs', 'requirements')
  const findings: string[] = []
  const ids = new Set<string>()
  const sources = new Map<string, string | null>()
  let requirements = 0
  let tested = 0
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.csv')).sort()) {
    const [header, ...rows] = parseCsv(readFileSync(join(folder, file), 'utf8'))
    if (header?.fields.join() !== COLUMNS.join()) findings.push(`${file}:1 the columns must be ${COLUMNS.join()}`)
    for (const { line, fields } of rows) {
      requirements += 1
      const report = (problem: string): void => void findings.push(`${file}:${line} ${fields[0]}: ${problem}`)
      if (fields.length !== COLUMNS.length) {
        report(`${fields.length} fields instead of ${COLUMNS.length}`)
        continue
      }
      const [id, section, level, requirement, where, test, note] = fields as [string, string, string, string, string, string, string]
      if (ids.has(id)) report('this id is used twice')
      ids.add(id)
      if (!id.startsWith(`${file.slice(0, -4)}-${section}-`)) report(`an id is "${file.slice(0, -4)}-", the section, "-" and a number`)
      if (!LEVELS.has(level)) report(`"${level}" is no level of RFC 2119`)
      if (requirement === '') report('says no requirement')
      for (const path of parts(where)) {
        if (!path.startsWith('packages/') || !existsSync(join(root, path))) report(`where: there is no file ${path} under packages/`)
      }
      for (const reference of parts(test)) {
        const problem = testProblem(root, reference, sources)
        if (problem !== null) report(`test: ${problem}`)
      }
      if (test !== '') tested += 1
      else if (!REASONS.some((reason) => note.startsWith(reason))) report(`without a test the note begins with one of: ${REASONS.join('| ')}`)
    }
  }
  return { requirements, tested, reasoned: requirements - tested, findings }
}

/** Several files or tests in one field stand apart by ` | `. */
function parts(field: string): string[] {
  return field === '' ? [] : field.split(' | ')
}

function testProblem(root: string, reference: string, sources: Map<string, string | null>): string | null {
  const [path, words] = split(reference)
  if (words === '') return `"${reference}" is not "file > words of a title"`
  if (!/^packages\/[^/]+\/test\/.+\.ts$/.test(path)) return `${path} is not a test file`
  if (!sources.has(path)) sources.set(path, existsSync(join(root, path)) ? titleText(readFileSync(join(root, path), 'utf8')) : null)
  const text = sources.get(path)
  if (text === null || text === undefined) return `there is no file ${path}`
  return text.includes(words) ? null : `${path} has no title with "${words}"`
}

function split(reference: string): [string, string] {
  const at = reference.indexOf(' > ')
  return at < 0 ? [reference, ''] : [reference.slice(0, at), reference.slice(at + 3)]
}

/** Titles are string literals, templates or the names in a table: everything but comments, with the escapes of quotes undone. */
function titleText(source: string): string {
  const lines = source.split('\n').filter((line) => !/^\s*(\/\/|\/?\*|import )/.test(line))
  return lines.join('\n').replaceAll("\\'", "'")
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = checkRequirements(resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url))))
  for (const finding of report.findings) console.error(finding)
  console.log(`${report.requirements} requirements, ${report.tested} tested, ${report.reasoned} with a reason why not`)
  if (report.findings.length > 0) process.exit(1)
}
