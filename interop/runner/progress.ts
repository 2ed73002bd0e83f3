// The run as it is seen on the terminal: a line per cell as it ends, a table and the reasons at the end.

import type { CellResult } from './results.ts'

const LONGEST_REASON = 300

export function cellLine(cell: CellResult): string {
  const { client, server, case: name, verdict, seconds } = cell
  return `${client.padEnd(12)} ${server.padEnd(12)} ${name.padEnd(20)} ${seconds.toFixed(1).padStart(6)} s  ${describe(cell, verdict)}`
}

export const CELL_HEAD: string = `${'client'.padEnd(12)} ${'server'.padEnd(12)} ${'case'.padEnd(20)}          result`

function describe(cell: CellResult, verdict: CellResult['verdict']): string {
  switch (verdict.kind) {
    case 'passed':
      return ['passed', ...(verdict.kilobitsPerSecond === undefined ? [] : [`${Math.round(verdict.kilobitsPerSecond)} kbit/s`]), ...(verdict.remark === undefined ? [] : [verdict.remark])].join(', ')
    case 'failed':
      return `failed: ${shortened(verdict.reason)}${cell.fault === undefined ? '' : ` (a fault of ${cell.fault.of}: ${cell.fault.reason})`}`
    case 'unsupported':
      return `unsupported by ${cell[verdict.by]}`
    default:
      return `not verified: ${shortened(verdict.reason)}`
  }
}

function shortened(reason: string): string {
  return reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason
}

/** Failed with our side in it, and not known to be the peer's own fault. */
export function isOurFailure(cell: CellResult, ours: string): boolean {
  return cell.verdict.kind === 'failed' && cell.fault === undefined && (cell.client === ours || cell.server === ours)
}

/** Abbreviations by pair, as the runner prints them. */
export function summary(cells: readonly CellResult[]): string {
  const pairs = [...new Set(cells.map(({ client, server }) => `${client} -> ${server}`))]
  const lines = pairs.map((pair) => {
    const of = cells.filter(({ client, server }) => `${client} -> ${server}` === pair)
    const list = (kind: string): string => of.filter(({ verdict }) => verdict.kind === kind).map(({ abbreviation }) => abbreviation).join(',') || 'none'
    return `${pair}: passed ${list('passed')}; failed ${list('failed')}; unsupported ${list('unsupported')}; not verified ${list('not-verified')}`
  })
  const count = (kind: string): number => cells.filter(({ verdict }) => verdict.kind === kind).length
  return [
    ...lines,
    `${count('passed')} cells passed, ${count('failed')} failed, ${count('unsupported')} unsupported, ${count('not-verified')} not verified`,
  ].join('\n')
}
