// All the cells of a run: who is there, which pairs there are, and every case with each of them.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { InteropCase, Verdict } from '../cases/case.ts'
import type { Link, LinkOptions } from '../link/link.ts'
import { InstallError } from '../peers/peer.ts'
import { whyNotCompliant } from './compliance.ts'
import type { Endpoint, Role } from './endpoint.ts'
import { verdictOfRepetitions } from './exit-rule.ts'
import type { CellResult } from './results.ts'
import { runCase } from './run-case.ts'

export interface Pair {
  readonly client: Endpoint
  readonly server: Endpoint
}

export interface SuiteOptions {
  readonly ours: Endpoint
  readonly peers: readonly Endpoint[]
  readonly cases: readonly InteropCase[]
  /** Of ours. */
  readonly roles: readonly Role[]
  /** The peers with themselves too, measurements only. */
  readonly reference: boolean
  readonly openLink: (options: LinkOptions) => Promise<Link>
  readonly seed: number
  readonly corruption: LinkOptions['corruption']
  /** Null: as the case says. */
  readonly repetitions: number | null
  /** Logs; one folder per cell. */
  readonly directory: string
  /** Keep the folders of cells that did not fail. */
  readonly keep: boolean
  readonly onCell: (cell: CellResult) => void
  readonly onRemark: (remark: string) => void
}

export interface SuiteResult {
  readonly versions: Readonly<Record<string, string>>
  readonly cells: readonly CellResult[]
}

/** Ours with itself, our client with their servers, their clients with our server. */
export function pairsOf({ ours, peers, roles, reference }: Pick<SuiteOptions, 'ours' | 'peers' | 'roles' | 'reference'>): Pair[] {
  const servers = peers.filter((peer) => peer.roles.includes('server'))
  const clients = peers.filter((peer) => peer.roles.includes('client'))
  return [
    ...(roles.length === 2 || peers.length === 0 ? [{ client: ours, server: ours }] : []),
    ...(roles.includes('client') ? servers.map((server) => ({ client: ours, server })) : []),
    ...(roles.includes('server') ? clients.map((client) => ({ client, server: ours })) : []),
    ...(reference ? servers.filter((peer) => clients.includes(peer)).map((peer) => ({ client: peer, server: peer })) : []),
  ]
}

export async function runSuite(options: SuiteOptions): Promise<SuiteResult> {
  const { ours, peers, cases } = options
  const versions: Record<string, string> = {}
  const absent = new Map<Endpoint, string>()
  for (const endpoint of [ours, ...peers]) {
    try {
      versions[endpoint.name] = await endpoint.install()
    } catch (error) {
      if (!(error instanceof InstallError)) throw error
      absent.set(endpoint, `${endpoint.name} is not here: ${error.message}`)
    }
  }
  const obstacles = new Obstacles(options, absent)
  const cells: CellResult[] = []
  for (const pair of pairsOf(options)) {
    const obstacle = await obstacles.of(pair)
    if (obstacle !== null) options.onRemark(obstacle)
    const isReference = pair.client !== ours && pair.server !== ours
    for (const subject of cases) {
      if (isReference && subject.kind !== 'measurement') continue
      const cell = await runCell(subject, pair, obstacle, options)
      cells.push(cell)
      options.onCell(cell)
    }
  }
  return { versions, cells }
}

/** Why a pair cannot be run at all. */
class Obstacles {
  private readonly options: SuiteOptions
  private readonly absent: ReadonlyMap<Endpoint, string>
  private readonly known: Map<string, string | null>

  constructor(options: SuiteOptions, absent: ReadonlyMap<Endpoint, string>) {
    this.options = options
    this.absent = absent
    this.known = new Map()
  }

  async of({ client, server }: Pair): Promise<string | null> {
    return this.absent.get(client) ?? this.absent.get(server) ?? (await this.side(client, 'client')) ?? (await this.side(server, 'server'))
  }

  private async side(endpoint: Endpoint, role: Role): Promise<string | null> {
    const key = `${endpoint.name}-${role}`
    let why = this.known.get(key)
    if (why === undefined) {
      const directory = join(this.options.directory, `compliance-${key}`)
      why = await whyNotCompliant(endpoint, role, this.options.seed, directory)
      if (why !== null) why = `the ${role} of ${endpoint.name} does not keep to the contract: ${why}`
      else rmSync(directory, { recursive: true, force: true })
      this.known.set(key, why)
    }
    return why
  }
}

async function runCell(subject: InteropCase, pair: Pair, obstacle: string | null, options: SuiteOptions): Promise<CellResult> {
  const startedAt = performance.now()
  const folder = `${pair.server.name}_${pair.client.name}/${subject.name}`
  const verdict: Verdict = obstacle === null ? await runRepetitions(subject, pair, folder, options) : { kind: 'not-verified', reason: obstacle }
  const fault = verdict.kind === 'failed' ? faultOf(subject, pair) : undefined
  return {
    client: pair.client.name,
    server: pair.server.name,
    case: subject.name,
    abbreviation: subject.abbreviation,
    kind: subject.kind,
    verdict: verdict.kind === 'failed' ? { ...verdict, reason: verdict.reason.replaceAll(options.directory, '') } : verdict,
    ...(fault === undefined ? {} : { fault }),
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
  }
}

async function runRepetitions(subject: InteropCase, { client, server }: Pair, folder: string, options: SuiteOptions): Promise<Verdict> {
  const count = subject.kind === 'measurement' ? (options.repetitions ?? subject.repetitions) : subject.repetitions
  const verdicts: Verdict[] = []
  for (let i = 0; i < count; i++) {
    const directory = join(options.directory, folder, count === 1 ? '' : String(i + 1))
    mkdirSync(directory, { recursive: true })
    const { openLink, corruption } = options
    const verdict = await attempted(() => runCase(subject, { client, server }, { openLink, seed: options.seed + i, corruption, directory }))
    verdicts.push(verdict)
    if (verdict.kind !== 'failed' && !options.keep) rmSync(directory, { recursive: true, force: true })
    // As in the runner: one that failed decides.
    if (verdict.kind !== 'passed') break
  }
  return verdictOfRepetitions(verdicts)
}

/** What goes wrong on our side of the test is no verdict on anybody. */
async function attempted(run: () => Promise<Verdict>): Promise<Verdict> {
  try {
    return await run()
  } catch (error) {
    return { kind: 'not-verified', reason: `the run itself failed: ${(error as Error).message}` }
  }
}

function faultOf(subject: InteropCase, { client, server }: Pair): CellResult['fault'] {
  for (const [role, endpoint] of [['client', client], ['server', server]] as const) {
    const reason = endpoint.faults?.[`${role}: ${subject.name}`]
    if (reason !== undefined) return { of: endpoint.name, reason }
  }
  return undefined
}
