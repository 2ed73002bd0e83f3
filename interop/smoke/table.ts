// The table at the end of a run, for a terminal.

import type { CaseResult } from './cases.ts'

export function formatTable(results: readonly CaseResult[], versions: ReadonlyMap<string, string>): string {
  const named = (name: string): string => {
    const version = versions.get(name)
    return version === undefined || !/^\d/.test(version) ? name : `${name} ${version}`
  }
  const rows = results.map((result) => [
    named(result.case.client.name),
    named(result.case.server.name),
    result.case.what,
    result.failure === null ? 'ok' : 'FAILED',
    result.failure === null ? `${(result.elapsedMs / 1000).toFixed(1)} s` : '',
    result.failure === null ? (result.bytes / 1e3 / result.elapsedMs).toFixed(1) : '',
  ])
  const table = [['client', 'server', 'what', 'result', 'time', 'MB/s'], ...rows]
  const widths = table[0]!.map((_title, column) => Math.max(...table.map((row) => row[column]!.length)))
  const numeric = (column: number): boolean => column >= 4
  const lines = table.map((row) =>
    row.map((cell, column) => (numeric(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!))).join('  ').trimEnd(),
  )
  return lines.join('\n')
}
