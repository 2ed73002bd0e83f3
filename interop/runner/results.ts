// Results in a file: the fields of the runner's result.json, which its tools and its web page read, and beside them what they leave out.

import { readFileSync, writeFileSync } from 'node:fs'
import type { InteropCase, Verdict } from '../cases/case.ts'

export interface CellResult {
  readonly client: string
  readonly server: string
  /** Name of the case. */
  readonly case: string
  readonly abbreviation: string
  readonly kind: InteropCase['kind']
  readonly verdict: Verdict
  /** The side whose own fault a failure is known to be (Endpoint.faults), and why. */
  readonly fault?: { readonly of: string; readonly reason: string }
  readonly seconds: number
}

export interface RunDetails {
  /** Endpoint to version. */
  readonly versions: Readonly<Record<string, string>>
  /** Version of the tshark that read the captures too; null: only our own parser did. */
  readonly tshark: string | null
  readonly backend: 'tun' | 'relay'
  readonly corruption: 'drop' | 'deliver'
  readonly seed: number
  /** In the order of the run. */
  readonly cells: readonly CellResult[]
}

interface UpstreamCell {
  readonly abbr: string
  readonly name: string
  readonly result: 'succeeded' | 'failed' | 'unsupported' | null
}

export interface ResultFile {
  /** Unix seconds. */
  readonly start_time: number
  readonly end_time: number
  readonly log_dir: string
  readonly servers: readonly string[]
  readonly clients: readonly string[]
  readonly urls: Readonly<Record<string, string>>
  readonly tests: Readonly<Record<string, { readonly name: string; readonly desc: string }>>
  readonly quic_draft: number
  readonly quic_version: string
  /** One list per pair: for each server, each client. */
  readonly results: readonly (readonly UpstreamCell[])[]
  readonly measurements: readonly (readonly (UpstreamCell & { readonly details: string })[])[]
  readonly details: RunDetails
}

export interface RunTimes {
  /** Unix milliseconds. */
  readonly startedAt: number
  readonly endedAt: number
  readonly logDirectory: string
}

const UPSTREAM_RESULT = { passed: 'succeeded', failed: 'failed', unsupported: 'unsupported', 'not-verified': null } as const

export function resultFile(details: RunDetails, { startedAt, endedAt, logDirectory }: RunTimes): ResultFile {
  const { cells } = details
  const servers = [...new Set(cells.map(({ server }) => server))]
  const clients = [...new Set(cells.map(({ client }) => client))]
  const lists = <Cell>(kind: CellResult['kind'], cellOf: (cell: CellResult) => Cell): Cell[][] =>
    servers.flatMap((server) =>
      clients.map((client) => cells.filter((cell) => cell.kind === kind && cell.server === server && cell.client === client).map(cellOf)),
    )
  return {
    start_time: startedAt / 1000,
    end_time: endedAt / 1000,
    log_dir: logDirectory,
    servers,
    clients,
    urls: {},
    tests: Object.fromEntries(cells.map(({ abbreviation, case: name }) => [abbreviation, { name, desc: '' }])),
    quic_draft: 34,
    quic_version: '0x1',
    results: lists('test', upstreamCell),
    measurements: lists('measurement', (cell) => ({ ...upstreamCell(cell), details: figureOf(cell.verdict) })),
    details,
  }
}

function upstreamCell({ abbreviation, case: name, verdict }: CellResult): UpstreamCell {
  return { abbr: abbreviation, name, result: UPSTREAM_RESULT[verdict.kind] }
}

/** As the runner writes it: the mean in kbit/s and its deviation. */
function figureOf(verdict: Verdict): string {
  if (verdict.kind !== 'passed' || verdict.kilobitsPerSecond === undefined) return ''
  const deviation = /± \d+/.exec(verdict.remark ?? '')?.[0] ?? '± 0'
  return `${verdict.kilobitsPerSecond} (${deviation}) kbps`
}

/** `path`: made or replaced. */
export function writeResults(path: string, results: ResultFile): void {
  writeFileSync(path, `${JSON.stringify(results, null, 2)}\n`)
}

export function readResults(path: string): ResultFile {
  return JSON.parse(readFileSync(path, 'utf8')) as ResultFile
}
